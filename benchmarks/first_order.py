"""What first order saves of a whole iteration, as the write-up timed it: data loading and validation included."""

from typing import Any

from benchmarks.batched_training import Ours
from benchmarks.cases import KINDS, Case
from benchmarks.learn2learn_example import Example, tasksets
from benchmarks.omniglot_data import extracted, in_memory
from benchmarks.options import Setting
from benchmarks.tables import Table, milliseconds, percent
from benchmarks.timing import Times, Work, in_turns, median_interval, spread

ENGINES = ("batched", "learn2learn")


def measure(setting: Setting) -> dict[str, Any]:
    things: dict[str, Work] = {}
    tasks = tasksets(extracted(setting.scratch))
    for kind in KINDS:
        things[f"batched {kind.label}"] = Ours(Case(kind), in_memory()).validated_iteration
        things[f"learn2learn {kind.label}"] = Example(tasks, bool(kind.first_order)).iteration
    found = in_turns(things, setting.few(6, 25), setting.few(0.1, 0.3))
    return {
        "seconds": {name: spread(values) for name, values in found.items()},
        "saves": {engine: saved(found, engine) for engine in ENGINES},
    }


def saved(found: Times, engine: str) -> dict[str, Any]:
    """1 - t(FOMAML) / t(MAML): median and its 95% interval over the repeats."""
    return median_interval(1 - found[f"{engine} FOMAML"] / found[f"{engine} MAML"])


def tables(found: dict[str, Any]) -> list[Table]:
    header = ("engine", "FOMAML, ms", "MAML, ms", "first order saves")
    note = (
        "A whole iteration with 32 training and 32 validation tasks, 5-way 5-shot, fc, on Omniglot; FOMAML and MAML "
        "in turns. learn2learn: its example as it ships, whose time is nearly all data loading. The saving is "
        "1 - FOMAML / MAML of the same turn: the median and its 95% interval."
    )
    return [Table("What first order saves", note, header, [_cells(engine, found) for engine in ENGINES])]


def _cells(engine: str, found: dict[str, Any]) -> list[str]:
    seconds = (milliseconds(found["seconds"][f"{engine} {kind.label}"]) for kind in KINDS)
    return [engine, *seconds, percent(found["saves"][engine])]
