import subprocess
import sys
from typing import Annotated

import pytest
import typer
from params_file import ROOT

from metaglot.core.common.errors import UserError
from stages.support.command_line import run_command


def call(monkeypatch: pytest.MonkeyPatch, main, *arguments: str) -> object:
    """The exit code, or the message that Python prints to stderr with exit code 1."""
    monkeypatch.setattr(sys, "argv", ["stage", *arguments])
    with pytest.raises(SystemExit) as exit:
        run_command(main)
    return exit.value.code


def greet(name: str, times: Annotated[int, typer.Option()] = 1) -> None:
    """Say hello."""
    print(f"hello {name} " * times)


def test_a_stage_that_ends_well_exits_with_0(monkeypatch, capsys):
    assert call(monkeypatch, greet, "you", "--times", "2") in (0, None)
    assert capsys.readouterr().out == "hello you hello you \n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("train.meta_lr: lower it"), "error: train.meta_lr: lower it"),
        (UserError("a\nnumber of\n  lines"), "error: a number of lines"),
        (OSError(28, "No space left on device", "data/x"), "error: [Errno 28] No space left on device: 'data/x'"),
        (PermissionError(13, "Permission denied", "data"), "error: [Errno 13] Permission denied: 'data'"),
    ],
)
def test_what_the_user_can_mend_is_one_line(monkeypatch, error, line):
    def main() -> None:
        raise error

    assert call(monkeypatch, main) == line


def test_a_fault_of_the_code_keeps_its_traceback(monkeypatch):
    def main() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "argv", ["stage"])
    with pytest.raises(ZeroDivisionError):
        run_command(main)


def test_a_wrong_argument_is_said_with_the_usage(monkeypatch, capsys):
    assert call(monkeypatch, greet, "you", "--times", "often") == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Usage: " in captured.err and "--times" in captured.err


def test_help_says_what_the_stage_does(monkeypatch, capsys):
    assert call(monkeypatch, greet, "--help") in (0, None)
    assert "Say hello." in capsys.readouterr().out


def test_on_the_command_line_the_line_goes_to_stderr_and_the_exit_code_is_1():
    code = """
from metaglot.core.common.errors import UserError
from stages.support.command_line import run_command
def main() -> None:
    raise UserError("no")
run_command(main)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: no\n")
