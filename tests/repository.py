"""A git repository with the whole pipeline in it, and what DVC and MLflow know of it."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from params_file import ROOT, text

MIRROR = os.environ.get("OMNIGLOT_MIRROR")

needs_omniglot = pytest.mark.skipif(
    not MIRROR or "://" in MIRROR, reason="needs OMNIGLOT_MIRROR, a folder with the real archives"
)


class Repository:
    """A git repository with the pipeline in it, and what DVC and MLflow know of it."""

    def __init__(self, folder: Path, params: dict[str, Any]):
        self.folder = folder
        copied = ("metaglot", "stages", "tools", "cluster", "experiments")
        copied += (".dvc", "data/.gitignore", "benchmarks/results.json")
        tracked = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard", *copied],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        )
        for name in [*tracked.stdout.split("\0")[:-1], "dvc.yaml", ".dvcignore", ".gitignore", ".gitattributes"]:
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        (folder / "params.yaml").write_bytes(text(params))
        self.git("init", "-q")
        self.commit("Begin")

    @classmethod
    def at(cls, folder: Path) -> "Repository":
        """The repository that is in a folder already, such as a clone or a copy."""
        repository = object.__new__(cls)
        repository.folder = folder
        return repository

    def copy_to(self, folder: Path) -> "Repository":
        """All of it, also its cache, without what DVC remembers of the files' paths."""
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("tmp"), dirs_exist_ok=True)
        return self.at(folder)

    def environment(self, **more: str) -> dict[str, str]:
        """What commands see: this interpreter's programs, one thread, nothing of whoever runs the tests."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "MLFLOW_", "GIT_"))}
        who = {f"GIT_{role}_{what}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}", "OMP_NUM_THREADS": "1"}
        path["DVC_NO_ANALYTICS"] = "1"
        if MIRROR:
            path["OMNIGLOT_MIRROR"] = MIRROR if "://" in MIRROR else str((ROOT / MIRROR).resolve())
        return kept | who | path | more

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.folder, env=self.environment(**more), capture_output=True, text=True)

    def succeed(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def dvc(self, *arguments: str) -> str:
        return self.succeed("dvc", *arguments)

    def git(self, *arguments: str) -> str:
        return self.succeed("git", *arguments)

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def change(self, params: dict[str, Any]) -> None:
        (self.folder / "params.yaml").write_bytes(text(params))

    def status(self) -> list[str]:
        return self.git("status", "--porcelain", "--untracked-files=all").splitlines()

    def published(self) -> list[str]:
        """The names of MLflow's finished runs."""
        with sqlite3.connect(self.folder / "mlflow.db") as database:
            return sorted(name for (name,) in database.execute("select name from runs where status = 'FINISHED'"))

    def metrics(self, name: str) -> dict[str, float]:
        """The numbers of MLflow's run of that name."""
        latest = "select key, value from latest_metrics join runs using (run_uuid) where name = ?"
        with sqlite3.connect(self.folder / "mlflow.db") as database:
            return dict(database.execute(latest, [name]))

    def locked(self, experiment: str = "") -> dict[str, str]:
        """The hash of every output, by path, as dvc.lock has it in the last commit or an experiment."""
        named = ["for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{experiment}"]
        revision = self.git(*named).strip() if experiment else "HEAD"
        stages = yaml.safe_load(self.git("show", f"{revision}:dvc.lock"))["stages"]
        return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", [])}

    def bytes(self, *patterns: str) -> dict[str, bytes]:
        """The content of files under data/, by path."""
        data = self.folder / "data"
        return {str(path.relative_to(data)): path.read_bytes() for pattern in patterns for path in data.glob(pattern)}


def ran(output: str) -> set[str]:
    """The stages whose command DVC ran."""
    return set(re.findall(r"^Running stage '(.+)':$", output, re.MULTILINE))
