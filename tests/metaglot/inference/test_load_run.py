"""A run's folder is all that is needed to use it; a damaged one gives a one-line error."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from error_lines import error_line
from trained_glyphs import SIZE, trained

from metaglot.algorithms.maml import MAML
from metaglot.core.common.atomic_files import read_json, sha256, write_json
from metaglot.core.common.weights_file import write_weights
from metaglot.core.nn.learn2learn_networks import initial_module
from metaglot.inference.load_run import load_run

NOTHING = {"train__iterations": 0, "train__adaptation_steps": 2, "evaluate__adaptation_steps": 4}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("trained"), **NOTHING)


WEIGHTS = "weights.safetensors"


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(original, tmp_path / "data/models/maml-42"))


def test_a_run_is_its_algorithm_with_its_settings_and_what_it_learned(run: Path) -> None:
    config, learner, parameters, _ = load_run(run)
    assert type(learner) is MAML and learner.fast_lr == config.train.fast_lr == 0.5
    initial = initial_module("fc", 3, SIZE, 42).state_dict()
    assert set(parameters) == set(initial) and all(torch.equal(parameters[name], initial[name]) for name in initial)


def evaluated(run: Path, steps: int) -> None:
    """What `evaluate` leaves in the run's folder."""
    write_json(run / "adaptation.json", {"adaptation_steps": steps, "weights_sha256": sha256(run / WEIGHTS)})


def test_a_copy_at_any_place_adapts_in_as_many_steps_as_the_run_s_test(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated(run, 4)
    copies = [shutil.copytree(run, tmp_path / name) for name in ("elsewhere/maml-42", "m")]
    (tmp_path / "link").symlink_to(run)
    assert [load_run(place).adaptation_steps for place in (run, *copies, tmp_path / "link")] == [4] * 4
    monkeypatch.chdir(run)
    assert load_run(Path(".")).adaptation_steps == load_run(Path("../maml-42/")).adaptation_steps == 4


@pytest.mark.skipif(not os.access("/", os.W_OK), reason="only root may write to /")
def test_a_copy_in_the_root_folder_is_read(run: Path) -> None:
    with TemporaryDirectory(dir="/") as copy:
        shutil.copytree(run, copy, dirs_exist_ok=True)
        assert load_run(Path(copy)).adaptation_steps == 2


@pytest.mark.parametrize("content", ["{", "[]", '{"evaluate": 3}', '{"evaluate": {"adaptation_steps": 9}}'])
def test_nothing_outside_the_folder_is_read(run: Path, content: str) -> None:
    for outside in (run.parents[1] / "results/maml-42.json", run.parent / "adaptation.json"):
        outside.parent.mkdir(exist_ok=True)
        outside.write_text(content)
    assert load_run(run).adaptation_steps == 2


def test_before_its_test_a_run_adapts_as_its_algorithm_does_by_default_or_else_as_in_training(
    run: Path, tmp_path: Path
) -> None:
    brief = {"train__iterations": 0, "settings__reptile__adaptation_steps": 2}
    assert load_run(run).adaptation_steps == 2
    assert load_run(trained(tmp_path / "reptile", "reptile", **brief)).adaptation_steps == 50


def test_the_steps_of_a_test_of_other_weights_do_not_count(run: Path) -> None:
    evaluated(run, 4)
    weights("fc", 3, SIZE, seed=7)(run)
    assert load_run(run).adaptation_steps == 2


def config(**changes: Any) -> Callable[[Path], None]:
    """Write another config into the run's record."""

    def spoil(run: Path) -> None:
        record = read_json(run / "run.json")
        write_json(run / "run.json", record | {"config": record["config"] | changes})

    return spoil


def weights(*network: Any, seed: int = 42) -> Callable[[Path], None]:
    """Put another network's weights in place of the run's."""
    return lambda run: write_weights(run / WEIGHTS, initial_module(*network, seed).state_dict())


def cut(run: Path) -> None:
    path = run / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "maml-42/run.json is not there: run `dvc repro`"),
        (lambda run: (run / "run.json").write_text("{"), "maml-42/run.json is not JSON"),
        (lambda run: (run / "run.json").write_text("[]"), "maml-42/run.json has no `config`"),
        (lambda run: (run / "run.json").write_text('{"config": 3}'), "maml-42/run.json has no `config`"),
        (config(image_size="28"), "maml-42/run.json: config.image_size: .*; another version wrote it: train again"),
        (config(colours=3), "maml-42/run.json: config.colours: .*; another version wrote it: train again"),
        (config(implementation="os:system"), "config.implementation: os:system is not in metaglot.algorithms"),
        (config(implementation="metaglot.algorithms.fomaml:FOMAML"), "fomaml:FOMAML is not in metaglot.algorithms"),
        (config(implementation="metaglot.algorithms.maml:Maml"), "metaglot.algorithms.maml:Maml does not exist here"),
        (config(algorithm="mine", implementation="metaglot.algorithms.mine:Mine"), "mine:Mine does not exist here"),
        (lambda run: (run / "weights.safetensors").unlink(), "weights.safetensors is not there: run `dvc repro`"),
        (cut, "weights.safetensors is not a weights file"),
        (weights("fc", 5, SIZE), "weights.safetensors is for 5 ways, not 3"),
        (weights("conv", 3, SIZE), "weights.safetensors lacks features.1.0.linear.weight"),
        (
            weights("fc", 3, 12),
            "weights.safetensors does not fit the fc network for images of 14x14 that run.json describes",
        ),
        (
            lambda run: write_json(run / "adaptation.json", {"adaptation_steps": "4", "weights_sha256": ""}),
            "maml-42/adaptation.json: adaptation_steps: Input should be a valid integer",
        ),
        (lambda run: (run / "adaptation.json").write_text("{}"), "maml-42/adaptation.json: adaptation_steps: Field"),
    ],
)
def test_what_is_missing_damaged_or_of_another_training_is_refused(
    spoil: Callable[[Path], object], message: str, run: Path
) -> None:
    spoil(run)
    assert re.search(message, error_line(lambda: load_run(run)))


def test_what_an_algorithm_learns_beside_the_network_may_not_be_missing(tmp_path: Path) -> None:
    run = trained(tmp_path, "meta_sgd", train__iterations=0)
    weights("fc", 3, SIZE)(run)
    assert "weights.safetensors lacks rates.features" in error_line(lambda: load_run(run))


@pytest.mark.parametrize("name", ["run.json", WEIGHTS])
def test_a_file_in_the_place_of_the_folder_is_refused(run: Path, name: str) -> None:
    assert f"maml-42/{name} is a file; pass the run's folder" in error_line(lambda: load_run(run / name))
