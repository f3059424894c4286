"""The draw page's modules as one script."""

import re

from metaglot.report.draw_page.bundle import SCRIPTS, bundle, modules

TOP_LEVEL = re.compile(r"^(?:async )?(?:const|let|function|class) (?:\[?)(\w+)", re.MULTILINE)


def test_a_module_comes_after_all_that_it_imports_and_once():
    ordered = modules("page.js")
    assert ordered[-1] == "page.js" and len(set(ordered)) == len(ordered)
    for place, name in enumerate(ordered):
        assert set(modules(name)) <= set(ordered[: place + 1])


def test_every_module_is_in_the_page():
    assert set(modules("page.js")) == {path.name for path in SCRIPTS.iterdir()}


def test_no_import_and_no_export_is_left():
    assert not re.search(r"^\s*(import|export)\b", bundle("page.js"), re.MULTILINE)


def test_no_name_is_defined_twice():
    names = TOP_LEVEL.findall(bundle("page.js"))
    assert len(names) > 60 and sorted(names) == sorted(set(names))
