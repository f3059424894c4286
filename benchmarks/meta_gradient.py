"""One meta-gradient: the batched engine against learn2learn's, `vmap`, and the products with shared weights alone."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.cases import BOTH_ORDERS, Case, initial_parameters
from benchmarks.engines import BATCHED, LEARN2LEARN, VMAP, create_engines
from benchmarks.matmul_count import count_products, multiply_all
from benchmarks.omniglot_data import sample_images
from benchmarks.options import Options
from benchmarks.tables import Table, cells, milliseconds, percent, times
from benchmarks.timing import Work, interleaved, quartiles, quartiles_of_all

PRODUCTS = "products"
OTHERS = (LEARN2LEARN, VMAP)  # the engines to compare with
TASKS = ((5, 1), (5, 5), (20, 1))  # ways, shots
COLUMNS = ("model", "task", "steps", "algorithm")


def measure(options: Options) -> dict[str, Any]:
    return {"rows": [_row(case, options) for case in cases(options.quick)]}


def cases(quick: bool) -> Iterator[Case]:
    """All combinations of network, task, steps and order; a quick run has the original study's task and one step."""
    for model in ("fc", "conv"):
        for ways, shots in [(5, 5)] if quick else TASKS:
            for steps in [1] if quick else [1, 5]:
                yield from (Case(kind, model, ways, shots, steps) for kind in BOTH_ORDERS)


def _row(case: Case, options: Options) -> dict[str, Any]:
    repeats = (3, 7) if case.model == "fc" else (1, 5 if case.steps == 1 else 3)
    seconds = interleaved(cases_to_time(case), options.choose(*repeats), options.turn_seconds)
    return case.describe() | {
        "seconds": quartiles_of_all(seconds),
        "speedup": {engine: quartiles(seconds[engine] / seconds[BATCHED]) for engine in OTHERS},
        "share_of_bound": quartiles(seconds[PRODUCTS] / seconds[BATCHED]),
    }


def cases_to_time(case: Case) -> dict[str, Work]:
    """A meta-gradient by each engine, and the products alone."""
    parameters, batch = initial_parameters(case), case.batch(sample_images())
    engines = create_engines(case)
    gradients: dict[str, Work] = {name: partial(e.meta_gradient, parameters, batch) for name, e in engines.items()}
    return gradients | {PRODUCTS: multiply_all(count_products(case))}


def tables(results: dict[str, Any]) -> list[Table]:
    speedups = (f"speed-up over {engine}" for engine in OTHERS)
    header = (*COLUMNS, *(f"{engine}, ms" for engine in (BATCHED, *OTHERS)), *speedups, "share of the bound")
    note = (
        "The meta-gradient of 32 tasks, as many queries as shots. Medians (quartiles) over repeats; the engines of a "
        "row are timed alternately. Share of the bound: the time of the products with shared weights alone, divided by "
        "the batched engine's (matmul_count.py). The products are dense, in the engine's chunks, into memory allocated "
        "beforehand. The engine skips the images' empty pixels and has convolutions of its own in C: above 100% these "
        "are faster than PyTorch's products of the same shapes."
    )
    return [Table("One meta-gradient", note, header, [_cells(row) for row in results["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    seconds = [milliseconds(row["seconds"][engine]) for engine in (BATCHED, *OTHERS)]
    speedups = [times(row["speedup"][engine]) for engine in OTHERS]
    return [*cells(row, COLUMNS), *seconds, *speedups, percent(row["share_of_bound"])]
