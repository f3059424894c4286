"""Training runs small enough to train in a test."""

import torch
from cases import CHARACTERS, CPU, Case
from torch import Tensor

from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.nn.learn2learn_networks import initial_module, module_parameters
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import sample_tasks
from metaglot.training.meta_optimizer import MetaOptimizer
from metaglot.training.training_run import TaskStream, TrainingRun
from metaglot.training.validation import Validation
from stages.support.phase_timer import PhaseTimer

CASE = Case(ways=3, shots=2, queries=2, tasks=2)


def initial(case: Case = CASE, device: torch.device = CPU) -> dict[str, Tensor]:
    module = initial_module(case.model, case.ways, case.size, case.seed).to(device)
    return {name: value.detach() for name, value in module_parameters(module).items()}


def stream(case: Case = CASE, device: torch.device = CPU) -> TaskStream:
    return TaskStream(ImageStore(case.drawings(), device), case.task, case.tasks, case.seed)


def validation(case: Case = CASE, count: int = 4) -> Validation:
    tasks = sample_tasks((StreamPurpose.VALIDATION, 0, 0), count, CHARACTERS, 20, case.task)
    return Validation(case.images(), tasks, case.shots, case.steps, chunk=2)


def training_run(case: Case = CASE, meta_lr: float = 0.003, iterations: int = 200, algorithm=None) -> TrainingRun:
    algorithm = algorithm or case.algorithm()
    engine = BatchedEngine(algorithm, chunk=case.tasks)
    start = algorithm.initial_parameters(initial(case), case.images())
    optimizer = MetaOptimizer(algorithm, engine, start, meta_lr, iterations)
    timer = PhaseTimer(CPU, "train", "validation")
    return TrainingRun(optimizer, stream(case), validation(case), validate_every=3, timer=timer)
