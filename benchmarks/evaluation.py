"""The speed of scoring test tasks: in both modes, and after each of ten adaptation steps."""

from typing import Any

from benchmarks.cases import Case, initial_parameters
from benchmarks.omniglot_data import sample_images
from benchmarks.options import Options
from benchmarks.tables import Table, milliseconds, number
from benchmarks.timing import Work, interleaved, quartiles
from metaglot.algorithms.maml import MAML
from metaglot.core.common.stage_configs import Model
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import sample_tasks
from metaglot.evaluation.scoring import evaluate
from metaglot.evaluation.trained_network import TrainedNetwork

TASKS: dict[Model, tuple[int, int]] = {"fc": (128, 1024), "conv": (8, 64)}  # quick, full


def measure(options: Options) -> dict[str, Any]:
    return {"rows": [_row(model, options.choose(*tasks), options) for model, tasks in TASKS.items()]}


def _row(model: Model, tasks: int, options: Options) -> dict[str, Any]:
    seconds = interleaved({model: scoring(Case(MAML, model, tasks=tasks))}, options.choose(2, 7))[model] / tasks
    return {"model": model, "seconds_a_task": quartiles(seconds), "tasks_per_second": quartiles(1 / seconds)}


def scoring(case: Case) -> Work:
    """Sample the test tasks and score them as `evaluate` does."""
    images = sample_images()
    trained = TrainedNetwork(case.algorithm(), initial_parameters(case), images, case.shots, case.steps, case.chunk)

    def score() -> None:
        tasks = sample_tasks((StreamPurpose.TESTING, 0, 0), case.tasks, images.characters, images.drawings, case.task)
        for _ in evaluate(trained, tasks):
            pass

    return score


def tables(results: dict[str, Any]) -> list[Table]:
    header = ("model", "tasks a second", "ms a task", "10,000 tasks, s")
    note = (
        "5-way 5-shot test tasks with everything that a result contains: transductive and inductive scores after one "
        "step, and scores after 0, 1, ..., 10 steps."
    )
    return [Table("Evaluation", note, header, [_cells(row) for row in results["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    seconds = row["seconds_a_task"]
    rate, all_tasks = row["tasks_per_second"]["median"], 10_000 * seconds["median"]
    return [row["model"], number(rate), milliseconds(seconds), number(all_tasks)]
