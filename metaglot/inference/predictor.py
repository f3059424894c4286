"""A trained initialisation at work: show it a few pictures of each of some characters, and ask it about others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, TaskClassifier, classifier_after
from metaglot.inference.load_run import load_run
from metaglot.inference.user_images import UserImage, load_images

Preprocess = Callable[[Iterable[UserImage]], Tensor]

MOST_STEPS = 1000  # as in params.yaml


@dataclass(frozen=True)
class Prediction:
    """What a query was taken for, how sure of it the network is, and the probability of every class."""

    label: str
    probability: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class AdaptedClassifier:
    """A classifier of the user's own classes. see: pictures as the network takes them."""

    classifier: TaskClassifier
    classes: tuple[str, ...]
    see: Preprocess

    @torch.no_grad()
    def predict(self, queries: Iterable[UserImage], transductive: bool = False) -> list[Prediction]:
        """Tell what each query is. By default each is looked at by itself.

        transductive: as in the published protocol, batch norm sees all queries at once, so each answer depends on
        the others. It helps where the queries show every class about equally often, and misleads where they do not.
        """
        pixels = self.see(queries)[None]
        if transductive and pixels.shape[1] == 1:
            raise UserError("one query by itself has no others to be compared with: predict it without `transductive`")
        if not pixels.shape[1]:
            return []
        logits = (self.classifier if transductive else self.classifier.inductive)(pixels)[0]
        if not logits.isfinite().all():
            raise UserError("the adaptation ran away (its predictions are not finite): take fewer steps")
        return [self._prediction(row) for row in logits[:, : len(self.classes)].double().softmax(-1)]

    def _prediction(self, probabilities: Tensor) -> Prediction:
        named = dict(zip(self.classes, probabilities.tolist(), strict=True))
        best = max(named, key=named.__getitem__)
        return Prediction(best, named[best], named)


@dataclass(frozen=True)
class Predictor:
    """A trained network and the algorithm that knows how to adapt it.

    ways, shots: how many classes it was trained to tell apart, the most that it takes, and from how many pictures of
    each. see: pictures as the network takes them. steps: of adaptation, unless others are asked for.
    """

    algorithm: MetaLearner
    learned: MetaParameters
    ways: int
    shots: int
    see: Preprocess
    steps: int

    @torch.no_grad()
    def adapt(
        self, pictures: Iterable[UserImage], labels: Sequence[str], steps: int | None = None
    ) -> AdaptedClassifier:
        """Learn the user's classes from pictures of them, a few of each, `labels` saying which is of what.

        From two classes to as many as it was trained on; with fewer, the outputs that are left over take part in the
        adaptation and not in the answer. Give it about as many pictures of each as it was trained on: batch norm lives
        on what they have in common, and of one picture of each of two classes it can only guess.
        """
        steps = self.steps if steps is None else steps
        if not 0 <= steps <= MOST_STEPS:
            raise UserError(f"{steps} adaptation steps where 0 to {MOST_STEPS} can be taken")
        classes = tuple(dict.fromkeys(labels))
        if not 2 <= len(classes) <= self.ways:
            raise UserError(f"{len(classes)} classes where this network takes 2 to {self.ways}, as it was trained")
        pixels = self.see(pictures)
        if len(pixels) != len(labels):
            raise UserError(f"{len(pixels)} pictures have {len(labels)} labels: each has one")
        numbers = torch.tensor([classes.index(label) for label in labels])
        order = numbers.argsort(stable=True)  # by class, as in training
        classifiers = self.algorithm.adapt(self.learned, pixels[order][None], numbers[order][None])
        return AdaptedClassifier(classifier_after(classifiers, steps), classes, self.see)


def load_predictor(run: str | Path) -> Predictor:
    """The network of a finished training, from its folder: `data/models/maml-42`.

    It adapts in as many steps as its test took, where its result is in its place (`data/results/maml-42.json`), and
    else in as many as in training. Raises UserError where a file is missing, damaged, or of another training.
    """
    config, algorithm, learned, steps = load_run(Path(run))
    see = partial(load_images, size=config.image_size, dataset=config.dataset)
    return Predictor(algorithm, learned, config.task.ways, config.task.shots, see, steps)
