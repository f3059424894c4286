"""A split has a digest of its names and pixels; its files are whole or refused by name."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglot.core.common.errors import UserError
from metaglot.core.tasks import split_parts

NAMES = [f"Alphabet_{a:02}/character{c:02}" for a in range(1, 9) for c in range(1, 4)]


def test_the_digest_is_the_sha256_of_canonical_json() -> None:
    ink, paper = np.full((1, 20, 2, 2), 255, np.uint8), np.zeros((1, 20, 2, 2), np.uint8)
    inked, blank = hashlib.sha256(b"\xff" * 80).hexdigest(), hashlib.sha256(b"\0" * 80).hexdigest()
    parts = {"train": split_parts.SplitPart(ink, ["B/character01"]), "test": split_parts.SplitPart(paper, ["A/c"])}
    canonical = (
        f'{{"dataset":"omniglot","test":[["A/c"],[1,20,2,2],"{blank}"],'
        f'"train":[["B/character01"],[1,20,2,2],"{inked}"]}}'
    )
    assert split_parts.split_digest("omniglot", parts) == hashlib.sha256(canonical.encode()).hexdigest()


def test_a_split_of_other_pixels_names_shape_or_data_set_has_another_digest() -> None:
    images, names = characters().images, characters().names
    other = images.copy()
    other[2, 19, 5, 5] ^= 1
    kinds = [
        ("omniglot", images, names),
        ("omniglot", other, names),
        ("omniglot", images.reshape(3, 20, 4, 9), names),
        ("omniglot", images, names[::-1]),
        ("omniglot-nearest", images, names),
    ]
    digests = [split_parts.split_digest(name, {"test": split_parts.SplitPart(*kept)}) for name, *kept in kinds]
    digests += [split_parts.split_digest("omniglot", {"train": characters()})]
    assert len(set(digests)) == 6 and split_parts.split_digest("omniglot", {"test": characters()}) == digests[0]


def characters() -> split_parts.SplitPart:
    images = np.random.default_rng(0).integers(0, 256, (3, 20, 6, 6), dtype=np.uint8)
    return split_parts.SplitPart(images, NAMES[:3])


def test_what_was_saved_is_loaded_and_saved_again_to_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "test.npz"
    split_parts.save_split_part(path, characters(), split_sha256="abc")
    first, loaded = path.read_bytes(), split_parts.load_split_part(path)
    assert np.array_equal(loaded.images, characters().images) and loaded.names == NAMES[:3]
    assert split_parts.split_sha256(path) == "abc"
    split_parts.save_split_part(path, loaded, split_sha256="abc")
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_classes_of_unlike_numbers_of_images_are_kept_each_with_its_own(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
    given = dict(zip(NAMES[:3], np.split(pixels, [1, 4]), strict=True))
    part = split_parts.join_classes(given, NAMES[:3])
    assert split_parts.join_classes({"a": pixels[:3], "b": pixels[3:]}, ["b", "a"]).counts is None
    split_parts.save_split_part(tmp_path / "test.npz", part)
    for kept in (part, split_parts.load_split_part(tmp_path / "test.npz")):
        assert all(np.array_equal(kept.of_class(number), given[name]) for number, name in enumerate(NAMES[:3]))
    digests = {
        split_parts.split_digest("birds", {"test": replace(part, counts=np.array(n))}) for n in ([1, 3, 2], [2, 3, 1])
    }
    assert len(digests) == 2


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train.npz is not there: run `python -m stages.preprocess`"):
        split_parts.load_split_part(tmp_path / "train.npz")


def test_a_part_without_the_splits_digest_is_refused(tmp_path: Path) -> None:
    split_parts.save_split_part(tmp_path / "train.npz", characters())
    with pytest.raises(UserError, match="train.npz has no readable `split_sha256`"):
        split_parts.split_sha256(tmp_path / "train.npz")


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": np.zeros((3, 20, 6, 6))},
        {"images": np.zeros((3, 20, 6, 5), np.uint8)},
        {"images": np.zeros((3, 20, 36), np.uint8)},
        {"images": np.zeros((2, 20, 6, 6), np.uint8)},
        {"names": np.zeros(3)},
        {"images": np.zeros((60, 6, 6), np.uint8), "counts": np.array([20, 20, 19])},
        {"images": np.zeros((60, 6, 6), np.uint8), "counts": np.full(3, 20.0)},
    ],
)
def test_arrays_of_another_kind_are_refused_with_what_they_are(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    whole = {"images": characters().images, "names": np.array(NAMES[:3])}
    np.savez(tmp_path / "train.npz", **(whole | arrays))
    with pytest.raises(UserError, match="train.npz is not part of a split"):
        split_parts.load_split_part(tmp_path / "train.npz")


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    names = np.array(["a", None, 3], dtype=object)
    np.savez(tmp_path / "train.npz", images=characters().images, names=names, allow_pickle=True)
    with pytest.raises(UserError, match="train.npz has no readable `names`.*pickle"):
        split_parts.load_split_part(tmp_path / "train.npz")


@given(place=st.integers(0, 3500), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_is_refused_by_name_or_loads_unchanged(
    place: int, byte: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    split_parts.save_split_part(path, characters())
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content[:place] if cut else content)
    try:
        part = split_parts.load_split_part(path)
    except UserError as refused:
        assert str(refused).startswith(str(path)) and "\n" not in str(refused)
    else:
        assert np.array_equal(part.images, characters().images) and part.names == NAMES[:3]
