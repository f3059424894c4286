import base64
import io
from pathlib import Path

import numpy as np
import pytest
from finished_pipeline import CHARACTERS, Finished, finished
from PIL import Image

from metaglot.core.tasks.split_parts import SplitPart
from metaglot.report.html.drawing_gallery import gallery, hardest, letter, picture


@pytest.fixture(scope="module")
def characters() -> SplitPart:
    images = np.random.default_rng(0).integers(0, 256, (CHARACTERS, 20, 28, 28), dtype=np.uint8)
    return SplitPart(images, [f"Old_Tongue/character{i:02}" for i in range(CHARACTERS)])


def ink(address: str) -> np.ndarray:
    """The alpha channel of a picture on the page."""
    image = Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,"))))
    assert image.mode == "LA"
    return np.array(image)[..., 1]


def test_a_picture_is_the_drawing_as_the_task_turned_it(characters: SplitPart):
    drawing = characters.images[3, 7]
    assert np.array_equal(ink(picture(drawing)), drawing)
    assert np.array_equal(ink(picture(drawing, 1)), np.rot90(drawing))


def test_large_drawings_are_made_smaller():
    assert ink(picture(np.zeros((105, 105), np.uint8))).shape == (40, 40)


def test_the_gallery_shows_what_the_networks_saw_and_answered(one_seed: Finished, characters: SplitPart):
    runs = one_seed[1]
    tasks = gallery(runs, characters)
    assert len(tasks) == 12
    scores = runs[0].scores
    task, (number, place, query) = tasks[4], (4, 2, 3)
    shown = task.classes[place]
    character, turn = scores["characters"][number, place], scores["turns"][number, place]
    drawing = scores["drawings"][number, place, 5 + query]
    assert (task.number, shown.letter, shown.name) == (5, "C", f"Old Tongue {character:02}")
    expected = np.rot90(characters.images[character, drawing], turn)
    assert np.array_equal(ink(shown.queries[query].picture), expected)
    for answer, run in zip(shown.queries[query].answers, runs, strict=True):
        taken = run.scores["predictions"][number, place, query]
        assert (answer.letter, answer.is_right) == ("ABCDE"[taken], taken == place)
    assert all(len(shown.support) == len(shown.queries) == 5 for shown in task.classes)


def test_mistakes_are_counted_as_the_scores_count_them(one_seed: Finished, characters: SplitPart):
    for number, task in enumerate(gallery(one_seed[1], characters)):
        for (_, label, wrong), run in zip(task.mistakes, one_seed[1], strict=True):
            assert label == run.result.label
            assert wrong == round(25 * (1 - run.scores["accuracy"][number]))


def test_a_gallery_of_large_tasks_is_shorter(tmp_path: Path, characters: SplitPart):
    _, runs = finished(tmp_path, task={"ways": 20, "shots": 5, "queries": 15}, tests=15)
    assert len(gallery(runs, characters)) == 1000 // (20 * 20)


def test_the_hardest_characters_are_those_answered_wrong_most(five_seeds: Finished, characters: SplitPart):
    runs = five_seeds[1]
    hardest_characters = hardest(runs, characters)
    rates = {}
    for character in range(CHARACTERS):
        here = runs[0].scores["characters"] == character
        by_algorithm = [[run.scores["correct"][here].mean() / 5 for run in part] for part in (runs[:5], runs[5:])]
        rates[f"Old Tongue {character:02}"] = [np.mean(part) for part in by_algorithm]
    lowest = min(rates, key=lambda name: np.mean(rates[name]))
    assert len(hardest_characters) == 12
    assert hardest_characters[0].name == lowest
    assert [character.accuracies for character in hardest_characters] == [
        pytest.approx(rates[character.name]) for character in hardest_characters
    ]


def test_classes_are_lettered_past_z():
    assert [letter(place) for place in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]
