"""In which order algorithms and pairs are shown: the most accurate first."""

from typing import Any

from metaglot.report.statistics.pairs import Pair

Record = dict[str, Any]


def ranked(rows: list[Record]) -> list[Record]:
    """The rows of algorithms by accuracy."""
    return sorted(rows, key=lambda row: -row["accuracy"]["mean"])


def best_first(comparison: Record) -> list[Pair]:
    """The pairs: those of the best algorithm, then those of the next. Which is minus which stays as it is recorded."""
    place = {row["algorithm"]: number for number, row in enumerate(ranked(comparison["algorithms"]))}
    return sorted(comparison["pairs"], key=lambda pair: sorted((place[pair["first"]], place[pair["second"]])))
