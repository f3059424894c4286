"""A server that does not start is one line, with its own reason."""

import os
import sys
from pathlib import Path

import pytest

from metaglot.core.common.errors import UserError
from tools.mlflow_server import free_port, running


@pytest.mark.parametrize(
    ("code", "reason"), [("print(1); print('port in use'); exit(1)", "port in use"), ("", "it printed nothing")]
)
def test_a_server_that_ends_by_itself_is_told_by_its_last_line(tmp_path: Path, code: str, reason: str) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(UserError, match=f"^MLflow's server does not answer at {address}: {reason}$"):
        with running([sys.executable, "-c", code], tmp_path, address, dict(os.environ)):
            pass
