"""The command of an experiment, what it changes in params.yaml, and the commits that computed it, as text."""

from experiments.load_record import ExperimentRecord
from metaglot.report import formatting


def command_text(record: ExperimentRecord) -> str:
    """The command and its changes to params.yaml."""
    changes = ", ".join(f"`{key}={_value(value)}`" for key, value in record.experiment.settings.items())
    tuning = record.experiment.tuned_by
    chosen = f", and the settings that `{tuning}` chose" if tuning else ""
    return f"    {record.command}\n\nIt runs `dvc repro` with {changes}{_parts_text(record)}{chosen}."


def _parts_text(record: ExperimentRecord) -> str:
    """What differs between the parts."""
    experiment = record.experiment
    if experiment.replicates:
        numbers = _numbers(experiment.replicates)
        return f", once for each replicate: `split.seed`, `seeds` and `evaluate.seed` are {numbers}"
    if experiment.crossed:
        splits, tasks = _numbers(experiment.crossed.splits), _numbers(experiment.crossed.tasks)
        return f", for each `split.seed` of {splits} with each `evaluate.seed` of {tasks}"
    if experiment.grid:
        algorithms = formatting.listed(list(experiment.grid))
        return f", once for each of the {len(experiment.parts())} candidates of {algorithms}; nothing is tested"
    if experiment.vary is None:
        return ""
    also = f"; then with `algorithms={_value(experiment.also)}`" if experiment.also else ""
    return f", once for each value of `{experiment.vary.key}`: {_numbers(experiment.vary.values)}{also}"


def code_text(codes: list[str | None]) -> str:
    """The commits, and whether some code is in none."""
    commits = sorted({code[:12] for code in codes if code})
    named = [f"commit{'s' if len(commits) > 1 else ''} {formatting.listed(commits)}"] if commits else []
    return " and ".join([*named, *(["code in no commit of this project"] if None in codes else [])])


def _numbers(values: list[int] | list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _value(value: object) -> str:
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)
