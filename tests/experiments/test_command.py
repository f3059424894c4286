"""The command line: errors of the user are one line."""

import subprocess
from pathlib import Path

import pytest
from params_file import ROOT
from shell import entered, refusal_of, run_python

from experiments.__main__ import app, compute_parts, parse_seeds
from metaglot.core.common.errors import UserError


def test_in_the_shell_an_error_of_the_user_is_one_line() -> None:
    line = refusal_of(run_python(ROOT, "-m", "experiments", "run", "nine-seeds"))
    assert line.startswith("error: nine-seeds is not an experiment: experiments.yaml has ten-seeds, ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["record", "nine-seeds", "--from", "{}"], "error: nine-seeds is not an experiment: "),
        (["record", "ten-seeds", "--from", "{}"], "error: {}/dvc.lock is not there"),
        (["record", "ten-seeds", "--from", "{}", "--seeds", "42,x"], "error: --seeds takes whole numbers"),
        (["record", "tuning-1shot", "--from", "{}", "--seeds", "7"], "error: tuning-1shot is a tuning, of one seed: "),
        (["record", "ten-seeds/", "--from", "{}"], "error: ten-seeds/ is not a part of ten-seeds: it has none"),
        (["record", "variance", "--from", "{}"], "error: {} is not a clone of this project with a DVC cache"),
    ],
)
def test_what_cannot_be_recorded_is_refused(arguments: list[str], message: str, tmp_path: Path) -> None:
    line = entered(app, *(argument.format(tmp_path) for argument in arguments))
    assert line.startswith(message.format(tmp_path)) and "\n" not in line


def test_a_seed_that_is_named_twice_is_recorded_once() -> None:
    assert parse_seeds("43,42,43") == [43, 42]


def test_params_that_are_not_committed_are_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "params.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^params\.yaml differs from the commit that an experiment runs with: "):
        compute_parts("ten-seeds", "", lambda *_: pytest.fail("it runs"), lambda *_: None)
