"""The exception whose message is shown to the user."""

from pathlib import Path

from pydantic import ValidationError

from metaglot.core.common.credentials import without_credentials


class UserError(Exception):
    """A request that cannot be met: one line that says what is wrong, where, and what would be right."""

    def __init__(self, message: str):
        super().__init__(without_credentials(message))


def malformed(place: object, mistakes: ValidationError, remedy: str = "", *prefix: str) -> UserError:
    """The error for the first mistake in a file or a section: where it is, its key, what would be right."""
    first = mistakes.errors()[0]
    key = ".".join(map(str, (*prefix, *first["loc"]))) or "the file"
    return UserError(f"{place}: {key}: {first['msg']}" + (f"; {remedy}" if remedy else ""))


def unreadable_weights(path: Path, error: Exception) -> UserError:
    """The error for a file of weights that is missing or damaged."""
    problem = f"is not a weights file ({error})" if path.exists() else "is not there"
    return UserError(f"{path} {problem}: run `dvc repro`, or `dvc checkout {path}`")
