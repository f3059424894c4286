"""Take the runs of an experiment's part from the DVC cache of a folder, where they were computed one by one."""

from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

from cluster.plan import COMPUTED
from cluster.restore import restore_or_list_missing
from experiments.candidates import chosen_settings, save_candidates
from experiments.declared import FINDINGS, find_experiment, find_settings
from experiments.run_in_clone import clone_of, write_params
from experiments.save_record import save_record
from metaglot.config.yaml12 import read_yaml12
from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError
from tools.clone import clone_commit, dvc_cache, last_commit, run_or_exit
from tools.in_use import in_use
from tools.params_file import PARAMS, apply_settings


def record_parts(parts: list[str], folder: Path, seeds: list[int] | None = None, to: Path = FINDINGS) -> Iterator[str]:
    """Record parts of an experiment from the cache of a folder; yields what was done with each."""
    check_folder(folder)
    check_declared(parts, seeds)
    clone, commit = clone_of(parts[0], "-from-cache"), last_commit(folder)
    tuning = find_experiment(parts[0]).grid
    with in_use(clone):
        for part in parts:
            complete = take_from_cache(part, folder, commit, clone, to, ("train",) if tuning else COMPUTED)
            yield save_candidates(part, clone, to) if tuning else record_part(part, clone, complete, seeds, to)


def check_folder(folder: Path) -> None:
    if not (folder / ".git").exists() or not (folder / ".dvc").is_dir() or not dvc_cache(folder).is_dir():
        raise UserError(f"{folder} is not a clone of this project with a DVC cache")


def check_declared(parts: list[str], seeds: list[int] | None) -> None:
    """Raise UserError if no part is about a seed."""
    declared = sorted({seed for part in parts for seed in declared_seeds(part)})
    if unknown := [seed for seed in seeds or [] if seed not in declared]:
        raise UserError(f"{parts[0].partition('/')[0]} is not about seed {unknown[0]}: its seeds are {declared}")


def declared_seeds(part: str) -> list[int]:
    seeds: list[int] = apply_settings(find_settings(part), read_yaml12(PARAMS))["seeds"]
    return seeds


def record_part(part: str, clone: Path, complete: list[int], seeds: list[int] | None, to: Path) -> str:
    """Record the complete seeds, or those of them that are named, unless the record has others; says what was done."""
    chosen = [seed for seed in complete if seeds is None or seed in seeds]
    about = to / part / "about.json"
    recorded = read_json(about)["recorded"] if about.exists() else []
    if not chosen:
        return f"{part}: no seed is complete yet"
    if {*recorded} - {*chosen}:
        return f"{part}: its record of seeds {recorded} stays; this one would be of {chosen}"
    return str(save_record(part, clone, chosen, to))


def take_from_cache(
    part: str, folder: Path, commit: str, clone: Path, findings: Path, kinds: tuple[str, ...]
) -> list[int]:
    """Make `clone` a clone of the commit with the part's params and results; returns the seeds of which it has all.

    Nothing is trained. The folder may be in use: only its commit, its cache and its choice of threads are read.
    """
    settings = find_settings(part) | chosen_settings(part, findings) | run_settings(folder)
    clone_commit(clone, folder, commit)
    write_params(clone, settings)
    run_or_exit("dvc", "repro", "-q", "preprocess", folder=clone)
    with chdir(clone):
        missing = {job.seed for job in restore_or_list_missing(kinds)}
    return [seed for seed in read_yaml12(clone / PARAMS)["seeds"] if seed not in missing]


def run_settings(folder: Path) -> dict[str, Any]:
    """The device and threads with which the folder's runs were computed."""
    return {f"run.{key}": value for key, value in read_yaml12(folder / PARAMS)["run"].items()}
