"""An SQL database that MLflow keeps its tables in: whether it can be written, and its schema."""

import math
from pathlib import Path
from shlex import quote

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import SQLAlchemyError

from metaglot.core.common.errors import UserError

# By driver, the argument that limits the time to connect (in SQLite, to wait for a lock), in seconds.
TIME_LIMITS = {"pysqlite": "timeout", "pg8000": "timeout"} | dict.fromkeys(
    ("psycopg", "psycopg2", "pymysql", "mysqldb"), "connect_timeout"
)


def check_database(url: URL, migrations: Path, seconds: float) -> None:
    """Refuse, within `seconds`, a database that MLflow would retry for minutes or migrate without asking.

    migrations: the alembic scripts of the installed MLflow.
    """
    try:
        revision = _revision(url, seconds)
    except (SQLAlchemyError, ImportError, ValueError) as error:  # ValueError: of an option of the address
        reason = str(error).splitlines()[0]
        raise UserError(f"{url}: {reason}: {_remedy(reason)}, then run `dvc repro` again") from None
    scripts = ScriptDirectory(str(migrations))
    if revision in (None, scripts.get_current_head()):
        return
    age, remedy = "a newer", "install that MLflow, or name another database in MLFLOW_TRACKING_URI"
    if _knows(scripts, revision):
        address = quote(str(url)) if url.get_backend_name() == "sqlite" else "ADDRESS"  # a login is never printed
        age, remedy = "an older", f"copy it, run `mlflow db upgrade {address}`"
    raise UserError(f"{url} is of {age} MLflow (schema {revision}): {remedy}, then run `dvc repro` again")


def _remedy(reason: str) -> str:
    another = "name another database in MLFLOW_TRACKING_URI"
    if "not a database" in reason:
        return f"the file is no SQLite database; {another}"
    if "locked" in reason:
        return f"close what holds MLflow's database, or {another}"
    return f"correct that, or {another}"


def _revision(url: URL, seconds: float) -> str | None:
    sqlite, limit = url.get_backend_name() == "sqlite", TIME_LIMITS.get(url.get_driver_name())
    engine = create_engine(url, connect_args={limit: math.ceil(seconds)} if limit else {})
    try:
        with engine.connect() as connection:
            if sqlite:  # the lock of a writer: who only reads would not notice that another holds it
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def _knows(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False
