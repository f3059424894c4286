"""Requests to a served network: labelled images and queries as plain values of JSON, and the answers to them."""

import base64
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image

from metaglot.core.common.errors import UserError
from metaglot.datasets.image_files import MAX_PIXELS, pixel_limit, upright_and_reduced
from metaglot.inference.predictor import Predictor
from metaglot.inference.user_images import UserImage

MAX_IMAGES = 1_000  # in each part of a request
REQUIRED, OPTIONAL = ("support", "labels", "queries"), ("steps", "transductive")
DATA_URL = "data:image/png;base64,"


Answer = dict[str, Any]


def answer_all(predictor: Predictor, given: Any) -> Answer | list[Answer]:
    """The answer to one request, or a list of answers to a list of them. Raises UserError about the first mistake."""
    if not isinstance(given, list):
        return answer(predictor, given)
    answers = []
    for number, request in enumerate(given, start=1):
        with _naming(f"request {number}"):
            answers.append(answer(predictor, request))
    return answers


def answer(predictor: Predictor, request: Mapping[str, Any]) -> Answer:
    """The label of each query, and its probability of every class, as the predictor gives them.

    request: `support` and `queries`, lists of images, each nested lists of numbers or a PNG in base64; `labels`, a
    text for each image of `support`; optional: `steps`, `transductive`. Raises UserError if it cannot be answered.
    """
    _check_names(request)
    support, labels, queries = (_required(request, name) for name in REQUIRED)
    steps, transductive = _optional(request, "steps", int), _optional(request, "transductive", bool)
    _check_labels(labels)
    with _naming("`support`"):
        classifier = predictor.adapt(_images(support), labels, steps)
    with _naming("`queries`"):
        predictions = classifier.predict(_images(queries), bool(transductive))
    return {
        "labels": [prediction.label for prediction in predictions],
        "probabilities": [prediction.probabilities for prediction in predictions],
    }


def _check_names(request: Any) -> None:
    names = f"`{'`, `'.join(REQUIRED)}`, and if wanted `{'`, `'.join(OPTIONAL)}`"
    if not isinstance(request, Mapping):
        raise UserError(f"a request is a mapping with {names}; got a {type(request).__name__}")
    if unknown := [str(name) for name in request if name not in (*REQUIRED, *OPTIONAL)]:
        raise UserError(f"`{unknown[0]:.60}` is unknown; a request has {names}")


def _required(request: Mapping[str, Any], name: str) -> list[Any]:
    value = request.get(name)
    if _is_missing(value):
        raise UserError(f"`{name}` is missing; a request has `{'`, `'.join(REQUIRED)}`")
    if not isinstance(value, list | tuple | np.ndarray):
        raise UserError(f"`{name}` is a {type(value).__name__}; takes a list")
    if len(value) > MAX_IMAGES:
        raise UserError(f"`{name}` has {len(value)} entries, more than the limit of {MAX_IMAGES}")
    return list(value)


def _optional(request: Mapping[str, Any], name: str, kind: type) -> Any:
    value = request.get(name)
    if _is_missing(value):
        return None
    plain = value.item() if isinstance(value, np.generic) else value
    if kind is int and isinstance(plain, float) and plain.is_integer():
        plain = int(plain)  # pandas turns a column of whole numbers with a gap into floats
    if type(plain) is not kind:
        raise UserError(f"`{name}` is {value!r:.60}; takes {'true or false' if kind is bool else 'a whole number'}")
    return plain


def _is_missing(value: Any) -> bool:
    """NaN is what pandas puts where one of several requests lacks a part."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _check_labels(labels: list[Any]) -> None:
    for number, label in enumerate(labels, start=1):
        if not isinstance(label, str):
            raise UserError(f"`labels`: label {number} is {label!r:.60}; takes a text")


@contextmanager
def _naming(part: str) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f"{part}: {error}") from None


def _images(values: list[Any]) -> list[UserImage]:
    return [_image(value, number) for number, value in enumerate(values, start=1)]


def _image(value: Any, number: int) -> UserImage:
    if isinstance(value, str):
        return _png(value, number)
    if not isinstance(value, list | tuple | np.ndarray):
        kind = "null" if value is None else f"a {type(value).__name__}"
        raise UserError(f"image {number} is {kind}; takes nested lists of numbers, or a PNG in base64")
    return value if isinstance(value, np.ndarray) else _array(value, number)


def _png(text: str, number: int) -> Image.Image:
    """The image in a base64 text. No other format is opened, since a request may come from anybody."""
    try:
        content = base64.b64decode("".join(text.removeprefix(DATA_URL).split()), validate=True)
        with pixel_limit(), Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            return upright_and_reduced(image)
    except UserError as error:
        raise UserError(f"image {number} {error}") from None
    except Image.DecompressionBombError:
        raise UserError(f"image {number} has more pixels than the limit of {MAX_PIXELS:,}") from None
    except Exception:  # of base64, or of Pillow, which raises almost anything for a damaged file
        raise UserError(f"image {number} is a text, but no PNG in base64") from None


def _array(pixels: Sequence[Any], number: int) -> np.ndarray:
    """Whole numbers of colours become bytes, since JSON does not say how many bits a number has."""
    try:
        array = np.asarray(pixels)
    except ValueError:
        raise UserError(f"image {number} is no array: its rows have different lengths") from None
    is_bytes = array.ndim == 3 and array.dtype.kind in "iu" and array.size and 0 <= array.min() <= array.max() <= 255
    return array.astype(np.uint8) if is_bytes else array
