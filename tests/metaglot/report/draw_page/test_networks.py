"""What the draw page embeds of a report's runs."""

import base64
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished_pipeline import finished

from metaglot.core.common.atomic_files import read_json, write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.run_records import RunRecord, read_record
from metaglot.core.nn.functional_networks import create_network
from metaglot.report.draw_page.networks import NAMES, computable, feature_sizes, left_out, network_data, read_networks
from stages.support import paths


def test_the_names_and_their_order_are_the_network_s():
    assert create_network("fc").names == NAMES


def test_a_network_comes_with_its_weights_scores_and_recorded_gradients(tmp_path: Path):
    _, runs = finished(tmp_path, tests=40)
    with chdir(tmp_path):
        (run, weights), _ = read_networks(runs, paths.weights)
    data = network_data(run, weights)
    numbers = np.frombuffer(base64.b64decode(data["weights"]), "<f4")
    assert np.array_equal(numbers, np.concatenate([weights[name].ravel() for name in NAMES]))
    assert feature_sizes(weights) == [28 * 28, 16, 8, 8, 8, 5]
    assert data["scores"]["inductive"]["mean"] == run.result.inductive.accuracy.mean
    assert data["scores"]["transductive"]["low"] == run.result.accuracy.wider_interval[0]
    assert data["alignment"]["all"]["cosine"] == [row.cosine for row in run.alignment if row.layer == "all"]
    assert (data["name"], data["rate"], data["trainingSteps"], data["tasks"]) == ("MAML · seed 42", 0.5, 1, 40)


def test_of_each_algorithm_the_first_seed_is_in_the_page(tmp_path: Path):
    _, runs = finished(tmp_path, seeds=(42, 43), tests=40)
    assert [(run.algorithm, run.seed) for run in computable(runs)] == [("maml", 42), ("fomaml", 42)]
    assert left_out(runs) == ["Of each algorithm the page has the first seed's network."]


@pytest.mark.parametrize(
    ("options", "kept", "sentence"),
    [
        ({"skills": dict.fromkeys(("maml", "anil", "protonet"), 0.9)}, ["maml"], "Left out: ANIL, ProtoNet."),
        ({"model": "conv"}, [], "Left out: networks of the model conv. The page has the model fc only."),
        ({"dataset": "omniglot-nearest"}, [], "Left out: networks trained on nearest pixels."),
    ],
    ids=["other inner loops", "convolutional networks", "networks of nearest pixels"],
)
def test_what_the_page_cannot_compute_is_left_out_with_a_sentence(
    tmp_path: Path, options: dict[str, Any], kept: list[str], sentence: str
):
    _, runs = finished(tmp_path, tests=40, **options)
    assert [run.algorithm for run in computable(runs)] == kept
    (line,) = left_out(runs)
    assert line.startswith(sentence)


@pytest.mark.parametrize(
    "change", [{"settings": {"second_order": 0.5}}, {"train": {"batch_norm": "inductive"}}], ids=str
)
def test_recorded_gradients_of_another_kind_are_not_compared_with_the_page_s(tmp_path: Path, change: dict[str, Any]):
    _, runs = finished(tmp_path, tests=40)
    path = tmp_path / paths.run_record("maml", 42)
    record = read_json(path)
    for key, values in change.items():
        record["config"][key] = record["config"].get(key, {}) | values
    write_json(path, record)
    other = replace(runs[0], record=read_record(RunRecord, path))
    with chdir(tmp_path):
        (_, weights), _ = read_networks(runs, paths.weights)
    assert network_data(other, weights)["alignment"] == {} != network_data(runs[0], weights)["alignment"]


@pytest.mark.parametrize(
    "content, message", [(None, "is not there: run `dvc repro`"), (b"no weights", "is not a weights file")]
)
def test_weights_that_cannot_be_read_are_one_line(tmp_path: Path, content: bytes | None, message: str):
    _, runs = finished(tmp_path, tests=40)
    path = tmp_path / paths.weights("maml", 42)
    path.unlink() if content is None else path.write_bytes(content)
    with chdir(tmp_path), pytest.raises(UserError, match=message):
        read_networks(runs, paths.weights)
