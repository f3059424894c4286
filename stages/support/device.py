"""The machine that a stage runs on: its device, and what a record should say of it."""

import ctypes
import platform
import resource
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

from metaglot import __version__
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import ComputeConfig


def prepare_device(run: ComputeConfig) -> torch.device:
    """The device that `run` asks for, with its number of threads, without TF32, and the same each time."""
    keep_memory()
    if run.threads != "auto":
        torch.set_num_threads(run.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    if run.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(run.device)
    here = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if (device.index or 0) >= here[device.type]:
        found = ", ".join(kind for kind, count in here.items() if count)
        raise UserError(
            f"run.device: {run.device} is not on this machine, which has {found}: set it to auto or to one of these"
        )
    return device


def keep_memory() -> None:
    """Have glibc keep what is freed: handing large tensors back to the kernel faults every page in again, each time."""
    trim_threshold, mmap_threshold, never = -1, -3, 1 << 30
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(trim_threshold, never)
        library.mallopt(mmap_threshold, never)


def synchronise(device: torch.device) -> None:
    """Return once the device has done all it was given, so that a clock can be read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def device_name(device: torch.device) -> str:
    """The device's own name: a GPU's, or the processor's."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU (MPS)" if device.type == "mps" else _processor()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def peak_memory_mb(device: torch.device) -> float:
    """The most memory that this process has held so far, MiB: resident, and on a GPU what was allocated there."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what a parent held before it became this process
        resident = (
            next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
        )
    else:
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return resident + (torch.cuda.max_memory_allocated(device) / 1024**2 if device.type == "cuda" else 0)


def package_versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("torch", "learn2learn", "numpy")}
    return {"python": platform.python_version(), "metaglot": __version__} | packages


def current_commit() -> str | None:
    """The commit that the working directory is on, with `-dirty` where its code differs; None outside of git."""
    code = ["metaglot", "stages", "params.yaml", "dvc.yaml"]
    try:
        head = _git("rev-parse", "HEAD")
        return f"{head}-dirty" if _git("status", "--porcelain", "--", *code) else head
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()
