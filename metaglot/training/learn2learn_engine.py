"""The learn2learn engine, learn2learn's networks, and the check that the batched engine computes the same gradient."""

from typing import Any

import gym_notices.notices as gym
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import Model
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, TaskScores, score_queries
from metaglot.core.tasks.image_store import TaskBatch

gym.notices.clear()  # learn2learn imports gym, which prints a banner from here
import learn2learn as l2l  # noqa: E402
from learn2learn.algorithms.maml import maml_update  # noqa: E402

LEARN2LEARN_VERSION = l2l.__version__
TOLERANCE = 1e-10  # of the gradient's norm, in float64


def initial_module(model: Model, ways: int, image_size: int, seed: int, channels: int = 1) -> nn.Module:
    """learn2learn's OmniglotFC or OmniglotCNN with its own initialisation, which depends on the seed alone."""
    numpy_state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)  # OmniglotFC draws from scipy, which draws from numpy
        models = l2l.vision.models
        module: nn.Module
        if channels > 1:
            module = ColourCNN(ways, channels)
        else:
            module = models.OmniglotCNN(ways) if model == "conv" else models.OmniglotFC(image_size**2, ways)
    np.random.set_state(numpy_state)
    return module


class ColourCNN(nn.Module):
    """learn2learn's OmniglotCNN for images of several channels, made of the same parts in the same order."""

    def __init__(self, ways: int, channels: int):
        super().__init__()
        self.base = l2l.vision.models.ConvBase(hidden=64, channels=channels, max_pool=False, layers=4)
        mean = l2l.nn.Lambda(lambda x: x.mean(dim=[2, 3]))
        self.features = nn.Sequential(nn.Identity(), self.base, mean, l2l.nn.Flatten())
        self.classifier = nn.Linear(64, ways)
        self.classifier.weight.data.normal_()
        self.classifier.bias.data.mul_(0.0)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x))
        return logits


def module_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """A network's parameters by their names in the weights file; OmniglotCNN registers its blocks twice."""
    named = module.named_parameters(remove_duplicate=False)
    return {name: parameter for name, parameter in named if not name.startswith("base.")}


def split_module(module: nn.Module) -> tuple[nn.Module, nn.Module]:
    """A network's feature extractor and its head."""
    children = dict(module.named_children())
    return children["features"], children["classifier"]


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
        learner.module = maml_update(learner.module, learner.lr, scaled)


def channels_first(images: Tensor) -> Tensor:
    """Images [n, height, width], in colour [n, height, width, 3], as [n, channels, height, width]."""
    return images.unsqueeze(1) if images.dim() == 3 else images.movedim(-1, 1)


def certify_parity(
    algorithm: MetaLearner, module: nn.Module, parameters: MetaParameters, batch: TaskBatch, chunk: int
) -> dict[str, Any] | None:
    """Compare the meta-gradients of both engines in float64 on the same batch.

    The difference is the norm of the gradients' difference over the norm of learn2learn's gradient. Raises UserError if
    it is more than rounding. None for an algorithm that learn2learn does not have.
    """
    if algorithm.learn2learn_class is None:
        return None
    exact = {name: value.detach().double().requires_grad_() for name, value in parameters.items()}
    batched, _ = BatchedEngine(algorithm, chunk).meta_gradient(exact, batch.double())
    expected, _ = Learn2LearnEngine(algorithm, module.double()).meta_gradient(exact, batch.double())
    norm = torch.stack([g.norm() for g in expected]).norm()
    difference_norm = torch.stack([(a - b).norm() for a, b in zip(batched, expected, strict=True)]).norm()
    difference = (difference_norm / norm).item()
    if not difference <= TOLERANCE:
        raise UserError(
            f"the batched engine's first meta-gradient is {difference:.1e} of its norm away from learn2learn's, "
            f"more than the {TOLERANCE:.0e} that rounding explains: an inner loop that diverges magnifies rounding, so "
            "lower train.fast_lr or train.adaptation_steps; if that does not help, report it"
        )
    return {
        "reference": f"learn2learn {LEARN2LEARN_VERSION}",
        "dtype": "float64",
        "tasks": len(batch),
        "relative_difference": difference,
        "tolerance": TOLERANCE,
    }
