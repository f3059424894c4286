"""What each stage is told: params.yaml with every value resolved, one file for each reader."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from metaglot.config.algorithm_checks import check_test_sequences, check_training
from metaglot.config.params import Params
from metaglot.config.parse_params import Classes, split_counts
from metaglot.core.common.dotted_keys import flatten
from metaglot.core.common.stage_configs import (
    AlgorithmSettings,
    ImageForm,
    RunIdentity,
    SplitRef,
    StrictModel,
    TaskConfig,
    TrainingConfig,
    TrainStageConfig,
)
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.datasets.registry import FOLDER, load_dataset, registered_names
from metaglot.datasets.stage_configs import DownloadStageConfig, FolderConfig, PreprocessStageConfig
from metaglot.evaluation.stage_configs import EvaluateStageConfig, EvaluationConfig
from metaglot.report.stage_configs import ReportStageConfig, RunRef

SHARED = set(AlgorithmSettings.model_fields)  # of a block's keys: those that are not the algorithm's own


def import_classes(table: Mapping[str, str]) -> Classes:
    """The classes that a table of `module:Class` names."""
    return {name: resolve_name(place) for name, place in table.items()}


def resolve(params: Params, classes: Classes) -> dict[str, StrictModel]:
    """The content of every config file, by its path within data/config."""
    download = DownloadStageConfig(source=_raw_source(params))
    files: dict[str, StrictModel] = {"data.yaml": download, "split.yaml": _split(params)}
    rows = []
    for name in params.algorithms:
        trained = _train(params, name, classes[name])
        files[f"{name}/train.yaml"] = trained
        files[f"{name}/evaluate.yaml"] = _evaluate(params, trained, classes[name])
        about = trained.model_dump(include={"algorithm", "label", "first_order"})
        rows += [RunRef(**about, seed=seed) for seed in params.seeds]
    given = dict(flatten(params.model_dump(exclude_none=True)))
    files["report.yaml"] = ReportStageConfig(
        **_common(params), margin=params.report.margin, is_folder=params.data.is_folder, rows=rows, params=given
    )
    return files


def overridden_settings(params: Params) -> Iterator[str]:
    """In words, what `settings` sets differently from `train` and `evaluate`, and `data.path` from `data.source`."""
    if params.data.is_folder and params.data.source != FOLDER:
        yield f"data.path: the images of {params.data.path} instead of {params.data.source}"
    shared = {**params.train.model_dump(), "test_adaptation_steps": params.evaluate.adaptation_steps}
    for name in params.algorithms:
        for key, value in _beating(params, name).items():
            if value != shared[key]:
                yield f"settings.{name}.{key}: {value} instead of {shared[key]}"


def _beating(params: Params, name: str) -> dict[str, Any]:
    """What an algorithm's block sets of the keys that all share."""
    block: AlgorithmSettings = getattr(params.settings, name)
    return block.model_dump(include=SHARED, exclude_none=True)


def _common(params: Params) -> dict[str, Any]:
    split = SplitRef(kind=params.split.kind, seed=params.split.seed)
    return {
        "dataset": dataset_name(params),
        "model": params.model,
        "task": TaskConfig(**dict(params.task)),
        "split": split,
    }


def dataset_name(params: Params) -> str:
    """What results call the data set: of a folder `data.name` or its own name, of which no other data set has one."""
    data = params.data
    if not data.is_folder:
        return load_dataset(data.source).name
    if data.name != "auto":
        return data.name
    printable = "".join(c if c.isprintable() and c not in "/:" else "-" for c in Path(data.path).resolve().name)
    name = printable[:100] or FOLDER
    return f"{name} (folder)" if name in registered_names() else name


def _raw_source(params: Params) -> str:
    """The data set whose raw files are fetched."""
    if params.data.is_folder:
        return FOLDER
    return load_dataset(params.data.source).fetched_as or params.data.source


def _form(params: Params) -> ImageForm | None:
    return ImageForm(ink=params.data.ink, channels=params.data.channels) if params.data.is_folder else None


def _folder(params: Params) -> FolderConfig | None:
    data, task, form = params.data, params.task, _form(params)
    if form is None:
        return None
    return FolderConfig(
        **data.model_dump(include={"path", "groups", "unreadable"}),
        form=form,
        images_needed=task.shots + task.queries,
        ways=task.ways,
    )


def _split(params: Params) -> PreprocessStageConfig:
    split = params.split.model_dump()
    if not params.data.is_folder:
        split |= split_counts(params.split, load_dataset(params.data.source))
        if params.split.kind == "background":  # the alphabets decide how many characters there are
            split |= dict.fromkeys(("train", "validation", "test"))
    return PreprocessStageConfig(
        **split, dataset=dataset_name(params), image_size=params.data.image_size, folder=_folder(params)
    )


def _train(params: Params, name: str, found: type[MetaLearner]) -> TrainStageConfig:
    beating = {key: value for key, value in _beating(params, name).items() if key in TrainingConfig.model_fields}
    train = TrainingConfig(**{**dict(params.train), **beating})
    check_training(params, train, name, found)
    settings = getattr(params.settings, name)
    label, first_order = found.label_and_order(params.first_order, settings)
    return TrainStageConfig(
        **_common(params),
        algorithm=name,
        label=label,
        implementation=f"{found.__module__}:{found.__qualname__}",
        first_order=first_order,
        image_size=params.data.image_size,
        images=_form(params),
        train=train,
        run=params.run,
        settings=settings.model_dump(exclude=SHARED),
    )


def _evaluate(params: Params, trained: TrainStageConfig, found: type[MetaLearner]) -> EvaluateStageConfig:
    check_test_sequences(params, trained.algorithm, found)
    steps = _beating(params, trained.algorithm).get("test_adaptation_steps", params.evaluate.adaptation_steps)
    return EvaluateStageConfig(
        **{key: getattr(trained, key) for key in (*RunIdentity.model_fields, "run", "settings")},
        fast_lr=trained.train.fast_lr,
        evaluate=EvaluationConfig(**{**dict(params.evaluate), "adaptation_steps": steps}),
    )
