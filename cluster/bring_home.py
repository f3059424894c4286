"""Bring results home: into DVC's cache, from where `dvc repro` restores them and writes dvc.lock itself.

DVC takes the newest of two results under one key without a word. So a second result is compared with the first, and
refused unless they agree in all but times.
"""

import csv
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cluster.workspace import unpack
from metaglot.core.common.errors import UserError
from tools.clone import dvc_cache

TIMES = {"started_at", "ended_at", "train_seconds", "validation_seconds", "setup_seconds", "seconds"} | {
    "iterations_per_second", "peak_memory_mb", "resumed", "commit",
}  # fmt: skip


def bring_home(results: bytes, cache: Path | None = None) -> list[str]:
    """Add a job's results to the cache, files before the entries that name them; returns the entries' commands."""
    cache = cache or dvc_cache()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        arrived = Path(name)
        try:
            unpack(results, arrived)
        except tarfile.TarError:
            raise UserError("a result arrived damaged: it is no whole tar; run it again") from None
        for path in _files(arrived / "files"):
            _check_content(path)
        entries = [path for path in _files(arrived / "runs") if not _is_known(path, arrived, cache)]
        for path in [*_files(arrived / "files"), *entries]:
            place = cache / path.relative_to(arrived)
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, place)
        return [yaml.safe_load((cache / path.relative_to(arrived)).read_text())["cmd"] for path in entries]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _check_content(path: Path) -> None:
    """A file of the cache is named by its md5."""
    named = path.parent.name + path.name
    if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != named:
        raise UserError(f"a result arrived damaged: {named} has another md5; run it again")


def _is_known(entry: Path, arrived: Path, cache: Path) -> bool:
    """Whether the key has a result here already; one that differs in more than times is refused.

    A result without its files, which `dvc gc` removed, is forgotten: DVC cannot restore it.
    """
    kept = cache / entry.parent.relative_to(arrived)
    for other in _files(kept):
        mine, theirs = yaml.safe_load(entry.read_text()), yaml.safe_load(other.read_text())
        if not all(_file(cache, out).exists() for out in theirs["outs"]):
            other.unlink()
            continue
        for a, b in zip(mine["outs"], theirs["outs"], strict=True):
            if a["md5"] != b["md5"] and _without_times(arrived, a) != _without_times(cache, b):
                raise UserError(
                    f"{a['path']} was computed twice from the same code and data, with different results "
                    f"({a['md5']} and {b['md5']}): another device or number of threads; keep one, and remove {other}"
                )
        return True
    return False


def _file(cache: Path, out: dict[str, Any]) -> Path:
    return cache / "files/md5" / out["md5"][:2] / out["md5"][2:]


def _without_times(cache: Path, out: dict[str, Any]) -> Any:
    """The content of an output but for what differs from run to run."""
    path = _file(cache, out)
    if out["path"].endswith(".json"):
        return {key: value for key, value in json.loads(path.read_text()).items() if key not in TIMES}
    if out["path"].endswith(".csv"):
        rows = csv.DictReader(io.StringIO(path.read_text()))
        return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]
    return path.read_bytes()
