import sys
from typing import Annotated

import pytest
import typer
from shell import entered

from metaglot.core.common.errors import UserError
from stages.support.command_line import run_command


def greet(name: str, times: Annotated[int, typer.Option()] = 1) -> None:
    """Say hello."""
    print(f"hello {name} " * times)


def test_a_stage_that_ends_well_exits_with_0(capsys):
    assert entered(greet, "you", "--times", "2") in (0, None)
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
def test_what_the_user_can_mend_is_one_line(error, line):
    def main() -> None:
        raise error

    assert entered(main) == line


def test_a_fault_of_the_code_keeps_its_traceback(monkeypatch):
    def main() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "argv", ["stage"])
    with pytest.raises(ZeroDivisionError):
        run_command(main)


def test_a_wrong_argument_is_said_with_the_usage(capsys):
    assert entered(greet, "you", "--times", "often") == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Usage: " in captured.err and "--times" in captured.err


def test_help_says_what_the_stage_does(capsys):
    assert entered(greet, "--help") in (0, None)
    assert "Say hello." in capsys.readouterr().out
