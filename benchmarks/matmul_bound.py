"""The share of the bound: the time of the products with shared weights alone, over that of a meta-gradient."""

from collections import defaultdict
from functools import partial
from typing import Any

from benchmarks.cases import KINDS, Case
from benchmarks.engines import learned
from benchmarks.matmul_count import products, work
from benchmarks.meta_gradient import COLUMNS, OURS, PRODUCTS, share
from benchmarks.omniglot_data import some
from benchmarks.options import Setting
from benchmarks.tables import Table, cells, milliseconds, number, percent
from benchmarks.timing import in_turns, spread


def measure(setting: Setting) -> dict[str, Any]:
    cases = [Case(kind, model) for model in ("fc", "conv") for kind in KINDS]
    return {"rows": [_row(case, setting) for case in cases]}


def _row(case: Case, setting: Setting) -> dict[str, Any]:
    counted = products(case)
    meta_gradient = partial(case.engine().meta_gradient, learned(case), case.batch(some()))
    found = in_turns({OURS: meta_gradient, PRODUCTS: work(counted)}, setting.few(2, 15), setting.few(0.1, 0.3))
    flop = sum(product.flop * count for product, count in counted.items())
    return case.describe() | {
        "gflop": flop / 1e9,
        "gflop_per_second": {name: spread(flop / 1e9 / values) for name, values in found.items()},
        "seconds": {name: spread(values) for name, values in found.items()},
        "share": share(found),
        "products": [product._asdict() | {"count": count} for product, count in counted.items()],
    }


def tables(found: dict[str, Any]) -> list[Table]:
    return [_shares(found["rows"]), _products(found["rows"])]


def _shares(rows: list[dict[str, Any]]) -> Table:
    header = (*COLUMNS, "batched, ms", "products alone, ms", "GFLOP", "GFLOP/s of the products", "share")
    note = (
        "The products with shared weights alone, in full, in the engine's chunks, into memory that lies ready; over "
        "the time of the whole meta-gradient, in turns. The engine skips what is empty of the images, and convolves by "
        "loops of its own: where the share exceeds 100% these are faster than PyTorch's products of the same shapes."
    )
    return Table("Share of the matrix-product bound", note, header, [_cells(row) for row in rows])


def _cells(row: dict[str, Any]) -> list[str]:
    seconds = [milliseconds(row["seconds"][name]) for name in (OURS, PRODUCTS)]
    rate = number(row["gflop_per_second"][PRODUCTS]["median"])
    return [*cells(row, COLUMNS), *seconds, f"{row['gflop']:.2f}", rate, percent(row["share"])]


def _products(rows: list[dict[str, Any]]) -> Table:
    """One line a shape, with its count in each algorithm's meta-gradient."""
    note = "H: a layer's inputs, W: its shared weights, g: a gradient with respect to its outputs; see products.py."
    counts: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for row in rows:
        for p in row["products"]:
            shapes = f"[{p['m']}, {p['k']}] x [{p['k']}, {p['n']}]"
            counts[row["model"], p["layer"], p["kind"], shapes][row["algorithm"]] = p["count"]
    labels = [kind.label for kind in KINDS]
    lines = [[*shape, *(str(count[label]) for label in labels)] for shape, count in counts.items()]
    return Table("The products", note, ("model", "layer", "product", "shapes", *labels), lines)
