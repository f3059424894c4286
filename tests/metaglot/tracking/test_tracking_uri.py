"""MLFLOW_TRACKING_URI in all its forms, taken from the repository's root."""

import string
from pathlib import Path

import pytest
from sqlalchemy import make_url

from metaglot.core.common.errors import UserError
from metaglot.tracking.tracking_uri import is_database, sqlite_file, tracking_uri


@pytest.mark.parametrize(
    "value, meant",
    [
        (None, "sqlite:///{root}/mlflow.db"),
        ("", "sqlite:///{root}/mlflow.db"),
        ("sqlite:///runs.db", "sqlite:///{root}/runs.db"),
        ("sqlite:////tmp/runs.db", "sqlite:////tmp/runs.db"),
        ("./mlruns", "file://{root}/mlruns"),
        ("file:mlruns", "file://{root}/mlruns"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("postgresql://u:p@host/name", "postgresql://u:p@host/name"),
        ("databricks", "databricks"),
        ("databricks://profile", "databricks://profile"),
    ],
)
def test_an_address_is_taken_from_the_repository_s_root(tmp_path: Path, value: str | None, meant: str) -> None:
    assert tracking_uri(value, tmp_path) == meant.format(root=tmp_path)


def test_databases_are_told_from_servers() -> None:
    assert is_database("sqlite:////a/mlflow.db") and is_database("postgresql+psycopg2://host/mlflow")
    assert not is_database("http://127.0.0.1:5000") and not is_database("databricks")


@pytest.mark.parametrize("letter", sorted(set(string.printable) - {"/"}))
def test_any_letter_in_a_path_is_quoted(tmp_path: Path, letter: str) -> None:
    root = tmp_path / f"a{letter}b%2Fc"
    uri = tracking_uri(None, root)
    assert Path(make_url(uri).database or "") == root / "mlflow.db"
    assert sqlite_file(uri) == (root / "mlflow.db").resolve()


@pytest.mark.parametrize("value", ["foo://x", "sqlite://", "http://", "postgresql://u@h:abc/x", "localhost:5000/path"])
def test_what_is_no_address_is_one_line_that_names_the_variable(tmp_path: Path, value: str) -> None:
    with pytest.raises(UserError, match="^MLFLOW_TRACKING_URI=") as caught:
        tracking_uri(value, tmp_path)
    assert "\n" not in str(caught.value)
