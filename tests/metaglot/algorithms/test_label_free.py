from itertools import permutations

import numpy as np
import pytest
import torch
from cases import Case
from oracles import distance, gradients_of, meta_gradient, nearest_mean_scores
from scipy.cluster.vq import kmeans2
from torch import Tensor

from metaglot.algorithms.label_free import LabelFree, k_means, name_clusters
from metaglot.core.learners.task_classifier import TaskClassifier, classifier_after
from metaglot.core.nn.functional_networks import create_network

both = pytest.mark.parametrize("model", ["fc", "conv"])
CASE = Case(ways=3, shots=3, queries=3, tasks=4)


def points(tasks: int = 6, groups: int = 4, each: int = 9, spread: float = 1.0) -> tuple[Tensor, Tensor]:
    """Points of groups around centres of their own; and their groups."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(tasks, groups, 5, generator=generator, dtype=torch.double) * 4
    noise = torch.randn(tasks, groups * each, 5, generator=generator, dtype=torch.double) * spread
    return centres.repeat_interleave(each, 1) + noise, torch.arange(groups).repeat_interleave(each).expand(tasks, -1)


def classifier(case: Case, labels: Tensor | None = None) -> TaskClassifier:
    batch, algorithm = case.batch(), LabelFree(create_network(case.model), 0.5, 1)
    with torch.no_grad():
        support_labels = batch.support_labels if labels is None else labels
        return classifier_after(algorithm.adapt(case.parameters(), batch.support, support_labels), 5)


def test_its_clusters_are_scipys_from_the_same_first_centres():
    drawn, _ = points(spread=3.0)
    start = k_means(drawn, 4, 0)
    for task, first, centres in zip(drawn, start, k_means(drawn, 4, 30), strict=True):
        expected, _ = kmeans2(task.numpy(), first.numpy(), iter=30, minit="matrix")
        np.testing.assert_allclose(centres.numpy(), expected, rtol=1e-10)


def test_groups_that_lie_apart_are_its_clusters_named_by_their_labels():
    drawn, groups = points(spread=0.1)
    named = name_clusters(k_means(drawn, 4, 20), drawn, groups)
    expected = torch.stack([drawn[groups == group].view(len(drawn), -1, 5).mean(1) for group in range(4)], 1)
    torch.testing.assert_close(named, expected)


def test_no_other_names_put_more_support_images_into_the_cluster_of_their_class():
    drawn, groups = points(spread=6.0)
    centres = k_means(drawn, 4, 20)
    named = name_clusters(centres, drawn, groups)

    def right(order: Tensor) -> Tensor:
        return (torch.cdist(drawn, order).argmin(-1) == groups).sum(1)

    best = torch.stack([right(centres[:, list(order)]) for order in permutations(range(4))]).amax(0)
    assert (right(named) == best).all() and (best < drawn.shape[1]).any()


def test_equal_points_are_clustered_without_an_error():
    assert k_means(torch.ones(2, 6, 3), 3, 5).isfinite().all()


@both
def test_which_queries_are_answered_alike_depends_on_no_label(model):
    case = CASE.but(model=model)
    batch = case.batch()
    wrong = batch.support_labels[:, torch.randperm(9, generator=torch.Generator().manual_seed(1))]
    for mode in ("__call__", "inductive"):
        answers, others = (
            getattr(classifier(case, labels), mode)(batch.query).argmax(-1) for labels in (batch.support_labels, wrong)
        )
        alike, alike_too = (x[:, :, None] == x[:, None] for x in (answers, others))
        assert (alike == alike_too).all() and not (answers == others).all()


@both
def test_inductive_a_query_is_answered_alike_whatever_the_others_are(model):
    case = CASE.but(model=model)
    query, adapted = case.batch().query, classifier(case)
    whole = adapted.inductive(query)
    torch.testing.assert_close(adapted.inductive(query[:, :1]), whole[:, :1])
    assert not torch.allclose(adapted(query), whole, atol=1e-2)


@both
def test_its_meta_gradient_is_that_of_the_nearest_class_mean(model):
    case = CASE.but(model=model)
    module, algorithm = case.module(), LabelFree(create_network(model), 0.5, 1)
    losses, _ = nearest_mean_scores(module, case.batch())
    losses.mean().backward()
    gradient, scores = meta_gradient(algorithm, case.parameters(), case.batch())
    assert distance(gradient, gradients_of(module)) < 1e-9
    torch.testing.assert_close(scores.losses, losses.detach())
