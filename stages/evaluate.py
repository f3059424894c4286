"""Score one trained network on the test tasks, which are the same for every algorithm and seed.

Reads its evaluate.yaml, its weights and the test split; writes the result (means and intervals), the
scores (of every task), and beside the weights the number of adaptation steps.
"""

import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

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
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks import class_splits
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.sequences import sample_sequences
from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.label_permutations import permuted_tasks, spread_of_accuracy
from metaglot.evaluation.result_record import SequenceModes
from metaglot.evaluation.scoring import EvaluationScores, concatenate, evaluate
from metaglot.evaluation.sequence_scores import concatenate_sequences, score_sequences
from metaglot.evaluation.stage_configs import EvaluateStageConfig
from metaglot.evaluation.summarise_scores import make_result, score_arrays
from metaglot.evaluation.summarise_sequences import sequence_arrays, summarise_sequences
from metaglot.training.evaluation_parity import compare_logits
from stages.support import device, paths
from stages.support.command_line import run_command
from stages.support.images import load_images

PARITY_TASKS = 10


class TrainedNetwork(NamedTuple):
    """What is scored. chunk: how many tasks at a time."""

    config: EvaluateStageConfig
    algorithm: MetaLearner
    parameters: MetaParameters
    images: ImageStore
    chunk: int

    @property
    def steps(self) -> int:
        return self.config.evaluate.adaptation_steps


def load_network(config: EvaluateStageConfig, seed: int, images: ImageStore) -> TrainedNetwork:
    algorithm = create_learner(config, config.fast_lr, config.evaluate.adaptation_steps)
    weights = read_weights(paths.weights(config.algorithm, seed), algorithm.names, config.task.ways)
    parameters = {name: value.to(images.device) for name, value in weights.items()}
    chunk = config.run.task_chunk
    chunk = default_task_chunk(config.model, config.task, images.device) if chunk == "auto" else chunk
    return TrainedNetwork(config, algorithm, parameters, images, chunk)


def score(network: TrainedNetwork, title: str, tasks: TaskIndices) -> EvaluationScores:
    """Every task's scores, with a bar on a terminal."""
    config, algorithm, parameters, images, chunk = network
    parts = evaluate(algorithm, parameters, images, tasks, config.task.shots, network.steps, chunk)
    console, chunks = Console(file=sys.stderr), -(-len(tasks) // chunk)
    return concatenate(list(track(parts, title, chunks, console=console, disable=not console.is_terminal)))


def permute_labels(network: TrainedNetwork, tasks: TaskIndices, scores: EvaluationScores) -> NDArray[np.float32]:
    """The spread of the accuracy on the first tasks when their labels are permuted."""
    config, algorithm, parameters, images, chunk = network
    adapts_in_steps = scores.by_step_accuracy.shape[1] > 1
    first = tasks[: permuted_tasks(len(tasks), network.steps if adapts_in_steps else None)]
    stream = (StreamPurpose.TESTING, config.evaluate.seed, 1)
    return spread_of_accuracy(algorithm, parameters, images, first, config.task.shots, network.steps, chunk, stream)


def score_on_sequences(network: TrainedNetwork) -> tuple[SequenceModes, dict[str, NDArray[Any]]]:
    """The summary for the result, and the arrays for the scores file; every algorithm has the same sequences."""
    config, algorithm, parameters, images, chunk = network
    test, length = config.evaluate, config.evaluate.sequence_length
    stream = (StreamPurpose.TESTING, test.seed, 2)
    tasks = sample_sequences(stream, test.sequences, length, images.characters, images.drawings, config.task)
    at_once = max(1, chunk // length)
    parts = score_sequences(algorithm, parameters, images, tasks, length, config.task.shots, network.steps, at_once)
    scores = concatenate_sequences([*parts])
    return summarise_sequences(tasks, scores), sequence_arrays(tasks, scores)


def compare_with_learn2learn(network: TrainedNetwork, tasks: TaskIndices) -> dict[str, Any] | None:
    """How far the logits of the first tasks are from learn2learn's."""
    config, algorithm, parameters, images, _ = network
    batch = images.batch(tasks[:PARITY_TASKS], config.task.shots)
    return compare_logits(algorithm, config.model, parameters, batch, network.steps)


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
    images = load_images("test", device.prepare_device(config.run), config.task)
    stream = (StreamPurpose.TESTING, config.evaluate.seed, 0)
    tasks = images.sample_tasks(stream, config.evaluate.tasks, config.task)
    network = load_network(config, seed, images)
    scores = score(network, f"{config.label} seed {seed}: test tasks", tasks)
    weights = paths.weights(algorithm, seed)
    check(scores, weights)
    spread, parity = permute_labels(network, tasks, scores), compare_with_learn2learn(network, tasks)
    split_sha256 = class_splits.split_sha256(paths.split("test"))
    result = make_result(config, seed, split_sha256, tasks, scores, spread, parity)
    written, arrays = result.model_dump(mode="json", exclude={"sequences"}), score_arrays(tasks, scores)
    if config.evaluate.sequences:
        summary, further = score_on_sequences(network)
        written["sequences"], arrays = summary.model_dump(mode="json"), arrays | further
    with atomic_write(paths.scores(algorithm, seed)) as beside, beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    write_json(paths.result(algorithm, seed), written)
    tested = {"adaptation_steps": config.evaluate.adaptation_steps, "weights_sha256": sha256(weights)}
    write_json(paths.adaptation(algorithm, seed), tested)


if __name__ == "__main__":
    run_command(main)
