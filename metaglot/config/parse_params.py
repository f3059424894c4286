"""params.yaml read and checked: which values are possible together."""

from collections.abc import Mapping
from os.path import abspath
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, create_model

from metaglot.config.params import FILE, RAW, Data, Params, Split
from metaglot.config.validation_messages import first_error, value_error
from metaglot.config.yaml12 import parse_yaml
from metaglot.core.common.stage_configs import StrictModel, TaskConfig
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.tasks.class_splits import PARTS
from metaglot.core.tasks.split_sizes import part_sizes
from metaglot.datasets.dataset import Dataset
from metaglot.datasets.registry import SOURCES, load_dataset, registered_names

Classes = Mapping[str, type[MetaLearner]]


def parse_params(text: bytes, classes: Classes) -> Params:
    """Params from the bytes of params.yaml, where `classes` are the algorithms that there are.

    Raises UserError for the first mistake, in one line.
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
    sources: Any = Literal[SOURCES]
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
    size = params.data.image_size
    if params.data.is_folder:
        _check_folder(params)
    else:
        dataset = load_dataset(params.data.source)
        _check_split(params.split, dataset)
        _check_task(params.task, params.split, dataset)
        if params.data.channels != 1:
            raise value_error(FILE, ["data", "channels"], params.data.channels, f"1 for {dataset.name}")
        if size > dataset.side:
            raise value_error(FILE, ["data", "image_size"], size, f"a whole number from 4 up to {dataset.side}")
    if params.model == "conv" and size != 28:
        raise value_error(FILE, ["data", "image_size"], size, "28 for the model conv")


def _check_folder(params: Params) -> None:
    """What can be known of a folder of images before it is read."""
    data, model = params.data, params.model
    if f"{abspath(data.path)}/".startswith(f"{abspath(RAW)}/"):
        raise value_error(FILE, ["data", "path"], data.path, f"a folder that is not in {RAW}, which is for downloads")
    if data.path.startswith("~"):
        raise value_error(FILE, ["data", "path"], data.path, "an absolute path, without ~")
    if data.name in registered_names():
        raise value_error(FILE, ["data", "name"], data.name, "a name that no data set of this project has")
    if data.channels == 3 and model != "conv":
        raise value_error(FILE, ["data", "channels"], data.channels, "1 for the model fc; conv takes 3")
    if data.channels == 3 and data.ink in ("dark", "light"):
        raise value_error(FILE, ["data", "ink"], data.ink, "auto or none with three channels, which have no ink")
    if data.groups == "none" and params.task.characters == "alphabet":
        raise value_error(FILE, ["task", "characters"], "alphabet", "any without groups; data.groups: folders has them")
    if data.groups == "none" and params.split.kind == "background":
        raise value_error(FILE, ["split", "kind"], "background", "random without groups; data.groups: folders has them")


def split_counts(split: Split, dataset: Dataset) -> dict[str, int]:
    """The classes of each part, of those that the data set has."""
    sizes = part_sizes(dataset.classes, (split.train, split.validation, split.test))
    return dict(zip(PARTS, sizes, strict=True))


def _check_split(split: Split, dataset: Dataset) -> None:
    counts = split_counts(split, dataset)
    for part, count in counts.items():
        if not 2 <= count <= dataset.classes:
            raise value_error(FILE, ["split", part], count, f"a whole number from 2 up to {dataset.classes}")
    if split.kind == "random" and sum(counts.values()) > dataset.classes:
        raise value_error(FILE, ["split"], counts, f"counts that add up to {dataset.classes} at most")
    if split.kind == "background" and dataset.smallest_held_out is None:
        raise value_error(FILE, ["split", "kind"], split.kind, f"random for {dataset.name}")


def _check_task(task: TaskConfig, split: Split, dataset: Dataset) -> None:
    smallest = min(split_counts(split, dataset).values())
    fewest = dataset.smallest_held_out if split.kind == "background" else smallest
    if fewest is not None and task.ways > fewest:
        takes = f"up to {fewest}, the characters in the smallest part of the split"
        raise value_error(FILE, ["task", "ways"], task.ways, takes)
    most = dataset.images_per_class
    if task.shots >= most:
        raise value_error(FILE, ["task", "shots"], task.shots, f"a whole number from 1 up to {most - 1}")
    if task.shots + task.queries > most:
        takes = f"up to {most - task.shots} beside {task.shots} shots: a character has {most} drawings"
        raise value_error(FILE, ["task", "queries"], task.queries, takes)
