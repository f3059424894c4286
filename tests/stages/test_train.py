import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from histories import rows, untimed
from safetensors.torch import load_file
from shell import refusal_of, run_python
from small_workspace import SMALL, configure, workspace

from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TrainStageConfig, load_stage_config
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import initial_module
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import sample_tasks
from metaglot.training.training_run import TrainingRun
from stages.support import paths
from stages.support.checkpoints import Checkpoints, open_checkpoints
from stages.support.signals import Interrupted, SignalGuard
from stages.train import main, meta_train, start_run
from stages.train import train as train_on

WAYS = 5


def train(folder: Path, algorithm: str = "maml", seed: int = 42, **changes: Any) -> Path:
    """Train with these changes of params; where the files are."""
    configure(folder, {name.replace("__", "."): value for name, value in changes.items()})
    main(algorithm, seed)
    return folder / paths.model(algorithm, seed)


def maml_config() -> TrainStageConfig:
    return load_stage_config(TrainStageConfig, paths.train_config("maml"))


def started(seed: int) -> TrainingRun:
    return start_run(maml_config(), seed, SignalGuard())


@pytest.mark.parametrize(("model", "engine"), [("fc", "batched"), ("fc", "learn2learn"), ("conv", "batched")])
def test_the_same_seed_twice_gives_the_same_bytes_and_another_does_not(here, model, engine):
    changes: dict[str, Any] = {"model": model, "train__engine": engine, "run__threads": 2}
    if model == "conv":
        workspace(here, data__image_size=28)
        changes |= {"data__image_size": 28, "train__iterations": 2, "train__validation_tasks": 2, "task__ways": 2}
    outcomes = []
    for seed in (7, 7, 8):
        folder = train(here, seed=seed, **changes)
        outcomes.append([(folder / name).read_bytes() for name in ("weights.safetensors", "alignment.csv")])
        outcomes[-1].append(untimed(folder / "history.csv"))
    first, same, other = outcomes
    assert first == same
    assert all(a != b for a, b in zip(first, other, strict=True))


def test_maml_in_first_order_trains_the_weights_of_fomaml_to_the_last_byte(here):
    maml, fomaml = train(here, "maml", first_order=True), train(here, "fomaml", first_order=True)
    for name in ("weights.safetensors", "alignment.csv"):
        assert (maml / name).read_bytes() == (fomaml / name).read_bytes()
    assert untimed(maml / "history.csv") == untimed(fomaml / "history.csv")
    assert read_json(maml / "run.json")["label"] == "MAML (first_order=true)"
    assert (train(here, "maml") / "weights.safetensors").read_bytes() != (fomaml / "weights.safetensors").read_bytes()


def effective(folder: Path) -> dict[str, torch.Tensor]:
    """All but the biases before a batch norm, which have no effect: learn2learn moves them by rounding errors."""
    weights = load_file(folder / "weights.safetensors")
    return {name: weights[name] for name in create_network("fc").names}


@pytest.mark.parametrize("algorithm", ["maml", "fomaml"])
def test_both_engines_train_alike(here, algorithm):
    weights = {}
    for engine in ("batched", "learn2learn"):
        folder = train(here, algorithm, train__engine=engine)
        weights[engine] = effective(folder)
        assert read_json(folder / "run.json")["parity"]["relative_difference"] <= 1e-10
    batched, learn2learns = weights["batched"], weights["learn2learn"]
    torch.testing.assert_close(batched, learn2learns, rtol=0, atol=0.01)  # five steps of Adam: 0.015
    assert any(not torch.equal(batched[name], learn2learns[name]) for name in batched)


def test_inductive_training_gives_other_weights_and_is_compared_with_no_other_engine(here):
    transductive = effective(train(here))
    folder = train(here, train__batch_norm="inductive")
    record = read_json(folder / "run.json")
    assert record["parity"] is None and record["config"]["train"]["batch_norm"] == "inductive"
    assert any(not torch.equal(value, transductive[name]) for name, value in effective(folder).items())


@pytest.mark.parametrize("chunk", [1, 3])
def test_chunks_train_alike(here, chunk):
    whole, parts = effective(train(here)), effective(train(here, run__task_chunk=chunk))
    torch.testing.assert_close(parts, whole, rtol=0, atol=0.01)


