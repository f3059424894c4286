"""Projects whose experiments really run, on glyphs."""

from typing import Any

import yaml
from params_file import TINY, changed
from repository import Repository

PARAMS = changed(TINY | {"run.threads": 1, "train.iterations": 4, "train.validate_every": 2})
TITLES = {"title": "Tiny", "question": "How much?"}


def declare(repository: Repository, declared: dict[str, Any]) -> Repository:
    """The pipeline on glyphs, with these experiments."""
    repository.change(PARAMS)
    (repository.folder / "experiments/experiments.yaml").write_text(yaml.safe_dump(declared))
    repository.commit("Tiny experiments")
    return repository


def experiments(repository: Repository, *arguments: str) -> str:
    return repository.succeed("python", "-m", "experiments", *arguments)


def recorded(repository: Repository) -> dict[str, bytes]:
    findings = repository.folder / "docs/findings"
    return {str(path.relative_to(findings)): path.read_bytes() for path in findings.rglob("*.*") if path.is_file()}
