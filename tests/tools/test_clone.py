"""Clones under .metaglot/: which commit they have, and from which cache they take results."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml
from params_file import ROOT

from tools.clone import checked_out, clone_commit, dvc_cache, git, last_commit, set_cache


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return repository(tmp_path / "project")


def repository(folder: Path) -> Path:
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc/config").touch()
    (folder / ".dvc/.gitignore").write_text("/config.local\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    commit(folder, "first")
    return folder


def commit(folder: Path, text: str) -> str:
    (folder / "code.py").write_text(text)
    git("add", ".", folder=folder)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", text, folder=folder)
    return last_commit(folder)


def test_a_clone_of_the_commit_is_used_again(project: Path, tmp_path: Path) -> None:
    clone_commit(tmp_path / "clone", project)
    (tmp_path / "clone/checkpoint").touch()
    clone_commit(tmp_path / "clone", project)
    assert (tmp_path / "clone/checkpoint").exists()
    commit(project, "second")
    clone_commit(tmp_path / "clone", project)
    assert not (tmp_path / "clone/checkpoint").exists() and (tmp_path / "clone/code.py").read_text() == "second"


def test_the_commit_that_a_command_began_with_stays_after_another(project: Path, tmp_path: Path) -> None:
    first = last_commit(project)
    clone_commit(tmp_path / "clone", project, first)
    (tmp_path / "clone/checkpoint").touch()
    commit(project, "second")
    for folder in ("clone", "later"):
        clone_commit(tmp_path / folder, project, first)
        assert checked_out(tmp_path / folder) == first and (tmp_path / folder / "code.py").read_text() == "first"
    assert (tmp_path / "clone/checkpoint").exists()


def test_a_clone_that_is_used_again_takes_the_project_s_cache(project: Path, tmp_path: Path) -> None:
    assert dvc_cache(project) == project / ".dvc/cache"
    for cache in ("a", "b"):
        (project / ".dvc/config").write_text(f"[cache]\n    dir = {tmp_path / cache}\n")
        assert dvc_cache(project) == tmp_path / cache
        clone_commit(tmp_path / "clone", project)
        assert dvc_cache(tmp_path / "clone") == tmp_path / cache


def test_a_clone_has_the_data_that_the_project_s_cache_has(project: Path, tmp_path: Path) -> None:
    data = {"data/raw": {"persist": True}}
    stage = {"cmd": "mkdir -p data/raw && touch data/raw/source.json", "outs": [data]}
    (project / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"download": stage}}))
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], cwd=project, check=True)
    git("add", "dvc.yaml", "dvc.lock", folder=project)
    commit(project, "data")
    clone_commit(tmp_path / "clone", project)
    assert (tmp_path / "clone/data/raw/source.json").exists()


def test_a_cache_in_a_folder_of_any_name_is_found_by_dvc(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "c#, 'my' \"cache\" é"
    cache.mkdir()
    set_cache(project, cache)
    shown = subprocess.run([sys.executable, "-m", "dvc", "cache", "dir"], cwd=project, capture_output=True, text=True)
    assert shown.stdout.strip() == str(cache) == str(dvc_cache(project))


def test_a_folder_without_git_in_a_project_is_no_clone(project: Path, tmp_path: Path) -> None:
    left = project / ".metaglot/findings/half-removed"
    left.mkdir(parents=True)
    assert checked_out(left) is None and checked_out(project / "nowhere") is None
    clone_commit(left, project)
    assert (left / "code.py").exists() and checked_out(left) == last_commit(project)


def test_git_that_fails_without_a_reason_is_one_line(project: Path) -> None:
    with pytest.raises(SystemExit, match="error: git rev-parse: exit code 1"):
        git("rev-parse", "-q", "--verify", "nothing", folder=project)


def test_git_s_reason_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="^error: git rev-parse: fatal: not a git repository[^\n]*$"):
        git("rev-parse", "HEAD", folder=tmp_path)


GRANDCHILD = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"])
"""


def test_sigterm_ends_what_a_module_started_too(tmp_path: Path) -> None:
    (tmp_path / "starter.py").write_text(GRANDCHILD)
    code = f"import sys; sys.path.append({str(ROOT)!r}); from tools.clone import run_module; run_module('starter')"
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        assert process.wait(timeout=10) == 128 + signal.SIGTERM
    _, alive = psutil.wait_procs(started, timeout=10)
    assert len(started) == 2 and not alive
