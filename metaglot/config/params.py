"""All of params.yaml: what each key takes, and which combinations are possible."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, create_model

from metaglot.config.validation_messages import first_error, value_error
from metaglot.config.yaml12 import parse_yaml
from metaglot.core.common.stage_configs import (
    BatchNorm,
    ComputeConfig,
    ImageSize,
    Model,
    Seed,
    SplitRef,
    StrictModel,
    TaskConfig,
    TrainingConfig,
)
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.datasets.dataset import Dataset
from metaglot.datasets.registry import DATASETS, load_dataset
from metaglot.evaluation.stage_configs import EvaluationConfig

FILE = "params.yaml"
Classes = Mapping[str, type[MetaLearner]]
Part = Annotated[int, Field(ge=2)]


class Data(StrictModel):
    source: str
    image_size: ImageSize


class Split(SplitRef):
    train: Part
    validation: Part
    test: Part


class Task(TaskConfig):
    characters: Literal["any", "alphabet"]


class Train(TrainingConfig):
    batch_norm: BatchNorm


class Report(StrictModel):
    margin: Annotated[float, Field(gt=0, lt=1)]


class Params(StrictModel):
    """Every key of params.yaml but for `settings` must be there: a default that goes without saying is no record."""

    first_order: bool
    algorithms: list[str]
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=1000)]
    run: ComputeConfig
    data: Data
    split: Split
    task: Task
    model: Model
    train: Train
    evaluate: EvaluationConfig
    report: Report
    settings: StrictModel


def parse_params(text: bytes, classes: Classes) -> Params:
    """Params from the bytes of params.yaml, where `classes` are the algorithms that there are.

    The first mistake is refused in one line.
    """
    given = parse_yaml(text, FILE)
    model = _model(classes)
    try:
        params = model.model_validate(given)
    except ValidationError as errors:
        raise first_error(FILE, errors, model, given) from None
    _check(params)
    return params


def _model(classes: Classes) -> type[Params]:
    """Make `Params` that knows all data sets, and all algorithms, each with an optional block of settings."""
    names: Any = Literal[tuple(classes)]
    blocks: dict[str, Any] = {name: (found.Settings, found.Settings()) for name, found in classes.items()}
    settings = create_model("Settings", __base__=StrictModel, **blocks)
    listed = Annotated[list[names], Field(min_length=1, max_length=len(classes))]
    sources: Any = Literal[tuple(DATASETS)]
    data = create_model("Data", __base__=Data, source=(sources, ...))
    return create_model(
        "Params", __base__=Params, algorithms=(listed, ...), data=(data, ...), settings=(settings, settings())
    )


def _check(params: Params) -> None:
    """Raise UserError for values that are valid by themselves but impossible together."""
    for key, values in (("algorithms", params.algorithms), ("seeds", params.seeds)):
        for index, value in enumerate(values):
            if value in values[:index]:
                raise value_error(FILE, [key, index], value, "each once")
    dataset = load_dataset(params.data.source)
    _check_split(params.split, dataset)
    _check_task(params.task, params.split, dataset)
    size, model = params.data.image_size, params.model
    if size > dataset.side:
        raise value_error(FILE, ["data", "image_size"], size, f"a whole number from 4 up to {dataset.side}")
    if model == "conv" and size != 28:
        raise value_error(FILE, ["data", "image_size"], size, "28 for the model conv")


def _check_split(split: Split, dataset: Dataset) -> None:
    counts = split.model_dump(include={"train", "validation", "test"})
    for part, count in counts.items():
        if count > dataset.classes:
            raise value_error(FILE, ["split", part], count, f"a whole number from 2 up to {dataset.classes}")
    if split.kind == "random" and sum(counts.values()) > dataset.classes:
        raise value_error(FILE, ["split"], counts, f"counts that add up to {dataset.classes} at most")
    if split.kind == "background" and dataset.smallest_held_out is None:
        raise value_error(FILE, ["split", "kind"], split.kind, f"random for {dataset.name}")


def _check_task(task: TaskConfig, split: Split, dataset: Dataset) -> None:
    smallest = min(split.train, split.validation, split.test)
    fewest = dataset.smallest_held_out if split.kind == "background" else smallest
    if fewest is not None and task.ways > fewest:
        takes = f"up to {fewest}, the characters in the smallest part of the split"
        raise value_error(FILE, ["task", "ways"], task.ways, takes)
    most = dataset.images_per_class
    if task.shots + task.queries > most:
        takes = f"up to {most - task.shots} beside {task.shots} shots: a character has {most} drawings"
        raise value_error(FILE, ["task", "queries"], task.queries, takes)
