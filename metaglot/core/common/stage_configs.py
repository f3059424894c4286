"""The sections that stages are configured by, and the files in which `configure` hands them on.

Every training depends on this file, so it says what a value is, and leaves where it came from to `params.py`.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import UserError

Dataset = Literal["omniglot", "omniglot-nearest", "glyphs (synthetic)"]
Engine = Literal["batched", "learn2learn"]
Model = Literal["fc", "conv"]

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Positive = Annotated[int, Field(ge=1, le=10_000_000)]
ImageSize = Annotated[int, Field(ge=4, le=105)]  # 105: the drawings' own size
Iterations = Annotated[int, Field(ge=0, le=100_000_000)]
Steps = Annotated[int, Field(ge=0, le=1000)]
Ways = Annotated[int, Field(ge=2, le=256)]
Shots = Annotated[int, Field(ge=1, le=19)]  # a character has 20 drawings
ValidationTasks = Annotated[int, Field(ge=1, le=100_000)]  # all drawn at once
MetaBatch = Annotated[int, Field(ge=1, le=4096)]
Rate = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Auto = Literal["auto"]
DEVICES = Field(pattern="^(auto|cpu|cuda|cuda:[0-9]{1,2}|mps)$", description="auto, cpu, cuda, cuda:N or mps")


class StrictModel(BaseModel):
    """A mapping with exactly these keys, of exactly these types, that nothing changes afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class TaskConfig(StrictModel):
    """An N-way K-shot task: characters, drawings of each to adapt on and to be scored on, quarter turns."""

    ways: Ways
    shots: Shots
    queries: Shots
    rotations: Literal["class", "task", "none"]


class SplitRef(StrictModel):
    """Which split of the characters a run is about; validation tasks are a function of (seed, index)."""

    kind: Literal["random", "background"]
    seed: Seed


class TrainingConfig(StrictModel):
    """Meta-training: Adam at `meta_lr` over meta-batches, SGD at `fast_lr` within a task."""

    engine: Engine
    iterations: Iterations
    meta_batch_size: MetaBatch
    meta_lr: Rate
    fast_lr: Rate
    adaptation_steps: Steps
    validate_every: Positive
    validation_tasks: ValidationTasks


class EvaluationConfig(StrictModel):
    """Testing on tasks that are a function of (seed, index): the same for every algorithm."""

    tasks: Annotated[int, Field(ge=2, le=1_000_000)]
    adaptation_steps: Steps
    seed: Seed


class ComputeConfig(StrictModel):
    """Where and how it is computed. `auto` stays unresolved: what was used is in the run's record."""

    device: Annotated[str, DEVICES]
    threads: Auto | Annotated[int, Field(ge=1, le=1024)]
    task_chunk: Auto | Annotated[int, Field(ge=1, le=4096)]


class AlgorithmSettings(StrictModel):
    """What an algorithm may do differently from `train` and `evaluate`; its subclass adds keys of its own."""

    engine: Engine | None = None
    iterations: Iterations | None = None
    meta_batch_size: MetaBatch | None = None
    meta_lr: Rate | None = None
    fast_lr: Rate | None = None
    adaptation_steps: Steps | None = None
    validate_every: Positive | None = None
    validation_tasks: ValidationTasks | None = None
    test_adaptation_steps: Steps | None = None


class DownloadStageConfig(StrictModel):
    source: Literal["omniglot", "glyphs"]


class PreprocessStageConfig(SplitRef):
    """`preprocess`: counts of characters for `random`; null for `background`, where the alphabets decide."""

    dataset: Dataset
    image_size: ImageSize
    train: int | None
    validation: int | None
    test: int | None


class RunIdentity(StrictModel):
    """What a run is of: the algorithm, where it lives, and the data, task and network it is given."""

    algorithm: str
    label: str
    implementation: str
    first_order: bool | None  # null where it means nothing
    dataset: Dataset
    model: Model
    image_size: ImageSize
    task: TaskConfig
    split: SplitRef


class TrainStageConfig(RunIdentity):
    train: TrainingConfig
    run: ComputeConfig
    settings: dict[str, Any]  # the algorithm's own, resolved


class EvaluateStageConfig(RunIdentity):
    fast_lr: Rate
    evaluate: EvaluationConfig
    run: ComputeConfig
    settings: dict[str, Any]


class RunRef(StrictModel):
    algorithm: str
    label: str
    first_order: bool | None
    seed: Seed


class ReportStageConfig(StrictModel):
    """`report`: the runs to compare, and the difference in accuracy (a fraction) that would not matter."""

    dataset: Dataset
    margin: Annotated[float, Field(gt=0, lt=1)]
    task: TaskConfig
    model: Model
    split: SplitRef
    rows: list[RunRef]


Config = TypeVar("Config", bound=BaseModel)


def load_stage_config(model: type[Config], path: Path) -> Config:
    """Read a stage's config from YAML; one that is missing, malformed or not a `model` is refused by key."""
    try:
        return model.model_validate(read_yaml(path))
    except ValidationError as mistakes:
        first = mistakes.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"{path}: {key}: {first['msg']}; run `python -m stages.configure` to write it again") from None
