"""The provenance of the numbers: code, data, settings and machines, from the runs' records."""

from datetime import UTC, datetime
from typing import Any

from metaglot.core.common.dotted_keys import flatten
from metaglot.core.common.run_records import Parity
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.over_seeds import by_algorithm
from metaglot.report.tables import Table


def provenance(comparison: dict[str, Any], runs: list[LoadedRun], experiment: str | None) -> dict[str, Table]:
    """Tables by title."""
    return {
        "Data and tasks": _data(comparison, experiment),
        "Settings": _settings(runs),
        "Runs": _runs(runs),
    }


def _data(comparison: dict[str, Any], experiment: str | None) -> Table:
    split, evaluate = comparison["split"], comparison["evaluate"]
    facts = {
        "DVC experiment": experiment or "none: the workspace",
        "dataset": comparison["dataset"],
        "split of the characters": f"{split['kind']}, seed {split['seed']}",
        "sha256 of the split": split["sha256"],
        "test tasks": f"{evaluate['tasks']:,}, seed {evaluate['seed']}",
        "sha256 of the test tasks": evaluate["tasks_sha256"],
        "equivalence margin, chosen before any result": f"{comparison['margin']:g}",
    }
    return Table(["fact", "value"], [list(fact) for fact in facts.items()])


def _settings(runs: list[LoadedRun]) -> Table:
    """Every setting of training and evaluation, with a column for each algorithm."""
    first = [seeds[0] for seeds in by_algorithm(runs)]
    columns = [
        dict(flatten(run.record.config.model_dump() | {"evaluate": run.result.evaluate.model_dump()})) for run in first
    ]
    hidden = ("seed", "algorithm", "label")  # already in rows and columns
    keys = [key for key in dict.fromkeys(key for column in columns for key in column) if key not in hidden]
    rows = [[key, *(str(column.get(key, "")) for column in columns)] for key in keys]
    return Table(["setting", *(run.result.label for run in first)], rows)


def _runs(runs: list[LoadedRun]) -> Table:
    header = ["run", "started", "commit", "device", "threads", "resumed", "versions", "parity", "evaluation parity"]
    return Table(header, [_run(run) for run in runs])


def _run(run: LoadedRun) -> list[str]:
    record = run.record
    started = datetime.fromtimestamp(record.started_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return [
        run.name,
        started,
        record.commit or "outside of git",
        record.device,
        str(record.threads),
        str(record.resumed),
        ", ".join(f"{name} {version}" for name, version in record.versions.items()),
        _parity(record.parity),
        _parity(run.result.parity),
    ]


def _parity(parity: Parity | None) -> str:
    """How far the first meta-gradient, or the logits of the first test tasks, were from the reference's."""
    if parity is None or parity.relative_difference is None:
        return "none"
    return f"{parity.relative_difference:.1e} from {parity.model_dump().get('reference', 'learn2learn')}"
