"""Splits are functions of their seed, frozen and hashed; their files are whole or refused by name."""

import hashlib
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglot.core.common.errors import UserError
from metaglot.core.tasks import class_splits

NAMES = [f"Alphabet_{a:02}/character{c:02}" for a in range(1, 9) for c in range(1, 4)]


@given(seed=st.integers(0, 2**32 - 1), counts=st.tuples(*[st.integers(1, 8)] * 3))
def test_a_random_split_deals_a_seeded_shuffle(seed: int, counts: tuple[int, int, int]) -> None:
    parts = class_splits.random_split(NAMES, seed, counts)
    assert tuple(map(len, parts.values())) == counts and tuple(parts) == class_splits.PARTS
    shuffled = sorted(NAMES)
    random.Random(seed).shuffle(shuffled)
    assert [name for part in parts.values() for name in part] == shuffled[: sum(counts)]


@pytest.mark.parametrize("counts", [(20, 3, 2), (0, 1, 1), (-1, 1, 1)])
def test_counts_that_cannot_be_met_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match=f"train {counts[0]} .* = {sum(counts)} characters; .* there are 24"):
        class_splits.random_split(NAMES, 0, counts)


def test_a_background_split_shares_no_alphabet_between_its_parts() -> None:
    evaluation = ["Other_1/character01", "Other_2/character01"]
    parts = class_splits.background_split(NAMES, evaluation, 42)
    alphabets = {part: {name.split("/")[0] for name in names} for part, names in parts.items()}
    assert len(alphabets["validation"]) == 5 and not alphabets["validation"] & alphabets["train"]
    assert sorted(parts["train"] + parts["validation"]) == NAMES and parts["test"] == evaluation
    assert parts == class_splits.background_split(NAMES, evaluation, 42)
    drawn = {tuple(class_splits.background_split(NAMES, evaluation, seed)["validation"]) for seed in range(10)}
    assert len(drawn) > 5


def test_too_few_background_alphabets_are_refused() -> None:
    with pytest.raises(UserError, match="holds out 5 background alphabets; there are 5"):
        class_splits.background_split(NAMES[:15], [], 42)


def test_the_digest_is_the_sha256_of_canonical_json() -> None:
    ink, paper = np.full((1, 20, 2, 2), 255, np.uint8), np.zeros((1, 20, 2, 2), np.uint8)
    inked, blank = hashlib.sha256(b"\xff" * 80).hexdigest(), hashlib.sha256(b"\0" * 80).hexdigest()
    parts = {"train": class_splits.SplitPart(ink, ["B/character01"]), "test": class_splits.SplitPart(paper, ["A/c"])}
    canonical = (
        f'{{"dataset":"omniglot","test":[["A/c"],[1,20,2,2],"{blank}"],'
        f'"train":[["B/character01"],[1,20,2,2],"{inked}"]}}'
    )
    assert class_splits.split_digest("omniglot", parts) == hashlib.sha256(canonical.encode()).hexdigest()


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
    digests = [class_splits.split_digest(name, {"test": class_splits.SplitPart(*kept)}) for name, *kept in kinds]
    digests += [class_splits.split_digest("omniglot", {"train": characters()})]
    assert len(set(digests)) == 6 and class_splits.split_digest("omniglot", {"test": characters()}) == digests[0]


def characters() -> class_splits.SplitPart:
    images = np.random.default_rng(0).integers(0, 256, (3, 20, 6, 6), dtype=np.uint8)
    return class_splits.SplitPart(images, NAMES[:3])


def test_what_was_saved_is_loaded_and_saved_again_to_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "test.npz"
    class_splits.save_split_part(path, characters(), split_sha256="abc")
    first, loaded = path.read_bytes(), class_splits.load_split_part(path)
    assert np.array_equal(loaded.images, characters().images) and loaded.names == NAMES[:3]
    assert class_splits.split_sha256(path) == "abc"
    class_splits.save_split_part(path, loaded, split_sha256="abc")
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train.npz is not there: run `python -m stages.preprocess`"):
        class_splits.load_split_part(tmp_path / "train.npz")


def test_a_part_without_the_splits_digest_is_refused(tmp_path: Path) -> None:
    class_splits.save_split_part(tmp_path / "train.npz", characters())
    with pytest.raises(UserError, match="train.npz has no readable `split_sha256`"):
        class_splits.split_sha256(tmp_path / "train.npz")


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": np.zeros((3, 20, 6, 6))},
        {"images": np.zeros((3, 20, 6, 5), np.uint8)},
        {"images": np.zeros((3, 20, 36), np.uint8)},
        {"images": np.zeros((2, 20, 6, 6), np.uint8)},
        {"names": np.zeros(3)},
    ],
)
def test_arrays_of_another_kind_are_refused_with_what_they_are(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    whole = {"images": characters().images, "names": np.array(NAMES[:3])}
    np.savez(tmp_path / "train.npz", **(whole | arrays))
    with pytest.raises(UserError, match="train.npz is not part of a split"):
        class_splits.load_split_part(tmp_path / "train.npz")


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    names = np.array(["a", None, 3], dtype=object)
    np.savez(tmp_path / "train.npz", images=characters().images, names=names, allow_pickle=True)
    with pytest.raises(UserError, match="train.npz has no readable `names`.*pickle"):
        class_splits.load_split_part(tmp_path / "train.npz")


@given(place=st.integers(0, 3500), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_is_refused_by_name_or_loads_unchanged(
    place: int, byte: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    class_splits.save_split_part(path, characters())
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content[:place] if cut else content)
    try:
        part = class_splits.load_split_part(path)
    except UserError as refused:
        assert str(refused).startswith(str(path)) and "\n" not in str(refused)
    else:
        assert np.array_equal(part.images, characters().images) and part.names == NAMES[:3]
