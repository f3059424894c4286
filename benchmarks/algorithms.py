"""An iteration of every algorithm with its own settings, and its meta-gradient, timed alternately with MAML's."""

from functools import partial
from typing import Any

from benchmarks.cases import CPU, FAST_LR, require_grad
from benchmarks.engines import VMAP
from benchmarks.learn2learn_example import META_LR
from benchmarks.omniglot_data import sample_images
from benchmarks.options import Options
from benchmarks.tables import Table, milliseconds, times
from benchmarks.timing import Times, Work, interleaved, quartiles
from benchmarks.vmap import VmapEngine
from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.resolve import SHARED, import_classes
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.batched_engine import BatchedEngine, default_task_chunk
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import initial_module, module_parameters
from metaglot.core.tasks.image_store import TaskBatch
from metaglot.training.meta_optimizer import MetaOptimizer
from metaglot.training.training_run import TaskStream

TASK = TaskConfig(ways=5, shots=5, queries=5, rotations="class")
TASKS = 32
UNTRAINED = "scratch"
ITERATION, META_GRADIENT = "iteration", "meta_gradient"  # the keys of results.json
ITERATIONS = 10_000


def measure(options: Options) -> dict[str, Any]:
    seconds = interleaved(cases_to_time(), options.choose(3, 15), options.turn_seconds)
    rows = [
        {
            "name": name,
            META_GRADIENT: _beside_maml(seconds, name, META_GRADIENT),
            ITERATION: _beside_maml(seconds, name, ITERATION),
        }
        for name in ALGORITHMS
        if name != UNTRAINED
    ]
    meta_sgd = seconds[f"meta_sgd: {META_GRADIENT}"]
    return {"rows": rows, "meta_sgd_of_vmap": quartiles(meta_sgd / seconds[VMAP])}


def _beside_maml(seconds: Times, name: str, work: str) -> dict[str, Any]:
    own, mamls = seconds[f"{name}: {work}"], seconds[f"maml: {work}"]
    return {"seconds": quartiles(own), "of_maml": quartiles(own / mamls)}


def cases_to_time() -> dict[str, Work]:
    """The meta-gradient and the iteration of every algorithm, and Meta-SGD's by `torch.func.vmap`."""
    kinds = import_classes(ALGORITHMS)
    timed = {name: TimedAlgorithm(kind) for name, kind in kinds.items() if name != UNTRAINED}
    gradients = {f"{name}: {META_GRADIENT}": algorithm.meta_gradient() for name, algorithm in timed.items()}
    iterations = {f"{name}: {ITERATION}": algorithm.iteration for name, algorithm in timed.items()}
    return gradients | iterations | {VMAP: timed["meta_sgd"].meta_gradient_by_vmap()}


class TimedAlgorithm:
    """An algorithm at its own settings, in the second half of its training."""

    def __init__(self, kind: type[MetaLearner]):
        shared = kind.Settings().model_dump(include=SHARED, exclude_none=True)
        self.algorithm = kind(create_network("fc"), shared.get("fast_lr", FAST_LR), shared.get("adaptation_steps", 1))
        self.module, images = initial_module("fc", TASK.ways, 28, seed=42), sample_images()
        engine = BatchedEngine(self.algorithm, default_task_chunk("fc", TASK, CPU))
        parameters = self.algorithm.initial_parameters(module_parameters(self.module), images)
        self.optimizer = MetaOptimizer(self.algorithm, engine, parameters, META_LR, ITERATIONS)
        self.optimizer.iteration = ITERATIONS // 2
        self.stream = TaskStream(images, TASK, shared.get("meta_batch_size", TASKS), seed=42)

    def iteration(self) -> None:
        self.optimizer.step(self._batch())

    def meta_gradient(self) -> Work:
        return partial(self.optimizer.engine.meta_gradient, *self._arguments(), 0.5)

    def meta_gradient_by_vmap(self) -> Work:
        """The same one by `torch.func.vmap`, over weights of each task's own."""
        assert isinstance(self.algorithm, GradientBased)
        return partial(VmapEngine(self.algorithm, self.module).meta_gradient, *self._arguments())

    def _arguments(self) -> tuple[MetaParameters, TaskBatch]:
        return require_grad(self.optimizer.parameters), self._batch()

    def _batch(self) -> TaskBatch:
        return self.stream.batch(self.algorithm, self.optimizer.iteration)


def tables(results: dict[str, Any]) -> list[Table]:
    note = (
        "One iteration, 5-way 5-shot, fc: sampling the tasks, their meta-gradient, and a step of the outer optimiser. "
        "Beside it the meta-gradient alone. 32 tasks and one step, unless the algorithm's settings differ. Medians "
        "(quartiles) over repeats; all algorithms are timed alternately. The meta-gradient of Meta-SGD takes "
        f"{times(results['meta_sgd_of_vmap'])} the time of `torch.func.vmap` over per-task weights."
    )
    header = ("algorithm", "iteration, ms", "iteration / MAML's", "meta-gradient, ms", "meta-gradient / MAML's")
    return [Table("The algorithms", note, header, [_cells(row) for row in results["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    measured = (row[ITERATION], row[META_GRADIENT])
    return [row["name"], *(cell for m in measured for cell in (milliseconds(m["seconds"]), times(m["of_maml"])))]
