import json
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from finished_pipeline import Pipeline

from metaglot.core.common.errors import UserError
from metaglot.report.load_runs import read_alignment, read_scores
from metaglot.report.stage_configs import RunRef
from stages import report
from stages.support import paths

MAML = RunRef(algorithm="maml", label="MAML", first_order=False, seed=42)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a finished pipeline."""
    monkeypatch.chdir(tmp_path)
    Pipeline(skills={"maml": 0.97}, tests=20).write()
    return tmp_path


def test_a_run_is_read_with_all_it_left(folder: Path):
    run = report.read(MAML)
    assert (run.name, run.iterations) == ("MAML · seed 42", 10_000)
    assert len(run.history) == 21 and len(run.alignment) == 84
    assert run.scores["characters"].shape == (20, 5)


def test_files_of_another_run_are_refused(folder: Path):
    record = paths.result("maml", 42)
    record.write_text(json.dumps(json.loads(record.read_text()) | {"seed": 7}))
    with pytest.raises(UserError, match="maml-42.json is of MAML, seed 7, not of MAML, seed 42"):
        report.read(MAML)


def test_an_alignment_without_rows_says_that_nothing_was_measured(tmp_path: Path):
    path = tmp_path / "alignment.csv"
    path.write_text("iteration,layer,cosine,norm_ratio\n")
    assert read_alignment(path) == []


@pytest.mark.parametrize("text", ["iteration,layer\n1,all\n", "iteration,layer,cosine,norm_ratio\n1,all,near,1\n"])
def test_a_damaged_alignment_is_refused_by_name_and_line(tmp_path: Path, text: str):
    path = tmp_path / "alignment.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=r"alignment.csv is damaged: line 2"):
        read_alignment(path)


def test_damaged_scores_are_refused_by_name(folder: Path):
    path = paths.scores("maml", 42)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(40):
        spoiled = bytearray(whole[: random.integers(1, len(whole))] if random.random() < 0.3 else whole)
        spoiled[random.integers(len(spoiled))] ^= 0xFF
        path.write_bytes(spoiled)
        try:
            read_scores(path)
        except UserError as refusal:
            refused += 1
            assert "maml-42.npz is damaged" in str(refusal) and "\n" not in str(refusal)
    assert refused > 30  # a flipped bit in a name or a date of the archive may harm nothing


def test_scores_of_different_lengths_are_refused(folder: Path):
    path = paths.scores("maml", 42)
    scores = read_scores(path)
    with chdir(folder):
        np.savez(path, **scores | {"loss": scores["loss"][:-1]})
    with pytest.raises(UserError, match="different numbers of tasks"):
        read_scores(path)
