"""Run an experiment in a clone of the committed project, under .metaglot/, with the project's own cache."""

from pathlib import Path

from ruamel.yaml import YAML

from experiments.declared import PARAMS, apply_settings, find_experiment
from tools.clone import clone_commit, git, run_or_exit

CLONES = Path(".metaglot/findings")
CACHE = Path(".dvc/cache")


def run_experiment(name: str, clones: Path = CLONES, workers: str = "") -> Path:
    """Run the pipeline with an experiment's params, several runs at a time if `workers` is given; returns the clone.

    A clone of the same commit is used again. Results that another clone or the project computed come from the cache.
    """
    experiment, folder = find_experiment(name), clones / name
    clone_commit(folder, CACHE)
    git("checkout", "-q", "--", str(PARAMS), folder=folder)
    yaml = YAML()
    yaml.width = 120
    params = yaml.load(folder / PARAMS)
    yaml.dump(apply_settings(experiment.settings, params), folder / PARAMS)
    run_or_exit("stages.configure", "--check", folder=folder)
    if workers:
        run_or_exit("cluster", "run", "--workers", workers, folder=folder)
    run_or_exit("dvc", "repro", folder=folder)
    return folder