def test_exactly_the_documented_files_are_left_and_whole(here):
    folder = train(here)
    assert sorted(path.name for path in folder.iterdir()) == [
        "alignment.csv", "history.csv", "run.json", "weights.safetensors",
    ]  # fmt: skip
    assert {path.name for path in (here / "data").iterdir()} == {"config", "splits", "models"}


def test_the_history_has_a_row_at_the_start_at_every_validation_and_at_the_end(here):
    history = rows(train(here) / "history.csv")
    assert [int(row["iteration"]) for row in history] == [0, 2, 4, 5]
    assert list(history[0]) == [
        "iteration", "seconds", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
        "gradient_norm",
    ]  # fmt: skip
    assert history[0]["train_loss"] == history[0]["train_accuracy"] == history[0]["gradient_norm"] == ""
    numbers = [[float(cell) for cell in row.values()] for row in history[1:]]
    assert all(0 <= row[3] <= 1 and 0 <= row[5] <= 1 and row[6] > 0 for row in numbers)
    seconds = [float(row["seconds"]) for row in history]
    assert seconds == sorted(seconds) and seconds[0] == 0 < seconds[-1]


def test_every_seed_is_validated_on_the_tasks_of_the_split_and_certified_on_tasks_of_its_own(here):
    first, second = (started(seed) for seed in (1, 2))
    expected = sample_tasks((StreamPurpose.VALIDATION, 42, 0), 8, 30, 20, first.stream.task).sha256()
    assert first.validation.tasks.sha256() == second.validation.tasks.sha256() == expected
    assert first.parity["relative_difference"] != second.parity["relative_difference"]
    configure(here, {"split.seed": 7})
    assert started(1).validation.tasks.sha256() != expected


def test_validating_more_often_changes_no_weight(here):
    often, seldom = (train(here, train__validate_every=every) / "weights.safetensors" for every in (1, 5))
    assert often.read_bytes() == seldom.read_bytes()


def test_no_iterations_leave_learn2learns_initialisation(here):
    weights = load_file(train(here, seed=3, train__iterations=0) / "weights.safetensors")
    expected = initial_module("fc", WAYS, SMALL["data.image_size"], 3).state_dict()
    assert all(torch.equal(weights[name], value) for name, value in expected.items())
    assert not rows(here / paths.history("maml", 3)) and not rows(here / paths.alignment("maml", 3))


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_the_weights_load_into_learn2learns_module_with_nothing_left_over(here, model):
    if model == "conv":
        workspace(here, data__image_size=28)
    size = 28 if model == "conv" else SMALL["data.image_size"]
    folder = train(here, model=model, data__image_size=size, train__iterations=1, train__validation_tasks=2)
    weights = load_file(folder / "weights.safetensors")
    module = initial_module(model, WAYS, size, 0)
    module.load_state_dict(weights, strict=True)
    start = initial_module(model, WAYS, size, 42).state_dict()
    moved = {name for name, value in weights.items() if not torch.equal(value, start[name])}
    assert "classifier.weight" in moved and "features.1.0.normalize.weight" in moved
    assert not [name for name in moved if "running" in name or "num_batches" in name]


def test_the_alignment_has_every_layer_at_every_validation(here):
    alignment = rows(train(here) / "alignment.csv")
    assert list(alignment[0]) == ["iteration", "layer", "cosine", "norm_ratio"]
    layers = ["all", *(f"features.1.{i}" for i in range(4)), "classifier"]
    places = [(iteration, layer) for iteration in (0, 2, 4, 5) for layer in layers]
    assert [(int(row["iteration"]), row["layer"]) for row in alignment] == places
    assert all(-1 <= float(row["cosine"]) <= 1 + 1e-9 and float(row["norm_ratio"]) > 0 for row in alignment)


