"""Requests to a served network, as JSON has them: the answers are the predictor's, and each mistake is one line."""

import base64
import io
import json
import struct
import zlib
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import untrained_model
from error_lines import error_line
from PIL import Image
from trained_glyphs import drawings

from metaglot.core.common.errors import UserError
from metaglot.datasets import synthetic_glyphs
from metaglot.inference import task_requests
from metaglot.inference.predictor import Prediction, Predictor, load_predictor
from metaglot.inference.task_requests import answer, answer_all

EXAMPLE = Path(task_requests.__file__).with_name("example_request.json")
CLASSES, SHOTS = "ab", 3
LABELS = [name for name in CLASSES for _ in range(SHOTS)]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    with chdir(tmp_path_factory.mktemp("run")):
        return load_predictor(untrained_model.write(image_size=14))


SUPPORT, QUERIES = (
    [drawing for drawn in drawings(len(CLASSES), 9) for drawing in drawn[hands]]
    for hands in (slice(SHOTS), slice(SHOTS, 6))
)


def png(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def lists(image: Image.Image) -> Any:
    return np.asarray(image.convert("L")).tolist()


def colours(image: Image.Image) -> Any:
    return np.asarray(image.convert("RGB")).tolist()


def request(write: Any = png, **changes: Any) -> dict[str, Any]:
    return {"support": [*map(write, SUPPORT)], "labels": LABELS, "queries": [*map(write, QUERIES)]} | changes


def as_answer(predictions: list[Prediction]) -> dict[str, Any]:
    return {"labels": [p.label for p in predictions], "probabilities": [p.probabilities for p in predictions]}


@pytest.mark.parametrize("write", [png, lists, colours, lambda image: f"data:image/png;base64,{png(image)}", np.array])
@pytest.mark.parametrize("transductive", [True, False])
@pytest.mark.parametrize("steps", [None, 0, 3])
def test_answers_are_those_of_the_predictor(
    predictor: Predictor, write: Any, transductive: bool, steps: int | None
) -> None:
    expected = predictor.adapt(SUPPORT, LABELS, steps).predict(QUERIES, transductive)
    reply = answer(predictor, request(write, steps=steps, transductive=transductive))
    assert reply == as_answer(expected) and json.loads(json.dumps(reply)) == reply


def test_an_image_of_zeros_and_ones_is_ink_and_paper(predictor: Predictor) -> None:
    bits = request(lambda image: (np.asarray(image.convert("L")) // 255).tolist())
    assert answer(predictor, bits) == answer(predictor, request(lists))


def test_a_network_of_grey_values_takes_whole_numbers_as_it_takes_a_png(tmp_path: Path) -> None:
    with chdir(tmp_path):
        grey = load_predictor(untrained_model.write(image_size=14, images={"ink": "none", "channels": 1}))
    assert answer(grey, request(lists)) == answer(grey, request(png))


def test_a_list_of_requests_gets_a_list_of_answers(predictor: Predictor) -> None:
    first, second = request(), request(steps=2)
    assert answer_all(predictor, [first, second]) == [answer(predictor, first), answer(predictor, second)]
    assert answer_all(predictor, first) == answer(predictor, first)


def test_what_a_row_of_a_table_lacks_is_left_out(predictor: Predictor) -> None:
    rows = pd.DataFrame([request(), request(steps=2)]).to_dict("records")
    assert answer_all(predictor, rows) == [answer(predictor, request()), answer(predictor, request(steps=2))]


def test_the_example_is_two_synthetic_glyphs_and_can_be_answered(predictor: Predictor) -> None:
    drawn = [[*map(synthetic_glyphs.png, hands)] for hands in synthetic_glyphs.characters(2, (0, 99))]
    texts = [[base64.b64encode(content).decode() for content in hands] for hands in drawn]
    example = json.loads(EXAMPLE.read_text())
    assert example["support"] == texts[0][:5] + texts[1][:5] and example["labels"] == ["A"] * 5 + ["B"] * 5
    assert example["queries"] == [texts[0][5], texts[1][5]]
    assert len(answer(predictor, example)["labels"]) == 2


DAMAGED = base64.b64encode(base64.b64decode(png(SUPPORT[0]))[:60]).decode()
SOUND = base64.b64decode(png(SUPPORT[0]))
EXIF = b"eXIfII*\0"  # a header that ends too early
ILL_TURNED = SOUND[:33] + struct.pack(">I", 4) + EXIF + struct.pack(">I", zlib.crc32(EXIF)) + SOUND[33:]
BITMAP = io.BytesIO()
SUPPORT[0].save(BITMAP, "BMP")
MISTAKES = [
    ({"labels": None}, "`labels` is missing; a request has `support`, `labels`, `queries`"),
    ({"labels": "ab"}, "`labels` is a str; takes a list"),
    ({"labels": [1, 2, 3]}, "`labels`: label 1 is 1; takes a text"),
    ({"labels": ["a"] * 6}, "`support`: got 1 classes"),
    ({"labels": ["a", "b"]}, "`support`: got 6 images and 2 labels"),
    ({"labels": list("abcdef")}, "`support`: got 6 classes; this network takes 2 to 5"),
    ({"queries": 5}, "`queries` is a int; takes a list"),
    ({"queries": [None]}, "`queries`: image 1 is null; takes nested lists of numbers, or a PNG in base64"),
    ({"queries": [{"image": 1}]}, "`queries`: image 1 is a dict"),
    ({"queries": ["../weights"]}, "`queries`: image 1 is a text, but no PNG in base64"),
    ({"queries": [""]}, "`queries`: image 1 is a text, but no PNG in base64"),
    ({"queries": [DAMAGED]}, "`queries`: image 1 is a text, but no PNG in base64"),
    ({"queries": [base64.b64encode(ILL_TURNED).decode()]}, "`queries`: image 1 is a text, but no PNG in base64"),
    ({"queries": [base64.b64encode(BITMAP.getvalue()).decode()]}, "`queries`: image 1 is a text, but no PNG"),
    ({"queries": [png(Image.new("1", (12_000, 12_000)))]}, "`queries`: image 1 has 12000x12000 pixels, more than"),
    ({"queries": [[[1, 2], [3]]]}, "`queries`: image 1 is no array: its rows have different lengths"),
    ({"queries": [[[1.0, float("nan")], [1.0, 0.0]]]}, "`queries`: image 1 has values that are not finite"),
    ({"queries": [[["x", "y"]]]}, "`queries`: image 1 is an array of"),
    ({"queries": [[[0, 0], [0, 0]]]}, "`queries`: image 1 shows nothing"),
    ({"queries": [lists(QUERIES[0])], "transductive": True}, "`queries`: a single query cannot be normalised"),
    ({"queries": [[[0, 1], [1, 0]]] * 1001}, "`queries` has 1001 entries, more than the limit of 1000"),
    ({"steps": "3"}, "`steps` is '3'; takes a whole number"),
    ({"steps": True}, "`steps` is True; takes a whole number"),
    ({"steps": 1001}, "got 1001 adaptation steps; takes a whole number from 0 to 1000"),
    ({"transductive": 1}, "`transductive` is 1; takes true or false"),
    ({"query": []}, "`query` is unknown; a request has `support`, `labels`, `queries`, and if wanted `steps`"),
]


@pytest.mark.parametrize(("change", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_one_line_that_names_the_part(predictor: Predictor, change: dict[str, Any], message: str) -> None:
    line = error_line(lambda: answer(predictor, request() | change))
    assert message in line and len(line) < 300


@pytest.mark.parametrize("given", [5, None, "text"])
def test_what_is_no_request_is_refused(predictor: Predictor, given: Any) -> None:
    with pytest.raises(UserError, match="a request is a mapping with `support`"):
        answer_all(predictor, given)


def test_the_request_of_a_list_that_is_wrong_is_named(predictor: Predictor) -> None:
    with pytest.raises(UserError, match="^request 2: `steps` is 'x'"):
        answer_all(predictor, [request(), request(steps="x")])
