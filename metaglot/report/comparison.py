"""comparison.json: the complete comparison of the runs, for programs and for the tables."""

from typing import Any

from metaglot.report.claims.conclusions import claims
from metaglot.report.claims.evidence import Evidence
from metaglot.report.headline import answer, question
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import algorithm_rows, run_rows
from metaglot.report.speed_benchmark import SpeedBenchmark
from metaglot.report.stage_configs import ReportStageConfig
from metaglot.report.statistics.baselines import against_baselines
from metaglot.report.statistics.pairs import compare_pairs, refuse_other_tasks
from metaglot.report.statistics.sequences import compare_sequences


def compare_runs(report: ReportStageConfig, runs: list[LoadedRun], bench: SpeedBenchmark | None) -> dict[str, Any]:
    """Compare the runs. Numbers are fractions of one and seconds; intervals are [low, high] at 95%.

    `algorithms` has a row for each algorithm over its seeds, `runs` a row for each run, `pairs` the differences on the
    same tasks, `baselines` the comparisons with the baselines, and `claims` the original study's conclusions.
    `sequences` is there if sequences of tasks were scored.
    bench: what `make bench` measured, if it was run.
    """
    refuse_other_tasks(runs)
    pairs = compare_pairs(runs, report.margin)
    rows = algorithm_rows(runs)
    first, sequences = runs[0].result, compare_sequences(runs, report.margin)
    return {
        "question": question(report, rows, first.evaluate.model_dump().get("test_split")),
        "answer": answer(rows, pairs, report.margin),
        "dataset": report.dataset,
        "model": report.model,
        "task": report.task.model_dump(),
        "split": {**report.split.model_dump(), "sha256": first.split_sha256},
        "evaluate": {**first.evaluate.model_dump(), "tasks_sha256": first.tasks_sha256},
        "margin": report.margin,
        "algorithms": rows,
        "runs": run_rows(runs),
        "pairs": pairs,
        "baselines": against_baselines(pairs, report.margin),
        "claims": claims(Evidence(report, runs, pairs, bench)),
        **({"sequences": sequences} if sequences else {}),
    }
