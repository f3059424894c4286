"""Glyphs have Omniglot's shape, are the same every time, and make a task that is neither trivial nor hopeless."""

from pathlib import Path

import numpy as np
import pytest

from metaglot.datasets import synthetic_glyphs
from metaglot.datasets.omniglot_layout import shrink_drawing
from metaglot.datasets.omniglot_zip import read_drawings

SIZES = [20, 20]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Forty characters: float [40, 20, 784], ink = 1."""
    path = tmp_path_factory.mktemp("glyphs") / "x.zip"
    synthetic_glyphs.write_archive(path, "images_background", SIZES)
    inks = [shrink_drawing(drawing, 28) for _, drawing in read_drawings(path, "images_background", 20 * sum(SIZES))]
    return np.stack(inks).reshape(sum(SIZES), 20, 784) / 255


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    def written(seed: int) -> bytes:
        synthetic_glyphs.write_archive(tmp_path / "x.zip", "images_background", [1], seed=seed)
        return (tmp_path / "x.zip").read_bytes()

    assert written(0) == written(0) != written(1)


def test_an_alphabet_is_drawn_alike_wherever_it_stands(tmp_path: Path) -> None:
    synthetic_glyphs.write_archive(tmp_path / "both.zip", "images_background", [1, 2], first=1)
    synthetic_glyphs.write_archive(tmp_path / "one.zip", "images_background", [2], first=2)
    both = [drawing.tobytes() for _, drawing in read_drawings(tmp_path / "both.zip", "images_background", 60)]
    alone = [drawing.tobytes() for _, drawing in read_drawings(tmp_path / "one.zip", "images_background", 40)]
    assert both[20:] == alone


def test_alphabets_hold_as_many_characters_as_omniglots_archives() -> None:
    for archive in synthetic_glyphs.Glyphs.parts:
        sizes = synthetic_glyphs.sizes(archive.characters, archive.alphabets)
        assert sum(sizes) == archive.characters == archive.images / 20
        assert len(sizes) == archive.alphabets and max(sizes) - min(sizes) <= 1


def test_no_drawing_is_empty_and_no_two_are_alike(images: np.ndarray) -> None:
    flat = images.reshape(-1, 784)
    assert flat.sum(axis=1).min() > 1
    assert len(np.unique(flat, axis=0)) == len(flat)
    assert 0.02 < images.mean() < 0.12  # Omniglot's has 0.08


def test_five_drawings_tell_five_characters_apart_but_not_always(images: np.ndarray) -> None:
    """5-way 5-shot by the nearest mean of pixels, which learns nothing: over chance, which is 0.2, under 0.9."""
    random = np.random.default_rng(0)
    right = []
    for _ in range(300):
        chosen = images[random.permutation(len(images))[:5]]
        means, queries = chosen[:, :5].mean(axis=1), chosen[:, 5:10]
        distances = ((queries[:, :, None] - means) ** 2).sum(axis=-1)
        right.append((distances.argmin(axis=-1) == np.arange(5)[:, None]).mean())
    assert 0.5 < np.mean(right) < 0.9
