"""Classify images of new classes with a trained network, after adapting it to a few labelled images of each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskClassifier, classifier_after
from metaglot.inference.labels import Label, label_values
from metaglot.inference.load_run import load_run
from metaglot.inference.user_images import UserImage, load_images

Preprocess = Callable[[Iterable[UserImage]], Tensor]

MAX_STEPS = 1000  # as in params.yaml


@dataclass(frozen=True)
class Prediction:
    """The most probable class of a query image, its probability, and the probability of every class."""

    label: Any
    probability: float
    probabilities: dict[Label, float]


@dataclass(frozen=True)
class AdaptedClassifier:
    """A classifier of the user's own classes. preprocess: turns images into the network's input."""

    classifier: TaskClassifier = field(repr=False)
    classes: tuple[Label, ...]
    preprocess: Preprocess = field(repr=False)

    @torch.no_grad()
    def predict(self, queries: Iterable[UserImage], transductive: bool = False) -> list[Prediction]:
        """Classify each query image, by default independently of the others.

        transductive: batch norm normalises all queries together, as in the published protocol, so each prediction
        depends on the other queries. It helps if every class is about equally frequent, and misleads otherwise.
        """
        pixels = self.preprocess(queries)[None]
        if transductive and pixels.shape[1] == 1:
            raise UserError("a single query cannot be normalised with others: predict it without `transductive`")
        if not pixels.shape[1]:
            return []
        logits = (self.classifier if transductive else self.classifier.inductive)(pixels)[0]
        if not logits.isfinite().all():
            raise UserError("the adaptation diverged (its predictions are not finite): take fewer steps")
        return [self._prediction(row) for row in logits[:, : len(self.classes)].double().softmax(-1)]

    def _prediction(self, probabilities: Tensor) -> Prediction:
        by_class = dict(zip(self.classes, probabilities.tolist(), strict=True))
        best = max(by_class, key=by_class.__getitem__)
        return Prediction(best, by_class[best], by_class)


@dataclass(frozen=True)
class Predictor:
    """A trained network and its meta-learner.

    ways: the largest number of classes, as in training. shots: images of each class in training.
    adaptation_steps: the default of `adapt`.
    """

    learner: MetaLearner = field(repr=False)
    parameters: MetaParameters = field(repr=False)  # a notebook shows the rest
    ways: int
    shots: int
    preprocess: Preprocess = field(repr=False)
    adaptation_steps: int

    @torch.no_grad()
    def adapt(self, images: Iterable[UserImage], labels: Iterable[Any], steps: int | None = None) -> AdaptedClassifier:
        """Adapt the network to labelled images of the user's classes.

        labels: one for each image, equal for images of one class: a list, or an array of any library. It accepts
        between two classes and the number it was trained on; with fewer, the unused outputs take part in the
        adaptation but not in the predictions. Pass about `shots` images of each class: batch norm takes its
        statistics from them, and one image of each of two classes is too little.
        """
        steps = self.adaptation_steps if steps is None else steps
        if not isinstance(steps, Integral) or not 0 <= steps <= MAX_STEPS:
            raise UserError(f"got {steps!r} adaptation steps; takes a whole number from 0 to {MAX_STEPS}")
        values = label_values(labels)
        classes = tuple(dict.fromkeys(values))
        if not 2 <= len(classes) <= self.ways:
            raise UserError(f"got {len(classes)} classes; this network takes 2 to {self.ways}, as it was trained")
        pixels = self.preprocess(images)
        if len(pixels) != len(values):
            raise UserError(f"got {len(pixels)} images and {len(values)} labels; pass one label for each image")
        outputs = {value: output for output, value in enumerate(classes)}
        targets = torch.tensor([outputs[value] for value in values])
        order = targets.argsort(stable=True)  # by class, as in training
        classifiers = self.learner.adapt(self.parameters, pixels[order][None], targets[order][None])
        return AdaptedClassifier(classifier_after(classifiers, steps), classes, self.preprocess)


def load_predictor(run: str | Path) -> Predictor:
    """The predictor of a finished training, from its folder or a copy of it, such as `data/models/maml-42`.

    It adapts in as many steps as its test. Before `evaluate` has run, it uses the algorithm's default (Reptile: 50)
    or else the number of steps in training. Raises UserError if a file is missing, damaged or belongs to another run.
    """
    config, learner, parameters, steps = load_run(Path(run))
    preprocess = partial(load_images, size=config.image_size, dataset=config.dataset, form=config.images)
    return Predictor(learner, parameters, config.task.ways, config.task.shots, preprocess, steps)
