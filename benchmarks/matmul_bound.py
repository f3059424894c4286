"""The share of the bound: the time of the products with shared weights alone, over that of a meta-gradient."""

from collections import defaultdict
from functools import partial
from typing import Any

from benchmarks.cases import BOTH_ORDERS, Case
from benchmarks.engines import BATCHED, initial_parameters
from benchmarks.matmul_count import count_products, multiply_all
from benchmarks.meta_gradient import COLUMNS, PRODUCTS, share_of_bound
from benchmarks.omniglot_data import sample_images
from benchmarks.options import Options
from benchmarks.tables import Table, cells, milliseconds, number, percent
from benchmarks.timing import Work, interleaved, quartiles, quartiles_of_all

Rows = list[dict[str, Any]]


def measure(options: Options) -> dict[str, Any]:
    cases = [Case(kind, model) for model in ("fc", "conv") for kind in BOTH_ORDERS]
    return {"rows": [_row(case, options) for case in cases]}


def _row(case: Case, options: Options) -> dict[str, Any]:
    products = count_products(case)
    meta_gradient = partial(case.engine().meta_gradient, initial_parameters(case), case.batch(sample_images()))
    cases_to_time: dict[str, Work] = {BATCHED: meta_gradient, PRODUCTS: multiply_all(products)}
    seconds = interleaved(cases_to_time, options.choose(2, 15), options.turn_seconds)
    gflop = sum(product.flop * count for product, count in products.items()) / 1e9
    return case.describe() | {
        "gflop": gflop,
        "gflop_per_second": {name: quartiles(gflop / values) for name, values in seconds.items()},
        "seconds": quartiles_of_all(seconds),
        "share": share_of_bound(seconds),
        "products": [product._asdict() | {"count": count} for product, count in products.items()],
    }


def tables(results: dict[str, Any]) -> list[Table]:
    return [_shares_table(results["rows"]), _products_table(results["rows"])]


def _shares_table(rows: Rows) -> Table:
    header = (*COLUMNS, "batched, ms", "products alone, ms", "GFLOP", "GFLOP/s of the products", "share")
    note = (
        "Share: the time of the products with shared weights alone, divided by the time of the whole meta-gradient, "
        "both timed alternately. The products are dense, in the engine's chunks, into memory allocated beforehand. "
        "The engine skips the images' empty pixels and has convolutions of its own in C. Where the share exceeds "
        "100%, these are faster than PyTorch's products of the same shapes."
    )
    return Table("Share of the matrix-product bound", note, header, [_cells(row) for row in rows])


def _cells(row: dict[str, Any]) -> list[str]:
    seconds = [milliseconds(row["seconds"][name]) for name in (BATCHED, PRODUCTS)]
    rate = number(row["gflop_per_second"][PRODUCTS]["median"])
    return [*cells(row, COLUMNS), *seconds, f"{row['gflop']:.2f}", rate, percent(row["share"])]


def _products_table(rows: Rows) -> Table:
    """A row for each shape, with its count in each algorithm's meta-gradient."""
    note = "H: a layer's inputs, W: its shared weights, g: a gradient with respect to its outputs. See matmul_count.py."
    counts: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for row in rows:
        for p in row["products"]:
            shapes = f"[{p['m']}, {p['k']}] x [{p['k']}, {p['n']}]"
            counts[row["model"], p["layer"], p["kind"], shapes][row["algorithm"]] = p["count"]
    labels = [kind.label for kind in BOTH_ORDERS]
    lines = [[*shape, *(str(count[label]) for label in labels)] for shape, count in counts.items()]
    return Table("The products", note, ("model", "layer", "product", "shapes", *labels), lines)
