"""Preprocess writes the split's three parts, the same bytes every time, or says in one line why it cannot."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from small_omniglot import Archives, pair, record_source

from metaglot.core.common.atomic_files import read_json, write_yaml
from metaglot.core.common.errors import UserError
from metaglot.core.tasks import class_splits, split_parts
from metaglot.datasets.omniglot_layout import shrink_drawing
from metaglot.datasets.omniglot_zip import read_drawings
from stages import preprocess
from stages.support import paths

CONFIG = {"dataset": "omniglot", "image_size": 28, "kind": "random", "seed": 42, "train": 5, "validation": 2, "test": 3}


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archives:
    """A workspace with small archives as downloaded: 6 background alphabets of 7 characters, 2 others of 3."""
    monkeypatch.chdir(tmp_path)
    archives = pair(paths.RAW)
    configure()
    record_source(archives)
    return archives


def configure(**changes: Any) -> None:
    write_yaml(paths.SPLIT_CONFIG, CONFIG | changes)


def parts() -> dict[str, split_parts.SplitPart]:
    return {part: split_parts.load_split_part(paths.split(part)) for part in class_splits.PARTS}


def test_every_part_holds_its_characters_with_their_own_drawings(known: Archives) -> None:
    preprocess.main()
    drawn: dict[str, list[np.ndarray]] = {}
    for archive in known:
        for name, drawing in read_drawings(paths.RAW / f"{archive.folder}.zip", archive.folder, archive.images):
            drawn.setdefault("/".join(name.split("/")[1:3]), []).append(shrink_drawing(drawing, 28))
    expected = sorted(drawn, key=lambda name: name.split("/"))
    Random(42).shuffle(expected)
    split = parts()
    assert [len(part.names) for part in split.values()] == [5, 2, 3]
    assert [name for part in split.values() for name in part.names] == expected
    for part in split.values():
        assert part.images.shape == (len(part.names), 20, 28, 28)
        for name, images in zip(part.names, part.images, strict=True):
            assert np.array_equal(images, drawn[name])


def test_the_record_lists_the_split_and_its_digest_stands_in_the_test_part(known: Archives) -> None:
    preprocess.main()
    written = read_json(paths.SPLIT_RECORD)
    names = {part: characters.names for part, characters in parts().items()}
    digest = split_parts.split_digest("omniglot", parts())
    assert written == {"dataset": "omniglot", "kind": "random", "seed": 42, "sha256": digest, **names}
    assert split_parts.split_sha256(paths.split("test")) == digest


def test_the_same_config_writes_the_same_bytes_and_another_seed_another_split(known: Archives) -> None:
    def written() -> list[bytes]:
        preprocess.main()
        assert len(list(paths.SPLITS.iterdir())) == 4
        return [path.read_bytes() for path in sorted(paths.SPLITS.iterdir())]

    first = written()
    assert written() == first
    configure(seed=43)
    assert all(new != old for new, old in zip(written(), first, strict=True))


def test_a_background_split_tests_on_the_evaluation_archive(known: Archives) -> None:
    configure(kind="background", train=None, validation=None, test=None, image_size=14)
    preprocess.main()
    split = parts()
    assert split["test"].names == ["Glyphs_07/character01", "Glyphs_07/character02", "Glyphs_08/character01"]
    alphabets = {part: {name.split("/")[0] for name in split[part].names} for part in ("train", "validation")}
    assert len(alphabets["validation"]) == 5 and len(alphabets["train"] | alphabets["validation"]) == 6
    assert len(split["train"].names) + len(split["validation"].names) == 7
    assert split["test"].images.shape == (3, 20, 14, 14)


def test_the_same_drawings_shrink_to_bits_where_that_is_asked_for(known: Archives) -> None:
    preprocess.main()
    grey = parts()
    configure(dataset="omniglot-nearest")
    preprocess.main()
    for part, characters in parts().items():
        assert characters.names == grey[part].names  # but not the digest: see test_split_parts.py
        assert set(np.unique(characters.images)) == {0, 255} < set(np.unique(grey[part].images))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": 6}, "train 6 \\+ validation 2 \\+ test 3 = 11 characters; .* there are 10"),
        ({"test": None}, "data/config/split.yaml: a random split needs counts: train, validation and test"),
        ({"dataset": "glyphs (synthetic)"}, "data/raw holds omniglot, not glyphs .synthetic.; run"),
        ({"dataset": "nothing"}, "data/config/split.yaml: there is no data set 'nothing' in metaglot/data"),
        ({"kind": "sorted"}, "data/config/split.yaml: kind: "),
        ({"seed": "42"}, "data/config/split.yaml: seed: "),
    ],
)
def test_a_split_that_cannot_be_is_refused_and_nothing_written(
    changes: dict[str, Any], message: str, known: Archives
) -> None:
    configure(**changes)
    with pytest.raises(UserError, match=message):
        preprocess.main()
    assert not paths.SPLITS.exists()


def test_an_archive_that_is_not_as_downloaded_is_refused_by_name(known: Archives) -> None:
    path = paths.RAW / "images_evaluation.zip"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="data/raw/images_evaluation.zip is changed since it was downloaded; run"):
        preprocess.main()
    record_source(known)
    with pytest.raises(UserError, match="data/raw/images_evaluation.zip is not a whole zip archive: .*; run"):
        preprocess.main()
    path.unlink()
    with pytest.raises(UserError, match="data/raw/images_evaluation.zip is not there; run"):
        preprocess.main()
    paths.SOURCE.unlink()
    with pytest.raises(UserError, match="data/raw/source.json is not there"):
        preprocess.main()
    assert not paths.SPLITS.exists()
