"""Where MLflow's runs go: MLFLOW_TRACKING_URI, with paths taken from the repository's root."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from metaglot.core.common.errors import UserError

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
FORMS = "http://HOST:PORT, sqlite:///FILE, postgresql://HOST/NAME, or a folder"


def tracking_uri(value: str | None, root: Path) -> str:
    """The address to publish to; without a value, mlflow.db in the repository's root. Relative paths begin there."""
    if not value:
        return sqlite_uri(root / "mlflow.db")
    if re.fullmatch(r"[\w.-]+:\d+(/.*)?", value):
        raise UserError(f"{VARIABLE}={value} lacks its scheme: did you mean http://{value}?")
    try:
        parts = urlsplit(value)
        valid_port = parts.port is None or parts.port >= 0
    except ValueError as error:
        raise UserError(f"{VARIABLE}={value} is not a valid address ({error}): it takes {FORMS}") from None
    if is_database(value):
        return _database_uri(value, root)
    if parts.scheme in ("http", "https"):
        if not parts.hostname or not valid_port:
            raise UserError(f"{VARIABLE}={value} names no host: it takes {FORMS}")
        return value
    if parts.scheme == "file":
        return (root / unquote(parts.path)).as_uri()
    if value in ("databricks", "uc"):
        return value
    if not parts.scheme:
        return (root / Path(value).expanduser()).as_uri()
    if parts.scheme in ("databricks", "databricks-uc", "uc"):
        return value
    raise UserError(f"{VARIABLE}={value} has the unknown scheme {parts.scheme}: it takes {FORMS}")


def is_database(uri: str) -> bool:
    """Whether an address is a database's, and not a server's, which keeps its own."""
    return uri.partition(":")[0].partition("+")[0] in DATABASES


def sqlite_uri(path: Path) -> str:
    """A path as an address: characters that mean something in an address are quoted."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite address, links followed; None for other addresses."""
    if not is_database(uri) or make_url(uri).get_backend_name() != "sqlite":
        return None
    return Path(make_url(uri).database or "").resolve()


def _database_uri(value: str, root: Path) -> str:
    try:
        url = make_url(value)
        if url.get_backend_name() != "sqlite":
            return value
    except (ArgumentError, ValueError) as error:
        raise UserError(f"{VARIABLE}={value} is not a database's address ({error}): it takes {FORMS}") from None
    if not url.database or url.database == ":memory:":
        raise UserError(f"{VARIABLE}={value} names no file: write sqlite:///FILE")
    path = (root / url.database).resolve()
    if not path.parent.is_dir():
        raise UserError(
            f"{VARIABLE}={value} means {path}, and {path.parent} is no folder: make it, or correct the address (an "
            "absolute path takes four slashes, and ~ means nothing here)"
        )
    return url.set(database=str(path)).render_as_string(hide_password=False)
