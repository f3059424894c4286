"""Where MLflow's runs go: MLFLOW_TRACKING_URI, with paths taken from the repository's root."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from metaglot.core.common.errors import UserError

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
OTHERS = ("databricks", "databricks-uc", "uc")
FORMS = "http://HOST:PORT, sqlite:///FILE, postgresql://HOST/NAME, or a folder"
FOLDERS_ARE_ALLOWED = "MLFLOW_ALLOW_FILE_STORE"  # MLflow's own variable


def tracking_uri(value: str | None, root: Path) -> str:
    """The address to publish to; without a value, mlflow.db in the repository's root. Relative paths begin there."""
    value = (value or "").strip()
    if not value:
        return sqlite_uri(root / "mlflow.db")
    without_login = value.rpartition("@")[2]
    if "://" not in value and re.fullmatch(r"[\w.-]+:\d+(/.*)?", without_login):
        raise _refusal(value, f"lacks its scheme: did you mean http://{without_login}?")
    _check_password(value)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise _refusal(value, f"is not a valid address ({error}): it takes {FORMS}") from None
    if is_database(value):
        return _database_uri(value, root)
    if parts.scheme in ("http", "https"):
        if not parts.hostname or port == 0 or re.search(r"\s", value):
            raise _refusal(value, f"names no host or no port: it takes {FORMS}")
        return value.partition("#")[0]
    if parts.scheme in OTHERS or value in OTHERS:
        return value
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return _folder_uri(value, root / unquote(parts.path))
    if not parts.scheme:
        return _folder_uri(value, root / os.path.expanduser(value))
    named = "no scheme" if "@" in value and "://" not in value else f"the unknown scheme {parts.scheme}"
    raise _refusal(value, f"has {named}: it takes {FORMS}")


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


def _refusal(value: str, reason: str) -> UserError:
    """An error about the variable. What stands before the last @ may be a password, also without a scheme."""
    scheme = re.match(r"[\w+.-]+://", value) if "@" in value else None
    return UserError(f"{VARIABLE}={scheme[0] if scheme else ''}{value.rpartition('@')[2]} {reason}")


def _check_password(value: str) -> None:
    """Refuse a password with letters that end it, of which libraries would take, and show, a part as the host."""
    scheme, _, rest = value.partition("://")
    password, at, _ = rest.rpartition("@")
    ends = "[/?#]" if scheme in ("http", "https") else "[@/?#]"
    if at and scheme not in ("sqlite", "file") and re.search(ends, password):
        raise _refusal(value, "has a password with @, /, ? or #: write %40, %2F, %3F or %23 there")


def _folder_uri(value: str, folder: Path) -> str:
    if os.environ.get(FOLDERS_ARE_ALLOWED, "").lower() not in ("true", "1"):
        reason = f"means the folder {folder}, where MLflow keeps runs only with {FOLDERS_ARE_ALLOWED}=true"
        raise _refusal(value, f"{reason}: it takes {FORMS}")
    _check_parent(value, folder)
    return folder.as_uri()


def _database_uri(value: str, root: Path) -> str:
    try:
        url = make_url(value)
        if url.get_backend_name() != "sqlite":
            return value
    except (ArgumentError, ValueError) as error:
        raise _refusal(value, f"is not a database's address ({error}): it takes {FORMS}") from None
    if not url.database or url.database in (":memory:", "/"):
        raise _refusal(value, "names no file: write sqlite:///FILE")
    if "?" in value and not url.query:
        raise _refusal(value, "has a ? without an option: write a ? in a file's name as %3F")
    path = (root / url.database).resolve()
    _check_parent(value, path)
    if path.is_dir():
        raise _refusal(value, f"means {path}, and {path} is a folder: name a file")
    return url.set(database=str(path)).render_as_string(hide_password=False)


def _check_parent(value: str, path: Path) -> None:
    if not path.parent.is_dir():
        raise _refusal(
            value,
            f"means {path}, and {path.parent} is no folder: make it, or correct the address (an absolute path of a "
            "database takes four slashes, and there ~ means nothing)",
        )
