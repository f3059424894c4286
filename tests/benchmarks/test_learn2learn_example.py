from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils.data import TensorDataset

from benchmarks.cases import Case
from benchmarks.learn2learn_example import SHOTS, WAYS, Example, l2l
from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.core.nn.learn2learn_networks import module_parameters
from metaglot.core.tasks.image_store import TaskBatch


def single_task() -> Any:
    """A learn2learn taskset with a single task, so that every sample is the same."""
    labels = torch.arange(7).repeat_interleave(20)
    data = l2l.data.MetaDataset(TensorDataset(torch.rand(len(labels), 1, 28, 28), labels))
    transforms = [
        l2l.data.transforms.FusedNWaysKShots(data, n=WAYS, k=2 * SHOTS),
        l2l.data.transforms.LoadData(data),
        l2l.data.transforms.RemapLabels(data),
        l2l.data.transforms.ConsecutiveLabels(data),
    ]
    return l2l.data.Taskset(data, transforms, num_tasks=1)


def as_batch(images: torch.Tensor, labels: torch.Tensor) -> TaskBatch:
    """A task of learn2learn's example, support and queries alternating, as a batch of one."""
    images = images.squeeze(1)
    return TaskBatch(images[None, ::2], labels[None, ::2], images[None, 1::2], labels[None, 1::2])


@pytest.mark.parametrize("kind", [FOMAML, MAML])
def test_the_example_computes_the_batched_engines_meta_gradient(kind: type[FOMAML] | type[MAML]) -> None:
    taskset = single_task()
    example = Example(SimpleNamespace(train=taskset, validation=taskset), bool(kind.first_order))
    parameters = {
        name: p.detach().clone().requires_grad_() for name, p in module_parameters(example.maml.module).items()
    }
    example.iteration()
    batched, _ = Case(kind).engine().meta_gradient(parameters, as_batch(*taskset.sample()))
    of_example = [module_parameters(example.maml.module)[name].grad for name in parameters]
    ours, theirs = (torch.cat([g.flatten() for g in part if g is not None]) for part in (batched, of_example))
    assert (ours - theirs).norm() < 1e-4 * theirs.norm()  # float32 on both sides: rounding in single numbers is larger


def test_the_example_takes_a_step_and_scores_training_and_validation() -> None:
    taskset = single_task()
    example = Example(SimpleNamespace(train=taskset, validation=taskset), first_order=True)
    first, *_, last = (example.iteration() for _ in range(5))
    assert first.shape == (2, 2)
    assert (last[:, 0] < first[:, 0]).all()
