"""An MLflow server on 127.0.0.1, for a test or a screenshot."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from metaglot.core.common.errors import UserError

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serve(folder: Path, port: int, kind: str = "server", store: str = "") -> Iterator[str]:
    """Serve `folder`/mlflow.db, or the database at `store`, by `mlflow KIND`.

    Yields the address once the server answers; at the end stops the server and its workers.
    """
    line = [sys.executable, "-m", "mlflow", kind, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    line += ["--backend-store-uri", store or f"sqlite:///{folder}/mlflow.db"]
    with running(line, folder, f"http://127.0.0.1:{port}", os.environ | QUIET) as address:
        yield address


@contextmanager
def running(
    line: list[str], folder: Path, address: str, environment: dict[str, str], seconds: float = 60
) -> Iterator[str]:
    """Run a server's command in `folder`, with its output in server.log; yields the address once it answers."""
    path = folder / "server.log"
    with path.open("wb") as log:
        process = subprocess.Popen(line, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        if not _is_up(f"{address}/health", process, seconds):
            lines = path.read_text(errors="replace").strip().splitlines()
            raise UserError(f"MLflow's server does not answer at {address}: {(lines or ['it printed nothing'])[-1]}")
        yield address
    finally:
        with suppress(ProcessLookupError):  # it ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_up(address: str, process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Wait until a server answers, or ends."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False
