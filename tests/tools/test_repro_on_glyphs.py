"""`make repro` on a machine that reaches neither a mirror nor the internet: the real pipeline, on glyphs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from params_file import TINY, changed, text
from workshop import ROOT

pytestmark = pytest.mark.slow

DEAF = "http://127.0.0.1:9"  # nothing listens on the port of `discard`


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The repository as it is now, in a clone whose params.yaml asks for little, not yet committed."""
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(ROOT), str(folder))
    for name in git(ROOT, "ls-files", "-z", "-co", "--exclude-standard").split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "params.yaml").write_bytes(text(changed(TINY | {"data.source": "omniglot", "algorithms": ["maml"]})))
    return folder


def test_without_a_network_the_pipeline_runs_on_glyphs_and_git_sees_no_change(clone: Path) -> None:
    before = git(clone, "status", "--porcelain"), git(clone, "diff")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "MLFLOW_", "OMNIGLOT_"))}
    proxies = {name: DEAF for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")} | {"NO_PROXY": "", "no_proxy": ""}
    command = [sys.executable, "-m", "tools.repro"]
    done = subprocess.run(command, cwd=clone, env=kept | proxies, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (git(clone, "status", "--porcelain"), git(clone, "diff")) == before

    _, run, end = done.stdout.split("OMNIGLOT COULD NOT BE REACHED")
    assert "SYNTHETIC DATA" in run and "MAML" in run
    report = Path(".metaglot/glyphs/data/report/index.html")
    assert str(report) in end and (clone / report).exists()
    assert (clone / ".metaglot/glyphs/mlflow.db").exists() and not (clone / "mlflow.db").exists()
