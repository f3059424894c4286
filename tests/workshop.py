"""The project's Makefile and tools in a small folder, with packages that install in no time."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
STAMP = ".venv/installed"
Make = Callable[..., subprocess.CompletedProcess[str]]


def furnish(folder: Path) -> None:
    """Set up a folder where `make .venv/installed` installs two packages from `wheels/`."""
    (folder / "wheels").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "requirements.lock").write_text("drawing==1.0\n")
    (folder / "tools/learn2learn.txt").write_text(
        "learn2learn==0.2.0\n"
    )  # which options it takes, old pips do not know
    (folder / "tools/plots_page.py").write_text("")  # it needs DVC
    wheel(folder / "wheels", "drawing", "1.0")
    wheel(folder / "wheels", "drawing", "1.1")
    wheel(folder / "wheels", "learn2learn", "0.2.0")


def wheel(folder: Path, name: str, version: str) -> None:
    """Write the wheel of a package that is one empty module."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


def maker(folder: Path) -> Make:
    """A function that runs `make ARGUMENTS` in the folder, off line; keyword arguments are its environment."""

    def make(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "wheels", "PIP_CONFIG_FILE": os.devnull}
        return subprocess.run(
            ["make", *arguments], cwd=folder, env=kept | offline | extra, capture_output=True, text=True
        )

    return make
