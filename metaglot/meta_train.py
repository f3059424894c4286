"""Meta-train on images of your own, without the pipeline: from a notebook, say."""

from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.core.common.atomic_files import sha256, write_json
from metaglot.core.common.errors import UserError, malformed
from metaglot.core.common.run_records import AdaptationRecord, write_history
from metaglot.core.common.stage_configs import AlgorithmSettings, TrainStageConfig
from metaglot.core.common.weights_file import write_weights
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.tasks.image_store import ImageStore
from metaglot.datasets.registry import USER_ARRAYS
from metaglot.inference.predictor import Predictor, load_predictor
from metaglot.training.create_run import create_run, trained_weights
from metaglot.training.training_run import ProgressCallback

TASK: dict[str, Any] = {"ways": 5, "shots": 5, "queries": 5, "characters": "any", "rotations": "class"}
TRAIN: dict[str, Any] = {
    "engine": "batched",
    "iterations": 10_000,
    "meta_batch_size": 32,
    "meta_lr": 0.003,
    "fast_lr": 0.5,
    "adaptation_steps": 1,
    "validate_every": 500,
    "validation_tasks": 200,
    "batch_norm": "transductive",
}
CONV_SIZE = 28
HELD_OUT = 0.1  # of the classes, for validation


def meta_train(
    images: NDArray[np.uint8],
    folder: str | Path,
    algorithm: str = "maml",
    seed: int = 42,
    model: str = "fc",
    device: str = "cpu",
    on_progress: ProgressCallback = lambda iteration, loss, accuracy: None,
    **options: Any,
) -> Predictor:
    """Meta-train on images of many classes; returns the predictor, whose folder can be copied and loaded anywhere.

    images: uint8 [classes, images, size, size], 255 = ink; the last tenth of the classes, at least `ways`, is for
    validation.
    folder: where weights.safetensors, run.json and history.csv are written. algorithm: a name from
    `metaglot.algorithms.registry`. model: `fc`, or `conv` for images of 28x28. on_progress: called now and then with
    the iteration, the mean loss and the mean accuracy. options: keys of params.yaml's `task` and `train` and of the
    algorithm's `settings`; by default the algorithm's own values, else the original study's. One that the algorithm has
    no use for, such as `iterations` of `scratch`, changes nothing. Trainings at once need a process each: random
    generators belong to the process, not to a thread. Raises UserError.
    """
    _check_images(images, model)
    config = _config(algorithm, model, images.shape[-1], options)
    parts = _split(images, config.task.ways)
    seed, computes_on = _seed(seed), _device(device)
    training, validation = (ImageStore(part, computes_on) for part in parts)
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):  # as the stages compute
        run, place = create_run(config, seed, training, validation, Untimed()), _folder(folder)
        for _ in run.run(on_progress, lambda: None):
            pass
    weights = place / "weights.safetensors"
    write_weights(weights, trained_weights(run, config, seed))
    _write_adaptation(place / "adaptation.json", options.get("test_adaptation_steps"), weights)
    write_history(place / "history.csv", run.history)
    about = {"algorithm": algorithm, "label": config.label, "seed": seed}
    write_json(place / "run.json", about | {"config": {**config.model_dump(), "seed": seed}})
    return load_predictor(place)


def _write_adaptation(path: Path, steps: int | None, weights: Path) -> None:
    """Write the predictor's number of steps; with None it takes the training's, and an earlier file is removed."""
    path.unlink(missing_ok=True)
    if steps is not None:
        tested = AdaptationRecord(adaptation_steps=int(steps), weights_sha256=sha256(weights))
        write_json(path, tested.model_dump())


class Untimed:
    """A timer that measures nothing: who calls the library times it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def phase(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()


def _check_images(images: NDArray[np.uint8], model: str) -> None:
    """Raise UserError for another type or shape than the training takes."""
    shape: tuple[int, ...] = getattr(images, "shape", ())
    if getattr(images, "dtype", None) != np.uint8 or len(shape) != 4 or shape[2] != shape[3] or 0 in shape:
        raise UserError(
            f"images: got {getattr(images, 'dtype', type(images).__name__)} {[*shape]}; takes uint8 [classes, images, "
            "size, size], 255 = ink"
        )
    if model == "conv" and shape[2] != CONV_SIZE:
        raise UserError(f"images: got {shape[2]}x{shape[2]} pixels; the model conv takes {CONV_SIZE}x{CONV_SIZE}")


def _split(images: NDArray[np.uint8], ways: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The classes to train on, and those to validate on."""
    held_out = max(ways, int(HELD_OUT * len(images)))
    if len(images) < ways + held_out:
        raise UserError(f"images: got {len(images)} classes; tasks of {ways} ways take {2 * ways} or more")
    return images[:-held_out], images[-held_out:]


def _seed(seed: Any) -> int:
    """A whole number of Python or NumPy, as run.json and the random streams take it."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise UserError(f"seed: got {seed!r}; takes a whole number from 0 to {2**32 - 1}")
    return int(seed)


def _folder(folder: Any) -> Path:
    """The folder, made before the training, which would be lost without it."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except (OSError, TypeError) as error:
        raise UserError(f"folder: got {folder!r}; takes a folder that can be made ({error})") from None
    return Path(folder)


def _device(name: Any) -> torch.device:
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"device: got {name!r}; takes cpu, or cuda where there is one ({reason})") from None


def _config(algorithm: str, model: str, size: int, options: dict[str, Any]) -> TrainStageConfig:
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise UserError(f"algorithm: got {algorithm!r}; takes {', '.join(ALGORITHMS)}")
    kind: type[MetaLearner] = resolve_name(ALGORITHMS[algorithm])
    first_order = kind.takes_first_order and options.pop("first_order", False)
    if first_order and options.get("second_order", 1.0) != 1:
        raise UserError(f"second_order: got {options['second_order']!r}; takes 1.0 with first_order=True")
    options = {key: value.item() if isinstance(value, np.generic) else value for key, value in options.items()}
    own = kind.Settings().model_dump(include=set(TRAIN), exclude_none=True)
    task, train = ({key: options.pop(key, value) for key, value in keys.items()} for keys in (TASK, TRAIN | own))
    train |= {key: value for key, value in own.items() if key in kind.unused_settings}
    shared = {key: value for key, value in train.items() if key in own}
    try:
        settings = kind.Settings.model_validate(shared | options)
        label, first_order = kind.label_and_order(first_order, settings)
        return TrainStageConfig.model_validate(
            {
                "algorithm": algorithm,
                "label": label,
                "implementation": ALGORITHMS[algorithm],
                "first_order": first_order,
                "dataset": USER_ARRAYS,
                "model": model,
                "image_size": size,
                "task": task,
                "split": {"kind": "random", "seed": 0},
                "train": train,
                "run": {"device": "cpu", "threads": "auto", "task_chunk": "auto"},
                "settings": settings.model_dump(exclude=set(AlgorithmSettings.model_fields)),
            }
        )
    except ValidationError as mistakes:
        raise malformed("meta_train", mistakes) from None
