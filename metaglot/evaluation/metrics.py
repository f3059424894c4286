"""The test metrics, listed once: results, scores, tables, comparison.json and MLflow take their columns from here.

`scoring.py` computes each metric by its name. Every metric is computed in both modes: transductive, under its own name,
and inductive, as `inductive_<name>`.
"""

from typing import NamedTuple


class Metric(NamedTuple):
    """A number for each test task, whose mean is reported.

    A metric of all tasks together is the mean of each task's part in it.

    name: its key in results and scores; MLflow's is `test_<name>`. title: its column in tables.
    is_fraction: from 0 to 1, shown in percent, differences in percentage points.
    is_clustered: with a standard deviation and the interval clustered by character.
    """

    name: str
    title: str
    is_fraction: bool = False
    is_clustered: bool = False


METRICS = (
    Metric("accuracy", "accuracy", is_fraction=True, is_clustered=True),
    Metric("loss", "loss"),
    Metric("worst_tenth", "worst tenth", is_fraction=True, is_clustered=True),
    Metric("calibration_error", "calibration error", is_fraction=True, is_clustered=True),
)
INDUCTIVE = "inductive_"

# Every metric in both modes, by its key in the scores.
MEASURES: dict[str, Metric] = {
    prefix + metric.name: metric._replace(title=title + metric.title)
    for prefix, title in (("", ""), (INDUCTIVE, "inductive "))
    for metric in METRICS
}
