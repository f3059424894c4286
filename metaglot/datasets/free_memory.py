"""The memory that this process may still take: of the machine, and of its control group."""

from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")


def free_memory() -> int:
    """Bytes."""
    return min([psutil.virtual_memory().available, *_of_cgroup(CGROUP)])


def _of_cgroup(folder: Path) -> list[int]:
    """What a limit leaves, if there is one (version 2)."""
    try:
        limit, used = (int((folder / name).read_text()) for name in ("memory.max", "memory.current"))
        cached = [line.split() for line in (folder / "memory.stat").read_text().splitlines()]
    except (OSError, ValueError):  # `max` is no number
        return []
    return [limit - used + sum(int(value) for name, value in cached if name == "inactive_file")]
