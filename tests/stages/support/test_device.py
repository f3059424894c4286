import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import ComputeConfig
from stages.support import device as device_module

CPU = torch.device("cpu")


def run(device: str = "cpu", threads: int | str = "auto") -> ComputeConfig:
    return ComputeConfig(device=device, threads=threads, task_chunk="auto")


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Threads and TF32 are afterwards as they were."""
    threads, matmul, cudnn = (
        torch.get_num_threads(),
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
    )
    yield
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with some code, and the working directory."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "a@b.c")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metaglot").mkdir()
    (tmp_path / "metaglot/tasks.py").write_text("TURNS = 4\n")
    (tmp_path / "README.md").write_text("read me\n")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    return tmp_path


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_tf32_is_off_even_where_something_switched_it_on():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    device_module.prepare_device(run())
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32


def test_threads_are_as_asked_or_left_alone():
    device_module.prepare_device(run(threads=1))
    assert torch.get_num_threads() == 1
    torch.set_num_threads(2)
    device_module.prepare_device(run(threads="auto"))
    assert torch.get_num_threads() == 2


def test_the_device_is_as_asked_or_the_gpu_where_there_is_one():
    assert device_module.prepare_device(run("cpu")) == CPU
    assert device_module.prepare_device(run("auto")).type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:99", "mps"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device):
    if torch.backends.mps.is_available() if device == "mps" else torch.cuda.is_available() and device != "cuda:99":
        pytest.skip(f"there is {device} here")
    with pytest.raises(UserError) as refusal:
        device_module.prepare_device(run(device))
    line = str(refusal.value)
    assert line.startswith(f"run.device: {device} is not on this machine, which has cpu") and "\n" not in line


def test_the_processor_is_described_by_its_name():
    named = device_module.device_name(CPU)
    assert named.strip() == named != ""
    info = Path("/proc/cpuinfo")
    if info.exists() and "model name" in info.read_text():
        assert f": {named}\n" in info.read_text()


def test_peak_memory_is_in_megabytes_and_holds_what_was_held():
    held = bytearray(os.urandom(1)) * (300 * 2**20)
    peak = device_module.peak_memory_mb(CPU)
    assert len(held) / 2**20 < peak < 100_000


def test_versions_are_those_that_run():
    versions = device_module.package_versions()
    assert versions["python"] == platform.python_version() and torch.__version__.startswith(versions["torch"])
    assert {"metaglot", "learn2learn", "numpy"} <= versions.keys()


def test_a_commit_is_named_and_marked_where_its_code_has_changed(repository):
    head = git("rev-parse", "HEAD")
    assert device_module.current_commit() == head
    (repository / "README.md").write_text("changed\n")
    assert device_module.current_commit() == head  # no code
    (repository / "metaglot/tasks.py").write_text("TURNS = 2\n")
    assert device_module.current_commit() == f"{head}-dirty"
    git("commit", "-q", "-am", "Turn less")
    assert device_module.current_commit() == git("rev-parse", "HEAD") != head
    (repository / "metaglot/new.py").write_text("")
    assert device_module.current_commit().endswith("-dirty")


def test_outside_of_git_or_without_it_there_is_no_commit(tmp_path, monkeypatch, repository):
    monkeypatch.setenv("PATH", "")
    assert device_module.current_commit() is None
    monkeypatch.undo()
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    monkeypatch.chdir(outside)
    monkeypatch.setenv("GIT_DIR", str(outside / "none"))
    assert device_module.current_commit() is None
