"""Run an experiment in a clone of the committed project, under .metaglot/, with the project's own cache."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from experiments.changed_params import PARAMS, apply_settings
from experiments.declared import find_settings
from tools.clone import clone_commit, git, run_or_exit

CLONES = Path(".metaglot/findings")
CACHE = Path(".dvc/cache")


def run_experiment(name: str, clones: Path = CLONES, workers: str = "") -> Path:
    """Run the pipeline with the params of an experiment or of a part, several runs at a time if `workers` is given.

    Returns the clone. A clone of the same commit is used again, by all parts of an experiment. Results that another
    clone or the project computed come from the cache.
    """
    settings, folder = find_settings(name), clones / name.partition("/")[0]
    clone_commit(folder, CACHE)
    write_params(folder, settings)
    run_or_exit("stages.configure", "--check", folder=folder)
    if workers:
        run_or_exit("cluster", "run", "--workers", workers, folder=folder)
    run_or_exit("dvc", "repro", folder=folder)
    return folder


def write_params(folder: Path, settings: dict[str, Any]) -> None:
    """The clone's params.yaml as it is committed, with these settings."""
    git("checkout", "-q", "--", str(PARAMS), folder=folder)
    yaml = YAML()
    yaml.width = 120
    params = yaml.load(folder / PARAMS)
    yaml.dump(apply_settings(settings, params), folder / PARAMS)
