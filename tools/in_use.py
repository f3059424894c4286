"""A folder that only one command at a time may use."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from metaglot.core.common.errors import UserError


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which lies beside it; raises UserError if another command has it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        locked = lock.acquire(blocking=False)
    except Timeout:
        raise UserError(f"{folder} is in use by another command: wait until that has ended, or stop it") from None
    with locked:
        yield
