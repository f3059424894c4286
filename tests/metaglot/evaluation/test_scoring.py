from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from cases import Case
from oracles import inductive
from torch import Tensor

from metaglot.algorithms.maml import MAML
from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.learners.gradient_based import AdaptedNetwork
from metaglot.core.learners.task_classifier import TaskClassifier, classifier_after
from metaglot.core.tasks.image_store import TaskBatch
from metaglot.evaluation.scoring import STEPS, EvaluationScores, concatenate, evaluate
from metaglot.evaluation.trained_network import TrainedNetwork

CASE = Case(ways=3, shots=2, queries=4, tasks=5, fast_lr=0.1)
both = pytest.mark.parametrize("model", ["fc", "conv"])


class Still(MAML):
    """An algorithm that does not adapt in steps."""

    def adapt(self, parameters, support, labels) -> Iterator[TaskClassifier]:
        yield AdaptedNetwork(self.network, self.network.fast(parameters), support)


def scores(case: Case, steps: int = 1, chunk: int = 2, kind=MAML) -> EvaluationScores:
    algorithm = kind(case.algorithm().network, case.fast_lr, case.steps)
    trained = TrainedNetwork(algorithm, case.single_parameters(), case.images(), case.shots, steps, chunk)
    return concatenate(list(evaluate(trained, case.evaluation_tasks())))


def by_name(scores: EvaluationScores) -> dict[str, np.ndarray]:
    """Every array of the scores."""
    others = {name: value for name, value in vars(scores).items() if name != "measures"}
    return {**scores.measures, **others}


def classifier(case: Case, batch: TaskBatch, steps: int = 2) -> TaskClassifier:
    """After so many steps, in float64."""
    with torch.no_grad():
        return classifier_after(case.algorithm().adapt(case.parameters(), batch.support, batch.support_labels), steps)


def right_and_loss(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    return (logits.argmax(1) == labels).double().mean().item(), F.cross_entropy(logits, labels).item()


def by_hand(case: Case, most: int, chosen: int) -> dict[str, np.ndarray]:
    """The same scores by learn2learn, task by task."""
    rows = []
    batch = case.images().batch(case.evaluation_tasks(), case.shots).double()
    for support, labels, query, query_labels in zip(*batch.parts(), strict=True):
        learner = l2l.algorithms.MAML(case.module(), lr=case.fast_lr, first_order=True).clone()
        steps = []
        for step in range(most + 1):
            logits = learner(query[:, None]).detach()
            steps.append(right_and_loss(logits, query_labels))
            if step == chosen:
                inductive_scores = right_and_loss(inductive(learner.module, support, query), query_labels)
                answers = logits.argmax(1).numpy()
            learner.adapt(F.cross_entropy(learner(support[:, None]), labels))
        rows.append((np.array(steps), np.array(inductive_scores), answers))
    by_step, inductive_scores, answers = (np.stack(parts) for parts in zip(*rows, strict=True))
    return {
        "accuracy": by_step[:, chosen, 0],
        "loss": by_step[:, chosen, 1],
        "inductive_accuracy": inductive_scores[:, 0],
        "inductive_loss": inductive_scores[:, 1],
        "predictions": answers,
        "by_step_accuracy": by_step[:, : STEPS + 1, 0],
        "by_step_loss": by_step[:, : STEPS + 1, 1],
    }


@both
@pytest.mark.parametrize("steps", [0, 1, 10, 12])
def test_scores_are_those_of_learn2learn_task_by_task(model, steps):
    case = replace(CASE, model=model, tasks=3)
    evaluated, expected = scores(case, steps), by_hand(case, max(steps, STEPS), steps)
    for name, values in expected.items():
        np.testing.assert_allclose(by_name(evaluated)[name], values, rtol=2e-3, atol=2e-4, err_msg=name)
    assert evaluated.by_step_accuracy.shape == evaluated.by_step_loss.shape == (3, 11)


@both
def test_inductive_a_query_is_answered_alike_whatever_the_others_are(model):
    case = replace(CASE, model=model)
    batch = case.batch()
    adapted, query = classifier(case, batch), batch.query
    whole = adapted.inductive(query)
    order = torch.randperm(query.shape[1], generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(adapted.inductive(query[:, order]), whole[:, order])
    for n in range(query.shape[1]):
        torch.testing.assert_close(adapted.inductive(query[:, n : n + 1])[:, 0], whole[:, n])
    others = torch.cat([query[:, :1], query[:, 1:].flip(2) * 0.5], dim=1)
    torch.testing.assert_close(adapted.inductive(others)[:, 0], whole[:, 0])
    assert not torch.allclose(adapted.inductive(others)[:, 1:], whole[:, 1:], atol=1e-2)


@both
def test_transductive_a_query_is_answered_by_the_other_queries(model):
    case = replace(CASE, model=model)
    batch = case.batch()
    adapted, query = classifier(case, batch), batch.query
    whole = adapted(query)
    torch.testing.assert_close(adapted(query.flip(1)), whole.flip(1))
    fewer = adapted(query[:, :2])
    assert ((fewer - whole[:, :2]).abs().amax((1, 2)) > 1e-2).all()


@both
def test_chunks_change_nothing_but_rounding(model):
    case = replace(CASE, model=model)
    whole = scores(case, chunk=100)
    for chunk in (1, 2, 3):
        parts = by_name(scores(case, chunk=chunk))
        for name, values in by_name(whole).items():
            np.testing.assert_allclose(parts[name], values, rtol=1e-4, atol=1e-5)


def test_the_same_scores_twice_are_the_same_to_the_last_bit():
    first, second = by_name(scores(CASE)), by_name(scores(CASE))
    assert all(np.array_equal(values, second[name]) for name, values in first.items())


def test_the_worst_tenth_and_the_calibration_are_of_all_tasks_together():
    evaluated = scores(CASE, chunk=2).measures
    for mode in ("", "inductive_"):
        assert evaluated[f"{mode}worst_tenth"].mean() == pytest.approx(evaluated[f"{mode}accuracy"].min(), abs=1e-6)
        assert evaluated[f"{mode}calibration_error"].shape == (CASE.tasks,)
        assert 0 < evaluated[f"{mode}calibration_error"].mean() < 1


def test_what_does_not_adapt_in_steps_is_scored_once():
    evaluated = scores(CASE, steps=5, kind=Still)
    assert evaluated.by_step_accuracy.shape == (CASE.tasks, 1)
    np.testing.assert_array_equal(evaluated.measures["accuracy"], evaluated.by_step_accuracy[:, 0])
    np.testing.assert_allclose(evaluated.measures["loss"], scores(CASE, steps=0).measures["loss"], rtol=1e-5)


def test_the_classifier_after_some_steps_is_the_last_where_there_are_fewer():
    adapted = [AdaptedNetwork(CASE.algorithm().network, {}, torch.zeros(n)) for n in range(3)]
    assert [classifier_after(iter(adapted), steps) is adapted[min(steps, 2)] for steps in range(5)] == [True] * 5
