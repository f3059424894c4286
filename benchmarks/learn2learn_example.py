"""learn2learn's own example, `examples/vision/maml_omniglot.py` of 0.2.0, one iteration at a time.

Only its printing is left out. It has the tasks of `get_tasksets`, which open, decode, shrink and rotate every drawing
every time, the example's way to separate support and query sets, and as many validation tasks as training tasks. The
rates are the example's, and the original study's.
"""

import random
from pathlib import Path
from typing import Any

import gym_notices.notices as gym
import numpy as np
import torch
from torch import Tensor, nn

gym.notices.clear()  # learn2learn imports gym, which prints a banner from here
import learn2learn as l2l  # noqa: E402

WAYS, SHOTS, META_BATCH, META_LR, FAST_LR = 5, 5, 32, 0.003, 0.5
TASKS_SAMPLED_FIRST = 200


def load_tasksets(root: Path) -> Any:
    """The example's tasks, from a folder with Omniglot as torchvision extracts it.

    The example samples 20,000 tasks and reuses their descriptions: of the 320,000 tasks that it trains on in 10,000
    iterations, 94% are repeated. Here 200 are sampled beforehand and repeated, which saves the example 4%.
    """
    random.seed(42)
    sizes = {"train_ways": WAYS, "train_samples": 2 * SHOTS, "test_ways": WAYS, "test_samples": 2 * SHOTS}
    tasksets = l2l.vision.benchmarks.get_tasksets("omniglot", **sizes, num_tasks=TASKS_SAMPLED_FIRST, root=root)
    for taskset in (tasksets.train, tasksets.validation):
        taskset.sampled_descriptions |= {i: taskset.sample_task_description() for i in range(TASKS_SAMPLED_FIRST)}
    return tasksets


class Example:
    """tasksets: `train` and `validation`, each with `sample()`."""

    def __init__(self, tasksets: Any, first_order: bool):
        np.random.seed(42)
        torch.manual_seed(42)
        self.tasksets = tasksets
        self.maml = l2l.algorithms.MAML(l2l.vision.models.OmniglotFC(28**2, WAYS), lr=FAST_LR, first_order=first_order)
        self.optimiser = torch.optim.Adam(self.maml.parameters(), META_LR)
        self.cross_entropy = nn.CrossEntropyLoss(reduction="mean")

    def iteration(self) -> np.ndarray:
        """The sums of loss and accuracy, of training and of validation."""
        self.optimiser.zero_grad()
        sums = np.zeros((2, 2))
        for _ in range(META_BATCH):
            loss, accuracy = self._fast_adapt(self.tasksets.train.sample())
            loss.backward()
            sums[0] += loss.item(), accuracy.item()
            loss, accuracy = self._fast_adapt(self.tasksets.validation.sample())
            sums[1] += loss.item(), accuracy.item()
        for parameter in self.maml.parameters():
            parameter.grad.data.mul_(1.0 / META_BATCH)
        self.optimiser.step()
        return sums

    def _fast_adapt(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        learner = self.maml.clone()
        data, labels = batch
        is_support = np.zeros(data.size(0), dtype=bool)
        is_support[np.arange(SHOTS * WAYS) * 2] = True
        query, support = torch.from_numpy(~is_support), torch.from_numpy(is_support)
        learner.adapt(self.cross_entropy(learner(data[support]), labels[support]))
        predictions = learner(data[query])
        accuracy = (predictions.argmax(dim=1) == labels[query]).sum().float() / labels[query].size(0)
        return self.cross_entropy(predictions, labels[query]), accuracy
