"""Install the packages of requirements.lock into .venv.

    python3 tools/install.py

The file .venv/installed is written last. A .venv without it is incomplete and is made again; one with it is updated
in place. pip's output goes to .metaglot/install.log.
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

# Every Python of .venv runs this line first, also `.venv/bin/dvc` without an activated environment: it sends no
# telemetry, and the stages' command `python` is this .venv's.
STARTUP = (
    "import os, sys; os.environ.update(MLFLOW_DISABLE_TELEMETRY='true', DO_NOT_TRACK='true', DVC_NO_ANALYTICS='1', "
    "PATH=os.pathsep.join(dict.fromkeys(filter(None, [os.path.join(sys.prefix, 'bin'), "
    "*os.environ.get('PATH', os.defpath).split(os.pathsep)]))))\n"
)

# On all cores, where pip uses one. Packages bring files that this Python cannot compile (quiet=2). Where no processes
# can be started (OSError), each file is compiled when it is first imported.
COMPILE = (
    "import compileall, contextlib, site\n"
    "with contextlib.suppress(OSError): compileall.compile_dir(site.getsitepackages()[0], quiet=2, workers=0)"
)

VERSION = ".".join(map(str, sys.version_info[:3]))
Step = tuple[str, list[str]]

FRESH: list[Step] = [("virtual environment", [sys.executable, "-m", "venv", "--clear", str(VENV)])]
STEPS: list[Step] = [
    ("pip", [*PIP, "-c", "requirements.lock", "pip"]),
    ("packages of requirements.lock, torch among them", [*PIP, "--no-compile", "-r", "requirements.lock"]),
    ("byte code of the packages", [str(PYTHON), "-c", COMPILE]),
    (
        "learn2learn, built from source",
        [*PIP, "--no-deps", "--no-build-isolation", "--use-pep517", "-r", "tools/learn2learn.txt"],
    ),
    ("a first import", [str(PYTHON), "-c", "import learn2learn"]),
    ("DVC's charts for use without a network", [str(PYTHON), "tools/plots_page.py"]),
]


def main() -> None:
    if is_usable():
        print("Bringing .venv up to date")
        steps = STEPS
    else:
        print(f"Making .venv with Python {VERSION}: 7 GB of disk, of which up to 3 GB are downloaded")
        steps = FRESH + STEPS
    STAMP.unlink(missing_ok=True)
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w") as log:
        for what, command in steps:
            run_step(what, command, log)
    for packages in VENV.glob("lib/python3*/site-packages"):
        (packages / "metaglot.pth").write_text(STARTUP)
    STAMP.touch()


def is_usable() -> bool:
    """Whether .venv was installed completely and its Python still runs."""
    try:
        return STAMP.exists() and subprocess.run([PYTHON, "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


def run_step(what: str, command: list[str], log: IO[str]) -> None:
    """Run one step; its output goes to the log, its seconds to the terminal."""
    started = time.monotonic()
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    while process.poll() is None:
        show_seconds(what, started, end="\r")
        time.sleep(0.2)
    if process.returncode:
        sys.exit(f"error: {what}: {last_error()} (see {LOG}); fix it and run the same command again")
    show_seconds(what, started, end="\n")


def show_seconds(what: str, started: float, end: str) -> None:
    if end == "\n" or sys.stdout.isatty():
        print(f"  {what:<50}{time.monotonic() - started:5.0f} s", end=end, flush=True)


def last_error() -> str:
    """The last line of the log with an error, or its last line."""
    lines = [line.strip() for line in LOG.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines)[-1]


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nerror: interrupted; run the same command again to continue")
