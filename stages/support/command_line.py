"""What a stage looks like from the shell: a small typer command whose refusals are one line."""

import sys
from collections.abc import Callable
from typing import Any

import typer

from metaglot.core.common.errors import UserError


def run_command(main: Callable[..., Any]) -> None:
    """Run a stage's `main` on the command line; what the user can mend is one line on stderr and exit code 1."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app()
    except (UserError, OSError) as error:
        message = " ".join(str(error).split())
        sys.exit(f"error: {message}")
