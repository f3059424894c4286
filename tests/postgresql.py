"""A PostgreSQL of its own on 127.0.0.1, for as long as a test needs it: Debian's, never as root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INSTALLED = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.environ.get("PATH", "").split(os.pathsep))]


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs, which Debian does not put on PATH."""
    for folder in INSTALLED:
        if (folder / name).exists():
            return str(folder / name)
    pytest.skip("PostgreSQL is not installed: apt-get install postgresql")


def owner() -> str | None:
    """Who runs it where root may not: Debian's user, or nobody."""
    users = {user.pw_name for user in pwd.getpwall()}
    return None if os.geteuid() else next(name for name in ("postgres", "nobody") if name in users)


@contextmanager
def postgresql(port: int) -> Iterator[str]:
    """Yields the address of an empty database."""
    initdb, control, user = program("initdb"), program("pg_ctl"), owner()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # pytest's own folders are root's alone
    if user:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        with (folder / "output").open("ab") as output:
            subprocess.run(command, user=user, cwd=folder, stdout=output, stderr=output, check=True)

    try:
        (folder / "output").touch()
        run(initdb, "-D", "data", "-A", "trust", "-U", "mlflow", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
        run(control, "-D", "data", "-w", "-l", "log", "-o", options, "start")
        try:
            yield f"postgresql://mlflow@127.0.0.1:{port}/postgres"
        finally:
            run(control, "-D", "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
