"""Copy a finished experiment into docs/findings/: params, comparison, curves, alignment, results and run records."""

import shutil
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path

from experiments import dvc_lock
from experiments.candidates import chosen_settings
from experiments.declared import FINDINGS, find_settings
from experiments.params_differences import list_differences
from metaglot.config.yaml12 import read_yaml12
from metaglot.core.common.atomic_files import atomic_folder, write_json, write_text, write_yaml
from metaglot.core.common.errors import UserError
from metaglot.core.common.run_records import WHOLE_NETWORK
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.report.comparison import compare_runs
from metaglot.report.dvc_plots import RUN, curves, run_columns, to_csv
from metaglot.report.load_runs import LoadedRun
from metaglot.report.speed_benchmark import read_speed_benchmark
from metaglot.report.stage_configs import ReportStageConfig
from stages import report
from stages.support import paths
from tools.params_file import PARAMS, apply_settings

Seeds = list[int]


def save_record(name: str, folder: Path, seeds: Seeds | None = None, to: Path = FINDINGS) -> Path:
    """Record an experiment, or some of its seeds, from the folder where it was run; returns the record's folder.

    An older record is replaced only after everything was read.
    """
    settings = find_settings(name) | chosen_settings(name, to)
    declared = apply_settings(settings, read_yaml12(PARAMS))
    params = dvc_lock.locked_params(folder)
    check_params(name, folder, declared, params, seeds, settings)
    recorded = seeds or params["seeds"]
    check_finished(folder, params["algorithms"], recorded, params["seeds"])
    with atomic_folder(to / name) as place:
        write_record(place.absolute(), folder, recorded)
        write_yaml(place / "params.yaml", params)
        about = {"recorded": recorded, "asked": declared["seeds"], "code": dvc_lock.commit_of_code(folder)}
        write_json(place / "about.json", about)
    return to / name


def check_params(
    name: str, folder: Path, declared: dict, params: dict, seeds: Seeds | None, settings: Iterable[str]
) -> None:
    """Raise UserError if the folder was run with other params; with `seeds`, only these seeds are compared."""
    if seeds:
        if unknown := [seed for seed in seeds if seed not in declared["seeds"]]:
            raise UserError(f"{name} is not about seed {unknown[0]}: its seeds are {declared['seeds']}")
        if missing := [seed for seed in seeds if seed not in params["seeds"]]:
            raise UserError(f"{folder} has no seed {missing[0]}: it was run with seeds {params['seeds']}")
        params = params | {"seeds": declared["seeds"]}
    if differences := list_differences(declared, params, settings):
        raise UserError(f"{folder} did not run {name}: it has {'; '.join(differences)}")


def check_finished(folder: Path, algorithms: list[str], seeds: Seeds, all_seeds: Seeds) -> None:
    """Raise UserError if a run is missing or has other params; the error names the complete seeds."""
    finished = dvc_lock.FinishedStages(folder)

    def unfinished(some_seeds: Seeds) -> list[str]:
        runs = [f"{algorithm}-{seed}" for seed in some_seeds for algorithm in algorithms]
        return [run for run in runs if not finished.include(run)]

    if missing := unfinished(seeds):
        complete = ",".join(str(seed) for seed in all_seeds if not unfinished([seed]))
        advice = f"`--seeds {complete}` records the complete ones" if complete else "no seed is complete yet"
        raise UserError(f"{folder} has not finished {', '.join(missing)}: {advice}")


def write_record(place: Path, folder: Path, seeds: Seeds) -> None:
    """Write the record of these seeds, with a new comparison of only these runs."""
    bench = read_speed_benchmark(report.BENCH)
    with chdir(folder):
        config = load_stage_config(ReportStageConfig, paths.REPORT_CONFIG)
        config = config.model_copy(update={"rows": [row for row in config.rows if row.seed in seeds]})
        runs = [report.read(row) for row in config.rows]
        write_json(place / "comparison.json", compare_runs(config, runs, bench))
        write_text(place / "curves.csv", curves(runs))
        write_text(place / "alignment.csv", whole_network_alignment(runs))
        for row in config.rows:
            run = f"{row.algorithm}-{row.seed}"
            _copy(paths.result(row.algorithm, row.seed), place / "results" / f"{run}.json")
            _copy(paths.run_record(row.algorithm, row.seed), place / "runs" / f"{run}.json")


def whole_network_alignment(runs: list[LoadedRun]) -> str:
    """alignment.csv of all runs, without the rows of single layers."""
    rows = [run_columns(run) | row._asdict() for run in runs for row in run.alignment if row.layer == WHOLE_NETWORK]
    return to_csv((*RUN, "iteration", "cosine", "norm_ratio"), rows)


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)
