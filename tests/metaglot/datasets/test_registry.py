"""Each registered data set has a name of its own and keeps what the base class promises."""

from pathlib import Path

import pytest
from params_file import TEXT
from small_omniglot import pair

from metaglot.core.common.errors import UserError
from metaglot.datasets.dataset import RawImages
from metaglot.datasets.omniglot import Omniglot
from metaglot.datasets.registry import DATASETS, load_dataset, load_dataset_by_name


def test_a_data_set_is_found_by_its_source_and_by_its_name() -> None:
    names = [load_dataset(source).name for source in DATASETS]
    assert len(set(names)) == len(names) and {"omniglot", "omniglot-nearest", "glyphs (synthetic)"} <= set(names)
    assert [load_dataset_by_name(name).name for name in names] == names
    with pytest.raises(UserError, match="there is no data set 'nothing'"):
        load_dataset("nothing")
    with pytest.raises(UserError, match="there is no data set 'glyphs'"):
        load_dataset_by_name("glyphs")


@pytest.mark.parametrize("source", DATASETS)
def test_params_yaml_explains_every_data_set(source: str) -> None:
    assert source.encode() in TEXT and (load_dataset(source).fetched_as or source) in DATASETS


def test_images_are_read_by_class_as_they_were_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And nearest drawings are read from the same raw files."""
    monkeypatch.setattr(Omniglot, "parts", pair(tmp_path / "mirror"))
    monkeypatch.setenv("OMNIGLOT_MIRROR", "mirror")
    raw = tmp_path / "raw"
    raw.mkdir()
    record = Omniglot().fetch(raw, tmp_path)
    (raw / "source.json").write_text(record.model_dump_json())
    grey, nearest = Omniglot().read(raw, 14), load_dataset("omniglot-nearest").read(raw, 14)
    assert isinstance(grey, RawImages) and [*map(len, grey)] == [7, 3] and [*map(list, grey)] == [*map(list, nearest)]
    name, images = next(iter(grey.background.items()))
    assert name == "Glyphs_01/character01" and images.shape == (20, 14, 14)
    assert set(nearest.background[name].flat) == {0, 255} and len(set(images.flat)) > 100
