"""Baseline without a task's labels: clusters of the features of its images, named by the support set at the end."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, Positive
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskClassifier, TaskScores, score_queries
from metaglot.core.nn.functional_networks import FunctionalNetwork, TaskWeights
from metaglot.core.nn.layer_inputs import LayerInput
from metaglot.core.tasks.image_store import TaskBatch


@dataclass(frozen=True)
class Clusters(TaskClassifier):
    """The nearest cluster's label. Transductive clusters are of support and queries, inductive ones of the support."""

    network: FunctionalNetwork
    fast: TaskWeights
    support: LayerInput
    labels: Tensor
    iterations: int

    def __call__(self, query: LayerInput) -> Tensor:
        support, queries = self.network.features(self.fast, self.support), self.network.features(self.fast, query)
        return self._logits(support, queries, torch.cat([support, queries], 1))

    def inductive(self, query: LayerInput) -> Tensor:
        support = self.network.features(self.fast, self.support)
        given = self.network.statistics(self.fast, self.support)
        return self._logits(support, self.network.features(self.fast, query, given=given), support)

    def _logits(self, support: Tensor, queries: Tensor, clustered: Tensor) -> Tensor:
        centres = k_means(clustered, len(self.labels[0].unique()), self.iterations)
        return -squared_distances(queries, name_clusters(centres, support, self.labels))


class LabelFree(MetaLearner):
    """It shows how much of a score needs no labels of the task: the features alone separate the classes (ours).

    The features are trained as in Snell, Swersky and Zemel 2017 (ProtoNet), on tasks of the test's shape. In a test
    task, k-means with a cluster for each class sees no label. (With one shot the inductive score has one image in each
    cluster, which is the nearest mean with labels.) Then the clusters are matched one to one to the classes,
    so that as many support images as possible are in the cluster of their class (Kuhn 1955). `first_order` means
    nothing. The network's head stays at its initialisation, unused.
    """

    class Settings(AlgorithmSettings):
        cluster_iterations: Positive = 20

    label = "Label-free"
    unused_settings = frozenset({"fast_lr", "adaptation_steps", "test_adaptation_steps"})
    settings: Settings

    def cuda_graph_key(self, progress: float) -> None:
        """The host waits for the number of classes, so a CUDA graph is impossible."""

    def meta_loss(self, parameters: MetaParameters, batch: TaskBatch) -> tuple[Tensor, TaskScores]:
        """The query loss of the nearest class mean."""
        fast = self.network.fast(parameters)
        support = self.network.features(fast, batch.support)
        given = self.network.statistics(fast, batch.support) if self.inductive else None
        queries = self.network.features(fast, batch.query, given=given)
        logits = -squared_distances(queries, means(support, F.one_hot(batch.support_labels)))
        scores = score_queries(logits, batch.query_labels)
        return scores.losses, TaskScores(scores.losses.detach(), scores.accuracies)

    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[Clusters]:
        fast, images = self.network.fast(parameters), self.network.prepare(support)
        yield Clusters(self.network, fast, images, labels, self.settings.cluster_iterations)


def k_means(points: Tensor, clusters: int, iterations: int) -> Tensor:
    """Lloyd's algorithm: the centres [tasks, clusters, features] of points [tasks, n, features].

    The first centre is the point that is farthest from the mean, each next one the point that is farthest from all
    centres so far (Gonzalez 1985). A centre without points stays where it is.
    """
    centres = points.mean(1, keepdim=True)
    for _ in range(clusters):
        farthest = squared_distances(points, centres).amin(-1).argmax(1)
        chosen = points[torch.arange(len(points), device=points.device), farthest].unsqueeze(1)
        centres = torch.cat([centres, chosen], 1)
    centres = centres[:, 1:]
    for _ in range(iterations):
        nearest = squared_distances(points, centres).argmin(-1)
        is_member = F.one_hot(nearest, clusters)
        centres = torch.where(is_member.sum(1).unsqueeze(-1) > 0, means(points, is_member), centres)
    return centres


def name_clusters(centres: Tensor, support: Tensor, labels: Tensor) -> Tensor:
    """The centres in the order of the classes."""
    clusters = centres.shape[1]
    nearest = squared_distances(support, centres).argmin(-1)
    of_class, in_cluster = (F.one_hot(groups, clusters).float() for groups in (labels, nearest))
    counts = of_class.mT @ in_cluster  # [tasks, classes, clusters]
    order = np.stack([linear_sum_assignment(task, maximize=True)[1] for task in counts.cpu().numpy()])
    index = torch.from_numpy(order).to(centres.device)
    return centres.gather(1, index.unsqueeze(-1).expand_as(centres))


def means(points: Tensor, is_member: Tensor) -> Tensor:
    """The mean of each group's points, [tasks, groups, features]; is_member [tasks, n, groups] of 0 and 1."""
    member = is_member.to(points.dtype)
    return member.mT @ points / member.sum(1).clamp_min(1).unsqueeze(-1)


def squared_distances(points: Tensor, centres: Tensor) -> Tensor:
    """[tasks, n, centres]."""
    return (points.unsqueeze(2) - centres.unsqueeze(1)).square().sum(-1)
