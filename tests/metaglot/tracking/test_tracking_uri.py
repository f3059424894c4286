"""MLFLOW_TRACKING_URI in all its forms, taken from the repository's root."""

import string
from pathlib import Path

import pytest
from error_lines import error_line
from sqlalchemy import make_url

from metaglot.tracking.tracking_uri import is_database, sqlite_file, tracking_uri


@pytest.mark.parametrize(
    "value, meant",
    [
        (None, "sqlite:///{root}/mlflow.db"),
        ("", "sqlite:///{root}/mlflow.db"),
        ("  ", "sqlite:///{root}/mlflow.db"),
        (" sqlite:///runs.db ", "sqlite:///{root}/runs.db"),
        ("sqlite:///a@b@c.db", "sqlite:///{root}/a%40b%40c.db"),
        ("http://127.0.0.1:5000/#/experiments/1", "http://127.0.0.1:5000/"),
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
def test_an_address_is_taken_from_the_repository_s_root(
    tmp_path: Path, value: str | None, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
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


MALFORMED = {
    "foo://x": "unknown scheme foo",
    "sqlite://": "names no file",
    "sqlite:////": "names no file",
    "sqlite:/x.db": "is not a database's address",
    "sqlite:///a?b.db": "write a ? in a file's name as %3F",
    "http://": "names no host",
    "http:/x": "names no host",
    "http://127.0.0.1:0": "no port",
    "http://a b/": "names no host",
    "postgresql://u@h:abc/x": "is not a valid address",
    "localhost:5000/path": "did you mean http://localhost:5000/path?",
    "localhost": "means the folder",
    "mlflow.db": "means the folder",
    '"http://127.0.0.1:5000"': "means the folder",
    "~nobody-of-this-name/mlruns": "means the folder",
    "file://host/x": "unknown scheme file",
}


@pytest.mark.parametrize("value", MALFORMED)
def test_what_is_no_address_is_one_line_that_names_the_variable(tmp_path: Path, value: str) -> None:
    line = error_line(lambda: tracking_uri(value, tmp_path))
    assert line.startswith("MLFLOW_TRACKING_URI=") and MALFORMED[value] in line


@pytest.mark.parametrize("folder", ["nowhere/mlruns", "/nowhere/at/all", "file:nowhere/mlruns"])
def test_a_folder_whose_parent_is_missing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert "is no folder: make it" in error_line(lambda: tracking_uri(folder, tmp_path))


@pytest.mark.parametrize(
    "value",
    [
        "alice:s3cr3t@host:5000",
        "alice:s3cr3t@host",
        "postgresql:alice:s3cr3t@host/x",
        "postgresql://alice:s3@c#r3t@host/x",
        "postgresql://alice:s3@cr3t@host/x",
        "http://alice:s3#cr3t@host",
        "http://alice:s3/cr3t@host",
        "ftp://alice:s3cr3t@host",
    ],
)
def test_no_part_of_a_password_is_shown(tmp_path: Path, value: str) -> None:
    line = error_line(lambda: tracking_uri(value, tmp_path))
    assert not [part for part in ("s3", "r3t", "alice") if part in line]
