"""Checkpoints: a training that was stopped resumes from the last one.

A checkpoint is in .metaglot/checkpoints (or where METAGLOT_CHECKPOINTS says), in a folder whose name is a digest of
everything that the training's result depends on. A checkpoint of other params, data, code, versions or threads is in
another folder and is never read. A checkpoint file is replaced atomically and begins with its own digest; the one
before it is kept.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import gethostname

import torch
from filelock import FileLock, Timeout
from safetensors.torch import load, save
from torch import Tensor

from metaglot.core.common.atomic_files import sha256, write_bytes
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TrainStageConfig
from stages.support import paths
from stages.support.device import device_name

FOLDER_VARIABLE = "METAGLOT_CHECKPOINTS"  # set it to a folder that several machines share
INTERVAL_VARIABLE, DEFAULT_INTERVAL = "METAGLOT_CHECKPOINT_SECONDS", 30.0  # seconds
DIGEST = hashlib.sha256().digest_size

State = dict[str, Tensor]


class Checkpoints:
    """The checkpoints of one training, in their own folder."""

    def __init__(self, folder: Path, every: float):
        """every: seconds between two checkpoints."""
        self.folder, self.every = folder, every
        self.last, self.before = folder / "last", folder / "before"
        self.saved = time.monotonic()

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self.saved >= self.every

    def save(self, state: State) -> None:
        content = save({name: value.detach().cpu().contiguous() for name, value in state.items()})
        if self.last.exists():
            os.replace(self.last, self.before)
        write_bytes(self.last, hashlib.sha256(content).digest() + content)
        self.saved = time.monotonic()

    def load(self) -> State | None:
        """The last intact checkpoint, if there is one; a damaged one is reported and removed."""
        for path in (self.last, self.before):
            if path.exists():
                content = path.read_bytes()
                if hashlib.sha256(content[DIGEST:]).digest() == content[:DIGEST]:
                    state: State = load(content[DIGEST:])
                    return state
                print(f"the checkpoint {path} is damaged: it is ignored", file=sys.stderr)
                path.unlink()
        return None

    @contextmanager
    def exclusive(self, title: str) -> Iterator[None]:
        """Wait until no other process trains this; delete the folder after success if no process waits."""
        lock = self._lock(title)
        while not lock.is_locked:
            lock = self._lock(title)
        try:
            yield
            if not self.has_waiters():
                shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            lock.release()

    def _lock(self, title: str) -> FileLock:
        """Wait for the lock; it comes back unlocked if the process that had it deleted the folder and the lock file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock, waiting = FileLock(self.folder / "lock"), self.folder / f"{os.getpid()}@{gethostname()}.waits"
        with suppress(FileNotFoundError):
            waiting.touch()
            try:
                lock.acquire(timeout=0)
            except Timeout:
                print(f"{title}: another process trains this; waiting for its result", file=sys.stderr, flush=True)
                lock.acquire()
        if not waiting.exists():
            lock.release()
        waiting.unlink(missing_ok=True)
        return lock

    def has_waiters(self) -> bool:
        """Whether another process waits for this training's result."""
        return any(is_alive(path.stem) for path in self.folder.glob("*.waits"))


def is_alive(waiter: str) -> bool:
    """Whether a process runs, by its id and host: one on another machine counts as running."""
    process, _, host = waiter.partition("@")
    if host != gethostname():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def open_checkpoints(config: TrainStageConfig, seed: int, device: torch.device) -> Checkpoints:
    """The checkpoints of a training. Import its modules first: their content is part of the folder's name."""
    folder = paths.root() / os.environ.get(FOLDER_VARIABLE, ".metaglot/checkpoints")
    return Checkpoints(
        folder / f"{config.algorithm}-{seed}-{checkpoint_key(config, seed, device)[:16]}", save_interval()
    )


def checkpoint_key(config: TrainStageConfig, seed: int, device: torch.device) -> str:
    """A digest of everything that can change a bit of the training's result."""
    inputs = [
        config.model_dump(),
        seed,
        [sha256(paths.split(part)) for part in ("train", "validation")],
        {name: sha256(path) for name, path in code_files().items()},
        [torch.__version__, device_name(device), torch.get_num_threads()],
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def code_files() -> dict[str, Path]:
    """This project's imported modules by name, the running stage's included, and the C sources beside them."""
    specs = (getattr(module, "__spec__", None) for module in [*sys.modules.values()])
    origins = {spec.name: spec.origin for spec in specs if spec and spec.name.startswith(("metaglot.", "stages."))}
    modules = {name: Path(file) for name, file in sorted(origins.items()) if file}
    folders = sorted({file.parent for file in modules.values()})
    return modules | {source.name: source for folder in folders for source in sorted(folder.glob("*.[ch]"))}


def save_interval() -> float:
    """Seconds between two checkpoints."""
    value = os.environ.get(INTERVAL_VARIABLE, DEFAULT_INTERVAL)
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise UserError(f"{INTERVAL_VARIABLE}: got {value!r}; takes a number of seconds, 0 or more")
    return seconds
