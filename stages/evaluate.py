"""Score one trained network on the test tasks, which are the same for every algorithm and seed.

Reads its evaluate.yaml, its weights and the test split; writes the result (means and intervals), the
scores (of every task), and beside the weights the number of adaptation steps.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from metaglot.core.common.atomic_files import atomic_write, sha256, write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.core.common.weights_file import read_weights
from metaglot.core.learners.batched_engine import default_task_chunk
from metaglot.core.learners.create_learner import create_learner
from metaglot.core.tasks import split_parts
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.sequences import sample_sequences
from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.evaluation_parity import compare_logits
from metaglot.evaluation.label_permutations import permuted_tasks, spread_of_accuracy
from metaglot.evaluation.result_record import SequenceModes
from metaglot.evaluation.scoring import EvaluationScores, concatenate, evaluate
from metaglot.evaluation.sequence_accuracies import concatenate_sequences
from metaglot.evaluation.sequence_scores import score_sequences
from metaglot.evaluation.stage_configs import EvaluateStageConfig
from metaglot.evaluation.summarise_scores import make_result, score_arrays
from metaglot.evaluation.summarise_sequences import sequence_arrays, summarise_sequences
from metaglot.evaluation.trained_network import TrainedNetwork
from stages.support import device, paths
from stages.support.command_line import run_command
from stages.support.images import load_images

PARITY_TASKS = 10


def load_network(config: EvaluateStageConfig, seed: int, images: ImageStore) -> TrainedNetwork:
    steps, chunk = config.evaluate.adaptation_steps, config.run.task_chunk
    algorithm = create_learner(config, config.fast_lr, steps)
    weights = read_weights(paths.weights(config.algorithm, seed), algorithm.names, config.task.ways)
    parameters = {name: value.to(images.device) for name, value in weights.items()}
    chunk = default_task_chunk(config.model, config.task, images.device) if chunk == "auto" else chunk
    return TrainedNetwork(algorithm, parameters, images, config.task.shots, steps, chunk)


def score(trained: TrainedNetwork, title: str, tasks: TaskIndices) -> EvaluationScores:
    """Every task's scores, with a bar on a terminal."""
    console, chunks = Console(file=sys.stderr), -(-len(tasks) // trained.chunk)
    parts = track(evaluate(trained, tasks), title, chunks, console=console, disable=not console.is_terminal)
    return concatenate(list(parts))


def permute_labels(
    config: EvaluateStageConfig, trained: TrainedNetwork, tasks: TaskIndices, scores: EvaluationScores
) -> NDArray[np.float32]:
    """The spread of the accuracy on the first tasks when their labels are permuted."""
    adapts_in_steps = scores.by_step_accuracy.shape[1] > 1
    first = tasks[: permuted_tasks(len(tasks), trained.steps if adapts_in_steps else None)]
    return spread_of_accuracy(trained, first, (StreamPurpose.TESTING, config.evaluate.seed, 1))


def score_on_sequences(
    config: EvaluateStageConfig, trained: TrainedNetwork
) -> tuple[SequenceModes, dict[str, NDArray[Any]]]:
    """The summary for the result, and the arrays for the scores file; every algorithm has the same sequences."""
    test, images = config.evaluate, trained.images
    stream = (StreamPurpose.TESTING, test.seed, 2)
    tasks = sample_sequences(
        stream, test.sequences, test.sequence_length, images.characters, images.drawings, config.task
    )
    scores = concatenate_sequences([*score_sequences(trained, tasks, test.sequence_length, test.sequence_heads)])
    return summarise_sequences(tasks, scores), sequence_arrays(tasks, scores)


def check_images(images: ImageStore, config: EvaluateStageConfig, path: Path) -> None:
    """Refuse images of another shape than the network takes, as another project's may be."""
    size, channels = config.image_size, config.channels
    takes = (size, size, channels) if channels > 1 else (size, size)
    if images.shape != takes:
        shapes = [" x ".join(map(str, shape)) for shape in (images.shape, takes)]
        raise UserError(f"{path} has images of {shapes[0]}; the networks take {shapes[1]}")


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
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="one of params.yaml's `seeds`")] = 42,
) -> None:
    """Score one trained network on the test tasks."""
    config = load_stage_config(EvaluateStageConfig, paths.evaluate_config(algorithm))
    test_split = Path(config.evaluate.test_split)
    images = load_images(test_split, device.prepare_device(config.run), config.task)
    check_images(images, config, test_split)
    stream = (StreamPurpose.TESTING, config.evaluate.seed, 0)
    tasks = images.sample_tasks(stream, config.evaluate.tasks, config.task)
    trained = load_network(config, seed, images)
    scores = score(trained, f"{config.label} seed {seed}: test tasks", tasks)
    weights = paths.weights(algorithm, seed)
    check(scores, weights)
    spread = permute_labels(config, trained, tasks, scores)
    parity = compare_logits(trained, config.model, tasks[:PARITY_TASKS])
    split_sha256 = split_parts.split_sha256(test_split)
    result = make_result(config, seed, split_sha256, tasks, scores, spread, parity)
    written, arrays = result.model_dump(mode="json", exclude={"sequences"}), score_arrays(tasks, scores)
    if config.evaluate.sequences:
        summary, further = score_on_sequences(config, trained)
        written["sequences"], arrays = summary.model_dump(mode="json"), arrays | further
    with atomic_write(paths.scores(algorithm, seed)) as beside, beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    write_json(paths.result(algorithm, seed), written)
    tested = {"adaptation_steps": config.evaluate.adaptation_steps, "weights_sha256": sha256(weights)}
    write_json(paths.adaptation(algorithm, seed), tested)


if __name__ == "__main__":
    run_command(main)
