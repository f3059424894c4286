"""docs/add-an-algorithm.md, followed literally."""

import re
import shutil
from pathlib import Path

from params_file import ROOT

PAGE = (ROOT / "docs/add-an-algorithm.md").read_text()
FILE, LINE, SETTINGS, TEST = re.findall(r"`([\w/.]+)`:\n\n```(?:python|yaml)\n(.+?)```", PAGE, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.+?)```", PAGE, re.DOTALL) for line in block.splitlines()]
NEEDED = ("pyproject.toml", "tests/conftest.py", "tests/cases.py", "tests/oracles.py")  # for the page's test to run


def write(folder: Path) -> None:
    """Write the page's example into a copy of the project; what is there already is written again, not twice."""
    for path in NEEDED:
        (folder / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    for path, content in (FILE, TEST):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    for path, content in (LINE, SETTINGS):
        text = without(content.partition(":")[0], (folder / path).read_text())
        body, closing = (text.removesuffix("}\n"), "}\n") if path == LINE[0] else (text, "")
        (folder / path).write_text(body + content + closing)


def without(key: str, text: str) -> str:
    """The text without the entry of a key, given with its indentation."""
    deeper = " " * (len(key) - len(key.lstrip()) + 1)
    return re.sub(rf"^{re.escape(key)}:.*\n(?:{deeper}.*\n)*", "", text, flags=re.MULTILINE)
