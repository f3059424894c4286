"""JavaScript modules as one script, because a page that is opened from disk may not import files."""

import re
from pathlib import Path

SCRIPTS = Path(__file__).with_name("scripts")
IMPORT = re.compile(r'^import [^;]*? from "\./([a-z_]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=const|function|class|async)", re.MULTILINE)


def bundle(entry: str) -> str:
    """A module after everything that it imports, each once; top-level names differ between all modules."""
    return "\n".join(_script(name) for name in modules(entry))


def modules(entry: str) -> list[str]:
    """The file names of a module and of what it imports, imported ones first."""
    ordered: dict[str, None] = {}
    for name in IMPORT.findall((SCRIPTS / entry).read_text()):
        ordered |= dict.fromkeys(modules(name))
    return [*ordered, entry]


def _script(name: str) -> str:
    text = (SCRIPTS / name).read_text()
    return f"// {name}\n" + EXPORT.sub("", IMPORT.sub("", text))
