"""A stage as a shell command; an error that the user can fix is one line."""

import codecs
import sys
from collections.abc import Callable
from typing import Any

import typer

from metaglot.core.common.credentials import without_credentials
from metaglot.core.common.errors import UserError


def run_command(main: Callable[..., Any] | typer.Typer) -> None:
    """Run a stage's `main`, or commands; an error that the user can fix is one line on stderr and exit code 1."""
    print_any_letter()
    app = main if isinstance(main, typer.Typer) else typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    if app is not main:
        app.command()(main)
    try:
        app()
    except (UserError, OSError) as error:
        sys.exit(f"error: {without_credentials(' '.join(str(error).split()))}")


def print_any_letter() -> None:
    """Let no print fail for its letters: what the output's encoding lacks becomes `?`; bytes of file names stay."""
    codecs.register_error("any-letter", _encode_anyway)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="any-letter")


def _encode_anyway(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    codes = [ord(letter) for letter in letters]
    return bytes(code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else ord("?") for code in codes), error.end
