"""Meta-train one algorithm from one seed.

Reads its train.yaml and the train and validation splits; writes weights.safetensors, history.csv (at every validation),
alignment.csv and run.json. A training that was stopped resumes from its last checkpoint, with the same result.
"""

import sys
import time
from typing import Annotated, Any

import torch
import typer

from metaglot.core.common.atomic_files import write_json
from metaglot.core.common.run_records import write_alignment, write_history
from metaglot.core.common.stage_configs import TrainStageConfig, load_stage_config
from metaglot.core.common.weights_file import write_weights
from metaglot.training.create_run import create_run, trained_weights
from metaglot.training.training_run import TrainingRun
from stages.support import paths
from stages.support.checkpoints import Checkpoints, open_checkpoints
from stages.support.command_line import run_command
from stages.support.device import current_commit, device_name, package_versions, peak_memory_mb, prepare_device
from stages.support.images import load_images
from stages.support.phase_timer import PhaseTimer
from stages.support.progress import TrainingProgress
from stages.support.signals import Interrupted, SignalGuard


def meta_train(config: TrainStageConfig, seed: int, signals: SignalGuard) -> None:
    run = start_run(config, seed, signals)
    title = f"{config.label} seed {seed}"
    checkpoints = open_checkpoints(config, seed, run.device)
    with checkpoints.exclusive(title):
        resume(run, title, checkpoints)
        try:
            train(run, config, title, checkpoints)
            write(run, config, seed)
        except Interrupted as signal:
            checkpoints.save(run.state())
            done, total = run.optimizer.iteration, config.train.iterations
            signal.saved = f"iteration {done} of {total} is saved; run the same command or `dvc repro` to resume"
            raise


def start_run(config: TrainStageConfig, seed: int, signals: SignalGuard) -> TrainingRun:
    started_at, device = milliseconds(), prepare_device(config.run)
    timer = PhaseTimer(device, "setup", "train", "validation")
    with timer.phase("setup"):
        training, validation = (load_images(paths.split(part), device, config.task) for part in ("train", "validation"))
        return create_run(config, seed, training, validation, timer, started_at, signals.defer_signals)


def resume(run: TrainingRun, title: str, checkpoints: Checkpoints) -> None:
    """Continue from the last checkpoint, if there is one. A signal meanwhile must not save a state half restored."""
    if state := checkpoints.load():
        run.restore(state)
        print(f"{title}: resuming from iteration {run.optimizer.iteration}", file=sys.stderr, flush=True)


def train(run: TrainingRun, config: TrainStageConfig, title: str, checkpoints: Checkpoints) -> None:
    """Train to the end; rewrite history.csv at each validation."""

    def save_if_due() -> None:
        if checkpoints.is_due:  # tested first: entering or leaving a phase waits for the device
            with run.defer_signals(), run.timer.phase("checkpoint"):
                checkpoints.save(run.state())

    with TrainingProgress(title, config.train.iterations) as progress:
        for row in run.run(progress.show, save_if_due):
            write_history(paths.history(config.algorithm, run.stream.seed), run.history)
            progress.show_validation(row)
    if checkpoints.has_waiters():
        checkpoints.save(run.state())


def write(run: TrainingRun, config: TrainStageConfig, seed: int) -> None:
    write_weights(paths.weights(config.algorithm, seed), trained_weights(run, config, seed))
    write_history(paths.history(config.algorithm, seed), run.history)
    write_alignment(paths.alignment(config.algorithm, seed), run.alignment)
    write_json(paths.run_record(config.algorithm, seed), record(run, config, seed))


def record(run: TrainingRun, config: TrainStageConfig, seed: int) -> dict[str, Any]:
    """The content of run.json."""
    seconds = run.timer.seconds
    return {
        "algorithm": config.algorithm,
        "label": config.label,
        "seed": seed,
        "started_at": run.started_at,
        "ended_at": milliseconds(),
        **{f"{name}_seconds": round(spent, 3) for name, spent in seconds.items()},
        "iterations_per_second": round(run.optimizer.iteration / max(seconds["train"], 1e-9), 2),
        "peak_memory_mb": round(peak_memory_mb(run.device), 1),
        "device": device_name(run.device),
        "threads": torch.get_num_threads(),
        "processes": 1,
        "versions": package_versions(),
        "commit": current_commit(),
        "resumed": run.resumed,
        "parity": run.parity,
        "config": {**config.model_dump(), "seed": seed},
    }


def milliseconds() -> int:
    """Now, in ms since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def main(
    algorithm: Annotated[str, typer.Argument(help="a name from params.yaml's `algorithms`")],
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="of the initialisation and the training tasks")] = 42,
) -> None:
    """Meta-train one algorithm from one seed."""
    config = load_stage_config(TrainStageConfig, paths.train_config(algorithm))
    with SignalGuard() as signals:
        try:
            meta_train(config, seed, signals)
        except Interrupted as signal:
            print(f"{config.label} seed {seed} was stopped by {signal}: {signal.saved}", file=sys.stderr)
            raise SystemExit(signal.exit_code) from None


if __name__ == "__main__":
    run_command(main)
