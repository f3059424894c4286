"""The commands on a pipeline whose stages only copy files: what they refuse, and what they keep."""

import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo

from cluster import dvc_experiment, local, plan, workspace
from cluster.__main__ import check_where, collect, exp, run
from cluster.plan import Job
from cluster.restore import restore_or_list_missing
from cluster.shared_folder import write_jobs
from metaglot.core.common.atomic_files import write_bytes, write_json
from metaglot.core.common.errors import UserError
from tools.in_use import in_use

JOBS = [Job("maml", seed, ("train", "evaluate")) for seed in (1, 2, 3)]


def test_a_second_run_in_one_project_is_refused(finished: Path) -> None:
    with in_use(local.FOLDER), pytest.raises(UserError, match=r"^\.metaglot/workers is in use by another command"):
        run("1", "", publish=False, train_only=False)


def test_a_second_experiment_in_one_project_is_refused(finished: Path) -> None:
    with in_use(dvc_experiment.CLONE), pytest.raises(UserError, match=r"^\.metaglot/experiment is in use by another"):
        exp(["seeds=[4]"], "1", "")


def test_jobs_are_not_packed_into_a_folder_that_has_others(tmp_path: Path) -> None:
    write_json(tmp_path / "jobs.json", [])
    with pytest.raises(UserError, match="has the jobs of an earlier `pack`: name a new folder"):
        write_jobs(tmp_path, JOBS)
    assert [path.name for path in tmp_path.iterdir()] == ["jobs.json"]


def test_the_other_results_come_home_where_one_is_refused(
    finished: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path_factory.mktemp("jobs")
    write_json(folder / "jobs.json", [vars(job) for job in JOBS])
    write_bytes(folder / "results/maml-2.tar", workspace.pack_results(finished))
    next(path for path in (finished / ".dvc/cache/files").rglob("*") if path.is_file()).write_text("damaged")
    write_bytes(folder / "results/maml-1.tar", workspace.pack_results(finished))
    lose_results(finished)
    with pytest.raises(UserError, match="^maml-1 failed: a result arrived damaged"):
        collect(folder)
    assert "brought home: maml-2; not done: maml-3" in capsys.readouterr().out
    assert (finished / "maml-2/result").read_text() == "10 iterations"


def lose_results(folder: Path) -> None:
    shutil.rmtree(folder / ".dvc/cache")
    for path in [*folder.glob("maml-*/weights"), *folder.glob("maml-*/result"), folder / "dvc.lock"]:
        path.unlink()


@pytest.mark.parametrize("address", ["auto", "ray://head:10001/x", "head"])
def test_an_address_of_ray_without_a_port_is_refused_by_name(address: str) -> None:
    with pytest.raises(UserError, match=f"^Ray's address: got '{address}'; takes HOST:PORT"):
        check_where("1", address)


def test_what_is_no_number_of_workers_is_refused_before_anything_runs(finished: Path) -> None:
    with pytest.raises(UserError, match="^workers: got 'two'; takes auto, or a number from 1"):
        run("two", "", publish=False, train_only=False)


def test_a_lock_that_another_command_of_dvc_holds_is_one_line(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dvc.lock.DEFAULT_TIMEOUT", 0.1)
    with Repo().lock, pytest.raises(UserError, match="^DVC: Unable to acquire lock"):
        restore_or_list_missing()


def test_a_folder_that_is_no_git_repository_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="^error: git status: fatal: not a git repository[^\n]*$"):
        plan.check_code_is_committed()
