"""`mlflow models serve` on 127.0.0.1, run away from the project, and requests to it."""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tools.mlflow_server import QUIET, free_port, running


class Reply(NamedTuple):
    status: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@contextmanager
def served(model: str, folder: Path, tracking: str) -> Iterator[str]:
    """Yields the address for requests once the server answers. folder: what it runs in, with server.log."""
    port = free_port()
    line = [sys.executable, "-m", "mlflow", "models", "serve", "-m", model, "--env-manager", "local"]
    line += ["--host", "127.0.0.1", "--port", str(port)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it starts uvicorn by name
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= QUIET | {"PATH": path, "MLFLOW_TRACKING_URI": tracking}
    with running(line, folder, f"http://127.0.0.1:{port}", environment, seconds=300) as address:
        yield f"{address}/invocations"


def post(address: str, body: Any, kind: str = "application/json") -> Reply:
    """body: bytes as they are, and anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, content, {"Content-Type": kind})) as reply:
            return Reply(reply.status, reply.read().decode())
    except urllib.error.HTTPError as error:
        return Reply(error.code, error.read().decode())
