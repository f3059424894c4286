"""Which files the stages read, as Python itself reports what is opened."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from params_file import ROOT, TINY, changed, text

from metaglot.core.common.atomic_files import read_json, write_json

TOLD = "opened.json"
STATE = ("mlflow.db", "mlartifacts", ".metaglot", TOLD)  # what a stage leaves for itself, and no other depends on
WATCHED = f"""
import json, os, runpy, sys

opened = set()

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and not arguments[0].endswith((".py", ".pyc")):
        path, mode, flags = arguments
        writes = any(sign in (mode or "") for sign in "wax+") or (flags & os.O_ACCMODE) != os.O_RDONLY
        if not writes and os.path.isfile(path):  # rmtree opens folders, by names relative to the one above
            opened.add(os.path.realpath(path))

sys.addaudithook(watch)
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
finally:
    with open({TOLD!r}, "w") as file:
        json.dump(sorted(opened), file)
"""


def reads(folder: Path, stages: Iterable[str]) -> dict[str, set[str]]:
    """Run the stages one after the other on a tiny task, each for MAML where it is for one algorithm."""
    (folder / "params.yaml").write_bytes(text(changed(TINY | {"algorithms": ["maml"]})))
    write_json(folder / "benchmarks/results.json", {})
    return {stage: _read(folder, stage) for stage in stages}


def _read(folder: Path, stage: str) -> set[str]:
    """The files below the folder, or of the project, that are no Python."""
    of_one = ["maml", "--seed", "42"] if stage in ("train", "evaluate", "track") else []
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "MLFLOW_"))}
    quiet = {"PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-c", WATCHED, f"stages.{stage}", *of_one]
    done = subprocess.run(line, cwd=folder, env=kept | quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    opened = [Path(path) for path in read_json(folder / TOLD)]
    homes = [
        (path, home.resolve()) for path in opened for home in (folder, ROOT) if path.is_relative_to(home.resolve())
    ]
    names = {str(path.relative_to(home)) for path, home in homes}
    return {name for name in names if not name.startswith((*STATE, ".venv", ".git")) and ".partial" not in name}
