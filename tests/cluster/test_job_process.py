"""A guard's command fails, is killed, or loses the process that started the guard."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from draws import first_is_quick
from worker_cases import wait_until

from cluster import job_process, stop_with_parent
from cluster.job_process import WorkerKilled
from metaglot.core.common.errors import UserError


def guarded(log: Path, shell: str) -> job_process.Process:
    command = [sys.executable, "-P", stop_with_parent.__file__, "sh", "-c", shell]
    with log.open("wb") as file:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file, stderr=file, start_new_session=True)


def test_a_job_that_fails_by_its_own_fault_is_told_by_its_last_error(tmp_path: Path) -> None:
    process = guarded(tmp_path / "log", "echo error: the loss is not finite; echo ERROR: failed to reproduce; exit 255")
    process.wait(20)
    job_process.stop(process)
    with pytest.raises(UserError, match="^the loss is not finite$"):
        job_process.raise_if_killed_or_failed(process, tmp_path / "log")


@pytest.mark.parametrize("shell", ["kill -9 $$", "echo stage train@maml-1 exited with -9; exit 255"])
def test_a_job_that_a_signal_ended_can_be_tried_again(tmp_path: Path, shell: str) -> None:
    process = guarded(tmp_path / "log", shell)
    process.wait(20)
    job_process.stop(process)
    with pytest.raises(WorkerKilled):
        job_process.raise_if_killed_or_failed(process, tmp_path / "log")


@pytest.mark.parametrize("how", first_is_quick("guard killed", "stopped", "worker and child killed"))
def test_nothing_of_a_stopped_job_goes_on(tmp_path: Path, how: str) -> None:
    process = guarded(tmp_path / "log", "sh -c 'trap \"echo saved\" TERM; echo $$; while :; do sleep 0.1; done'; true")
    while not (output := (tmp_path / "log").read_text().split()):
        time.sleep(0.05)
    if how != "stopped":
        process.kill()
    if how == "worker and child killed":
        job_process.request_stop(process)  # as the end of the worker does
        process.wait()
    else:
        job_process.stop(process)
    wait_until(lambda: not psutil.pid_exists(int(output[0])), 20)
    assert how == "guard killed" or "saved" in (tmp_path / "log").read_text()
