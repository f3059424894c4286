"""Score one trained network on the test tasks, which are the same for every algorithm and seed.

Reads its evaluate.yaml, its weights and the test split; writes the result (means and intervals), the
scores (of every task), and beside the weights the number of adaptation steps.
"""

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from metaglot.core.common.atomic_files import atomic_write, sha256, write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.core.common.weights_file import read_weights
from metaglot.core.learners.batched_engine import default_task_chunk
from metaglot.core.learners.create_learner import create_learner
from metaglot.core.tasks import class_splits
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import TaskIndices, sample_tasks
from metaglot.evaluation.scoring import EvaluationScores, concatenate, evaluate
from metaglot.evaluation.stage_configs import EvaluateStageConfig
from metaglot.evaluation.summarise_scores import make_result, score_arrays
from stages.support import device, paths
from stages.support.command_line import run_command


def score(config: EvaluateStageConfig, seed: int, images: ImageStore, tasks: TaskIndices) -> EvaluationScores:
    """Every task's scores, with a bar on a terminal."""
    task, steps = config.task, config.evaluate.adaptation_steps
    algorithm = create_learner(config, config.fast_lr, steps)
    weights = read_weights(paths.weights(config.algorithm, seed), algorithm.names, task.ways)
    learned = {name: value.to(images.device) for name, value in weights.items()}
    chunk = (
        default_task_chunk(config.model, task, images.device)
        if config.run.task_chunk == "auto"
        else config.run.task_chunk
    )
    parts = evaluate(algorithm, learned, images, tasks, task.shots, steps, chunk)
    console = Console(file=sys.stderr)
    title, chunks = f"{config.label} seed {seed}: test tasks", -(-len(tasks) // chunk)
    return concatenate(list(track(parts, title, chunks, console=console, disable=not console.is_terminal)))


def check(scores: EvaluationScores, weights: Path) -> None:
    """Refuse a loss that is not finite, which finite weights can have: no mean of it says anything."""
    losses = np.column_stack([scores.measures["loss"], scores.measures["inductive_loss"], scores.by_step_loss])
    broken = int((~np.isfinite(losses)).any(1).sum())
    if broken:
        raise UserError(
            f"{weights}: the loss of {broken} of {len(losses)} test tasks is not finite: lower train.fast_lr or "
            f"train.meta_lr and train again; if the file was changed, `dvc checkout {weights}` restores it"
        )


def main(
    algorithm: Annotated[str, typer.Argument(help="a name from params.yaml's `algorithms`")],
    seed: Annotated[int, typer.Option(help="one of params.yaml's `seeds`")] = 42,
) -> None:
    """Score one trained network on the test tasks."""
    config = load_stage_config(EvaluateStageConfig, paths.evaluate_config(algorithm))
    images = ImageStore(class_splits.load_split_part(paths.split("test")).images, device.prepare_device(config.run))
    stream = (StreamPurpose.TESTING, config.evaluate.seed, 0)
    tasks = sample_tasks(stream, config.evaluate.tasks, images.characters, images.drawings, config.task)
    scores = score(config, seed, images, tasks)
    weights = paths.weights(algorithm, seed)
    check(scores, weights)
    with atomic_write(paths.scores(algorithm, seed)) as beside, beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **score_arrays(tasks, scores))
    split_sha256 = class_splits.split_sha256(paths.split("test"))
    result = make_result(config, seed, split_sha256, tasks, scores)
    write_json(paths.result(algorithm, seed), result.model_dump(mode="json"))
    tested = {"adaptation_steps": config.evaluate.adaptation_steps, "weights_sha256": sha256(weights)}
    write_json(paths.adaptation(algorithm, seed), tested)


if __name__ == "__main__":
    run_command(main)
