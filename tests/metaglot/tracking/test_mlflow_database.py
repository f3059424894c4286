"""Databases that MLflow cannot or should not write to are told apart, quickly."""

import shlex
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from error_lines import error_line
from mlflow.store.tracking.dbmodels.initial_models import Base
from sqlalchemy import create_engine, make_url

from metaglot.core.common.errors import UserError
from metaglot.tracking.mlflow_database import check_database

MIGRATIONS = Path(mlflow.__file__).parent / "store" / "db_migrations"


def refusal(path: Path, seconds: float = 1) -> str:
    return error_line(lambda: check_database(make_url(f"sqlite:///{path}"), MIGRATIONS, seconds))


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A database as an older MLflow left it, made by the first few of MLflow's own migrations."""
    path = tmp_path / "my runs" / "mlflow.db"
    path.parent.mkdir()
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    config = Config(MIGRATIONS / "alembic.ini")
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    early = [migration.revision for migration in script.walk_revisions()][-5]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, early)
    engine.dispose()
    return path


def test_the_database_of_an_older_mlflow_is_left_as_it_is_and_the_command_that_is_named_mends_it(older: Path) -> None:
    before = older.read_bytes()
    message = refusal(older)
    assert "is of an older MLflow (schema 7ac759974ad8): copy it, run `mlflow db upgrade" in message
    assert older.read_bytes() == before
    named = shlex.split(message.split("`")[1])
    subprocess.run([sys.executable, "-m", *named], capture_output=True, check=True)
    check_database(make_url(f"sqlite:///{older}"), MIGRATIONS, 1)


def test_the_database_of_a_newer_mlflow_is_told_from_that_of_an_older(older: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.db"
    newer.write_bytes(older.read_bytes())
    with closing(sqlite3.connect(newer)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    assert "of a newer MLflow (schema ffffffffffff): install that MLflow" in refusal(newer)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_text("not a database at all" * 100)
    assert "file is not a database" in refusal(path)


def test_a_database_in_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert "unable to open database file" in refusal(tmp_path / "nowhere" / "mlflow.db")


def test_a_locked_database_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        start = time.monotonic()
        assert "database is locked" in refusal(path, seconds=0.5)
        assert 0.4 < time.monotonic() - start < 15  # where nothing is asked, it waits 20 seconds


def test_a_database_server_that_does_not_answer_costs_no_more_than_asked() -> None:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start, address = time.monotonic(), f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UserError, match=address):
            check_database(make_url(f"postgresql+psycopg://{address}/x"), MIGRATIONS, 2)
    assert time.monotonic() - start < 15


def test_a_database_server_without_its_driver_is_said_but_never_its_password() -> None:
    with pytest.raises(UserError, match="No module named 'pg8000'") as caught:
        check_database(make_url("postgresql+pg8000://me:secret@127.0.0.1/mlflow"), MIGRATIONS, 1)
    assert "secret" not in str(caught.value)
