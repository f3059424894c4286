"""How far the logits of test tasks are from those of learn2learn's own loop.

It is in this package because the learn2learn engine is; only the stage `evaluate` calls it.
"""

import copy
from importlib.util import find_spec
from typing import Any

import torch

from metaglot.core.common.stage_configs import Model
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, classifier_after
from metaglot.core.tasks.image_store import TaskBatch


def compare_logits(
    algorithm: MetaLearner, model: Model, parameters: MetaParameters, batch: TaskBatch, steps: int
) -> dict[str, Any] | None:
    """Compare the transductive logits of the queries after so many adaptation steps, both in float64.

    The difference is its norm over the norm of learn2learn's logits. None for an algorithm that learn2learn does not
    have, and without learn2learn.
    """
    if algorithm.learn2learn_class is None or find_spec("learn2learn") is None:
        return None
    from metaglot.training.learn2learn_engine import LEARN2LEARN_VERSION, Learn2LearnEngine, initial_module

    exact, batch = {name: parameters[name].double() for name in algorithm.names}, batch.double()
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
