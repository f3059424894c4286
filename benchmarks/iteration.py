"""One whole iteration: ours against learn2learn's example as it ships, on Omniglot."""

from typing import Any

from benchmarks.batched_training import VALIDATE_EVERY, VALIDATION_TASKS, Ours
from benchmarks.cases import KINDS, Case
from benchmarks.learn2learn_example import Example, tasksets
from benchmarks.omniglot_data import extracted, in_memory
from benchmarks.options import Setting
from benchmarks.tables import Table, milliseconds, percent, times
from benchmarks.timing import Times, Work, in_turns, spread

EXAMPLE, SAME_WORK, DEFAULT = "learn2learn's example", "ours, the same work", "ours, the default"
PART, OBSERVATION = "ours, without validation", "ours, an observation"  # what the default is made of
DRAWING = "ours, drawing the tasks"


def measure(setting: Setting) -> dict[str, Any]:
    things: dict[str, Work] = {}
    tasks = tasksets(extracted(setting.scratch))
    for kind in KINDS:
        things |= {f"{kind.label}: {name}": work for name, work in _things(Case(kind), tasks).items()}
    found = in_turns(things, setting.few(1, 9), setting.few(0.1, 0.3))
    return {"rows": [_row(kind.label, found) for kind in KINDS]}


def _things(case: Case, tasks: Any) -> dict[str, Work]:
    example, ours = Example(tasks, bool(case.kind.first_order)), Ours(case, in_memory())
    return {
        EXAMPLE: example.iteration,
        SAME_WORK: ours.validated_iteration,
        PART: ours.iteration,
        OBSERVATION: ours.observe,
        DRAWING: ours.draw,
    }


def _row(label: str, found: Times) -> dict[str, Any]:
    own = {name: found[f"{label}: {name}"] for name in (EXAMPLE, SAME_WORK, PART, OBSERVATION, DRAWING)}
    own[DEFAULT] = own[PART] + own[OBSERVATION] / VALIDATE_EVERY
    return {
        "algorithm": label,
        "seconds": {name: spread(values) for name, values in own.items()},
        "speedup": {name: spread(own[EXAMPLE] / own[name]) for name in (SAME_WORK, DEFAULT)},
        "share_of_drawing": spread(own[DRAWING] / own[PART]),
    }


def tables(found: dict[str, Any]) -> list[Table]:
    engines = (f"{name}, ms" for name in (EXAMPLE, SAME_WORK, DEFAULT))
    header = ("algorithm", *engines, "same work", "default", "drawing")
    note = (
        "fc, 5-way 5-shot, 1 step, 32 tasks, on Omniglot. The example: `maml_omniglot.py` of learn2learn 0.2.0, with "
        "its data pipeline on the image files and 32 validation tasks in each iteration. The same work: drawing "
        f"and training on 32 tasks, 32 new validation tasks. The default: a mean iteration with {VALIDATION_TASKS} "
        f"validation tasks, and both meta-gradients on them, every {VALIDATE_EVERY}. Drawing: the share of our "
        "iteration without validation that tasks and their images take."
    )
    return [Table("One whole iteration", note, header, [_cells(row) for row in found["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    seconds = [milliseconds(row["seconds"][name]) for name in (EXAMPLE, SAME_WORK, DEFAULT)]
    speedups = [times(row["speedup"][name]) for name in (SAME_WORK, DEFAULT)]
    return [row["algorithm"], *seconds, *speedups, percent(row["share_of_drawing"])]
