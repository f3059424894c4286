"""Meta-training without the pipeline, on arrays of one's own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from cases import drawings
from params_file import ASGIVEN

from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.run_records import read_history
from metaglot.inference.predictor import load_predictor
from metaglot.inference.user_images import load_images
from metaglot.meta_train import TASK, TRAIN, meta_train
from metaglot.training.training_run import TrainingRun

SHORT = {"ways": 3, "shots": 2, "queries": 2, "iterations": 3, "validate_every": 2, "validation_tasks": 4}
IMAGES = drawings(size=8, characters=12)


@pytest.mark.parametrize("algorithm", ["maml", "fomaml", "protonet", "scratch"])
def test_it_leaves_a_folder_that_a_predictor_reads(tmp_path: Path, algorithm: str) -> None:
    options = SHORT | {"protonet": {"training_ways": 4}}.get(algorithm, {})
    predictor = meta_train(IMAGES, tmp_path / "net", algorithm, **options)
    support, labels = [*IMAGES[0, :2], *IMAGES[1, :2]], ["a", "a", "b", "b"]
    expected = predictor.adapt(support, labels).predict([IMAGES[0, 3]])
    assert load_predictor(tmp_path / "net").adapt(support, labels).predict([IMAGES[0, 3]]) == expected
    assert predictor.ways == 3 and (tmp_path / "net/history.csv").exists()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("same", 1), ("other", 2)):
        meta_train(IMAGES, tmp_path / name, seed=seed, **SHORT)
    files = (tmp_path / name / "weights.safetensors" for name in ("first", "same", "other"))
    first, same, other = (file.read_bytes() for file in files)
    assert first == same != other


def test_progress_and_history_are_those_of_the_training(tmp_path: Path) -> None:
    seen: list[int] = []
    meta_train(IMAGES, tmp_path, on_progress=lambda iteration, loss, accuracy: seen.append(iteration), **SHORT)
    assert [row["iteration"] for row in read_history(tmp_path / "history.csv")] == [0, 2, 3] and seen == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": IMAGES.astype(float)}, r"images: got float64 \[12, 20, 8, 8\]; takes uint8"),
        ({"images": IMAGES[:5]}, "images: got 5 classes; tasks of 3 ways take 6 or more"),
        ({"images": [1, 2]}, r"images: got list \[\]; takes uint8"),
        ({"algorithm": "mamml"}, "algorithm: got 'mamml'; takes maml, fomaml"),
        ({"shots": 0}, "meta_train: task.shots: Input should be greater than or equal to 1"),
        ({"first_order": True, "second_order": 0.5}, "second_order: got 0.5; takes 1.0 with first_order=True"),
        ({"meta_rate": 1}, "meta_train: meta_rate: Extra inputs are not permitted"),
        ({"algorithm": "reptile", "batch_norm": "inductive"}, "train.batch_norm: got inductive; the training of"),
        ({"model": "conv"}, "images: got 8x8 pixels; the model conv takes 28x28"),
        ({"images": IMAGES[:, :0]}, r"images: got uint8 \[12, 0, 8, 8\]; takes uint8"),
        ({"ways": "3"}, "meta_train: task.ways: Input should be a valid integer"),
        ({"seed": -1}, "seed: got -1; takes a whole number from 0 to 4294967295"),
        ({"seed": "42"}, "seed: got '42'; takes a whole number"),
        ({"device": "gpu"}, "device: got 'gpu'; takes cpu, or cuda where there is one"),
        ({"algorithm": ["maml"]}, r"algorithm: got \['maml'\]; takes maml, fomaml"),
        ({"algorithm": "maml_plus_plus", "adaptation_steps": 0}, "meta_train: adaptation_steps: Input should be"),
        ({"engine": "learn2learn", "batch_norm": "inductive"}, "the engine learn2learn trains transductively"),
    ],
)
def test_a_mistake_is_one_line_and_no_file(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    given = {"images": IMAGES, "algorithm": "maml"} | SHORT | arguments
    with pytest.raises(UserError, match=message):
        meta_train(given.pop("images"), tmp_path / "net", given.pop("algorithm"), **given)
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize(("factor", "first_order"), [(0.5, False), (0, True)])
def test_its_label_and_order_are_those_of_the_pipeline(tmp_path: Path, factor: float, first_order: bool) -> None:
    meta_train(IMAGES, tmp_path, **SHORT, second_order=factor)
    config = read_json(tmp_path / "run.json")["config"]
    assert (config["label"], config["first_order"]) == (f"MAML (second_order={factor})", first_order)


def test_its_defaults_are_those_of_params_yaml() -> None:
    assert (TASK, TRAIN) == (ASGIVEN["task"], ASGIVEN["train"])


@pytest.mark.parametrize("algorithm", ["reptile", "maml_plus_plus", "protonet", "scratch"])
def test_an_algorithm_s_own_settings_beat_the_shared_ones_and_a_given_option_beats_both(
    tmp_path: Path, algorithm: str
) -> None:
    own = {key: value for key, value in ASGIVEN["settings"][algorithm].items() if key in TRAIN}
    few = {"protonet": {"training_ways": 4}, "reptile": {"training_shots": 3}}.get(algorithm, {})
    given = {"ways": 3, "shots": 2, "queries": 2, "meta_lr": 0.25, "validation_tasks": 4}
    given |= {"iterations": 2} if "iterations" not in own else {}
    meta_train(IMAGES, tmp_path, algorithm, **given, **few)
    trained = read_json(tmp_path / "run.json")["config"]["train"]
    assert own and trained == TRAIN | own | {key: value for key, value in given.items() if key in TRAIN}


def test_numbers_of_numpy_are_taken_as_numbers(tmp_path: Path) -> None:
    meta_train(IMAGES, tmp_path, seed=np.int64(1), **SHORT | {"ways": np.int64(3)})
    assert read_json(tmp_path / "run.json")["seed"] == 1


@pytest.mark.parametrize("folder", [None, "file", "file/below"])
def test_a_folder_that_cannot_be_made_is_refused_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str | None
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(TrainingRun, "run", lambda *_: pytest.fail("it trains"))
    with pytest.raises(UserError, match="folder: got .*; takes a folder that can be made"):
        meta_train(IMAGES, folder and tmp_path / folder, **SHORT)  # type: ignore[arg-type]


def test_the_predictor_adapts_in_the_steps_that_were_asked_for(tmp_path: Path) -> None:
    assert meta_train(IMAGES, tmp_path, **SHORT, test_adaptation_steps=7).adaptation_steps == 7
    assert meta_train(IMAGES, tmp_path, **SHORT).adaptation_steps == 1  # the same weights, in the same folder


def test_what_an_algorithm_has_no_use_for_changes_nothing(tmp_path: Path) -> None:
    """So that one loop with the same options takes every algorithm; From scratch stays untrained."""
    for name, options in (("first", SHORT), ("second", SHORT | {"iterations": 5})):
        meta_train(IMAGES, tmp_path / name, "scratch", **options)
    first, second = (tmp_path / name / "weights.safetensors" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    assert read_json(tmp_path / "second/run.json")["config"]["train"]["iterations"] == 0


def test_the_user_s_settings_of_cudnn_are_left_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flags() -> tuple[bool, bool]:
        return torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic

    before, during = flags(), []
    observed = TrainingRun.run
    monkeypatch.setattr(TrainingRun, "run", lambda *given: during.append(flags()) or observed(*given))
    meta_train(IMAGES, tmp_path, **SHORT)
    assert during == [(False, True)] and flags() == before


def test_the_predictor_sees_an_array_as_the_training_did() -> None:
    """Most of it ink, or faint: an image from elsewhere would be inverted or stretched."""
    for image in (np.full((8, 8), 200, np.uint8), np.pad(np.full((2, 2), 120, np.uint8), 3)):
        assert load_images([image], 8, "arrays")[0].numpy() == pytest.approx(image / 255)
    larger = np.pad(np.full((10, 10), 120, np.uint8), 3)
    assert torch.equal(load_images([larger], 8, "arrays"), load_images([larger], 8, "omniglot"))
