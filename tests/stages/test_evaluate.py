import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_workspace import SHA256, SMALL, configure

from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.core.common.weights_file import write_weights
from metaglot.core.nn.learn2learn_networks import initial_module
from metaglot.core.tasks import class_splits, split_parts
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import sample_tasks
from metaglot.evaluation.stage_configs import EvaluateStageConfig
from stages.evaluate import main
from stages.support import paths

RUNS = [("maml", 42), ("fomaml", 42), ("maml", 43)]


@pytest.fixture
def here(here: Path) -> Path:
    """A workspace with weights to evaluate, and the working directory."""
    for algorithm, seed in RUNS:
        module = initial_module("fc", 5, SMALL["data.image_size"], seed)
        write_weights(paths.weights(algorithm, seed), module.state_dict())
    return here


def evaluate(folder: Path, algorithm: str = "maml", seed: int = 42, **changes: Any) -> tuple[dict, dict]:
    """The result and the scores, with these changes of params."""
    configure(folder, {name.replace("__", "."): value for name, value in changes.items()})
    main(algorithm, seed)
    with np.load(paths.scores(algorithm, seed)) as arrays:
        return read_json(paths.result(algorithm, seed)), dict(arrays)


def test_the_same_weights_twice_give_the_same_bytes(here):
    written = []
    for _ in range(2):
        evaluate(here)
        written.append([path("maml", 42).read_bytes() for path in (paths.result, paths.scores)])
    assert written[0] == written[1]


def test_maml_in_first_order_is_scored_as_fomaml_is(here):
    maml, fomaml = (evaluate(here, name, first_order=True) for name in ("maml", "fomaml"))
    assert all(np.array_equal(maml[1][name], fomaml[1][name]) for name in maml[1])
    differ = {name for name in maml[0] if maml[0][name] != fomaml[0][name]}
    assert differ == {"algorithm", "label"}


def test_every_algorithm_and_seed_is_scored_on_the_same_tasks(here):
    evaluations = [evaluate(here, *run) for run in RUNS]
    assert len({result["tasks_sha256"] for result, _ in evaluations}) == 1
    for name in ("characters", "turns", "drawings"):
        assert all(np.array_equal(scores[name], evaluations[0][1][name]) for _, scores in evaluations)
    assert evaluations[0][0]["accuracy"] != evaluations[2][0]["accuracy"]
    result, scores = evaluations[0]
    task = load_stage_config(EvaluateStageConfig, paths.evaluate_config("maml")).task
    tasks = sample_tasks((StreamPurpose.TESTING, 0, 0), 20, 30, 20, task)
    assert result["tasks_sha256"] == tasks.sha256()
    assert (scores["characters"] == tasks.characters).all()


def test_another_test_seed_means_other_tasks_and_more_tasks_begin_with_the_same(here):
    first, scores = evaluate(here)
    other, _ = evaluate(here, evaluate__seed=1)
    more, longer = evaluate(here, evaluate__tasks=33)
    assert len({result["tasks_sha256"] for result in (first, other, more)}) == 3
    assert len(longer["accuracy"]) == 33
    np.testing.assert_allclose(longer["accuracy"][:20], scores["accuracy"], atol=1e-6)
    assert (longer["characters"][:20] == scores["characters"]).all()


def test_the_result_and_the_scores_say_the_same(here):
    result, scores = evaluate(here)
    assert (result["algorithm"], result["seed"], result["split_sha256"]) == ("maml", 42, SHA256)
    assert result["accuracy"]["mean"] == pytest.approx(scores["accuracy"].mean())
    assert result["inductive"]["loss"]["mean"] == pytest.approx(scores["inductive_loss"].mean())
    np.testing.assert_allclose(scores["correct"].sum(1) / 25, scores["accuracy"], rtol=1e-6)
    assert [row["step"] for row in result["by_step"]] == [*range(11)]
    assert result["by_step"][1]["accuracy"] == result["accuracy"]["mean"]
    assert result["writeup"]["tasks"] == 20


def test_the_result_says_how_far_learn2learns_logits_are(here):
    parity = evaluate(here, evaluate__adaptation_steps=3)[0]["parity"]
    assert (parity["reference"], parity["dtype"], parity["tasks"]) == ("learn2learn 0.2.0", "float64", 10)
    assert 0 <= parity["relative_difference"] < 1e-10


def test_labels_are_permuted_in_as_many_tasks_as_the_result_says(here):
    permuted = evaluate(here, evaluate__tasks=150)[0]["label_permutations"]
    assert (permuted["tasks"], permuted["permutations"]) == (3, 20)
    assert 0 < permuted["accuracy_std"]["mean"] < 0.2


def test_tasks_of_one_alphabet_each_leave_out_the_small_ones_and_say_so(here, capsys):
    part = split_parts.load_split_part(paths.split("test"))
    sizes = {"Large": 20, "Medium": 6, "Small": 4}
    names = [f"{alphabet}/character{n:02}" for alphabet, size in sizes.items() for n in range(size)]
    split_parts.save_split_part(paths.split("test"), split_parts.SplitPart(part.images, names), split_sha256=SHA256)
    result, scores = evaluate(here, task__characters="alphabet")
    assert result["task"]["characters"] == "alphabet"
    alphabets = np.array([class_splits.alphabet(name) for name in names])[scores["characters"]]
    assert (alphabets == alphabets[:, :1]).all() and {*alphabets.ravel()} == {"Large", "Medium"}
    output = capsys.readouterr().err
    assert output.count("test: 1 of 3 alphabets have fewer than 5 characters and are left out: Small") == 1


