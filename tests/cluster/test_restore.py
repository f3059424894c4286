"""DVC says which stages of which runs are left, and takes the others from its cache."""

import re
from pathlib import Path

import pytest
import small_pipeline
from repository import Repository

from cluster.__main__ import finish
from cluster.plan import Job
from cluster.restore import publish, restore_or_list_missing
from metaglot.core.common.errors import UserError


def test_a_run_that_must_be_trained_again_must_be_evaluated_again_too(finished: Path) -> None:
    assert restore_or_list_missing() == []
    small_pipeline.configure(finished, 1, "20 iterations")
    assert restore_or_list_missing() == [Job("maml", 1, ("train@maml-1", "evaluate@maml-1"))]
    assert restore_or_list_missing(["train"]) == [Job("maml", 1, ("train@maml-1",))]


def test_results_come_from_the_cache_where_it_has_them(finished: Path) -> None:
    lock = (finished / "dvc.lock").read_bytes()
    small_pipeline.configure(finished, 1, "20 iterations")
    Repository.at(finished).dvc("repro", "-q", "train@maml-1")
    assert restore_or_list_missing() == [Job("maml", 1, ("evaluate@maml-1",))]
    small_pipeline.configure(finished, 1, "10 iterations")
    assert restore_or_list_missing() == []
    assert (finished / "maml-1/result").read_text() == "10 iterations"
    assert (finished / "dvc.lock").read_bytes() == lock


def test_a_value_where_the_matrix_takes_a_list_is_one_line(finished: Path) -> None:
    pipeline = finished / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("seed:\n      - 1\n      - 2\n", "seed: ${seeds}\n"))
    (finished / "params.yaml").write_text("seeds: [1, 2]")
    assert restore_or_list_missing() == []
    (finished / "params.yaml").write_text("seeds: 1")
    with pytest.raises(UserError, match=r"^params\.yaml: algorithms and seeds take lists, such as \[42\]; "):
        restore_or_list_missing()


def test_a_failed_run_is_not_published_and_is_named_also_if_a_publication_fails(finished: Path) -> None:
    publish(skip={"maml-1", "maml-2"})
    with pytest.raises(UserError, match=r"^maml-1 failed: no memory; .*maml-2/run\.json is not there"):
        finish({"maml-1": "no memory"}, left=[])
    with pytest.raises(UserError, match=re.escape("maml-1/run.json is not there")):
        finish({}, left=["maml-2"])
    with pytest.raises(UserError, match=r"^maml-1 failed: no memory$"):
        finish({"maml-1": "no memory"}, left=["maml-2"])