def test_the_record_says_what_ran_where_and_for_how_long(here):
    record = read_json(train(here, "fomaml", seed=9, run__threads=1) / "run.json")
    assert list(record) == [
        "algorithm", "label", "seed", "started_at", "ended_at", "setup_seconds", "train_seconds", "validation_seconds",
        "iterations_per_second", "peak_memory_mb", "device", "threads", "processes", "versions", "commit", "resumed",
        "parity", "config",
    ]  # fmt: skip
    assert (record["algorithm"], record["label"], record["seed"]) == ("fomaml", "FOMAML", 9)
    spent = sum(record[f"{phase}_seconds"] for phase in ("setup", "train", "validation"))
    assert 0 < spent <= (record["ended_at"] - record["started_at"]) / 1000 + 0.01
    assert all(record[f"{phase}_seconds"] > 0 for phase in ("setup", "train", "validation"))
    assert record["iterations_per_second"] == pytest.approx(5 / record["train_seconds"], rel=0.05)
    assert record["threads"] == 1 and record["processes"] == 1 and record["resumed"] == 0
    assert record["versions"]["learn2learn"] == "0.2.0" and torch.__version__.startswith(record["versions"]["torch"])
    assert record["parity"]["reference"] == "learn2learn 0.2.0" and record["parity"]["tasks"] == 4
    config = load_stage_config(TrainStageConfig, paths.train_config("fomaml"))
    assert record["config"] == {**config.model_dump(), "seed": 9}


def test_it_learns(here):
    history = rows(train(here, train__iterations=60, train__validate_every=60) / "history.csv")
    before, after = (float(row["validation_loss"]) for row in history)
    assert after < 0.75 * before


def test_where_there_is_no_terminal_each_validation_is_a_line(here, capsys):
    train(here)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert [line.partition(", ")[0] for line in lines] == [f"MAML seed 42: iteration {n}" for n in (2, 4, 5)]
    assert all(line.endswith("%") for line in lines)


def test_a_run_whose_loss_is_not_finite_stops_and_leaves_no_weights(here):
    broken = started(42)
    with torch.no_grad():
        broken.optimizer.parameters["classifier.bias"][0] = float("nan")
    with pytest.raises(UserError, match="the validation loss is nan by iteration 0 of seed 42, with a meta-gradient"):
        train_on(broken, maml_config(), "MAML seed 42", Checkpoints(here / "checkpoints", 30))
    assert not paths.model("maml", 42).exists()


def test_a_signal_while_a_training_resumes_leaves_its_checkpoint_as_it_was(here, monkeypatch):
    configure(here, {})
    run = started(42)
    checkpoints = open_checkpoints(maml_config(), 42, run.device)
    run.train_until(3, lambda *progress: None)
    checkpoints.folder.mkdir(parents=True)
    checkpoints.save(run.state())
    before = checkpoints.last.read_bytes()

    def interrupted(run: TrainingRun, state: dict[str, torch.Tensor]) -> None:
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr(TrainingRun, "restore", interrupted)
    with pytest.raises(Interrupted) as stopped:
        meta_train(maml_config(), 42, SignalGuard())
    assert checkpoints.last.read_bytes() == before and not checkpoints.before.exists()
    assert stopped.value.saved == "nothing had to be saved"


def test_what_a_stage_needs_and_lacks_is_refused_by_name(here):
    with pytest.raises(UserError, match="data/config/anil/train.yaml"):
        main("anil", 42)
    paths.split("validation").unlink()
    with pytest.raises(UserError, match="data/splits/validation.npz"):
        main("maml", 42)


def test_training_never_looks_at_the_test_split(here):
    paths.split("test").unlink()
    train(here)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_one_line_on_the_command_line(here):
    configure(here, {"run.device": "cuda"})
    line = refusal_of(run_python(here, "-m", "stages.train", "maml", "--seed", "42"))
    assert line.startswith("error: run.device: cuda is not on this machine")
    assert not (here / "data/models").exists()


@pytest.mark.parametrize("stage_name", ["train", "evaluate"])
def test_a_python_without_the_packages_is_one_line(here, stage_name):
    line = refusal_of(run_python(here, "-S", "-m", f"stages.{stage_name}", "maml"))
    assert line.startswith(f"error: {sys.executable} has no torch: ")


def test_a_python_that_is_too_old_is_one_line(here):
    code = "import sys; sys.version_info = (3, 10, 9); import stages"
    assert "is older than 3.11" in refusal_of(run_python(here, "-c", code))
