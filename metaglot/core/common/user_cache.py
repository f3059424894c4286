"""The folder of what was made on this machine and can be made again, such as compiled C."""

import os
from pathlib import Path


def user_cache() -> Path:
    """It may be deleted at any time. RuntimeError: the user has no home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "metaglot")
