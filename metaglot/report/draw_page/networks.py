"""What the draw page embeds: the weights, scores and recorded gradients of the networks that it can compute."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from metaglot.core.common.errors import UserError, unreadable_weights
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.over_seeds import by_algorithm

INNER_LOOPS = ("maml", "fomaml")  # gradient steps of one rate on all parameters, as the page computes them
MODEL = "fc"
NEAREST = "omniglot-nearest"  # the page shrinks drawings by means of pixels
PARTS = ("linear.weight", "normalize.weight", "normalize.bias")
LINEAR = tuple(f"features.1.{block}.linear.weight" for block in range(4))
HEAD = ("classifier.weight", "classifier.bias")
NAMES = (*(f"features.1.{k}.{part}" for k in range(4) for part in PARTS), *HEAD)
Weights = dict[str, NDArray[np.float32]]


def computable(runs: list[LoadedRun]) -> list[LoadedRun]:
    """The first run of each algorithm whose network and inner loop the page has."""
    first = [seeds[0] for seeds in by_algorithm(runs)]
    return [run for run in first if run.algorithm in INNER_LOOPS and _model(run) == MODEL and not _is_nearest(run)]


def left_out(runs: list[LoadedRun]) -> list[str]:
    """A sentence for each reason why a run of the report is not in the page."""
    sentences = []
    labels = dict.fromkeys(run.result.label for run in runs if run.algorithm not in INNER_LOOPS)
    if labels:
        sentences.append(f"Left out: {', '.join(labels)}. The page has the inner loop of MAML and FOMAML only.")
    if any(_model(run) != MODEL for run in runs):
        sentences.append(f"Left out: networks of the model {_model(runs[0])}. The page has the model {MODEL} only.")
    if any(map(_is_nearest, runs)):
        sentences.append("Left out: networks trained on nearest pixels. The page shrinks drawings by means of pixels.")
    if any(len(seeds) > 1 for seeds in by_algorithm(runs)):
        sentences.append("Of each algorithm the page has the first seed's network.")
    return sentences


def _model(run: LoadedRun) -> str:
    return run.record.config.model


def _is_nearest(run: LoadedRun) -> bool:
    return run.record.config.dataset == NEAREST


def network_data(run: LoadedRun, weights: Weights) -> dict[str, Any]:
    """One network as the page's scripts read it."""
    result, train = run.result, run.record.config.train
    scores = {"transductive": result.accuracy, "inductive": result.inductive.accuracy}
    return {
        "name": run.name,
        "rate": train.fast_lr,
        "trainingSteps": train.adaptation_steps,
        "testSteps": result.evaluate.adaptation_steps,
        "tasks": result.evaluate.tasks,
        "scores": {
            protocol: {"mean": score.mean, "low": score.wider_interval[0], "high": score.wider_interval[1]}
            for protocol, score in scores.items()
        },
        "alignment": _alignment(run),
        "weights": _base64(weights),
    }


def _alignment(run: LoadedRun) -> dict[str, dict[str, list[float]]]:
    """By layer, the cosines and norm ratios in the order of training.

    Empty if they are not of first order, or not of queries that are normalised together, as the page computes them.
    """
    layers: dict[str, dict[str, list[float]]] = {}
    config = run.record.config
    factor = config.model_dump().get("settings", {}).get("second_order", 1.0)
    is_as_on_the_page = factor in (0.0, 1.0) and config.train.batch_norm == "transductive"
    for row in run.alignment if is_as_on_the_page else []:
        recorded = layers.setdefault(row.layer, {"cosine": [], "normRatio": []})
        recorded["cosine"].append(row.cosine)
        recorded["normRatio"].append(row.norm_ratio)
    return layers


def _base64(weights: Weights) -> str:
    """Float32, little-endian, in the order of NAMES."""
    return base64.b64encode(b"".join(weights[name].astype("<f4").tobytes() for name in NAMES)).decode()


def feature_sizes(weights: Weights) -> list[int]:
    """The number of pixels, of each layer's features, and of classes."""
    matrices = [weights[name] for name in (*LINEAR, HEAD[0])]
    return [matrices[0].shape[1], *(len(matrix) for matrix in matrices)]


def read_networks(runs: list[LoadedRun], weights_of: Callable[[str, int], Path]) -> list[tuple[LoadedRun, Weights]]:
    return [(run, _read_weights(weights_of(run.algorithm, run.seed))) for run in computable(runs)]


def _read_weights(path: Path) -> Weights:
    try:
        weights: Weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise unreadable_weights(path, error) from None
    if lacking := [name for name in NAMES if name not in weights]:
        raise UserError(f"{path} lacks {lacking[0]}: train it again with `dvc repro -f`")
    return weights
