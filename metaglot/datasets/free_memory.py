"""The memory that this process may still take: of the machine, and of its control group."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def free_memory() -> int:
    """Bytes."""
    return min([_of_machine(), *_of_cgroup(CGROUP)])


def _of_machine() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_cgroup(folder: Path) -> list[int]:
    """What a limit leaves, if there is one (version 2)."""
    try:
        limit, used = (int((folder / name).read_text()) for name in ("memory.max", "memory.current"))
        cached = [line.split() for line in (folder / "memory.stat").read_text().splitlines()]
    except (OSError, ValueError):  # `max` is no number
        return []
    return [limit - used + sum(int(value) for name, value in cached if name == "inactive_file")]
