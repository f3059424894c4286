"""Read and write results.json, and results.md, which is generated from it."""

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


def describe_machine() -> Results:
    """The machine and versions: results from two different ones may not be in the same file."""
    processor = device.device_name(torch.device("cpu"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "device": processor,
        "threads": torch.get_num_threads(),
        "versions": device.package_versions(),
    }


def date_and_commit() -> Results:
    return {"date": datetime.now(UTC).isoformat(timespec="minutes"), "commit": device.current_commit()}


def load_or_create(folder: Path, merge: bool) -> Results:
    """The results to add to; with `merge` those of an older run, which must be of the same machine."""
    path, machine = folder / "results.json", describe_machine()
    if not merge or not path.exists():
        return machine
    results: Results = read_json(path)
    for key, value in machine.items():
        if results.get(key) != value:
            raise UserError(
                f"{path} was measured with {key} {results.get(key)}, not {value}: measure all parts again, or use --out"
            )
    return results


def save(folder: Path, results: Results, tables: list[Table]) -> None:
    write_json(folder / "results.json", results)
    write_text(folder / "results.md", markdown(results, tables))


def markdown(results: Results, tables: list[Table]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench` from results.json.",
        "",
        f"- machine: {results['machine']}; threads: {results['threads']}",
        f"- versions: {versions}",
        *(
            _measured_on(name, part)
            for name, part in results.items()
            if isinstance(part, dict) and "took_seconds" in part
        ),
        "",
    ]
    return "\n".join([*lines, *(table.markdown() for table in tables)])


def _measured_on(name: str, part: Results) -> str:
    quick = ", a quick run" if part["quick"] else ""
    return f"- {name}: {part['date']}, commit {part['commit']}, in {part['took_seconds']} s{quick}"
