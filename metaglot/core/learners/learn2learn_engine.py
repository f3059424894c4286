"""The learn2learn engine: the meta-gradient as learn2learn's own loop computes it, task by task."""

from importlib.metadata import version
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from metaglot.core.common.errors import UserError
from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskScores, score_queries
from metaglot.core.nn.learn2learn_networks import channels_first, module_parameters, split_module
from metaglot.core.tasks.image_store import TaskBatch

LEARN2LEARN_VERSION = version("learn2learn")


class Learn2LearnEngine:
    """The meta-gradient as learn2learn's examples compute it: clone, adapt, backpropagate, task by task.

    With ANIL only the head is cloned and adapted. The support and the query set pass the shared features separately,
    as in MAML (learn2learn's ANIL example normalises the two together).
    """

    def __init__(self, algorithm: MetaLearner, module: nn.Module):
        name = algorithm.learn2learn_class
        if name is None:
            raise UserError(f"{algorithm.label} is not in learn2learn: train it with engine: batched")
        module._modules.pop("base", None)  # OmniglotCNN's blocks again; MetaSGD would adapt these instead
        assert isinstance(algorithm, GradientBased)
        self.module, self.steps, self.second_order = module, algorithm.adaptation_steps, algorithm.second_order
        self.features, adapted = split_module(module) if name == "ANIL" else (nn.Identity(), module)
        wrapper = l2l.algorithms.MetaSGD if name == "MetaSGD" else l2l.algorithms.MAML
        self.wrapped = wrapper(adapted, lr=algorithm.fast_lr, first_order=not self.second_order)

    def parameters(self) -> dict[str, nn.Parameter]:
        """The meta-parameters by their names in the weights file: the network's, and MetaSGD's rates for them."""
        network = module_parameters(self.module)
        names = {id(value): name for name, value in network.items()}
        rates = zip(self.module.parameters(), getattr(self.wrapped, "lrs", ()), strict=False)
        return network | {f"rates.{names[id(value)]}": rate for value, rate in rates}

    def meta_gradient(
        self, parameters: MetaParameters, batch: TaskBatch, progress: float = 0
    ) -> tuple[list[Tensor], TaskScores]:
        named = self._load(parameters)
        self.module.zero_grad()
        self.wrapped.zero_grad()
        scores = [self._backpropagate(*task, len(batch)) for task in zip(*batch.parts(), strict=True)]
        losses, accuracies = (torch.cat(parts) for parts in zip(*scores, strict=True))
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in (named[n] for n in parameters)]
        return gradients, TaskScores(losses, accuracies)

    def logits(self, parameters: MetaParameters, batch: TaskBatch, steps: int) -> Tensor:
        """Transductive logits of the queries after so many adaptation steps, [tasks, m, ways]."""
        self._load(parameters)
        tasks = zip(batch.support, batch.support_labels, batch.query, strict=True)
        return torch.stack([self._logits(*task, steps).detach() for task in tasks])

    def _load(self, parameters: MetaParameters) -> dict[str, nn.Parameter]:
        named = self.parameters()
        with torch.no_grad():
            for name, value in parameters.items():
                named[name].copy_(value)
        return named

    def _backpropagate(
        self, support: Tensor, labels: Tensor, query: Tensor, query_labels: Tensor, tasks: int
    ) -> TaskScores:
        logits = self._logits(support, labels, query, self.steps)
        (F.cross_entropy(logits, query_labels) / tasks).backward()
        return score_queries(logits.detach()[None], query_labels[None])

    def _logits(self, support: Tensor, labels: Tensor, query: Tensor, steps: int) -> Tensor:
        learner = self.wrapped.clone()
        support, query = (self.features(channels_first(images)) for images in (support, query))
        for _ in range(steps):
            self._adapt(learner, F.cross_entropy(learner(support), labels))
        logits: Tensor = learner(query)
        return logits

    def _adapt(self, learner: Any, loss: Tensor) -> None:
        """One inner step; learn2learn itself has only the factors 0 and 1 on the second-order term."""
        if self.second_order in (0, 1):
            learner.adapt(loss)
            return
        exact = torch.autograd.grad(loss, list(learner.module.parameters()), create_graph=True)
        scaled = [self.second_order * g + (1 - self.second_order) * g.detach() for g in exact]
        learner.module = l2l.algorithms.maml.maml_update(learner.module, learner.lr, scaled)
