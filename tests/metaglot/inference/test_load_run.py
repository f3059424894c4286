"""A run's folder is read back whole, or refused in one line that says what is wrong with it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from trained_glyphs import SIZE, trained

from metaglot.algorithms.maml import MAML
from metaglot.core.common.atomic_files import read_json, write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.weights_file import write_weights
from metaglot.inference.load_run import load_run
from metaglot.training.learn2learn_engine import initial_module

NOTHING = {"train__iterations": 0, "train__adaptation_steps": 2, "evaluate__adaptation_steps": 4}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("trained"), **NOTHING)


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(original, tmp_path / "data/models/maml-42"))


def test_a_run_is_its_algorithm_with_its_settings_and_what_it_learned(run: Path) -> None:
    config, algorithm, learned, _ = load_run(run)
    assert type(algorithm) is MAML and algorithm.fast_lr == config.train.fast_lr == 0.5
    initial = initial_module("fc", 3, SIZE, 42).state_dict()
    assert set(learned) == set(initial) and all(torch.equal(learned[name], initial[name]) for name in initial)


def test_it_adapts_in_as_many_steps_as_its_test_or_else_its_training(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_run(run).steps == 2
    write_json(run.parents[1] / "results/maml-42.json", {"evaluate": {"adaptation_steps": 4}})
    assert load_run(run).steps == 4
    monkeypatch.chdir(run)
    assert load_run(Path(".")).steps == 4


def config(**changes: Any) -> Callable[[Path], None]:
    """Write another config into the run's record."""

    def spoil(run: Path) -> None:
        record = read_json(run / "run.json")
        write_json(run / "run.json", record | {"config": record["config"] | changes})

    return spoil


def weights(*network: Any) -> Callable[[Path], None]:
    """Put another network's weights in place of the run's."""
    return lambda run: write_weights(run / "weights.safetensors", initial_module(*network, 42).state_dict())


def cut(run: Path) -> None:
    path = run / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (shutil.rmtree, "maml-42/run.json is not there: run `dvc repro`"),
        (lambda run: (run / "run.json").write_text("{"), "maml-42/run.json is not JSON"),
        (lambda run: (run / "run.json").write_text("[]"), "maml-42/run.json does not say what was trained"),
        (lambda run: (run / "run.json").write_text('{"config": 3}'), "maml-42/run.json does not say what was trained"),
        (config(image_size="28"), "maml-42/run.json: config.image_size: .*; it is of another version: train it again"),
        (config(colours=3), "maml-42/run.json: config.colours: .*; it is of another version: train it again"),
        (config(implementation="os:system"), "config.implementation: os:system is not in metaglot.algorithms"),
        (config(implementation="metaglot.algorithms.fomaml:FOMAML"), "fomaml:FOMAML is not in metaglot.algorithms"),
        (config(implementation="metaglot.algorithms.maml:Maml"), "there is no metaglot.algorithms.maml:Maml here"),
        (
            config(algorithm="mine", implementation="metaglot.algorithms.mine:Mine"),
            "there is no metaglot.algorithms.mine:Mine here",
        ),
        (lambda run: (run / "weights.safetensors").unlink(), "weights.safetensors is not a weights file"),
        (cut, "weights.safetensors is not a weights file"),
        (weights("fc", 5, SIZE), "weights.safetensors is for 5 ways, not 3"),
        (weights("conv", 3, SIZE), "weights.safetensors lacks features.1.0.linear.weight"),
        (
            weights("fc", 3, 12),
            "weights.safetensors does not fit the fc network for images of 14x14 that run.json describes",
        ),
        (
            lambda run: write_json(run.parents[1] / "results/maml-42.json", {"evaluate": 3}),
            "results/maml-42.json does not say in how many steps the test adapted",
        ),
    ],
)
def test_what_is_missing_damaged_or_of_another_training_is_refused(
    spoil: Callable[[Path], object], said: str, run: Path
) -> None:
    spoil(run)
    with pytest.raises(UserError, match=said) as caught:
        load_run(run)
    assert "\n" not in str(caught.value)


def test_what_an_algorithm_learns_beside_the_network_may_not_be_missing(tmp_path: Path) -> None:
    run = trained(tmp_path, "meta_sgd", train__iterations=0)
    weights("fc", 3, SIZE)(run)
    with pytest.raises(UserError, match="weights.safetensors lacks rates.features"):
        load_run(run)
