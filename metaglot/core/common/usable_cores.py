"""How many cores this process may use."""

import os


def usable_cores() -> int:
    """Those of its affinity, where the system has one (macOS has none), else all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
