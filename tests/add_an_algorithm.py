"""docs/add-an-algorithm.md, as one who follows it to the letter reads it."""

import re
import shutil
from pathlib import Path

from params_file import ROOT

PAGE = (ROOT / "docs/add-an-algorithm.md").read_text()
FILE, LINE, SETTINGS, TEST = re.findall(r"`([\w/.]+)`:\n\n```(?:python|yaml)\n(.+?)```", PAGE, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.+?)```", PAGE, re.DOTALL) for line in block.splitlines()]
NEEDED = ("pyproject.toml", "tests/conftest.py", "tests/cases.py", "tests/oracles.py")  # for the page's test to run


def write(folder: Path) -> None:
    """Write what the page says where it says, into a copy of the project."""
    for path in NEEDED:
        (folder / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    for path, content in (FILE, TEST):
        assert not (folder / path).exists(), path
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    table, params = (folder / path for path, _ in (LINE, SETTINGS))
    *lines, closing = table.read_text().splitlines(keepends=True)
    assert closing == "}\n"
    table.write_text("".join(lines) + LINE[1] + closing)
    params.write_text(params.read_text() + SETTINGS[1])
