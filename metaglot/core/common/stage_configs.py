"""What `configure` hands to `train`, and the sections of it that other stages' configs share.

Every training depends on this file: what only another stage reads is in the `stage_configs.py` of its own package.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import malformed

Engine = Literal["batched", "learn2learn"]
Model = Literal["fc", "conv"]
BatchNorm = Literal["transductive", "inductive"]
Heads = Literal["one", "several"]  # in a sequence of tasks: one for all of them, or one for each

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Positive = Annotated[int, Field(ge=1, le=10_000_000)]
ImageSize = Annotated[int, Field(ge=4, le=1024)]
Iterations = Annotated[int, Field(ge=0, le=100_000_000)]
Steps = Annotated[int, Field(ge=0, le=1000)]


def _grey_or_colour(channels: int) -> int:
    if channels not in (1, 3):
        raise PydanticCustomError("value_error", "1 or 3")
    return channels


Channels = Annotated[int, AfterValidator(_grey_or_colour), Field(json_schema_extra={"enum": [1, 3]})]
Ways = Annotated[int, Field(ge=2, le=256)]
Shots = Annotated[int, Field(ge=1, le=19)]
TaskImages = Annotated[int, Field(ge=1, le=100)]
Ink = Literal["auto", "dark", "light", "none"]
ValidationTasks = Annotated[int, Field(ge=1, le=100_000)]  # all drawn at once
MetaBatch = Annotated[int, Field(ge=1, le=4096)]
Rate = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Auto = Literal["auto"]
DEVICES = Field(pattern="^(auto|cpu|cuda|cuda:[0-9]{1,2}|mps)$", description="auto, cpu, cuda, cuda:N or mps")


class StrictModel(BaseModel):
    """A mapping with exactly these keys, of exactly these types, that nothing changes afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class TaskConfig(StrictModel):
    """An N-way K-shot task: characters, drawings of each to adapt on and to be scored on, quarter turns.

    characters: of any alphabets, or all of one alphabet; records older than this key have any.
    """

    ways: Ways
    shots: TaskImages
    queries: TaskImages
    rotations: Literal["class", "task", "none"]
    characters: Literal["any", "alphabet"] = "any"


class SplitRef(StrictModel):
    """Which split of the classes a run uses; validation tasks are a function of (seed, index)."""

    kind: Literal["random", "background"]
    seed: Seed


class TrainingConfig(StrictModel):
    """Meta-training: Adam at `meta_lr` over meta-batches, SGD at `fast_lr` within a task.

    batch_norm: whether queries are normalised together, or each by the support set's statistics; records older than
    this key are transductive.
    """

    engine: Engine
    iterations: Iterations
    meta_batch_size: MetaBatch
    meta_lr: Rate
    fast_lr: Rate
    adaptation_steps: Steps
    validate_every: Positive
    validation_tasks: ValidationTasks
    batch_norm: BatchNorm = "transductive"


class ComputeConfig(StrictModel):
    """Device, threads and tasks at once. `auto` stays unresolved: run.json says what was used."""

    device: Annotated[str, DEVICES]
    threads: Auto | Annotated[int, Field(ge=1, le=1024)]
    task_chunk: Auto | Annotated[int, Field(ge=1, le=4096)]


class ImageForm(StrictModel):
    """How the images of a folder become a network's input: `data.ink` and `data.channels`."""

    ink: Ink
    channels: Channels


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
    batch_norm: BatchNorm | None = None
    test_adaptation_steps: Steps | None = None


class RunIdentity(StrictModel):
    """What identifies a run: the algorithm and its class, the data set, the task and the network."""

    algorithm: str
    label: str
    implementation: str
    first_order: bool | None  # null where it means nothing
    dataset: str
    model: Model
    image_size: ImageSize
    task: TaskConfig
    split: SplitRef
    images: ImageForm | None = None  # null for a data set of metaglot/datasets/registry.py

    @property
    def channels(self) -> int:
        return self.images.channels if self.images else 1


class TrainStageConfig(RunIdentity):
    """`<algorithm>/train.yaml`. settings: of the algorithm, resolved."""

    train: TrainingConfig
    run: ComputeConfig
    settings: dict[str, Any]  # the algorithm's own, resolved


Config = TypeVar("Config", bound=BaseModel)


def load_stage_config(model: type[Config], path: Path) -> Config:
    """Read a stage's config from YAML; raises UserError, naming the key, if it is missing, malformed or no `model`."""
    try:
        return model.model_validate(read_yaml(path))
    except ValidationError as mistakes:
        raise malformed(path, mistakes, "run `python -m stages.configure` to write it again") from None
