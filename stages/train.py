"""Meta-train one algorithm from one seed.

Reads its train.yaml and the train and validation splits; writes weights.safetensors, history.csv (as it goes),
alignment.csv and run.json. One that was stopped goes on from its last checkpoint, to the same result.
"""

import csv
import io
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import nn

from metaglot.core.common.atomic_files import write_json, write_text
from metaglot.core.common.stage_configs import TrainStageConfig, load_stage_config
from metaglot.core.common.weights_file import write_weights
from metaglot.core.learners.batched_engine import BatchedEngine, Engine, default_task_chunk
from metaglot.core.learners.create_learner import create_learner
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.tasks import class_splits
from metaglot.core.tasks.task_sampler import ImageStore, StreamPurpose, sample_tasks
from metaglot.training.cuda_graph_engine import CudaGraphEngine
from metaglot.training.learn2learn_engine import Learn2LearnEngine, certify_parity, initial_module, parameters
from metaglot.training.meta_optimizer import Learner, Training
from metaglot.training.training_run import ALIGNMENT, HISTORY, Session, Validation
from stages.support import device, paths
from stages.support.checkpoints import Checkpoints, open_checkpoints
from stages.support.command_line import run_command
from stages.support.phase_timer import PhaseTimer
from stages.support.progress import TrainingProgress
from stages.support.signals import Interrupted, SignalGuard


class Trainee:
    """One network to train: its session, and what a record says of it."""

    def __init__(self, config: TrainStageConfig, seed: int, interruption: SignalGuard):
        self.started_at = milliseconds()
        self.config, self.seed, self.device = config, seed, device.prepare_device(config.run)
        self.watch = PhaseTimer(self.device, "setup", "train", "validation")
        with self.watch.phase("setup"):
            self.session = self._set_up(interruption)

    def _set_up(self, interruption: SignalGuard) -> Session:
        config, task, train = self.config, self.config.task, self.config.train
        images, held_out = self._images("train"), self._images("validation")
        chunk = (
            default_task_chunk(config.model, task, self.device)
            if config.run.task_chunk == "auto"
            else config.run.task_chunk
        )
        stream = (StreamPurpose.VALIDATION, config.split.seed, 0)
        tasks = sample_tasks(stream, train.validation_tasks, held_out.characters, held_out.drawings, task)
        validation = Validation(held_out, tasks, task.shots, train.adaptation_steps, chunk)
        algorithm = create_learner(config, train.fast_lr, train.adaptation_steps)
        start = algorithm.initial_parameters(parameters(self.module()), images)
        learned = algorithm.select_on_validation(start, lambda tried: validation.scores(algorithm, tried)[1])
        learner = Learner(algorithm, self._engine(algorithm, chunk), learned, train.meta_lr, train.iterations)
        training = Training(learner, images, task, train.meta_batch_size, self.seed, interruption.undisturbed)
        first = training.batch(1)
        self.parity = certify_parity(algorithm, self.module(), learned, first, chunk)
        if train.iterations:
            learner.differentiate(first)  # what a device prepares for its first meta-gradient is no training time
        return Session(training, validation, train.validate_every, self.watch.phase, self.watch.seconds)

    def _engine(self, algorithm: MetaLearner, chunk: int) -> Engine:
        if self.config.train.engine == "learn2learn":
            return Learn2LearnEngine(algorithm, self.module())
        batched = BatchedEngine(algorithm, chunk)
        return CudaGraphEngine(batched) if self.device.type == "cuda" else batched

    def module(self) -> nn.Module:
        """The network as every run of this seed begins."""
        config = self.config
        return initial_module(config.model, config.task.ways, config.image_size, self.seed).to(self.device)

    def _images(self, part: str) -> ImageStore:
        return ImageStore(class_splits.load_split_part(paths.split(part)).images, self.device)

    def state(self) -> dict[str, torch.Tensor]:
        """All that a process needs to go on for this one."""
        return self.session.state() | {"started_at": torch.tensor(self.started_at)}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        self.started_at = int(state["started_at"])
        self.session.restore(state)

    def weights(self) -> dict[str, torch.Tensor]:
        """Everything learned, and learn2learn's whole state, so that the file loads into its module."""
        module, learned = self.module(), dict(self.session.learned)
        module.load_state_dict(learned, strict=False)
        return module.state_dict() | learned

    def record(self) -> dict[str, Any]:
        """run.json."""
        config, seconds = self.config, self.watch.seconds
        return {
            "algorithm": config.algorithm,
            "label": config.label,
            "seed": self.seed,
            "started_at": self.started_at,
            "ended_at": milliseconds(),
            **{f"{name}_seconds": round(spent, 3) for name, spent in seconds.items()},
            "iterations_per_second": round(self.session.learner.iteration / max(seconds["train"], 1e-9), 2),
            "peak_memory_mb": round(device.peak_memory_mb(self.device), 1),
            "device": device.device_name(self.device),
            "threads": torch.get_num_threads(),
            "processes": 1,
            "versions": device.package_versions(),
            "commit": device.current_commit(),
            "resumed": self.session.resumed,
            "parity": self.parity,
            "config": {**config.model_dump(), "seed": self.seed},
        }


