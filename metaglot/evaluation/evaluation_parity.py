"""How far the logits of test tasks are from those of learn2learn's own loop."""

import copy
from importlib.util import find_spec
from typing import Any

import torch

from metaglot.core.common.stage_configs import Model
from metaglot.core.learners.task_classifier import classifier_after
from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.trained_network import TrainedNetwork


def compare_logits(trained: TrainedNetwork, model: Model, tasks: TaskIndices) -> dict[str, Any] | None:
    """Compare the transductive logits of the queries after the adaptation steps, both in float64.

    The difference is its norm over the norm of learn2learn's logits. None for an algorithm that learn2learn does not
    have, and without learn2learn.
    """
    algorithm, steps = trained.algorithm, trained.steps
    if algorithm.learn2learn_class is None or find_spec("learn2learn") is None:
        return None
    from metaglot.core.learners.learn2learn_engine import LEARN2LEARN_VERSION, Learn2LearnEngine
    from metaglot.core.nn.learn2learn_networks import initial_module

    exact = {name: trained.parameters[name].double() for name in algorithm.names}
    batch = trained.images.batch(tasks, trained.shots).double()
    with torch.no_grad():
        classifiers = algorithm.adapt(exact, batch.support, batch.support_labels)
        logits = classifier_after(classifiers, steps)(batch.query)
    tested = copy.copy(algorithm)
    tested.first_order = True  # the same logits, without a graph over all steps
    _, _, _, size, *colours = batch.support.shape
    module = initial_module(model, logits.shape[-1], size, 0, *colours).to(logits)
    expected = Learn2LearnEngine(tested, module).logits(exact, batch, steps)
    return {
        "reference": f"learn2learn {LEARN2LEARN_VERSION}",
        "dtype": "float64",
        "tasks": len(batch),
        "relative_difference": ((logits - expected).norm() / expected.norm()).item(),
    }
