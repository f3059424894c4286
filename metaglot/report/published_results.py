"""What others published on Omniglot, and by which protocol: the content of published_results.yaml."""

from functools import cache
from pathlib import Path
from typing import Literal

from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.stage_configs import StrictModel

Mode = Literal["transductive", "inductive"]


class PublishedResult(StrictModel):
    """accuracies: by cell. mode: None if it is not known whether the queries of a task share batch statistics."""

    method: str
    network: str
    accuracies: list[str]
    source: str
    mode: Mode | None = None


class ResultGroup(StrictModel):
    """Results whose ± has the same meaning."""

    meaning: str
    results: list[PublishedResult]


class Protocol(StrictModel):
    """How a source measured its numbers."""

    source: str
    split: str
    rotations: str
    tests: str
    batch_norm: str
    inner: str
    outer: str


class PublishedResults(StrictModel):
    cells: list[str]
    groups: list[ResultGroup]
    protocols: list[Protocol]
    little_known: dict[str, str]


@cache
def published_results() -> PublishedResults:
    return PublishedResults.model_validate(read_yaml(Path(__file__).with_suffix(".yaml")))
