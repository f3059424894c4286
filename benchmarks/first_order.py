"""How much of a whole iteration first order saves, timed as in the original study: with data loading and validation."""

from typing import Any

from benchmarks.batched_training import BatchedTraining
from benchmarks.cases import BOTH_ORDERS, Case
from benchmarks.engines import BATCHED, LEARN2LEARN
from benchmarks.learn2learn_example import Example, load_tasksets
from benchmarks.omniglot_data import extract_archives, load_drawings
from benchmarks.options import Options
from benchmarks.tables import Table, milliseconds, percent
from benchmarks.timing import Work, interleaved, median_interval, quartiles_of_all

ENGINES = (BATCHED, LEARN2LEARN)


def measure(options: Options) -> dict[str, Any]:
    cases_to_time: dict[str, Work] = {}
    tasksets = load_tasksets(extract_archives(options.scratch))
    for kind in BOTH_ORDERS:
        cases_to_time[f"{BATCHED} {kind.label}"] = BatchedTraining(Case(kind), load_drawings()).validated_iteration
        cases_to_time[f"{LEARN2LEARN} {kind.label}"] = Example(tasksets, bool(kind.first_order)).iteration
    seconds = interleaved(cases_to_time, options.choose(6, 25), options.turn_seconds)
    saves = {engine: median_interval(1 - seconds[f"{engine} FOMAML"] / seconds[f"{engine} MAML"]) for engine in ENGINES}
    return {"seconds": quartiles_of_all(seconds), "saves": saves}


def tables(results: dict[str, Any]) -> list[Table]:
    header = ("engine", "FOMAML, ms", "MAML, ms", "first order saves")
    note = (
        "A whole iteration with 32 training and 32 validation tasks, 5-way 5-shot, fc, on Omniglot; FOMAML and MAML "
        "are timed alternately. learn2learn is its unchanged example, which spends nearly all its time on loading "
        "data. The saving is 1 - FOMAML / MAML, paired by repeat: the median and its 95% interval."
    )
    return [Table("What first order saves", note, header, [_cells(engine, results) for engine in ENGINES])]


def _cells(engine: str, results: dict[str, Any]) -> list[str]:
    seconds = (milliseconds(results["seconds"][f"{engine} {kind.label}"]) for kind in BOTH_ORDERS)
    return [engine, *seconds, percent(results["saves"][engine])]
