"""All of params.yaml: its keys, and what each takes."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_serializer

from metaglot.core.common.stage_configs import (
    BatchNorm,
    Channels,
    ComputeConfig,
    Heads,
    ImageSize,
    Ink,
    Model,
    Seed,
    SplitRef,
    StrictModel,
    TaskConfig,
    TrainingConfig,
)
from metaglot.datasets.registry import FOLDER
from metaglot.evaluation.stage_configs import EvaluationConfig

FILE = "params.yaml"
Part = Annotated[int, Field(ge=2)] | Annotated[float, Field(gt=0, lt=1)]
RAW = "data/raw"  # the `data.path` of a data set that is downloaded or made


class Data(StrictModel):
    source: str
    path: Annotated[str, Field(min_length=1, max_length=4096)]
    name: Annotated[str, Field(pattern=r"^[^/:\x00-\x1f]{1,100}$", description="up to 100 characters without / and :")]
    groups: Literal["none", "folders"]
    ink: Ink
    channels: Channels
    unreadable: Literal["refuse", "skip"]
    image_size: ImageSize

    @property
    def is_folder(self) -> bool:
        """Whether the data set is a folder of images: a path is enough."""
        return self.source == FOLDER or self.path != RAW


class Split(SplitRef):
    train: Part
    validation: Part
    test: Part


class Task(TaskConfig):
    characters: Literal["any", "alphabet"]


class Train(TrainingConfig):
    batch_norm: BatchNorm


class Evaluate(EvaluationConfig):
    sequences: Annotated[int, Field(ge=0, le=100_000)]
    sequence_length: Annotated[int, Field(ge=1, le=100)]
    sequence_heads: Heads
    test_split: Annotated[str, Field(pattern=r"^[^~]", description="the path of a test.npz, without ~")]

    @model_serializer(mode="plain")
    def _all_keys(self) -> dict[str, Any]:
        return dict(self)


class Report(StrictModel):
    margin: Annotated[float, Field(gt=0, lt=1)]


class Params(StrictModel):
    """Every key of params.yaml but for `settings` must be there, so that params.yaml records every value."""

    first_order: bool
    algorithms: list[str]
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=1000)]
    run: ComputeConfig
    data: Data
    split: Split
    task: Task
    model: Model
    train: Train
    evaluate: Evaluate
    report: Report
    settings: StrictModel
