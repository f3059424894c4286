"""The values of a varied key, really run, and taken from the cache of another folder."""

from pathlib import Path

import pytest
import yaml
from repository import Repository
from tiny_experiments import TITLES, declare, experiments, recorded

pytestmark = pytest.mark.slow
VARY = {"key": "settings.maml.second_order", "symbol": "c", "values": [0.5, 1.0], "reference": 1.0}
VARIED = TITLES | {"settings": {"algorithms": ["maml"], "seeds": [1]}, "vary": VARY}


def test_each_value_is_run_and_recorded_and_another_folder_takes_it_from_the_cache(
    with_data: Repository, tmp_path: Path
) -> None:
    repository = declare(with_data.copy_to(tmp_path / "project"), {"varied": VARIED})
    experiments(repository, "run", "varied")
    first = recorded(repository)
    assert {name.split("/")[1] for name in first if name.startswith("varied")} == {"0.5", "1"}
    params = yaml.safe_load(first["varied/0.5/params.yaml"])
    assert params["settings"]["maml"]["second_order"] == 0.5 and params["seeds"] == [1]
    assert first["varied/0.5/results/maml-1.json"] != first["varied/1/results/maml-1.json"]
    more = {"vary": VARY | {"values": [0.5, 1.0, 1.5]}, "settings": {"algorithms": ["maml"], "seeds": [1, 2]}}
    other = declare(with_data.copy_to(tmp_path / "other"), {"varied": VARIED | more})
    output = experiments(other, "record", "varied", "--from", str(repository.folder))
    assert "varied/1.5: no seed is complete yet" in output
    about = yaml.safe_load(recorded(other)["varied/1/about.json"])
    assert (about["recorded"], about["asked"]) == ([1], [1, 2])
    assert recorded(other)["varied/0.5/results/maml-1.json"] == first["varied/0.5/results/maml-1.json"]
