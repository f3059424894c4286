"""All of params.yaml: what each key takes, and which combinations are possible."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, create_model

from metaglot.config import validation_messages
from metaglot.config.yaml12 import parse_yaml
from metaglot.core.common.stage_configs import (
    ComputeConfig,
    EvaluationConfig,
    ImageSize,
    Model,
    Seed,
    SplitRef,
    StrictModel,
    TaskConfig,
    TrainingConfig,
)
from metaglot.core.learners.meta_learner import MetaLearner

FILE = "params.yaml"
CHARACTERS = 1623  # Lake, Salakhutdinov and Tenenbaum 2015; the glyphs are as many
DRAWINGS = 20  # of each character
FEWEST_HELD_OUT = 81  # characters in the five smallest background alphabets, which `background` may draw

Classes = Mapping[str, type[MetaLearner]]
Part = Annotated[int, Field(ge=2, le=CHARACTERS)]


class Data(StrictModel):
    source: Literal["omniglot", "omniglot-nearest", "glyphs"]
    image_size: ImageSize


class Split(SplitRef):
    train: Part
    validation: Part
    test: Part


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
    task: TaskConfig
    model: Model
    train: TrainingConfig
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
        raise validation_messages.first_error(FILE, errors, model, given) from None
    _check(params)
    return params


def _model(classes: Classes) -> type[Params]:
    """`Params` that knows the algorithms' names, and for each a block of its own settings, which may be left out."""
    names: Any = Literal[tuple(classes)]
    blocks: dict[str, Any] = {name: (found.Settings, found.Settings()) for name, found in classes.items()}
    settings = create_model("Settings", __base__=StrictModel, **blocks)
    listed = Annotated[list[names], Field(min_length=1, max_length=len(classes))]
    return create_model("Params", __base__=Params, algorithms=(listed, ...), settings=(settings, settings()))


def _check(params: Params) -> None:
    """Refuse what cannot be together, though each key takes it."""
    task, split = params.task, params.split
    for key, values in (("algorithms", params.algorithms), ("seeds", params.seeds)):
        for index, value in enumerate(values):
            if value in values[:index]:
                raise validation_messages.value_error(FILE, [key, index], value, "each once")
    if split.kind == "random" and split.train + split.validation + split.test > CHARACTERS:
        got = {"train": split.train, "validation": split.validation, "test": split.test}
        raise validation_messages.value_error(FILE, ["split"], got, f"counts that add up to {CHARACTERS} at most")
    fewest = min(split.train, split.validation, split.test) if split.kind == "random" else FEWEST_HELD_OUT
    if task.ways > fewest:
        takes = f"up to {fewest}, the characters in the smallest part of the split"
        raise validation_messages.value_error(FILE, ["task", "ways"], task.ways, takes)
    if task.shots + task.queries > DRAWINGS:
        takes = f"up to {DRAWINGS - task.shots} beside {task.shots} shots: a character has {DRAWINGS} drawings"
        raise validation_messages.value_error(FILE, ["task", "queries"], task.queries, takes)
    if params.model == "conv" and params.data.image_size != 28:
        raise validation_messages.value_error(
            FILE, ["data", "image_size"], params.data.image_size, "28 for the model conv"
        )
