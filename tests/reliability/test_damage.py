"""Damaged files: the stage that reads one refuses it by name, in one line, and writes nothing."""

import csv
import io
import json
import random
import shutil
import sys
import zipfile
from collections.abc import Callable
from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from draws import often
from safetensors.numpy import load
from stage_process import PIPELINE, contents

pytestmark = pytest.mark.slow

READS = {
    "download": ["data/config/data.yaml"],
    "preprocess": ["data/config/split.yaml", "data/raw/images_background.zip", "data/raw/source.json"],
    "train maml": ["data/config/maml/train.yaml", "data/splits/train.npz", "data/splits/validation.npz"],
    "evaluate maml": [
        "data/config/maml/evaluate.yaml",
        "data/models/maml-42/weights.safetensors",
        "data/splits/test.npz",
    ],
    "track maml": [
        "data/config/maml/evaluate.yaml",
        "data/models/maml-42/adaptation.json",
        "data/models/maml-42/history.csv",
        "data/models/maml-42/run.json",
        "data/models/maml-42/weights.safetensors",
        "data/results/maml-42.json",
    ],
    "report": [
        "data/config/report.yaml",
        "data/models/maml-42/alignment.csv",
        "data/models/maml-42/history.csv",
        "data/models/maml-42/run.json",
        "data/results/maml-42.json",
        "data/scores/maml-42.npz",
        "data/splits/test.npz",
        "benchmarks/results.json",
    ],
}
# A record of other files may be at odds with them, and then it is one of them that is named.
MAY_NAME = {"data/raw/source.json": "data/raw/images_", "data/config/maml/evaluate.yaml": "data/models/"}
CASES = [(line, path) for line, paths in READS.items() for path in paths]
ODD = (None, True, -1, 2**70, 1e308, "", "x" * 5000, "a\nb", "\x1b[2J", [], {}, [None], {"a": {}})


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A file cut short, with other bytes, with some more or some fewer, or with another value in its JSON."""
    kind, place = chance.randrange(6), chance.randrange(len(content))
    noise = chance.randbytes(chance.choice([1, 1, 8, 200]))
    if kind == 0:
        return content[: chance.choice([0, 1, place, len(content) - 1])]
    if kind == 1:
        return content[:place] + noise + content[place:]
    if kind == 2:
        return content[:place] + content[place + len(noise) :]
    if kind == 3 and content.lstrip()[:1] == b"{":
        return odd(json.loads(content), chance)
    return content[:place] + noise + content[place + len(noise) :]


def odd(record: Any, chance: random.Random) -> bytes:
    """A JSON record in which one value is another, or gone."""
    part = record
    while True:
        key = chance.choice(list(part)) if isinstance(part, dict) else chance.randrange(len(part))
        if not isinstance(part[key], (dict, list)) or not part[key] or chance.random() < 0.3:
            break
        part = part[key]
    part[key] = chance.choice(ODD)
    if chance.random() < 0.2:
        del part[key]
    return json.dumps(record).encode()


def entered(line: str, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Run a stage here; what it says to the shell as it fails, or None."""
    name, *arguments = line.split()
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    stage: Any = import_module(f"stages.{name}")
    try:
        stage.run_command(stage.main)
    except SystemExit as end:
        return None if end.code in (None, 0) else str(end.code)
    return None


def check_well_formed(content: bytes, ending: str) -> None:
    """Raise what the reader of such files raises."""
    if ending in (".json", ".yaml"):
        yaml.safe_load(content)
    elif ending == ".csv":
        assert len({len(row) for row in csv.reader(content.decode().splitlines())}) == 1
    elif ending == ".npz":
        with np.load(io.BytesIO(content)) as arrays:
            assert all(arrays[name] is not None for name in arrays)
    elif ending == ".zip":
        assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    else:
        assert ending == ".safetensors" and load(content)


@pytest.mark.parametrize(("line", "path"), CASES)
def test_a_damaged_file_is_refused_by_the_stage_that_reads_it(
    line: str, path: str, harmed: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]
) -> None:
    named = (path, MAY_NAME.get(path, path))
    whole, chance, rounds, refused = (harmed / path).read_bytes(), random.Random(path), often(5, 60), 0
    for part in PIPELINE[line]:
        shutil.rmtree(harmed / part, ignore_errors=True)
    for _ in range(rounds):
        harm = damaged(whole, chance)
        (harmed / path).write_bytes(harm)
        with chdir(harmed):
            output = entered(line, monkeypatch)
        if output is None:
            check_well_formed(harm, Path(path).suffix)
        else:
            refused += 1
            assert (
                output.startswith("error: ")
                and any(name in output for name in named)
                and "\n" not in output
                and output.isprintable()
            ), output
            assert len(output) < 700 and not contents(harmed, line), output
        for part in PIPELINE[line]:
            shutil.rmtree(harmed / part, ignore_errors=True)
    assert refused > 0
    figure(f"{rounds} damages, {refused} refused by name, {rounds - refused} left it well-formed")
