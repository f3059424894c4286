"""One `cluster run` at a time in a project: two would share workspaces and checkpoints."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from metaglot.core.common.errors import UserError

LOCK = Path(".metaglot/workers/lock")


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the project's lock; raises UserError if another process has it."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{LOCK} is held by another `cluster run` in this project: wait for it, or stop it") from None
    try:
        yield
    finally:
        lock.release()
