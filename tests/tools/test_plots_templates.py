"""The templates of `dvc plots` are what their code writes."""

import json

import pytest
import vl_convert
from params_file import ROOT

from tools.plots_page import VEGA_LITE
from tools.plots_templates import DATA, FOLDER, TITLE, X_LABEL, Y_LABEL, X, Y, templates

ANCHORS = {TITLE: "Accuracy", X: "iteration", Y: "accuracy", X_LABEL: "iteration", Y_LABEL: "accuracy"}
ROWS = [
    {"rev": "workspace", "run": "MAML", "layer": "all", "iteration": i, "accuracy": i / 9, "low": 0, "high": 1}
    for i in range(5)
]


def test_the_templates_in_the_repository_are_of_now():
    written = {path.stem: json.loads(path.read_text()) for path in (ROOT / FOLDER).glob("*.json")}
    assert written == templates()


@pytest.mark.parametrize("name", templates())
def test_a_filled_template_is_drawn(name: str):
    text = json.dumps(templates()[name])
    for anchor, value in ANCHORS.items():
        text = text.replace(anchor, value)
    specification = json.loads(text.replace(f'"{DATA}"', json.dumps(ROWS)))
    assert "DVC_METRIC" not in json.dumps(specification)
    drawn = vl_convert.vegalite_to_svg(specification, vl_version=VEGA_LITE)
    assert drawn.count('aria-roledescription="point"') >= 5
