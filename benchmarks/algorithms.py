"""One meta-gradient (or update) of every algorithm with its own settings, timed alternately with MAML's."""

from functools import partial
from typing import Any

from benchmarks.cases import CPU, FAST_LR, require_grad
from benchmarks.engines import VMAP
from benchmarks.omniglot_data import sample_images
from benchmarks.options import Options
from benchmarks.tables import Table, milliseconds, times
from benchmarks.timing import Work, interleaved, quartiles
from benchmarks.vmap import VmapEngine
from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.resolve import SHARED, import_classes
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.batched_engine import BatchedEngine, default_task_chunk
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import initial_module, module_parameters
from metaglot.core.tasks.random_streams import StreamPurpose

TASK = TaskConfig(ways=5, shots=5, queries=5, rotations="class")
TASKS = 32
UNTRAINED = "scratch"


def measure(options: Options) -> dict[str, Any]:
    seconds = interleaved(cases_to_time(), options.choose(3, 15), options.turn_seconds)
    rows = [
        {"name": name, "seconds": quartiles(seconds[name]), "of_maml": quartiles(seconds[name] / seconds["maml"])}
        for name in ALGORITHMS
        if name in seconds
    ]
    return {"rows": rows, "meta_sgd_of_vmap": quartiles(seconds["meta_sgd"] / seconds[VMAP])}


def cases_to_time() -> dict[str, Work]:
    """The meta-gradient of every algorithm, and Meta-SGD's by `torch.func.vmap` over per-task weights."""
    kinds = import_classes(ALGORITHMS)
    gradients = {name: meta_gradient(kind) for name, kind in kinds.items() if name != UNTRAINED}
    return gradients | {VMAP: meta_gradient(kinds["meta_sgd"], by_vmap=True)}


def meta_gradient(kind: type[MetaLearner], by_vmap: bool = False) -> Work:
    """A meta-batch at the algorithm's own settings, in the second half of its training."""
    shared = kind.Settings().model_dump(include=SHARED, exclude_none=True)
    algorithm = kind(create_network("fc"), shared.get("fast_lr", FAST_LR), shared.get("adaptation_steps", 1))
    module, images = initial_module("fc", TASK.ways, 28, seed=42), sample_images()
    parameters = require_grad(algorithm.initial_parameters(module_parameters(module), images))
    stream, tasks = (StreamPurpose.TRAINING, 0, 1), shared.get("meta_batch_size", TASKS)
    batch = algorithm.training_batch(images, stream, TASK, tasks)
    if by_vmap:
        assert isinstance(algorithm, GradientBased)
        return partial(VmapEngine(algorithm, module).meta_gradient, parameters, batch)
    engine = BatchedEngine(algorithm, default_task_chunk("fc", TASK, CPU))
    return partial(engine.meta_gradient, parameters, batch, 0.5)


def tables(results: dict[str, Any]) -> list[Table]:
    note = (
        "The meta-gradient of one iteration, 5-way 5-shot, fc. 32 tasks and one step, unless the algorithm's settings "
        "differ. Medians (quartiles) over repeats; all algorithms are timed alternately. Meta-SGD takes "
        f"{times(results['meta_sgd_of_vmap'])} the time of `torch.func.vmap` over per-task weights."
    )
    rows = [[row["name"], milliseconds(row["seconds"]), times(row["of_maml"])] for row in results["rows"]]
    return [Table("The algorithms", note, ("algorithm", "ms", "time / MAML's time"), rows)]