def test_adapting_pays(here):
    result, _ = evaluate(here, evaluate__adaptation_steps=5)
    assert result["by_step"][0]["accuracy"] < 0.4 < result["accuracy"]["mean"]
    assert result["accuracy"]["mean"] == result["by_step"][5]["accuracy"]


def test_chunks_change_nothing_but_rounding(here):
    _, whole = evaluate(here)
    _, parts = evaluate(here, run__task_chunk=3)
    for name in whole:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-3, atol=1e-4)


def test_nothing_is_left_but_the_three_files(here):
    evaluate(here, evaluate__adaptation_steps=3)
    weights_sha256 = hashlib.sha256(paths.weights("maml", 42).read_bytes()).hexdigest()
    assert read_json(paths.adaptation("maml", 42)) == {"adaptation_steps": 3, "weights_sha256": weights_sha256}
    assert [path.name for path in (here / "data/results").iterdir()] == ["maml-42.json"]
    assert [path.name for path in (here / "data/scores").iterdir()] == ["maml-42.npz"]


def test_evaluating_needs_the_weights_and_the_test_split_alone(here):
    for part in ("train", "validation"):
        paths.split(part).unlink()
    paths.train_config("maml").unlink()
    main("maml", 42)
    assert {path.name for path in paths.model("maml", 42).iterdir()} == {"adaptation.json", "weights.safetensors"}


def test_what_is_missing_or_does_not_fit_is_refused_by_name_and_leaves_nothing(here):
    with pytest.raises(UserError, match="data/config/anil/evaluate.yaml"):
        main("anil", 42)
    with pytest.raises(UserError, match="data/models/maml-7/weights.safetensors"):
        main("maml", 7)
    with pytest.raises(UserError, match="is for 5 ways, not 3"):
        evaluate(here, task__ways=3)
    paths.split("test").write_bytes(b"PK")
    configure(here, {})
    with pytest.raises(UserError, match="data/splits/test.npz"):
        main("maml", 42)
    assert not (here / "data/results").exists() and not (here / "data/scores").exists()


@pytest.mark.parametrize("size", [1e25, 3e38])
def test_finite_weights_whose_loss_is_not_are_refused_by_name_and_leave_nothing(here, size):
    weights = initial_module("fc", 5, SMALL["data.image_size"], 42).state_dict()
    write_weights(paths.weights("maml", 42), weights | {"classifier.weight": weights["classifier.weight"] * 0 + size})
    with pytest.raises(UserError, match="maml-42/weights.safetensors: the loss of 20 of 20 test tasks is not finite"):
        main("maml", 42)
    assert not (here / "data/results").exists() and not (here / "data/scores").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_refused(here):
    with pytest.raises(UserError, match="cuda:1 is not on this machine, which has cpu"):
        evaluate(here, run__device="cuda:1")


def test_a_result_that_cannot_be_written_leaves_the_old_one(here):
    before, _ = evaluate(here)
    shutil.rmtree(paths.scores("maml", 42).parent)
    paths.scores("maml", 42).parent.write_text("in the way")
    with pytest.raises(OSError):
        evaluate(here, evaluate__seed=1)
    assert read_json(paths.result("maml", 42)) == before


def test_sequences_add_their_scores_and_change_no_other(here):
    ordinary, scores = evaluate(here)
    assert "sequences" not in ordinary and "sequences" not in ordinary["evaluate"]
    result, arrays = evaluate(here, evaluate__sequences=6, evaluate__sequence_length=2)
    assert {key: result[key] for key in ordinary if key != "evaluate"} == {
        key: ordinary[key] for key in ordinary if key != "evaluate"
    }
    assert all(np.array_equal(arrays[name], scores[name]) for name in scores)
    matrix, summary = arrays["sequence_accuracy"].astype(float), result["sequences"]["transductive"]
    first, second, end = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 1]
    assert summary["final"]["mean"] == pytest.approx((second + end).mean() / 2)
    assert summary["learning"]["mean"] == pytest.approx((first + end).mean() / 2)
    assert summary["forgetting"]["mean"] == pytest.approx((first - second).mean() / 2)
    assert summary["matrix"] == [pytest.approx([first.mean(), second.mean()]), pytest.approx([end.mean()])]


def test_every_algorithm_has_the_same_sequences(here):
    results = [evaluate(here, *run, evaluate__sequences=3, evaluate__sequence_length=2)[0] for run in RUNS]
    assert len({result["sequences"]["tasks_sha256"] for result in results}) == 1


def other_project(folder: Path, size: int = SMALL["data.image_size"]) -> Path:
    """The test split of another project, of other specks."""
    specks = np.random.default_rng(9).random((30, 20, size, size)) < 0.2
    part = split_parts.SplitPart(specks * np.uint8(255), [f"Others/character{n:02}" for n in range(30)])
    split_parts.save_split_part(folder / "other/test.npz", part, split_sha256="6" * 64)
    return folder / "other/test.npz"


def test_another_project_s_test_split_is_as_if_it_were_this_one_s(here):
    other = other_project(here)
    elsewhere, scores = evaluate(here, evaluate__test_split=str(other))
    assert elsewhere["split_sha256"] == "6" * 64 and elsewhere["evaluate"]["test_split"] == str(other)
    shutil.copy(other, paths.split("test"))
    ordinary, expected = evaluate(here)
    assert {name for name in elsewhere if elsewhere[name] != ordinary[name]} == {"evaluate"}
    assert all(np.array_equal(scores[name], expected[name]) for name in expected)


def test_images_that_the_networks_do_not_take_are_refused(here):
    other = other_project(here, size=14)
    with pytest.raises(UserError, match="has images of 14 x 14; the networks take 12 x 12"):
        evaluate(here, evaluate__test_split=str(other))
