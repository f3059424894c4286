"""What DVC costs at home, by the number of stages."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks import fake_runs
from benchmarks.tables import Table

# In a process of its own, so that DVC begins without anything in memory.
FILL = """
from dvc.repo import Repo
from cluster.plan import COMPUTED, matrix_stages
from cluster.restore import one_lock_file
with Repo() as repo, one_lock_file(repo) as done:
    for stage, *_ in matrix_stages(repo, COMPUTED):
        stage.run()
        done.append(stage)
"""
RESTORE = "from cluster.restore import restore; assert not restore()"
REWRITE = """
import time
from dvc.repo import Repo
from cluster.plan import matrix_stages
with Repo() as repo, repo.lock:
    stage = next(stage for stage, *_ in matrix_stages(repo, ["evaluate"]))
    start = time.process_time()
    stage.dump(update_pipeline=False)
    print(time.process_time() - start)
"""
HEADER = ("stages", "restore all, s", "ms a stage", "again, nothing to restore, s", "one write of dvc.lock, s")


def measure(workspace: Path, scratch: Path, stages: int) -> list[str]:
    folder = fake_runs.with_runs(workspace, scratch / str(stages), stages // 2)
    seconds(folder, FILL)
    (folder / "dvc.lock").unlink()
    for name in ("models", "scores", "results"):
        shutil.rmtree(folder / "data" / name)
    restored, again = seconds(folder, RESTORE), seconds(folder, RESTORE)
    rewrite = float(run(folder, REWRITE))
    shutil.rmtree(folder)
    return [str(stages), f"{restored:.1f}", f"{1000 * restored / stages:.0f}", f"{again:.1f}", f"{rewrite:.2f}"]


def seconds(folder: Path, code: str) -> float:
    """The processor's time, which other programs on the machine change less than the clock's."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(folder, code)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def run(folder: Path, code: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode().splitlines()[-1] if done.stdout else ""


def table(scratch: Path, sizes: list[int]) -> Table:
    note = "Trainings and evaluations that only write small files, half of the stages each. Seconds of the processor."
    workspace = fake_runs.make_workspace(scratch / "workspace")
    return Table("DVC at home", note, HEADER, [measure(workspace, scratch, size) for size in sizes])
