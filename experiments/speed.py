"""The conclusion on speed, tested with the committed results of `make bench`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.load_record import ExperimentRecord
from metaglot.core.common.run_records import RunRecord, read_record
from metaglot.evaluation.result_record import Result
from metaglot.report.claims.evidence import Evidence
from metaglot.report.claims.speed import fomaml_is_faster
from metaglot.report.load_runs import LoadedRun
from metaglot.report.speed_benchmark import read_speed_benchmark
from metaglot.report.stage_configs import ReportStageConfig
from stages.report import BENCH

CLAIM = "fomaml-faster"


def with_benchmark(claim: dict[str, Any], record: ExperimentRecord, path: Path = BENCH) -> dict[str, Any]:
    """The claim on speed with a verdict from benchmarks/results.json; other claims are returned unchanged."""
    if claim["id"] != CLAIM or not (bench := read_speed_benchmark(path)):
        return claim
    compared = record.comparison
    common = {key: compared[key] for key in ("dataset", "margin", "task", "model")}
    split = {key: compared["split"][key] for key in ("kind", "seed")}
    report = ReportStageConfig.model_validate(common | {"split": split, "rows": []})
    return claim | asdict(fomaml_is_faster(Evidence(report, load_runs(record), compared["pairs"], bench)))


def load_runs(record: ExperimentRecord) -> list[LoadedRun]:
    """The recorded runs in the comparison's order, without scores and curves."""
    names = [f"{run['algorithm']}-{run['seed']}.json" for run in record.comparison["runs"]]
    loaded = [
        (read_record(RunRecord, record.folder / "runs" / name), read_record(Result, record.folder / "results" / name))
        for name in names
    ]
    return [LoadedRun(run, history=[], alignment=[], result=result, scores={}) for run, result in loaded]
