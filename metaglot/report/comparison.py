"""comparison.json: everything that the runs say of each other, for people and programs."""

from typing import Any

from metaglot.report.claims.conclusions import claims
from metaglot.report.claims.evidence import Evidence
from metaglot.report.headline import answer, question
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import algorithm_rows, run_rows
from metaglot.report.stage_configs import ReportStageConfig
from metaglot.report.statistics.baselines import against_baselines
from metaglot.report.statistics.pairs import compare_pairs, refuse_other_tasks


def compare_runs(report: ReportStageConfig, runs: list[LoadedRun], bench: dict[str, Any] | None) -> dict[str, Any]:
    """Compare the runs; fractions of one, seconds, intervals as [low, high] at 95%.

    `algorithms` is the table (over seeds), `runs` its rows by seed, `pairs` the differences on the same tasks,
    `baselines` what meta-learning adds, where that was run, and `claims` the original study's conclusions.
    bench: benchmarks/results.json, where there is one.
    """
    refuse_other_tasks(runs)
    compared = compare_pairs(runs, report.margin)
    rows = algorithm_rows(runs)
    scored = runs[0].result
    return {
        "question": question(report, rows),
        "answer": answer(rows, compared, report.margin),
        "dataset": report.dataset,
        "model": report.model,
        "task": report.task.model_dump(),
        "split": {**report.split.model_dump(), "sha256": scored.split_sha256},
        "evaluate": {**scored.evaluate.model_dump(), "tasks_sha256": scored.tasks_sha256},
        "margin": report.margin,
        "algorithms": rows,
        "runs": run_rows(runs),
        "pairs": compared,
        "baselines": against_baselines(compared, report.margin),
        "claims": claims(Evidence(report, runs, compared, bench)),
    }
