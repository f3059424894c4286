"""Copy what a finished folder found into docs/findings/: its params, comparison, curves, results and run records."""

import shutil
from contextlib import chdir
from pathlib import Path

from experiments import dvc_lock
from experiments.declared import PARAMS, applied, differences, find
from metaglot.core.common.atomic_files import read_json, read_yaml, write_json, write_text, write_yaml
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.report.comparison import compare_runs
from metaglot.report.dvc_plots import curves
from metaglot.report.stage_configs import ReportStageConfig
from stages import report
from stages.support import paths

FINDINGS = Path("docs/findings")
Seeds = list[int]


def record(name: str, folder: Path, seeds: Seeds | None = None, to: Path = FINDINGS) -> Path:
    """Record an experiment from a folder where it was run, of some of its seeds if asked; returns where it lies.

    What was recorded before is replaced once all of it could be read.
    """
    asked = applied(find(name).settings, read_yaml(PARAMS))
    params = dvc_lock.params(folder)
    refuse_another(name, folder, asked, params, seeds)
    kept = seeds or params["seeds"]
    refuse_unfinished(folder, params["algorithms"], kept, params["seeds"])
    place = to / name
    beside = place.with_name(f".{name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        write(beside.absolute(), folder, kept)
        write_yaml(beside / "params.yaml", params)
        about = {"recorded": kept, "asked": asked["seeds"], "code": dvc_lock.code(folder)}
        write_json(beside / "about.json", about)
        shutil.rmtree(place, ignore_errors=True)
        beside.rename(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return place


def refuse_another(name: str, folder: Path, asked: dict, params: dict, seeds: Seeds | None) -> None:
    """Refuse a folder that was run with the params of another experiment; of seeds, only those that are asked for."""
    found = params
    if seeds:
        strange = sorted({*seeds} - {*asked["seeds"]} or {*seeds} - {*params["seeds"]})
        if strange:
            raise UserError(f"{name} in {folder} has no seed {strange[0]}: it is about {asked['seeds']}")
        found = params | {"seeds": asked["seeds"]}
    if wrong := differences(asked, found):
        raise UserError(f"{folder} did not run {name}: it has {'; '.join(wrong)}")


def refuse_unfinished(folder: Path, algorithms: list[str], seeds: Seeds, all_seeds: Seeds) -> None:
    """Refuse runs that are missing, or left from other params; say which seeds are whole."""

    def lacking(some: Seeds) -> list[str]:
        runs = [f"{algorithm}-{seed}" for seed in some for algorithm in algorithms]
        return [run for run in runs if not dvc_lock.is_finished(folder, run)]

    if missing := lacking(seeds):
        whole = ",".join(str(seed) for seed in all_seeds if not lacking([seed]))
        advice = f"`--seeds {whole}` records those that are whole" if whole else "no seed is whole yet"
        raise UserError(f"{folder} has not finished {', '.join(missing)}: {advice}")


def write(place: Path, folder: Path, seeds: Seeds) -> None:
    """The record of these seeds: the comparison is the report's own, of the runs that are kept."""
    bench = read_json(report.BENCH) if report.BENCH.exists() else None
    with chdir(folder):
        config = load_stage_config(ReportStageConfig, paths.REPORT_CONFIG)
        config = config.model_copy(update={"rows": [row for row in config.rows if row.seed in seeds]})
        runs = [report.read(row) for row in config.rows]
        write_json(place / "comparison.json", compare_runs(config, runs, bench))
        write_text(place / "curves.csv", curves(runs))
        for row in config.rows:
            run = f"{row.algorithm}-{row.seed}"
            _copy(paths.result(row.algorithm, row.seed), place / "results" / f"{run}.json")
            _copy(paths.run_record(row.algorithm, row.seed), place / "runs" / f"{run}.json")


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)
