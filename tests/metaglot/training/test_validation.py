import pytest
from cases import Case
from runs import validation

from metaglot.evaluation.scoring import concatenate, evaluate
from metaglot.evaluation.trained_network import TrainedNetwork
from metaglot.training.gradient_alignment import measure_alignment

CASE = Case(ways=3, shots=2, queries=4, tasks=5, fast_lr=0.1, steps=2)
both = pytest.mark.parametrize("model", ["fc", "conv"])


@both
def test_validation_is_the_mean_of_the_scores_that_the_evaluation_gives(model):
    case = CASE.but(model=model)
    parameters = case.single_parameters()
    held_out = validation(case, count=5)
    trained = TrainedNetwork(case.algorithm(), parameters, held_out.images, case.shots, case.steps, chunk=5)
    expected = concatenate(list(evaluate(trained, held_out.tasks)))
    actual = held_out.loss_and_accuracy(case.algorithm(), parameters)
    assert actual == pytest.approx((expected.measures["loss"].mean(), expected.measures["accuracy"].mean()), rel=1e-6)


def test_alignment_is_measured_on_the_validation_tasks():
    parameters = CASE.single_parameters()
    held_out = validation(CASE, count=5)
    whole = [held_out.images.batch(held_out.tasks, CASE.shots)]
    expected = measure_alignment(CASE.algorithm(), parameters, whole, iteration=8)
    actual = held_out.alignment(CASE.algorithm(), parameters, iteration=8)
    assert [row[:2] for row in actual] == [row[:2] for row in expected]
    for row, whole_row in zip(actual, expected, strict=True):
        assert row[2:] == pytest.approx(whole_row[2:], rel=1e-4)
