"""The experiments that are declared: possible params, known names, one place on a page."""

import re
from pathlib import Path

import pytest
import yaml
from params_file import ASGIVEN, ROOT, text

from experiments.conclusions import DECIDES
from experiments.declared import find_settings, load_experiments, parts_of
from experiments.pages import OPENING, PAGES
from experiments.params_differences import list_differences
from experiments.published_table import published_number
from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.parse_params import parse_params
from metaglot.config.resolve import import_classes as classes
from metaglot.core.common.errors import UserError
from metaglot.report.claims.conclusions import CLAIMS
from tools.params_file import apply_settings

EXPERIMENTS = load_experiments()
THERE = [name for name, one in EXPERIMENTS.items() if {*one.settings.get("algorithms", [])} <= {*ALGORITHMS}]


@pytest.mark.parametrize("name", [part for name in THERE for part in parts_of(name)])
def test_its_params_are_taken_by_the_pipeline_and_are_not_the_defaults(name: str) -> None:
    params = apply_settings(find_settings(name), ASGIVEN)
    parse_params(text(params), classes(ALGORITHMS))
    assert list_differences(params, ASGIVEN) and not list_differences(params, params)


def test_every_name_in_the_table_is_known() -> None:
    for one in EXPERIMENTS.values():
        assert one.compare_with is None or one.compare_with in EXPERIMENTS
        for method, network in one.published.values():
            assert one.cell and published_number(method, network, one.cell).accuracy
    assert set(DECIDES) == {claim.id for claim in CLAIMS} and set(DECIDES.values()) <= set(EXPERIMENTS)


def test_every_experiment_has_one_place_on_the_pages() -> None:
    blocks = [name for page in PAGES for name in OPENING.findall((ROOT / page).read_text())]
    answers = [f"{name}/answer" for name in ("all-algorithms-1shot", "second-order-dial", "second-order-dial-20way")]
    assert sorted(blocks) == sorted([*EXPERIMENTS, "conclusions", "open", "results", "verdicts", *answers])


def test_the_cells_stand_under_headings_that_name_them() -> None:
    page = (ROOT / "docs/benchmarks.md").read_text()
    headed = {name: heading for heading in re.split(r"^## ", page, flags=re.M) for name in OPENING.findall(heading)}
    for name, heading in headed.items():
        assert heading.startswith(f"{EXPERIMENTS[name].cell}, ")


def test_a_mistake_in_the_table_is_refused_by_key(tmp_path: Path) -> None:
    table = tmp_path / "experiments.yaml"
    table.write_text("mine: {title: Mine, question: 'Why?', settings: {}, hours: 3}\n")
    with pytest.raises(UserError, match=r"experiments.yaml: mine.hours: Extra inputs"):
        load_experiments(table)


def test_a_declaration_that_changes_during_a_run_changes_the_run_no_more(tmp_path: Path) -> None:
    table = tmp_path / "experiments.yaml"
    one = {"title": "One", "question": "Why?", "settings": {}}
    table.write_text(yaml.safe_dump({"one": one}))
    assert load_experiments(table)["one"].title == "One"
    table.write_text(yaml.safe_dump({"one": one | {"title": "Two", "unheard": 1}}))
    assert load_experiments(table)["one"].title == "One"
