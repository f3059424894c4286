"""docs/reliability.md names tests that exist; `make test-faults` runs all but those of faults found in use."""

import ast
import re
from pathlib import Path

from params_file import ROOT

HERE = Path(__file__).parent
PAGE = (ROOT / "docs/reliability.md").read_text()
NAMED, IN_USE = (
    set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", part))
    for part in (PAGE, PAGE.split("## Faults found in use")[1])
)
MAKEFILE = (ROOT / "Makefile").read_text()


def named_in(path: Path) -> set[tuple[str, str]]:
    """The tests of a file, as the page names them."""
    functions = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))
    return {(str(path.relative_to(ROOT)), function.name) for function in functions if function.name.startswith("test_")}


def test_every_test_that_the_page_names_exists() -> None:
    there = {test for name, _ in NAMED if (ROOT / name).exists() for test in named_in(ROOT / name)}
    assert len(NAMED) > 40 and NAMED - there == set()


def test_the_page_names_every_test_of_faults() -> None:
    files = set(HERE.glob("test_*.py")) - {Path(__file__)}
    assert set.union(*map(named_in, files)) - NAMED == set()


def test_all_faults_that_the_page_injects_are_run_by_make_test_faults() -> None:
    (recipe,) = re.findall(r"^test-faults:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    run = re.findall(r"tests/[\w/.:]+", recipe)
    assert [f"{path}::{name}" for path, name in NAMED - IN_USE if not f"{path}::{name}".startswith(tuple(run))] == []
