"""Take the runs of an experiment's part from the DVC cache of a folder, where they were computed one by one."""

from contextlib import chdir
from pathlib import Path
from typing import Any

from cluster.plan import COMPUTED
from cluster.restore import restore
from experiments.candidates import chosen_settings, save_candidates
from experiments.changed_params import apply_settings
from experiments.declared import find_settings
from experiments.run_in_clone import CACHE, CLONES, write_params
from experiments.save_record import FINDINGS, save_record
from metaglot.core.common.atomic_files import read_json, read_yaml
from metaglot.core.common.errors import UserError
from tools.clone import clone_commit, run_or_exit


def record_part(part: str, folder: Path, seeds: list[int] | None = None, to: Path = FINDINGS) -> str:
    """Record the seeds that a folder's cache has, or those of them that are named; returns what was done."""
    clone, complete = take_from_cache(part, folder, to)
    chosen = [seed for seed in complete if seeds is None or seed in seeds]
    about = to / part / "about.json"
    if about.exists() and not {*read_json(about)["recorded"]} <= {*chosen}:
        return f"{part}: its record stays, which has more seeds"
    return str(save_record(part, clone, chosen, to)) if chosen else f"{part}: no seed is complete yet"


def record_candidates(part: str, folder: Path, to: Path = FINDINGS) -> str:
    """Record the candidates of a tuning's part that a folder's cache has."""
    clone, _ = take_from_cache(part, folder, to, ("train",))
    return str(save_candidates(part, clone, to))


def take_from_cache(
    part: str, folder: Path, findings: Path = FINDINGS, kinds: tuple[str, ...] = COMPUTED
) -> tuple[Path, list[int]]:
    """Returns a clone of the folder's commit with the part's params and results, and the seeds of which it has all.

    Nothing is trained. The folder may be in use: only its commit, its cache and its choice of threads are read.
    """
    settings = find_settings(part) | chosen_settings(part, findings) | run_settings(folder)
    clone = CLONES / f"{part.partition('/')[0]}-from-cache"
    if not (folder / ".git").exists() or not (folder / CACHE).is_dir():
        raise UserError(f"{folder} is not a clone of this project with a DVC cache in {CACHE}")
    clone_commit(clone, folder / CACHE, folder)
    write_params(clone, settings)
    run_or_exit("dvc", "repro", "-q", "preprocess", folder=clone)
    with chdir(clone):
        missing = {job.seed for job in restore(kinds)}
    seeds = apply_settings(settings, read_yaml(clone / "params.yaml"))["seeds"]
    return clone, [seed for seed in seeds if seed not in missing]


def run_settings(folder: Path) -> dict[str, Any]:
    """The device and threads with which the folder's runs were computed."""
    return {f"run.{key}": value for key, value in read_yaml(folder / "params.yaml")["run"].items()}
