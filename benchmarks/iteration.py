"""One whole iteration on Omniglot: our training against learn2learn's unchanged example, and what first order saves."""

from typing import Any

from benchmarks.batched_training import VALIDATE_EVERY, VALIDATION_TASKS, BatchedTraining
from benchmarks.cases import BOTH_ORDERS, Case
from benchmarks.engines import BATCHED, LEARN2LEARN
from benchmarks.learn2learn_example import Example, load_tasksets
from benchmarks.omniglot_data import extract_archives, load_drawings
from benchmarks.options import Options
from benchmarks.tables import Table, milliseconds, percent, times
from benchmarks.timing import Times, Work, interleaved, median_interval, quartiles, quartiles_of_all

# The keys of results.json.
EXAMPLE, SAME_WORK, DEFAULT = "learn2learn's example", "ours, the same work", "ours, the default"
TRAINING, VALIDATION = "ours, without validation", "ours, an observation"  # the default is made of these
SAMPLING = "ours, drawing the tasks"
SAME = {BATCHED: SAME_WORK, LEARN2LEARN: EXAMPLE}  # the same work by each engine


def measure(options: Options) -> dict[str, Any]:
    cases_to_time: dict[str, Work] = {}
    tasksets = load_tasksets(extract_archives(options.scratch))
    for kind in BOTH_ORDERS:
        works = _cases_to_time(Case(kind), tasksets)
        cases_to_time |= {f"{kind.label}: {name}": work for name, work in works.items()}
    seconds = interleaved(cases_to_time, options.choose(6, 25), options.turn_seconds)
    saves = {
        engine: median_interval(1 - seconds[f"FOMAML: {name}"] / seconds[f"MAML: {name}"])
        for engine, name in SAME.items()
    }
    return {"rows": [_row(kind.label, seconds) for kind in BOTH_ORDERS], "saves": saves}


def _cases_to_time(case: Case, tasksets: Any) -> dict[str, Work]:
    training = BatchedTraining(case, load_drawings())
    return {
        EXAMPLE: Example(tasksets, bool(case.kind.first_order)).iteration,
        SAME_WORK: training.validated_iteration,
        TRAINING: training.iteration,
        VALIDATION: training.default_validation,
        SAMPLING: training.next_batch,
    }


def _row(label: str, seconds: Times) -> dict[str, Any]:
    of_algorithm = {name: seconds[f"{label}: {name}"] for name in (EXAMPLE, SAME_WORK, TRAINING, VALIDATION, SAMPLING)}
    of_algorithm[DEFAULT] = of_algorithm[TRAINING] + of_algorithm[VALIDATION] / VALIDATE_EVERY
    return {
        "algorithm": label,
        "seconds": quartiles_of_all(of_algorithm),
        "speedup": {name: quartiles(of_algorithm[EXAMPLE] / of_algorithm[name]) for name in (SAME_WORK, DEFAULT)},
        "share_of_drawing": quartiles(of_algorithm[SAMPLING] / of_algorithm[TRAINING]),
    }


def tables(results: dict[str, Any]) -> list[Table]:
    seconds = ("learn2learn's example, ms", "batched, same work, ms", "batched, default, ms")
    header = ("algorithm", *seconds, "speed-up, same work", "speed-up, default", "sampling")
    note = (
        "fc, 5-way 5-shot, 1 step, 32 tasks, on Omniglot. learn2learn's example is `maml_omniglot.py` of version "
        "0.2.0: it reads image files and scores 32 validation tasks in each iteration. Same work: the batched engine "
        "samples and trains on 32 tasks and scores 32 new validation tasks. Default: the mean iteration of a training "
        f"that every {VALIDATE_EVERY} iterations scores {VALIDATION_TASKS} validation tasks and computes both "
        "meta-gradients on them. Sampling: the share of task sampling in our iteration without validation."
    )
    whole = Table("One whole iteration", note, header, [_cells(row) for row in results["rows"]])
    return [whole, _savings_table(results["saves"])]


def _savings_table(saves: dict[str, Any]) -> Table:
    note = (
        "How much of an iteration with validation first order saves, with the same work as learn2learn's example, "
        "which spends nearly all its time on loading data: 1 - FOMAML / MAML, paired by repeat, the median and its "
        "95% interval."
    )
    rows = [["batched", percent(saves[BATCHED])], [EXAMPLE, percent(saves[LEARN2LEARN])]]
    return Table("What first order saves", note, ("program", "saved"), rows)


def _cells(row: dict[str, Any]) -> list[str]:
    seconds = [milliseconds(row["seconds"][name]) for name in (EXAMPLE, SAME_WORK, DEFAULT)]
    speedups = [times(row["speedup"][name]) for name in (SAME_WORK, DEFAULT)]
    return [row["algorithm"], *seconds, *speedups, percent(row["share_of_drawing"])]
