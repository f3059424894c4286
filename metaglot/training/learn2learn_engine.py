"""learn2learn: where the networks come from, the other engine, and the certificate that the batched one is exact."""

from typing import Any

import gym_notices.notices as gym
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import Model
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, TaskScores, score_queries
from metaglot.core.tasks.task_sampler import TaskBatch

gym.notices.clear()  # learn2learn imports gym, which prints a banner from here
import learn2learn as l2l  # noqa: E402

VERSION = l2l.__version__
TOLERANCE = 1e-10  # of the gradient's norm, in float64


def initial_module(model: Model, ways: int, image_size: int, seed: int) -> nn.Module:
    """learn2learn's OmniglotFC or OmniglotCNN with its own initialisation, a function of the seed."""
    before = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)  # the fully connected one draws from scipy, which draws from numpy
        models = l2l.vision.models
        made: nn.Module = models.OmniglotCNN(ways) if model == "conv" else models.OmniglotFC(image_size**2, ways)
    np.random.set_state(before)
    return made


def parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """A network's parameters by the names under which its weights are kept; OmniglotCNN has its blocks' twice."""
    named = module.named_parameters(remove_duplicate=False)
    return {name: parameter for name, parameter in named if not name.startswith("base.")}


def divided(module: nn.Module) -> tuple[nn.Module, nn.Module]:
    """A network's features and its head."""
    children = dict(module.named_children())
    return children["features"], children["classifier"]


class Learn2LearnEngine:
    """The meta-gradient as learn2learn's examples compute it: clone, adapt, backpropagate, task by task.

    With ANIL only the head is cloned and adapted; support and query set go through the shared features each
    on its own, as in MAML (learn2learn's ANIL example normalises the two together).
    """

    def __init__(self, algorithm: MetaLearner, module: nn.Module):
        kind = algorithm.learn2learn_class
        if kind is None:
            raise UserError(f"{algorithm.label} is not in learn2learn: train it with engine: batched")
        module._modules.pop("base", None)  # OmniglotCNN's blocks again, which MetaSGD would adapt in their stead
        self.module, self.steps = module, algorithm.adaptation_steps
        self.features, adapted = divided(module) if kind == "ANIL" else (nn.Identity(), module)
        wrapper = l2l.algorithms.MetaSGD if kind == "MetaSGD" else l2l.algorithms.MAML
        self.wrapped = wrapper(adapted, lr=algorithm.fast_lr, first_order=bool(algorithm.first_order))

    def parameters(self) -> dict[str, nn.Parameter]:
        """All that is learned, by the names under which it is kept: the network's, and MetaSGD's rates for them."""
        own = parameters(self.module)
        names = {id(value): name for name, value in own.items()}
        rates = zip(self.module.parameters(), getattr(self.wrapped, "lrs", ()), strict=False)
        return own | {f"rates.{names[id(value)]}": rate for value, rate in rates}

    def meta_gradient(
        self, learned: MetaParameters, batch: TaskBatch, progress: float = 0
    ) -> tuple[list[Tensor], TaskScores]:
        own = self.parameters()
        with torch.no_grad():
            for name, value in learned.items():
                own[name].copy_(value)
        self.module.zero_grad()
        self.wrapped.zero_grad()
        outcomes = [self._task(*task, len(batch)) for task in zip(*batch.parts(), strict=True)]
        losses, accuracies = (torch.cat(parts) for parts in zip(*outcomes, strict=True))
        found = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in (own[n] for n in learned)]
        return found, TaskScores(losses, accuracies)

    def _task(self, support: Tensor, labels: Tensor, query: Tensor, query_labels: Tensor, tasks: int) -> TaskScores:
        learner = self.wrapped.clone()
        seen, asked = (self.features(images.unsqueeze(1)) for images in (support, query))
        for _ in range(self.steps):
            learner.adapt(F.cross_entropy(learner(seen), labels))
        logits = learner(asked)
        (F.cross_entropy(logits, query_labels) / tasks).backward()
        return score_queries(logits.detach()[None], query_labels[None])


def certify_parity(
    algorithm: MetaLearner, module: nn.Module, learned: MetaParameters, batch: TaskBatch, chunk: int
) -> dict[str, Any] | None:
    """Certify a meta-gradient: both engines in float64 on the same batch, and how far they are apart.

    The difference is that of the whole gradients, over the norm of learn2learn's. Raises UserError where it is
    not rounding. None for an algorithm that learn2learn does not have.
    """
    if algorithm.learn2learn_class is None:
        return None
    exact = {name: value.detach().double().requires_grad_() for name, value in learned.items()}
    ours, _ = BatchedEngine(algorithm, chunk).meta_gradient(exact, batch.double())
    theirs, _ = Learn2LearnEngine(algorithm, module.double()).meta_gradient(exact, batch.double())
    norm = torch.stack([g.norm() for g in theirs]).norm()
    apart = torch.stack([(a - b).norm() for a, b in zip(ours, theirs, strict=True)]).norm()
    difference = (apart / norm).item()
    if not difference <= TOLERANCE:
        raise UserError(
            f"the batched engine's first meta-gradient is {difference:.1e} of its norm away from learn2learn's, "
            f"more than the {TOLERANCE:.0e} that rounding explains: an inner loop that diverges magnifies rounding, so "
            "lower train.fast_lr or train.adaptation_steps; where that changes nothing, report this"
        )
    return {
        "reference": f"learn2learn {VERSION}",
        "dtype": "float64",
        "tasks": len(batch),
        "relative_difference": difference,
        "tolerance": TOLERANCE,
    }
