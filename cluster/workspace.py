"""What travels to a worker, and how a run is computed there: a clone of the commit in a tar, with the run's inputs."""

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from cluster.plan import Job
from metaglot.core.common.errors import UserError
from stages.support import paths

STOPPED = 128 + signal.SIGTERM
SPLITS = [paths.split(part) for part in ("train", "validation", "test")]


def pack_commit() -> bytes:
    """A tar of a clone of HEAD, without history, and of the three parts of the split."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        command = ["git", "clone", "-q", "--depth", "1", Path.cwd().as_uri(), str(clone)]
        subprocess.run(command, check=True, capture_output=True)
        (clone / "dvc.lock").unlink(missing_ok=True)  # a worker knows its own run alone
        for path in SPLITS:
            if not path.exists():
                raise UserError(f"{path} is not there: run `dvc repro preprocess` first")
            (clone / path.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, clone / path)
        return pack(clone, ".")


def pack_inputs(job: Job) -> bytes:
    """A tar of what one job reads besides: its configs, and its weights where only `evaluate` is to run."""
    weights = paths.weights(job.algorithm, job.seed)
    trained = [] if any(stage.startswith("train") for stage in job.stages) else [weights]
    return pack(
        Path(), paths.train_config(job.algorithm), paths.evaluate_config(job.algorithm), "params.yaml", *trained
    )


def pack(folder: Path, *names: Path | str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in names:
            tar.add(folder / name, arcname=str(name))
    return buffer.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(folder, filter="data")


def prepare(folder: Path, commit: bytes, inputs: bytes, job: Job) -> None:
    """Make the workspace of one job; DVC there knows no other run, so that it is as quick among a thousand."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    unpack(commit, folder)
    unpack(inputs, folder)
    yaml = YAML()
    params = yaml.load(folder / "params.yaml")
    params["algorithms"], params["seeds"] = [job.algorithm], [job.seed]
    yaml.dump(params, folder / "params.yaml")


def start(folder: Path, job: Job, log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Begin to compute a job in its workspace, as the leader of a group of processes; what it says goes to its log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", *job.stages]
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def environment(threads: int | None, checkpoints: Path) -> dict[str, str]:
    """What a job's processes see: this interpreter, the number of threads, the folder of its checkpoints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    kept |= {"DVC_NO_ANALYTICS": "1", "METAGLOT_CHECKPOINTS": str(checkpoints.resolve())}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | ({"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)} if threads else {})


def pack_results(folder: Path) -> bytes:
    """A tar of the cache that a finished job filled: files and entries of the run cache."""
    return pack(folder / ".dvc/cache", "files", "runs")


def stop(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """End a job and all it started: a training saves a checkpoint first."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except ProcessLookupError:
            process.wait()
        except subprocess.TimeoutExpired:
            continue
        return


def failure(log: Path) -> str:
    """The last line of a log that says what went wrong."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:")]
    return (errors or lines or ["it said nothing"])[-1]
