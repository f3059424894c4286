"""The device that a stage computes on, and the description of the machine in run.json."""

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
    """The device that `run` asks for; sets the number of threads, no TF32, deterministic cuDNN."""
    keep_memory()
    if run.threads != "auto":
        torch.set_num_threads(run.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    if run.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(run.device)
    counts = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if (device.index or 0) >= counts[device.type]:
        available = ", ".join(kind for kind, count in counts.items() if count)
        raise UserError(
            f"run.device: {run.device} is not on this machine, which has {available}: set it to auto or to one of these"
        )
    return device


def keep_memory() -> None:
    """Make glibc keep freed memory: returning large tensors to the kernel costs page faults at every allocation."""
    trim_threshold, mmap_threshold, never = -1, -3, 1 << 30
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(trim_threshold, never)
        library.mallopt(mmap_threshold, never)


def synchronise(device: torch.device) -> None:
    """Wait until the device has finished its work, so that a clock can be read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def device_name(device: torch.device) -> str:
    """The name of the GPU or of the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU (MPS)" if device.type == "mps" else _processor()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def peak_memory_mb(device: torch.device) -> float:
    """The peak memory of this process in MiB: resident, plus what it allocated on a GPU."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would include the memory of the parent process before exec
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
    """The commit of the working directory, with `-dirty` if its code differs; None outside of git."""
    code = ["metaglot", "stages", "params.yaml", "dvc.yaml"]
    try:
        head = _git("rev-parse", "HEAD")
        return f"{head}-dirty" if _git("status", "--porcelain", "--", *code) else head
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()
