"""Recording from the cache of a folder: what is refused before anything is cloned, and the records that stay."""

from pathlib import Path

import pytest
from ran_experiment import ran

from experiments.save_record import save_record
from experiments.take_from_cache import check_folder, record_part, record_parts
from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError
from tools.clone import set_cache

PART = "second-order-dial/0"


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    """A folder that looks like a clone with a cache."""
    (tmp_path / "cached/.git").mkdir(parents=True)
    (tmp_path / "cached/.dvc/cache").mkdir(parents=True)
    return tmp_path / "cached"


def test_a_folder_that_is_no_clone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"typo is not a clone of this project with a DVC cache"):
        list(record_parts([PART], tmp_path / "typo"))


def test_the_cache_is_the_one_that_the_clone_s_config_names(cached: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    set_cache(cached, tmp_path / "other")
    check_folder(cached)
    set_cache(cached, tmp_path / "missing")
    with pytest.raises(UserError, match="cached is not a clone of this project with a DVC cache"):
        check_folder(cached)


def test_a_seed_that_no_part_is_about_is_refused(cached: Path) -> None:
    with pytest.raises(UserError, match=r"second-order-dial is not about seed 99: its seeds are \[42, 43, .*, 51\]"):
        list(record_parts([PART, "second-order-dial/1"], cached, [42, 99]))


def test_a_record_of_other_seeds_stays(tmp_path: Path) -> None:
    folder, to = ran(tmp_path / "ran", PART, {"seeds": [42, 43, 44]}), tmp_path / "docs"
    save_record(PART, folder, [42, 43], to)
    stays = f"{PART}: its record of seeds [42, 43] stays; this one would be of "
    assert record_part(PART, folder, [42, 43, 44], [42], to) == f"{stays}[42]"
    assert record_part(PART, folder, [43, 44], None, to) == f"{stays}[43, 44]"
    assert record_part(PART, folder, [], None, to) == f"{PART}: no seed is complete yet"
    assert read_json(to / PART / "about.json")["recorded"] == [42, 43]
    assert record_part(PART, folder, [42, 43, 44], None, to) == str(to / PART)
    assert read_json(to / PART / "about.json")["recorded"] == [42, 43, 44]
