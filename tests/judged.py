"""The claims as the report judges them, of pipelines that never ran."""

from pathlib import Path
from typing import Any

from finished_pipeline import finished

from metaglot.report.claims.conclusions import claims
from metaglot.report.claims.evidence import Evidence
from metaglot.report.speed_benchmark import SpeedBenchmark
from metaglot.report.statistics.pairs import compare_pairs

FIVE = (42, 43, 44, 45, 46)


def judged(folder: Path, saves: dict[str, Any] | None = None, **options: Any) -> dict[str, dict[str, Any]]:
    """The claims by id, of a pipeline with such options."""
    report, runs = finished(folder, **options)
    bench = SpeedBenchmark.model_validate({"first_order_saves": saves}) if saves else None
    return {claim["id"]: claim for claim in claims(Evidence(report, runs, compare_pairs(runs, report.margin), bench))}
