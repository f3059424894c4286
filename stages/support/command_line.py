"""A stage as a shell command; an error that the user can fix is one line."""

import sys
from collections.abc import Callable
from typing import Any

import typer

from metaglot.core.common.errors import UserError


def run_command(main: Callable[..., Any]) -> None:
    """Run a stage's `main`; an error that the user can fix is one line on stderr and exit code 1."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app()
    except (UserError, OSError) as error:
        message = " ".join(str(error).split())
        sys.exit(f"error: {message}")
