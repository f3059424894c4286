"""Run an experiment in a clone of the committed project, under .metaglot/, with the project's own cache."""

from pathlib import Path
from typing import Any

from experiments.candidates import chosen_settings
from experiments.declared import find_settings
from metaglot.config.yaml12 import read_yaml12
from tools.clone import clone_commit, git, run_or_exit
from tools.params_file import PARAMS, change_params

CLONES = Path(".metaglot/findings")


def clone_of(name: str, ending: str = "", clones: Path = CLONES) -> Path:
    """The folder of the clone that all parts of an experiment use."""
    return clones / f"{name.partition('/')[0]}{ending}"


def run_experiment(part: str, commit: str, workers: str = "") -> Path:
    """Run the pipeline with the params of an experiment or of a part, several runs at a time if `workers` is given.

    Returns the clone of the commit, which all parts use. Results that another clone or the project computed come from
    the cache.
    """
    folder = prepare_clone(part, commit)
    if workers:
        run_or_exit("cluster", "run", "--workers", workers, folder=folder)
    run_or_exit("dvc", "repro", "report", folder=folder)  # nobody reads what `track` would publish in the clone
    return folder


def train_candidates(part: str, commit: str, workers: str = "") -> Path:
    """Train the candidates of a tuning's part, and score nothing; returns the clone."""
    folder = prepare_clone(part, commit)
    if workers:
        run_or_exit("cluster", "run", "--train-only", "--workers", workers, folder=folder)
    else:
        params = read_yaml12(folder / PARAMS)
        runs = [f"train@{name}-{seed}" for name in params["algorithms"] for seed in params["seeds"]]
        run_or_exit("dvc", "repro", *runs, folder=folder)
    return folder


def prepare_clone(part: str, commit: str) -> Path:
    """A clone of the commit with the params of an experiment or of a part."""
    settings, folder = find_settings(part) | chosen_settings(part), clone_of(part)
    clone_commit(folder, commit=commit)
    write_params(folder, settings)
    run_or_exit("stages.configure", "--check", folder=folder)
    return folder


def write_params(folder: Path, settings: dict[str, Any]) -> None:
    """The clone's params.yaml as it is committed, with these settings."""
    git("checkout", "-q", "--", str(PARAMS), folder=folder)
    change_params(folder / PARAMS, settings)
