"""results.json, and results.md made from it."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from benchmarks.tables import Table
from metaglot.core.common.atomic_files import read_json, write_json, write_text
from metaglot.core.common.errors import UserError
from stages.support import device

Results = dict[str, Any]


def about() -> Results:
    """Where this is measured: what must be the same for two measurements to stand in one file."""
    processor = device.device_name(torch.device("cpu"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "device": processor,
        "threads": torch.get_num_threads(),
        "versions": device.package_versions(),
    }


def when() -> Results:
    return {"date": datetime.now(UTC).isoformat(timespec="minutes"), "commit": device.current_commit()}


def opened(folder: Path, merge: bool) -> Results:
    """What to add a measurement to; raises UserError where the file to merge with is from somewhere else."""
    path, here = folder / "results.json", about()
    if not merge or not path.exists():
        return here
    found: Results = read_json(path)
    for key, value in here.items():
        if found.get(key) != value:
            raise UserError(
                f"{path} was measured with {key} {found.get(key)}, not {value}: measure all parts anew, or use --out"
            )
    return found


def save(folder: Path, results: Results, tables: list[Table]) -> None:
    write_json(folder / "results.json", results)
    write_text(folder / "results.md", markdown(results, tables))


def markdown(results: Results, tables: list[Table]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines = [
        "# Measured",
        "",
        "Made by `make bench` from results.json.",
        "",
        f"- machine: {results['machine']}; threads: {results['threads']}",
        f"- versions: {versions}",
        *(_when(name, part) for name, part in results.items() if isinstance(part, dict) and "took_seconds" in part),
        "",
    ]
    return "\n".join([*lines, *(table.markdown() for table in tables)])


def _when(name: str, part: Results) -> str:
    quick = ", a quick look" if part["quick"] else ""
    return f"- {name}: {part['date']}, commit {part['commit']}, in {part['took_seconds']} s{quick}"
