"""MLflow's client, set up to be quiet, quick to give up, and synchronous; and its errors as one line.

Everything that uses mlflow imports it from here, since mlflow reads its environment when it is imported.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import shorten

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from metaglot.core.common.errors import UserError
from metaglot.tracking.mlflow_database import check_database
from metaglot.tracking.mlflow_environment import check_variable, set_environment
from metaglot.tracking.tracking_uri import VARIABLE, is_database, sqlite_file, sqlite_uri

set_environment()
try:
    import mlflow
    from mlflow import MlflowClient as MlflowClient
    from mlflow import environment_variables
    from mlflow.exceptions import MlflowException as MlflowException
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
except ValueError as error:  # of a variable that is read at once; the message names it
    raise UserError(f"MLflow does not start: {error}") from None

MIGRATIONS = Path(mlflow.__file__).parent / "store" / "db_migrations"
DATABASE_SECONDS = 20.0  # for another program to let go of the database
AGAIN = "run `dvc repro` again: nothing that was computed is lost"


def check_environment() -> None:
    """Refuse a variable that MLflow would fail to read, or that would make it wait for very long, by its name."""
    for variable in vars(environment_variables).values():
        name = getattr(variable, "name", None)
        if isinstance(name, str) and name in os.environ and hasattr(variable, "get"):
            check_variable(variable)


@contextmanager
def one_line_errors(uri: str) -> Iterator[None]:
    """Turn what keeps MLflow from taking a run into one line that says what to do."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, ImportError) as error:  # of a package for a login, a store, a database
        reason = shorten(str(error), 600, placeholder=" ...")
        remedy = _remedy(uri, reason)
        raise UserError(f"MLflow at {uri} took no run ({reason}): {remedy}, then {AGAIN}") from None
    except OSError as error:
        reason = f"{error.filename or ''} {error.strerror or error}".strip()
        raise UserError(f"MLflow's files cannot be written ({reason}): correct that, then {AGAIN}") from None


def _remedy(uri: str, reason: str) -> str:
    if is_database(uri):
        return f"correct that, or name another database in {VARIABLE}"
    first = "start it" if "Max retries exceeded" in reason else "correct that"
    return f"{first}, or correct or unset {VARIABLE}"


def open_client(uri: str) -> MlflowClient:
    """A client of a server, or of a database that can be written and has this MLflow's schema."""
    if is_database(uri):
        path = sqlite_file(uri)
        if path is not None and not path.exists():
            create_database(path)
        check_database(make_url(uri), MIGRATIONS, DATABASE_SECONDS)
    return MlflowClient(uri)


def create_database(path: Path) -> None:
    """Make an empty database, whole or not at all: MLflow cannot go on where its migrations were interrupted.

    One that another process made meanwhile stays, with its runs.
    """
    artifacts = path.parent / "mlartifacts"  # of MLflow's own default experiment
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        scratch = Path(folder) / path.name
        try:
            SqlAlchemyStore(sqlite_uri(scratch), artifacts.as_uri())
        finally:
            with suppress(OSError):
                artifacts.rmdir()  # MLflow makes it; it goes if it is empty
        try:
            os.link(scratch, path)
        except FileExistsError:
            return
        except OSError:  # a file system without links
            os.replace(scratch, path)