def train(trainee: Trainee, saved: Checkpoints, interruption: SignalGuard, history: Path) -> None:
    """Train to the end from the last checkpoint; `history` is written anew at each validation."""
    config, session = trainee.config, trainee.session
    title = f"{config.label} seed {trainee.seed}"

    def save() -> None:
        if saved.is_due:  # looked at first: a phase that begins or ends waits for the device
            with interruption.undisturbed(), trainee.watch.phase("checkpoint"):
                saved.save(trainee.state())

    if state := saved.load():
        trainee.restore(state)
        print(f"{title}: going on from iteration {session.learner.iteration}", file=sys.stderr, flush=True)
    with TrainingProgress(title, config.train.iterations) as progress:
        for row in session.run(progress.look, save):
            write_csv(history, HISTORY, session.history)
            if row[0]:
                progress.validated(row[0], row[5])
    if saved.awaited():
        saved.save(trainee.state())


def save_and_stop(trainee: Trainee, saved: Checkpoints, asked: Interrupted) -> None:
    """Save what there is, and say how to go on from it."""
    done, of = trainee.session.learner.iteration, trainee.config.train.iterations
    saved.save(trainee.state())
    asked.kept = f"iteration {done} of {of} is saved: the same command, or `dvc repro`, goes on from there"


def write(trainee: Trainee, algorithm: str, seed: int) -> None:
    write_weights(paths.weights(algorithm, seed), trainee.weights())
    write_csv(paths.history(algorithm, seed), HISTORY, trainee.session.history)
    write_csv(paths.alignment(algorithm, seed), ALIGNMENT, trainee.session.alignments)
    write_json(paths.run_record(algorithm, seed), trainee.record())


def milliseconds() -> int:
    """Now, in ms since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows])
    write_text(path, text.getvalue())


def main(
    algorithm: Annotated[str, typer.Argument(help="a name from params.yaml's `algorithms`")],
    seed: Annotated[int, typer.Option(help="of the initialisation and the training tasks")] = 42,
) -> None:
    """Meta-train one algorithm from one seed."""
    config = load_stage_config(TrainStageConfig, paths.train_config(algorithm))
    with SignalGuard() as interruption:
        try:
            meta_train(config, seed, interruption)
        except Interrupted as asked:
            print(f"{config.label} seed {seed} was stopped by {asked}: {asked.kept}", file=sys.stderr)
            raise SystemExit(asked.exit_code) from None


def meta_train(config: TrainStageConfig, seed: int, interruption: SignalGuard) -> None:
    trainee = Trainee(config, seed, interruption)
    saved = open_checkpoints(config, seed, trainee.device)
    with saved.alone(f"{config.label} seed {seed}"):
        try:
            train(trainee, saved, interruption, paths.history(config.algorithm, seed))
            write(trainee, config.algorithm, seed)
        except Interrupted as asked:
            save_and_stop(trainee, saved, asked)
            raise


if __name__ == "__main__":
    run_command(main)
