"""What the draw page embeds of a report's runs."""

import base64
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished_pipeline import LABELS, finished

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


def test_other_inner_loops_are_left_out_with_a_sentence(tmp_path: Path):
    _, runs = finished(tmp_path, skills={"maml": 0.9, "anil": 0.9, "protonet": 0.9}, tests=40)
    assert [run.algorithm for run in computable(runs)] == ["maml"]
    (sentence,) = left_out(runs)
    assert sentence.startswith(f"Left out: {LABELS['anil']}, {LABELS['protonet']}.")


def test_convolutional_networks_are_left_out_with_a_sentence(tmp_path: Path):
    _, runs = finished(tmp_path, model="conv", tests=40)
    assert computable(runs) == []
    assert left_out(runs) == ["Left out: networks of the model conv. The page has the model fc only."]


def test_networks_of_nearest_pixels_are_left_out_with_a_sentence(tmp_path: Path):
    _, runs = finished(tmp_path, dataset="omniglot-nearest", tests=40)
    assert computable(runs) == []
    assert left_out(runs)[0].startswith("Left out: networks trained on nearest pixels.")


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
