"""The draw page's files: what is in one, and the one line for each that is not one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from error_lines import error_line

from metaglot.inference.drawings_file import read_drawings_file
from metaglot.inference.strokes import draw_strokes

LINE, HOOK = [[[0, 0], [0, 9.5]]], [[[0, 0], [9, 0], [9, 9]]]


def content(**changes: Any) -> dict[str, Any]:
    classes = [
        {"label": "A", "support": [LINE, LINE], "queries": [LINE]},
        {"label": "B", "support": [HOOK], "queries": []},
    ]
    return {"format": "metaglot drawings", "version": 1, "classes": classes} | changes


def write(folder: Path, value: Any) -> Path:
    path = folder / "drawings.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_images_have_the_labels_and_names_of_their_classes(tmp_path: Path):
    support, queries = read_drawings_file(write(tmp_path, content()))
    assert [(image.name, image.label) for image in support] == [
        ("A, drawing 1", "A"),
        ("A, drawing 2", "A"),
        ("B, drawing 1", "B"),
    ]
    assert [image.name for image in queries] == ["A, query 1"]
    assert np.array_equal(support[2].pixels, draw_strokes(HOOK))


def with_class(**changes: Any) -> dict[str, Any]:
    return content(classes=[content()["classes"][0] | changes])


@pytest.mark.parametrize(
    "value, message",
    [
        ("not JSON", "Invalid JSON"),
        ("[1, 2]", "is not a file that the draw page exported: the file"),
        ({"classes": []}, "format: Field required"),
        (content(format="others"), "format: Input should be 'metaglot drawings'"),
        (content(version=2), "version: Input should be 1"),
        (with_class(support=[[[["a", 0]]]]), "classes.0.support.0.0.0.0: Input should be a valid number"),
        (with_class(support=[[[[None, 0]]]]), "classes.0.support.0.0.0.0: Input should be a valid number"),
        (with_class(support=[[[[float("nan"), 0]]]]), "classes.0.support.0.0.0.0: Input should be a finite"),
        (with_class(label=""), "classes.0.label: String should have at least 1 character"),
        (with_class(queries=[]), "has no query"),
        (with_class(queries=[[]]), "A, query 1 is blank"),
        (with_class(support=[LINE, [[]]]), "A, drawing 2 is blank"),
        (content(classes=content()["classes"] * 2), "names two classes 'A'"),
    ],
)
def test_what_is_not_such_a_file_is_one_line_that_names_it(tmp_path: Path, value: Any, message: str):
    path = write(tmp_path, value)
    line = error_line(lambda: read_drawings_file(path))
    assert line.startswith(str(path)) and message in line
