"""Shared parts of the charts of curves: a curve for each seed, and their mean or band."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.over_seeds import by_algorithm

Curve = Mapping[int, tuple[float, float]]  # a point by iteration or step
Points = NDArray[np.float64]  # [points, 2]
Row = dict[str, Any]
MAX_CURVES = 5  # more seeds become a band


@dataclass(frozen=True)
class CurveGroup:
    """The curves of an algorithm's runs, or of a layer. series, mark: its colour and shape. note: after its name."""

    name: str
    series: int
    mark: int
    curves: dict[str, Curve]
    note: str = ""

    @property
    def label(self) -> str:
        return self.name + self.note

    @property
    def mean_name(self) -> str:
        several = len(self.curves) > 1
        return f"{self.name}, mean of {len(self.curves)} seeds" if several else next(iter(self.curves))

    @cached_property
    def points(self) -> Points:
        """[curves, points, 2], at the iterations or steps that all curves have."""
        curves = list(self.curves.values())
        common = sorted(set.intersection(*map(set, curves)))
        return np.array([[curve[key] for key in common] for curve in curves]).reshape(len(curves), len(common), 2)

    @cached_property
    def mean(self) -> Points:
        return self.points.mean(axis=0)

    def rows(self) -> list[Row]:
        """The points of the mean, and of each seed if there are several and each is drawn."""
        named = zip(self.curves, self.points, strict=True) if 1 < len(self.curves) <= MAX_CURVES else ()
        seeds = [row | {"seed": True} for run, points in named for row in self._rows(run, points)]
        return seeds + self._rows(self.mean_name, self.mean)

    def as_mean(self) -> "CurveGroup":
        """The mean as the only curve."""
        return replace(self, curves={self.name: {number: (x, y) for number, (x, y) in enumerate(self.mean)}})

    def band_rows(self) -> list[Row]:
        """The lowest and the highest of many seeds."""
        if len(self.curves) <= MAX_CURVES:
            return []
        ends = zip(self.mean[:, 0], self.points[..., 1].min(axis=0), self.points[..., 1].max(axis=0), strict=True)
        return [{"group": self.name, "x": tidy(x), "low": tidy(low), "high": tidy(high)} for x, low, high in ends]

    def _rows(self, run: str, points: Points) -> list[Row]:
        return [{"group": self.name, "run": run, "x": tidy(x), "y": tidy(y)} for x, y in points]


def curve_groups(runs: list[LoadedRun], curve: Callable[[LoadedRun], Curve]) -> list[CurveGroup]:
    """A group for each algorithm with curves that are not empty."""
    groups = []
    for number, seeds in enumerate(by_algorithm(runs)):
        if curves := {run.name: drawn for run in seeds if (drawn := curve(run))}:
            groups.append(CurveGroup(seeds[0].result.label, number, number, curves))
    return groups


def tidy(value: float) -> float:
    """A number of the page: six significant digits."""
    return float(f"{value:.6g}")
