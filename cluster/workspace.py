"""What travels to a worker: a clone of the commit in a tar, and a job's inputs; there they make a workspace."""

import io
import shutil
import tarfile
import tempfile
from pathlib import Path

from cluster.plan import Job
from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import UserError
from stages.support import paths
from tools.clone import git
from tools.params_file import PARAMS, change_params

SPLITS = [paths.split(part) for part in ("train", "validation", "test")]


def pack_commit() -> bytes:
    """A tar of a clone of HEAD, without history, and of the three parts of the split."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        git("clone", "-q", "--depth", "1", Path.cwd().as_uri(), str(clone))
        (clone / "dvc.lock").unlink(missing_ok=True)  # a worker knows its own run alone
        for path in SPLITS:
            if not path.exists():
                raise UserError(f"{path} does not exist: run `dvc repro preprocess` first")
            (clone / path.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, clone / path)
        return pack(clone, ".")


def pack_inputs(job: Job) -> bytes:
    """A tar of a job's configs, of another project's test split, and of its weights if only `evaluate` is to run."""
    names = [paths.train_config(job.algorithm), paths.evaluate_config(job.algorithm), PARAMS]
    if not any(stage.startswith("train") for stage in job.stages):
        names.append(paths.weights(job.algorithm, job.seed))
    return pack(Path(), *names, *_other_test_split(), dereference=True)  # DVC's cache may be linked


def _other_test_split() -> list[Path]:
    """Another project's test split that lies in this repository; one with a whole path must be on every node."""
    path = Path(read_yaml(PARAMS)["evaluate"]["test_split"])
    if path.is_absolute() or path in SPLITS:
        return []
    if ".." in path.parts:
        raise UserError(
            f"params.yaml: evaluate.test_split: got {path}; workers take a path in the repository or a whole one"
        )
    return [path]


def pack_results(folder: Path) -> bytes:
    """A tar of the cache that a finished job filled: files, and entries of the run cache."""
    return pack(folder / ".dvc/cache", "files", "runs")


def pack(folder: Path, *names: Path | str, dereference: bool = False) -> bytes:
    """A tar of these files and folders; `dereference` packs what a link leads to."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=dereference) as tar:
        for name in names:
            tar.add(folder / name, arcname=str(name))
    return buffer.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.4 or later; Debian 12 has an older one
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(folder)


def prepare(folder: Path, commit: bytes, inputs: bytes, job: Job) -> None:
    """Make the workspace of one job. DVC there knows no other run, so a job takes no longer in a large matrix."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    unpack(commit, folder)
    unpack(inputs, folder)
    change_params(folder / PARAMS, {"algorithms": [job.algorithm], "seeds": [job.seed]})
