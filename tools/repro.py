"""Redo the whole comparison: check params.yaml, run what is out of date, show the table.

    make repro

Where no source of Omniglot answers, the same pipeline runs on glyphs instead, briefly, in a copy of the workspace
under .metaglot/, so that nothing in the workspace changes.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from ruamel.yaml import YAML

HERE = Path()
PARAMS = Path("params.yaml")
COPY = Path(".metaglot/glyphs")
CACHE = Path(".metaglot/glyphs-cache")  # outlives the copy, so that doing it again takes seconds
ITERATIONS = 500
NOWHERE = 3  # what `download --check` exits with when no source answers

# What would lead a run in the copy back to the workspace, or to a server that others read.
ELSEWHERE = {"DVC_ROOT", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "MLFLOW_TRACKING_URI"}


def main() -> None:
    must("stages.configure", "--check")
    if at_hand():
        reproduce(HERE)
    else:
        rehearse()


def at_hand() -> bool:
    """Whether the data is here, or a source answers; one that answers something wrong is `download`'s to refuse."""
    if not Path("data/raw/source.json").exists():
        python("dvc", "checkout", "-q", "download", output=subprocess.DEVNULL)  # where DVC's cache has it
    source = YAML().load(PARAMS)["data"]["source"]
    return python("stages.download", "--check", "--source", source).returncode != NOWHERE


def reproduce(folder: Path) -> None:
    must("dvc", "repro", folder=folder)
    must("stages.report", "--show", folder=folder)


def rehearse() -> None:
    """Run the pipeline on glyphs in a copy of the workspace, and say so loudly before and after."""
    banner("What follows is no result: the pipeline runs on synthetic glyphs, with fewer iterations, in a copy.")
    copy_workspace()
    shorten(COPY / PARAMS)
    reproduce(COPY)
    banner(f"The table above is of glyphs (synthetic). Its report: {COPY}/data/report/index.html")


def banner(line: str) -> None:
    console = Console()
    ways_out = "Set OMNIGLOT_MIRROR to a folder or address that has Omniglot's archives, or connect, and try again."
    console.print(Panel(f"{line}\n{ways_out}", title="OMNIGLOT COULD NOT BE REACHED", style="bold yellow"))


def copy_workspace() -> None:
    """Clone the repository, and lay the files over it as they are now, changed and new ones too."""
    shutil.rmtree(COPY, ignore_errors=True)
    must_git("clone", "-q", ".", str(COPY))
    listed = must_git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, listed):
        if Path(name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, COPY / name)
        else:
            (COPY / name).unlink(missing_ok=True)
    (COPY / ".dvc/config.local").write_text(f"[cache]\n    dir = {CACHE.resolve()}\n")


def shorten(params: Path) -> None:
    """Ask for glyphs and no more than 500 iterations, and leave the rest as the user has it."""
    yaml = YAML()
    changed = yaml.load(params)
    changed["data"]["source"] = "glyphs"
    for block in [changed["train"], *(changed.get("settings") or {}).values()]:
        if block and "iterations" in block:
            block["iterations"] = min(block["iterations"], ITERATIONS)
    yaml.dump(changed, params)


def python(
    module: str, *arguments: str, folder: Path = HERE, output: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a module by this Python, in the workspace or in its copy."""
    kept = {name: value for name, value in os.environ.items() if folder == HERE or name not in ELSEWHERE}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])  # DVC's stages say `python`
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=folder, env=kept, stdout=output, stderr=output)


def must(module: str, *arguments: str, folder: Path = HERE) -> None:
    if code := python(module, *arguments, folder=folder).returncode:
        sys.exit(code)


def must_git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: git {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nerror: interrupted; make repro goes on from where it was")
