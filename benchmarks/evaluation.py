"""How fast test tasks are scored: both modes, and after each of ten adaptation steps."""

from typing import Any

from benchmarks.cases import Case
from benchmarks.engines import learned
from benchmarks.omniglot_data import some
from benchmarks.options import Setting
from benchmarks.tables import Table, milliseconds, number
from benchmarks.timing import Work, in_turns, spread
from metaglot.algorithms.maml import MAML
from metaglot.core.common.stage_configs import Model
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import sample_tasks
from metaglot.evaluation.scoring import evaluate

TASKS: dict[Model, tuple[int, int]] = {"fc": (128, 1024), "conv": (8, 64)}  # at a time: quick, full


def measure(setting: Setting) -> dict[str, Any]:
    return {"rows": [_row(model, setting.few(*tasks), setting) for model, tasks in TASKS.items()]}


def _row(model: Model, tasks: int, setting: Setting) -> dict[str, Any]:
    seconds = in_turns({model: scoring(Case(MAML, model, tasks=tasks))}, setting.few(2, 7))[model] / tasks
    return {"model": model, "seconds_a_task": spread(seconds), "tasks_per_second": spread(1 / seconds)}


def scoring(case: Case) -> Work:
    """Draw that many test tasks, and score them as `evaluate` does."""
    algorithm, weights, images = case.algorithm(), learned(case), some()

    def score() -> None:
        tasks = sample_tasks((StreamPurpose.TESTING, 0, 0), case.tasks, images.characters, images.drawings, case.task)
        for _ in evaluate(algorithm, weights, images, tasks, case.shots, case.steps, case.chunk):
            pass

    return score


def tables(found: dict[str, Any]) -> list[Table]:
    header = ("model", "tasks a second", "ms a task", "10,000 tasks, s")
    note = (
        "5-way 5-shot test tasks with everything a result holds: transductive and inductive scores after one step, "
        "and scores after 0, 1, ..., 10."
    )
    return [Table("Evaluation", note, header, [_cells(row) for row in found["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    each = row["seconds_a_task"]
    return [
        row["model"],
        number(row["tasks_per_second"]["median"]),
        milliseconds(each),
        number(10_000 * each["median"]),
    ]
