"""One meta-gradient (or update) of every algorithm, each at its own settings, beside MAML's in the same turns."""

from functools import partial
from typing import Any

from benchmarks.cases import CPU, FAST_LR, require_grad
from benchmarks.engines import VMAP
from benchmarks.omniglot_data import some
from benchmarks.options import Setting
from benchmarks.tables import Table, milliseconds, times
from benchmarks.timing import Work, in_turns, spread
from benchmarks.vmap import Vmap
from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.resolve import SHARED, import_classes
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.batched_engine import BatchedEngine, default_task_chunk
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.training.learn2learn_engine import initial_module, module_parameters

TASK = TaskConfig(ways=5, shots=5, queries=5, rotations="class")
TASKS = 32
UNTRAINED = "scratch"


def measure(setting: Setting) -> dict[str, Any]:
    found = in_turns(things(), setting.few(3, 15), setting.few(0.1, 0.3))
    against = {name: spread(found[name] / found["maml"]) for name in ALGORITHMS if name in found}
    rows = [{"name": name, "seconds": spread(found[name]), "of_maml": ratio} for name, ratio in against.items()]
    return {"rows": rows, "meta_sgd_of_vmap": spread(found["meta_sgd"] / found[VMAP])}


def things() -> dict[str, Work]:
    """Every algorithm's, and Meta-SGD's by `torch.func.vmap` over per-task weights."""
    found = {name: gradient(kind) for name, kind in import_classes(ALGORITHMS).items() if name != UNTRAINED}
    return found | {VMAP: gradient(import_classes(ALGORITHMS)["meta_sgd"], by_vmap=True)}


def gradient(kind: type[MetaLearner], by_vmap: bool = False) -> Work:
    """Of a meta-batch at the algorithm's own settings, in the second half of its training."""
    shared = kind.Settings().model_dump(include=SHARED, exclude_none=True)
    made = kind(
        create_network("fc"),
        shared.get("fast_lr", FAST_LR),
        shared.get("adaptation_steps", 1),
    )
    module, images = initial_module("fc", TASK.ways, 28, seed=42), some()
    learned = require_grad(made.initial_parameters(module_parameters(module), images))
    batch = made.training_batch(images, (StreamPurpose.TRAINING, 0, 1), TASK, shared.get("meta_batch_size", TASKS))
    if by_vmap:
        assert isinstance(made, GradientBased)
        return partial(Vmap(made, module).meta_gradient, learned, batch)
    return partial(BatchedEngine(made, default_task_chunk("fc", TASK, CPU)).meta_gradient, learned, batch, 0.5)


def tables(found: dict[str, Any]) -> list[Table]:
    note = (
        "5-way 5-shot, fc, what one iteration computes: 32 tasks and one step where the algorithm's settings say "
        "nothing else. Medians (quartiles) over repeats in which all take turns. Meta-SGD takes "
        f"{times(found['meta_sgd_of_vmap'])} the time of `torch.func.vmap` over per-task weights."
    )
    rows = [[row["name"], milliseconds(row["seconds"]), times(row["of_maml"])] for row in found["rows"]]
    return [Table("The algorithms", note, ("algorithm", "ms", "of MAML's time"), rows)]
