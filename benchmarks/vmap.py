"""The engine by torch.func: MAML of one task as a function, and `vmap` over the tasks."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, replace_all_batch_norm_modules_, vmap

from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.learners.task_classifier import TaskScores, score_queries
from metaglot.core.nn.learn2learn_networks import module_parameters
from metaglot.core.tasks.image_store import TaskBatch


class VmapEngine:
    """The usual way to write such an engine today, tuned as far as we could; Meta-SGD too, if its rates are learned.

    The shared weights are not copied for each task until the first step changes them. First order builds no graph of
    the inner gradient, and the outer gradient is computed once, outside of vmap. Batch norm has no running statistics.
    For second order it is written out: this is faster on OmniglotFC than PyTorch's own, whose second derivative is
    wrong under vmap (torch 2.14.1, in float64: by 7% of OmniglotCNN's meta-gradient).
    """

    def __init__(self, algorithm: GradientBased, module: nn.Module):
        norms = replace_all_batch_norm_modules_ if algorithm.first_order else write_out_batch_norm
        self.module = norms(copy.deepcopy(module))
        self.names = [*module_parameters(module)]
        self.steps, self.fast_lr = algorithm.adaptation_steps, algorithm.fast_lr
        self.first_order = algorithm.first_order

    def meta_gradient(
        self, parameters: MetaParameters, batch: TaskBatch, progress: float = 0
    ) -> tuple[list[Tensor], TaskScores]:
        losses, logits = vmap(self._task, in_dims=(None, 0, 0, 0, 0))(dict(parameters), *batch.parts())
        gradients = torch.autograd.grad(losses.mean(), [*parameters.values()])
        return list(gradients), TaskScores(
            losses.detach(), score_queries(logits.detach(), batch.query_labels).accuracies
        )

    def _task(
        self, weights: dict[str, Tensor], support: Tensor, labels: Tensor, query: Tensor, query_labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        rates = {name: weights.get(f"rates.{name}", self.fast_lr) for name in self.names}
        weights = {name: weights[name] for name in self.names}
        for _ in range(self.steps):
            with torch.set_grad_enabled(not self.first_order):
                gradients, _ = grad(self._loss, has_aux=True)(weights, support, labels)
            weights = weights | {name: weights[name] - rates[name] * slope for name, slope in gradients.items()}
        return self._loss(weights, query, query_labels)

    def _loss(self, weights: dict[str, Tensor], images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = functional_call(self.module, weights, images.unsqueeze(1))
        return F.cross_entropy(logits, labels), logits


class BatchNorm(nn.Module):
    """Batch norm by the statistics of the batch, in operations that vmap differentiates twice."""

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d):
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x: Tensor) -> Tensor:
        rows, each = (0, *range(2, x.dim())), (-1, *[1] * (x.dim() - 2))
        centred = x - x.mean(rows, keepdim=True)
        scale = (centred.square().mean(rows, keepdim=True) + self.eps).rsqrt()
        return torch.addcmul(self.bias.view(each), centred, self.weight.view(each) * scale)


def write_out_batch_norm(module: nn.Module) -> nn.Module:
    for parent in [*module.modules()]:
        for name, child in [*parent.named_children()]:
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(parent, name, BatchNorm(child))
    return module
