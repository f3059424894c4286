"""`make repro` on a machine that reaches neither a mirror nor the internet: the real pipeline, on glyphs."""

from pathlib import Path

import pytest
from params_file import ASGIVEN, TINY, changed
from repository import Repository

pytestmark = pytest.mark.slow

DEAF = "http://127.0.0.1:9"  # nothing listens on the port of `discard`
NO_NETWORK = {name: DEAF for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")} | {"NO_PROXY": "", "no_proxy": ""}


def test_without_a_network_the_pipeline_runs_on_glyphs_and_git_sees_no_change(tmp_path: Path) -> None:
    repository = Repository(tmp_path, ASGIVEN)
    repository.change(changed(TINY | {"data.source": "omniglot", "algorithms": ["maml"]}))  # and not committed
    before = repository.status(), repository.git("diff")
    done = repository.run("python", "-m", "tools.repro", OMNIGLOT_MIRROR="", **NO_NETWORK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (repository.status(), repository.git("diff")) == before

    _, run, end = done.stdout.split("OMNIGLOT COULD NOT BE REACHED")
    assert "SYNTHETIC DATA" in run and "MAML" in run
    report = Path(".metaglot/glyphs/data/report/index.html")
    assert str(report) in end and (tmp_path / report).exists()
    assert (tmp_path / ".metaglot/glyphs/mlflow.db").exists() and not (tmp_path / "mlflow.db").exists()
