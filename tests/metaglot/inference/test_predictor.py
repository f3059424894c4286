"""A trained network classifies a user's images as it was tested: the same adaptation, the same answers."""

from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from trained_glyphs import SHOTS, SIZE, WAYS, drawings, trained

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.core.common.errors import UserError
from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.nn.learn2learn_networks import initial_module
from metaglot.inference.predictor import AdaptedClassifier, Predictor, load_predictor
from metaglot.inference.user_images import load_images

CLASSES = "abc"
LABELS = [name for name in CLASSES for _ in range(SHOTS)]
BRIEF = {"train__iterations": 2, "train__validate_every": 2, "train__adaptation_steps": 2}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Trains a run with given params, once."""
    return cache(lambda **params: trained(tmp_path_factory.mktemp("run"), **params))


@pytest.fixture(scope="module")
def predictor(runs: Any) -> Predictor:
    return load_predictor(runs())


def images(alphabet: int, per_class: slice) -> list[Image.Image]:
    """Of three characters that no training has seen, one character after the other."""
    return [drawing for hands in drawings(len(CLASSES), alphabet) for drawing in hands[per_class]]


SUPPORT, QUERIES = images(9, slice(SHOTS)), images(9, slice(SHOTS, 8))


def probabilities(classifier: AdaptedClassifier, **options: Any) -> np.ndarray:
    return np.array([list(prediction.probabilities.values()) for prediction in classifier.predict(QUERIES, **options)])


def test_it_knows_new_characters_from_three_drawings_of_each(predictor: Predictor) -> None:
    right = []
    for alphabet in range(8, 14):
        classifier = predictor.adapt(images(alphabet, slice(SHOTS)), LABELS)
        predictions = classifier.predict(images(alphabet, slice(SHOTS, 20)))
        right += [prediction.label == CLASSES[n // 17] for n, prediction in enumerate(predictions)]
    assert len(right) == 6 * 51 and np.mean(right) > 0.75


def test_a_notebook_shows_its_task_and_no_weights(predictor: Predictor) -> None:
    assert repr(predictor) == f"Predictor(ways={WAYS}, shots={SHOTS}, adaptation_steps={predictor.adaptation_steps})"
    assert repr(predictor.adapt(SUPPORT, LABELS)) == "AdaptedClassifier(classes=('a', 'b', 'c'))"


@pytest.mark.parametrize("steps", [0, 1, 4])
@pytest.mark.parametrize(("model", "size"), [("fc", SIZE), ("conv", 28)])
def test_its_answers_are_those_of_learn2learn_s_maml(model: str, size: int, steps: int, runs: Any) -> None:
    """Which knows no inductive mode."""
    predictor = load_predictor(runs(model=model, data__image_size=size, train__iterations=0))
    module = initial_module(model, WAYS, size, 0)
    module.load_state_dict(dict(predictor.parameters))
    learner = l2l.algorithms.MAML(module, lr=0.5).clone()
    for _ in range(steps):
        logits = learner(load_images(SUPPORT, size).unsqueeze(1))
        learner.adapt(F.cross_entropy(logits, torch.arange(WAYS).repeat_interleave(SHOTS)))
    expected = learner(load_images(QUERIES, size).unsqueeze(1)).softmax(-1).detach().numpy()
    answers = probabilities(predictor.adapt(SUPPORT, LABELS, steps), transductive=True)
    np.testing.assert_allclose(answers, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_answers_as_it_is_evaluated(name: str, runs: Any) -> None:
    predictor = load_predictor(runs(algorithm=name, **BRIEF))
    classifier = predictor.adapt(SUPPORT, LABELS, steps=3)
    numbers = torch.arange(WAYS).repeat_interleave(SHOTS)[None]
    with torch.no_grad():
        classifiers = predictor.learner.adapt(predictor.parameters, load_images(SUPPORT, SIZE)[None], numbers)
        *_, expected = islice(classifiers, 4)
        query = load_images(QUERIES, SIZE)[None]
        expected = {True: expected(query), False: expected.inductive(query)}
    for transductive, logits in expected.items():
        together = probabilities(classifier, transductive=transductive)
        np.testing.assert_allclose(together, logits[0].softmax(-1).numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_takes_few_and_uneven_classes_in_any_order(name: str, runs: Any) -> None:
    classifier = load_predictor(runs(algorithm=name, **BRIEF)).adapt(SUPPORT[:5], ["x", "y", "x", "y", "x"])
    rows = probabilities(classifier)
    assert classifier.classes == ("x", "y") and rows.shape == (len(QUERIES), 2)
    np.testing.assert_allclose(rows.sum(1), 1)
    assert np.ptp(rows[:, 0]) > 0


def test_each_query_is_looked_at_by_itself(predictor: Predictor) -> None:
    classifier = predictor.adapt(SUPPORT, LABELS)
    single_predictions = [classifier.predict([query])[0] for query in QUERIES]
    for single, among in zip(single_predictions, classifier.predict(QUERIES), strict=True):
        assert single.label == among.label
        assert single.probabilities == pytest.approx(among.probabilities, abs=1e-5)
    assert np.abs(probabilities(classifier, transductive=True) - probabilities(classifier)).max() > 1e-3


def test_neither_the_order_of_the_support_nor_the_names_of_the_classes_matter(predictor: Predictor) -> None:
    expected = probabilities(predictor.adapt(SUPPORT, LABELS))
    shuffled = [0, *np.random.default_rng(0).permutation(np.arange(1, len(SUPPORT)))]
    first = [3, 6]  # the first of each other class, so that the classes keep their order
    order = [0, *first, *(n for n in shuffled[1:] if n not in first)]
    names = {"a": "z", "b": "ä b", "c": ""}
    classifier = predictor.adapt([SUPPORT[n] for n in order], [names[LABELS[n]] for n in order])
    assert classifier.classes == ("z", "ä b", "")
    np.testing.assert_allclose(probabilities(classifier), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("labels", [torch.arange(3).repeat_interleave(3), np.repeat(["x", "y", "z"], 3)])
def test_labels_of_an_array_are_classes_by_value(predictor: Predictor, labels: Any) -> None:
    classifier = predictor.adapt(SUPPORT, labels)
    assert classifier.classes == tuple(dict.fromkeys(labels.tolist()))
    assert np.array_equal(probabilities(classifier), probabilities(predictor.adapt(SUPPORT, LABELS)))


def test_images_of_an_array_are_images(predictor: Predictor) -> None:
    arrays = torch.stack([torch.from_numpy(np.array(image)) for image in SUPPORT])
    classifier = predictor.adapt(arrays, LABELS)  # type: ignore[arg-type]
    assert np.array_equal(probabilities(classifier), probabilities(predictor.adapt(SUPPORT, LABELS)))


def test_the_label_is_that_of_the_largest_probability(predictor: Predictor) -> None:
    for prediction in predictor.adapt(SUPPORT, LABELS).predict(QUERIES):
        by_class = prediction.probabilities
        assert list(by_class) == list(CLASSES) and sum(by_class.values()) == pytest.approx(1)
        assert prediction.probability == max(by_class.values()) == by_class[prediction.label]


def test_with_fewer_classes_the_other_outputs_are_left_out(predictor: Predictor) -> None:
    two = predictor.adapt(SUPPORT[: 2 * SHOTS], LABELS[: 2 * SHOTS])
    pixels = load_images(QUERIES, SIZE)[None]
    with torch.no_grad():
        all_of_it = two.classifier.inductive(pixels)[0].softmax(-1)[:, :2]
    np.testing.assert_allclose(probabilities(two), all_of_it / all_of_it.sum(1, keepdim=True), rtol=1e-4)


def test_a_network_of_drawings_without_grey_sees_images_without_grey(runs: Any) -> None:
    predictor = load_predictor(runs(data__source="omniglot-nearest", train__iterations=0))
    seen = predictor.preprocess(SUPPORT)
    assert torch.equal(seen, load_images(SUPPORT, SIZE, "omniglot-nearest")) and set(seen.unique().tolist()) == {0, 1}


def test_no_queries_have_no_answers(predictor: Predictor) -> None:
    assert predictor.adapt(SUPPORT, LABELS).predict([]) == []


def test_adapting_and_predicting_do_not_change_the_network(predictor: Predictor) -> None:
    before = {name: value.clone() for name, value in predictor.parameters.items()}
    predictor.adapt(SUPPORT, LABELS, steps=5).predict(QUERIES, transductive=True)
    assert all(torch.equal(predictor.parameters[name], value) for name, value in before.items())


def test_invalid_arguments_are_refused_in_one_line(predictor: Predictor) -> None:
    def refused(message: str, *arguments: Any, **options: Any) -> None:
        with pytest.raises(UserError, match=message):
            predictor.adapt(*arguments, **options)

    refused("got 1 classes; this network takes 2 to 3, as it was trained", SUPPORT, ["a"] * 9)
    refused("got 4 classes; this network takes 2 to 3", SUPPORT[:4], ["a", "b", "c", "d"])
    refused("got 0 classes", [], [])
    refused("got 9 images and 8 labels; pass one label for each image", SUPPORT, LABELS[:8])
    for steps in (-1, "3", 1.5):
        refused(f"got {steps!r} adaptation steps; takes a whole number from 0 to 1000", SUPPORT, LABELS, steps=steps)
    refused("got None; pass a list of images", None, LABELS)
    refused("a.png is one image; pass a list of images", "a.png", LABELS)
    refused("nowhere.png is not there", [*SUPPORT[:-1], Path("nowhere.png")], LABELS)
    with pytest.raises(UserError, match="a single query cannot be normalised with others"):
        predictor.adapt(SUPPORT, LABELS).predict(QUERIES[:1], transductive=True)
