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
from metaglot.tracking.tracking_uri import VARIABLE, is_database, sqlite_file, sqlite_uri

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
os.environ["MLFLOW_ENABLE_ASYNC_LOGGING"] = "false"  # else a run would be closed before its numbers are stored
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET")
if os.environ["MLFLOW_LOGGING_LEVEL"].upper() not in LEVELS:
    raise UserError(f"MLFLOW_LOGGING_LEVEL: got {os.environ['MLFLOW_LOGGING_LEVEL']!r}; takes {', '.join(LEVELS)}")

import mlflow  # noqa: E402
from mlflow import MlflowClient as MlflowClient  # noqa: E402
from mlflow import environment_variables  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: E402

MIGRATIONS = Path(mlflow.__file__).parent / "store" / "db_migrations"
DATABASE_SECONDS = 20.0  # for another program to let go of the database
AGAIN = "run `dvc repro` again: nothing that was computed is lost"


def check_environment() -> None:
    """Refuse a variable that MLflow would fail to read, by its name."""
    for variable in vars(environment_variables).values():
        name = getattr(variable, "name", None)
        if isinstance(name, str) and name in os.environ and hasattr(variable, "get"):
            try:
                variable.get()
            except ValueError:
                kind = getattr(variable.type, "__name__", "another kind of value")
                raise UserError(f"{name}: got {os.environ[name]!r}; takes {kind}") from None


@contextmanager
def one_line_errors(uri: str) -> Iterator[None]:
    """Turn what keeps MLflow from taking a run into one line that says what to do."""
    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        reason = shorten(str(error), 600, placeholder=" ...")
        server = f"start it, or correct or unset {VARIABLE}"
        remedy = f"correct that, or name another database in {VARIABLE}" if is_database(uri) else server
        raise UserError(f"MLflow at {uri} took no run ({reason}): {remedy}, then {AGAIN}") from None
    except OSError as error:
        reason = f"{error.filename or ''} {error.strerror or error}".strip()
        raise UserError(f"MLflow's files cannot be written ({reason}): correct that, then {AGAIN}") from None


def open_client(uri: str) -> MlflowClient:
    """A client of a server, or of a database that can be written and has this MLflow's schema."""
    if is_database(uri):
        path = sqlite_file(uri)
        if path is not None and not path.exists():
            create_database(path)
        check_database(make_url(uri), MIGRATIONS, DATABASE_SECONDS)
    return MlflowClient(uri)


def create_database(path: Path) -> None:
    """Make an empty database, whole or not at all: MLflow cannot go on where its migrations were interrupted."""
    artifacts = path.parent / "mlartifacts"  # of MLflow's own default experiment
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        scratch = Path(folder) / path.name
        try:
            SqlAlchemyStore(sqlite_uri(scratch), artifacts.as_uri())
        finally:
            with suppress(OSError):
                artifacts.rmdir()  # MLflow makes it; it goes if it is empty
        os.replace(scratch, path)
