"""The block of a tuning: what was chosen, and how much of an algorithm's score is its tuning."""

import numpy as np

from experiments.candidates import Candidate, choose, load_candidates
from experiments.command_text import code_text
from experiments.load_record import ExperimentRecord
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.tables import Table


def tuning_block(record: ExperimentRecord) -> list[str]:
    """The parts of the block after the command."""
    candidates = load_candidates(record.name, record.folder.parent)
    if not candidates:
        return []
    every = f"<details><summary>Every candidate</summary>\n\n{as_markdown(candidates_table(candidates))}\n\n</details>"
    return [_note(record), as_markdown(chosen_table(record, candidates)), every, _source(record, candidates)]


def chosen_table(record: ExperimentRecord, candidates: list[Candidate]) -> Table:
    """A row for each algorithm: the best, the median and the worst candidate, and the best one's settings."""
    chosen, rows = choose(record.name, candidates), []
    for algorithm in dict.fromkeys(candidate["algorithm"] for candidate in candidates):
        scored = [candidate for candidate in candidates if candidate["algorithm"] == algorithm]
        accuracies = [candidate["validation_accuracy"] for candidate in scored]
        best, middle, worst = max(accuracies), float(np.median(accuracies)), min(accuracies)
        settings = _settings(chosen[algorithm]) if algorithm in chosen else "not all candidates are scored"
        scores = [formatting.percent(best), formatting.percent(middle), formatting.percent(worst)]
        rows.append([scored[0]["label"], str(len(scored)), settings, *scores, formatting.points(best - middle)])
    header = ["algorithm", "candidates", "chosen", "best", "median", "worst", "best minus median, points"]
    return Table(header, rows)


def candidates_table(candidates: list[Candidate]) -> Table:
    header = ["algorithm", "settings", "validation accuracy", "training time", "device"]
    return Table(
        header,
        [
            [
                candidate["label"],
                _settings(candidate["settings"]),
                formatting.percent(candidate["validation_accuracy"]),
                formatting.seconds(candidate["train_seconds"]),
                candidate["device"],
            ]
            for candidate in candidates
        ],
    )


def _settings(settings: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _note(record: ExperimentRecord) -> str:
    experiment = record.experiment
    number = len(experiment.parts())
    first = len(experiment.model_copy(update={"wider_grid": {}}).parts())
    wider = f"The first {first} are a grid, the other {number - first} of a wider one that was tried afterwards. "
    return (
        f"Every algorithm has {number} candidates. {wider if number > first else ''}"
        "The rule, declared before any result: the best validation accuracy after the last iteration, a mean over the "
        "validation tasks. No test task is scored. `scratch` tries its rates and steps on validation tasks in every "
        "run, so it has no candidates."
    )


def _source(record: ExperimentRecord, candidates: list[Candidate]) -> str:
    codes = code_text([candidate["code"] for candidate in candidates])
    return f"`docs/findings/{record.name}/candidates.json`; {codes}."
