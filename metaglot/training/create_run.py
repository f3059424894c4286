"""The training run that a config asks for, at its start.

learn2learn is imported where it is used: a training with the batched engine works without it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TrainStageConfig
from metaglot.core.learners.batched_engine import BatchedEngine, Engine, default_task_chunk
from metaglot.core.learners.create_learner import create_learner
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.nn.initial_weights import initial_weights, module_state
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.training.approximation_error import certify_approximation
from metaglot.training.cuda_graph_engine import CudaGraphEngine
from metaglot.training.meta_optimizer import MetaOptimizer
from metaglot.training.training_run import TaskStream, Timer, TrainingRun
from metaglot.training.validation import Validation


def create_run(
    config: TrainStageConfig,
    seed: int,
    train_images: ImageStore,
    validation_images: ImageStore,
    timer: Timer,
    started_at: int = 0,
    defer_signals: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> TrainingRun:
    """It computes on the device of the images. Raises UserError if the batched engine's meta-gradient is wrong."""
    train, device, chunk = config.train, train_images.device, config.run.task_chunk
    chunk = default_task_chunk(config.model, config.task, device) if chunk == "auto" else chunk
    validation = create_validation(config, validation_images, chunk)
    algorithm = create_algorithm(config)
    initial = algorithm.initial_parameters(network_weights(config, seed, device), train_images)
    parameters = algorithm.select_on_validation(
        initial, lambda tried: validation.loss_and_accuracy(algorithm, tried)[1]
    )
    engine = create_engine(config, algorithm, chunk, device)
    optimizer = MetaOptimizer(algorithm, engine, parameters, train.meta_lr, train.iterations)
    stream = TaskStream(train_images, config.task, train.meta_batch_size, seed)
    batch = stream.batch(algorithm, 1)
    parity = certify(config, algorithm, parameters, batch, chunk)
    if train.iterations:
        optimizer.compute_gradient(batch)  # so that training time excludes what a device prepares at its first use
    return TrainingRun(optimizer, stream, validation, train.validate_every, timer, parity, started_at, defer_signals)


def create_algorithm(config: TrainStageConfig) -> MetaLearner:
    algorithm = create_learner(config, config.train.fast_lr, config.train.adaptation_steps)
    algorithm.inductive = config.train.batch_norm == "inductive"
    if algorithm.inductive and not algorithm.trains_inductively:
        raise UserError(f"train.batch_norm: got inductive; the training of {algorithm.label} has no inductive form")
    if algorithm.inductive and config.train.engine == "learn2learn":
        raise UserError("train.batch_norm: got inductive; the engine learn2learn trains transductively")
    return algorithm


def create_validation(config: TrainStageConfig, images: ImageStore, chunk: int) -> Validation:
    """The validation tasks depend on the split's seed alone."""
    stream = (StreamPurpose.VALIDATION, config.split.seed, 0)
    tasks = images.sample_tasks(stream, config.train.validation_tasks, config.task)
    return Validation(images, tasks, config.task.shots, config.train.adaptation_steps, chunk)


def create_engine(config: TrainStageConfig, algorithm: MetaLearner, chunk: int, device: torch.device) -> Engine:
    if config.train.engine == "learn2learn":
        if find_spec("learn2learn") is None:
            raise UserError("train.engine: got learn2learn, which is not installed; takes batched without it")
        from metaglot.core.learners.learn2learn_engine import Learn2LearnEngine

        return Learn2LearnEngine(algorithm, learn2learn_module(config, device))
    batched = BatchedEngine(algorithm, chunk)
    return CudaGraphEngine(batched) if device.type == "cuda" else batched


def certify(
    config: TrainStageConfig, algorithm: MetaLearner, parameters: MetaParameters, batch: TaskBatch, chunk: int
) -> dict[str, Any] | None:
    """How the first meta-gradient differs from learn2learn's or, for an approximation, from the exact one.

    learn2learn has no inductive training, and may not be installed.
    """
    if algorithm.learn2learn_class is None or algorithm.inductive:
        return certify_approximation(algorithm, parameters, batch, chunk)
    if find_spec("learn2learn") is None:
        return None
    from metaglot.training.gradient_parity import certify_parity

    return certify_parity(algorithm, learn2learn_module(config, batch.support.device), parameters, batch, chunk)


def learn2learn_module(config: TrainStageConfig, device: torch.device) -> nn.Module:
    """learn2learn's network; its engine replaces all weights."""
    from metaglot.core.nn.learn2learn_networks import initial_module

    return initial_module(config.model, config.task.ways, config.image_size, 0, config.channels).to(device)


def network_weights(config: TrainStageConfig, seed: int, device: torch.device) -> dict[str, Tensor]:
    """The initial weights that every run of this seed has."""
    weights = initial_weights(config.model, config.task.ways, config.image_size, seed, config.channels)
    return {name: value.to(device) for name, value in weights.items()}


def trained_weights(run: TrainingRun, config: TrainStageConfig, seed: int) -> dict[str, Tensor]:
    """The content of the weights file: meta-parameters, and the rest of the state that learn2learn's module loads."""
    initial, trained = network_weights(config, seed, run.device), dict(run.parameters)
    return module_state({name: trained.get(name, value) for name, value in initial.items()}) | trained
