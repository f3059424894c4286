"""One command at a time where two would share workspaces, checkpoints or a clone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from metaglot.core.common.errors import UserError


@contextmanager
def exclusive(lock: Path, refusal: str) -> Iterator[None]:
    """Hold a lock until the block ends; raises UserError if another process has it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(lock).acquire(blocking=False)
    except Timeout:
        raise UserError(refusal) from None
    with held:
        yield
