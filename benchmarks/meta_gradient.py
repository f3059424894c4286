"""One meta-gradient: the batched engine against learn2learn's loop, `vmap`, and its products with shared weights."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.cases import KINDS, Case
from benchmarks.engines import LOOP, VMAP, learned, others
from benchmarks.matmul_count import products, work
from benchmarks.omniglot_data import some
from benchmarks.options import Setting
from benchmarks.tables import Table, cells, milliseconds, percent, times
from benchmarks.timing import Times, Work, in_turns, spread

OURS, PRODUCTS = "batched", "products"
TASKS = ((5, 1), (5, 5), (20, 1))  # ways, shots
COLUMNS = ("model", "task", "steps", "algorithm")


def measure(setting: Setting) -> dict[str, Any]:
    return {"rows": [_row(case, setting) for case in cases(setting.quick)]}


def cases(quick: bool) -> Iterator[Case]:
    """Networks, tasks, steps and orders, each with each; a quick look takes the write-up's task, and one step."""
    for model in ("fc", "conv"):
        for ways, shots in [(5, 5)] if quick else TASKS:
            for steps in [1] if quick else [1, 5]:
                yield from (Case(kind, model, ways, shots, steps) for kind in KINDS)


def _row(case: Case, setting: Setting) -> dict[str, Any]:
    few, many = (3, 7) if case.model == "fc" else (1, 5 if case.steps == 1 else 3)
    found = in_turns(things(case), setting.few(few, many), setting.few(0.1, 0.3))
    return case.describe() | {
        "seconds": {name: spread(values) for name, values in found.items()},
        "speedup": {peer: spread(found[peer] / found[OURS]) for peer in (LOOP, VMAP)},
        "share_of_bound": share(found),
    }


def things(case: Case) -> dict[str, Work]:
    """A meta-gradient by each engine, and the products alone."""
    weights, batch = learned(case), case.batch(some())
    engines = {OURS: case.engine(), **others(case)}
    gradients: dict[str, Work] = {name: partial(e.meta_gradient, weights, batch) for name, e in engines.items()}
    return gradients | {PRODUCTS: work(products(case))}


def share(found: Times) -> dict[str, Any]:
    """Of the engine's time, what the products alone take."""
    return spread(found[PRODUCTS] / found[OURS])


def tables(found: dict[str, Any]) -> list[Table]:
    header = (
        *COLUMNS,
        "batched, ms",
        f"{LOOP}, ms",
        f"{VMAP}, ms",
        f"against {LOOP}",
        f"against {VMAP}",
        "of the bound",
    )
    note = (
        "The meta-gradient of 32 tasks, as many queries as shots. Medians (quartiles) over repeats in which all of a "
        "row's engines take turns. Of the bound: the time of the products with shared weights alone, over the batched "
        "engine's."
    )
    return [Table("One meta-gradient", note, header, [_cells(row) for row in found["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    seconds = [milliseconds(row["seconds"][name]) for name in (OURS, LOOP, VMAP)]
    return [
        *cells(row, COLUMNS),
        *seconds,
        *(times(row["speedup"][p]) for p in (LOOP, VMAP)),
        percent(row["share_of_bound"]),
    ]
