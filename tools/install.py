"""Make .venv as requirements.lock says, and say so in a few short lines.

    python3 tools/install.py

The stamp .venv/installed is written last: a .venv without it is half-made, and made afresh; one with it is brought
up to date in place. What pip prints goes to .metaglot/install.log.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import IO

VENV = Path(".venv")
STAMP = VENV / "installed"
PYTHON = VENV / "bin/python"
LOG = Path(".metaglot/install.log")
PIP = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]

# For whatever is run from .venv, `mlflow ui` by hand included: nothing is sent home.
QUIET = "import os; os.environ.update(MLFLOW_DISABLE_TELEMETRY='true', DO_NOT_TRACK='true', DVC_NO_ANALYTICS='1')\n"

VERSION = ".".join(map(str, sys.version_info[:3]))
Step = tuple[str, list[str]]

FRESH: list[Step] = [("virtual environment", [sys.executable, "-m", "venv", "--clear", str(VENV)])]
STEPS: list[Step] = [
    ("pip", [*PIP, "-c", "requirements.lock", "pip"]),
    ("packages of requirements.lock, torch among them", [*PIP, "-r", "requirements.lock"]),
    (
        "learn2learn, built from source",
        [*PIP, "--no-deps", "--no-build-isolation", "--use-pep517", "-r", "tools/learn2learn.txt"],
    ),
    ("a first import", [str(PYTHON), "-c", "import learn2learn"]),
]


def main() -> None:
    if usable():
        print("Bringing .venv up to date")
        steps = STEPS
    else:
        print(
            f"Making .venv with Python {VERSION}: 7 GB of disk, of which 3 GB are downloaded unless pip has kept them"
        )
        steps = FRESH + STEPS
    STAMP.unlink(missing_ok=True)
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w") as log:
        for what, command in steps:
            take(what, command, log)
    for packages in VENV.glob("lib/python3*/site-packages"):
        (packages / "quiet.pth").write_text(QUIET)
    STAMP.touch()


def usable() -> bool:
    """Whether .venv was once made whole and its Python still runs."""
    try:
        return STAMP.exists() and subprocess.run([PYTHON, "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


def take(what: str, command: list[str], log: IO[str]) -> None:
    """Run one step, its output in the log and its seconds on the terminal."""
    started = time.monotonic()
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    while process.poll() is None:
        show(what, started, end="\r")
        time.sleep(0.2)
    if process.returncode:
        sys.exit(f"error: {what}: {reason()} (the whole log: {LOG}); then run the same command again")
    show(what, started, end="\n")


def show(what: str, started: float, end: str) -> None:
    if end == "\n" or sys.stdout.isatty():
        print(f"  {what:<50}{time.monotonic() - started:5.0f} s", end=end, flush=True)


def reason() -> str:
    """The last error that the log tells, or its last line."""
    lines = [line.strip() for line in LOG.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines)[-1]


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nerror: interrupted; run the same command again to go on")
