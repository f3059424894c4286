"""A stage that is killed at any moment leaves whole files or none, and running it again gives what it always gives."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from draws import often
from stage_process import PIPELINE, Stages, contents

pytestmark = pytest.mark.slow

SLOW = ("download", "preprocess")
MODEL = "metaglot-maml-glyphs-synthetic-5way-5shot-fc"
FILES = [line for line in PIPELINE if not line.startswith(("train", "track"))]


def spread_over(seconds: float, rounds: int, seed: str) -> list[float]:
    """A random moment in each of so many equal parts of a stage's time: some are early, also if it now ends sooner."""
    uniform = random.Random(seed).random
    return [seconds * (part + uniform()) / rounds for part in range(rounds)]


@pytest.mark.parametrize("line", FILES)
def test_a_stage_killed_at_any_moment_leaves_whole_files_and_its_rerun_the_same_bytes(
    line: str, harmed: Path, undisturbed: Path, stages: Stages, figure: Callable[[str], None]
) -> None:
    expected, kills, rounds = contents(undisturbed, line), 0, often(2, 20 if line not in SLOW else 8)
    for moment in spread_over(stages.succeed(harmed, line).seconds, rounds, line):
        for part in PIPELINE[line]:  # as DVC does before it runs a stage
            shutil.rmtree(harmed / part)
        kills += stages.run(harmed, line, kill_after=moment).code == -9
        assert contents(harmed, line).items() <= expected.items()
        stages.succeed(harmed, line)
        assert contents(harmed, line) == expected
    assert kills > rounds / 3
    figure(f"{kills} kills in {rounds} runs, {kills} survived, no half file, the same {len(expected)} files after")


def test_track_killed_at_any_moment_makes_one_whole_run(
    harmed: Path, stages: Stages, figure: Callable[[str], None]
) -> None:
    line, kills, rounds = "track maml", 0, often(2, 20)
    (harmed / "mlflow.db").unlink()
    for moment in spread_over(stages.succeed(harmed, line).seconds, rounds, line):
        (harmed / "mlflow.db").unlink()
        kills += stages.run(harmed, line, kill_after=moment).code == -9
        stages.succeed(harmed, line)
        with closing(sqlite3.connect(harmed / "mlflow.db")) as database:
            assert database.execute("select status, name from runs").fetchall() == [("FINISHED", "MAML · seed 42")]
            versions = database.execute("select name, run_id from model_versions").fetchall()
            assert versions == database.execute(f"select '{MODEL}', run_uuid from runs").fetchall()
            assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    assert kills > rounds / 3
    figure(f"{kills} kills in {rounds} runs, each time one whole run in MLflow afterwards")
