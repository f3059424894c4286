"""Results that come home are whole, and no second result takes the place of a first one unnoticed."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from cluster.bring_home import bring_home
from cluster.workspace import pack
from metaglot.core.common.errors import UserError

KEY = "ab" * 32
WEIGHTS, RUN, HISTORY = "data/models/maml-1/weights.safetensors", "data/models/maml-1/run.json", "history.csv"


def results(folder: Path, weights: bytes = b"weights", seconds: float = 1.0, loss: str = "0.5") -> bytes:
    """What a worker sends, in DVC's own layout of a cache."""
    contents = {
        WEIGHTS: weights,
        RUN: json.dumps({"train_seconds": seconds, "seed": 1, "device": "cpu"}).encode(),
        HISTORY: f"iteration,seconds,train_loss\n10,{seconds},{loss}\n".encode(),
    }
    outs = []
    for path, content in contents.items():
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        place = folder / "files/md5" / md5[:2] / md5[2:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        outs.append({"path": path, "hash": "md5", "md5": md5, "size": len(content)})
    entry = folder / "runs" / KEY[:2] / KEY / hashlib.sha256(json.dumps(outs).encode()).hexdigest()
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.write_text(yaml.safe_dump({"cmd": "python -m stages.train maml --seed 1", "deps": [], "outs": outs}))
    return pack(folder, "files", "runs")


def contents(cache: Path) -> dict[str, bytes]:
    return {str(path.relative_to(cache)): path.read_bytes() for path in cache.rglob("*") if path.is_file()}


def test_files_and_entries_come_home_once(tmp_path: Path) -> None:
    home, sent = tmp_path / "home", results(tmp_path / "worker")
    assert bring_home(sent, home) == ["python -m stages.train maml --seed 1"]
    assert contents(home) == contents(tmp_path / "worker")
    assert bring_home(sent, home) == []
    assert contents(home) == contents(tmp_path / "worker")


def test_the_same_result_with_other_times_is_left_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    bring_home(results(tmp_path / "first"), home)
    before = {path for path in contents(home) if path.startswith("runs")}
    assert bring_home(results(tmp_path / "second", seconds=2.0), home) == []
    assert {path for path in contents(home) if path.startswith("runs")} == before


@pytest.mark.parametrize("seconds", [1.0, 2.0])
def test_a_result_whose_files_were_removed_is_replaced(tmp_path: Path, seconds: float) -> None:
    home = tmp_path / "home"
    bring_home(results(tmp_path / "first"), home)
    for path in (home / "files").rglob("*"):
        if path.is_file() and b"train_seconds" in path.read_bytes():
            path.unlink()
    again = results(tmp_path / "second", seconds=seconds)
    assert len(bring_home(again, home)) == 1
    assert contents(home).items() >= contents(tmp_path / "second").items()
    assert len([path for path in contents(home) if path.startswith("runs")]) == 1


@pytest.mark.parametrize("other", [{"weights": b"others"}, {"loss": "0.6"}])
def test_another_result_from_the_same_code_and_data_is_refused(tmp_path: Path, other: dict[str, str]) -> None:
    home = tmp_path / "home"
    bring_home(results(tmp_path / "first"), home)
    before = contents(home)
    with pytest.raises(UserError, match="was computed twice from the same code and data, with different results"):
        bring_home(results(tmp_path / "second", **other), home)
    assert contents(home) == before


def test_a_result_that_arrived_damaged_is_refused_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    results(tmp_path / "worker")
    damaged = next(path for path in (tmp_path / "worker/files").rglob("*") if path.is_file())
    damaged.write_bytes(damaged.read_bytes() + b"!")
    with pytest.raises(UserError, match="arrived damaged"):
        bring_home(pack(tmp_path / "worker", "files", "runs"), tmp_path / "home")
    assert contents(tmp_path / "home") == {}


@pytest.mark.parametrize("size", [1, 700])
def test_a_result_of_which_a_part_arrived_is_refused(tmp_path: Path, size: int) -> None:
    results(tmp_path / "worker")
    with pytest.raises(UserError, match="^a result arrived damaged: it is no whole tar"):
        bring_home(pack(tmp_path / "worker", "files", "runs")[:size], tmp_path / "home")
    assert contents(tmp_path / "home") == {}
