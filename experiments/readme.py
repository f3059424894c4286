"""README's blocks: the default comparison, the verdicts on the conclusions, and the answers of experiments."""

from textwrap import fill

from experiments.conclusions import verdicts
from experiments.figures import figure_path
from experiments.load_record import ExperimentRecord
from experiments.replicate_tables import settled
from experiments.varied_record import VariedRecord
from experiments.varied_tables import answer
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.tables import Record, Table, estimate, ranked

WIDTH = 120


def verdict_lines(known: dict[str, ExperimentRecord]) -> str:
    return "\n".join(_wrapped(line, "  ") for line in verdicts(known).splitlines())


def answer_block(record: ExperimentRecord) -> str:
    """What an experiment with a figure found, and the figure."""
    if not record.has_results:
        return f"Not run: `{record.command}`, {record.expected_time}."
    lines = _varied_answer(VariedRecord(record)) if record.experiment.vary else _replicates_answer(record)
    lines += [f"So far {so_far}."] if (so_far := record.runs_so_far()) else []
    return f"{_wrapped(' '.join(lines))}\n\n![{record.experiment.title}]({figure_path(record)})"


def _varied_answer(varied: VariedRecord) -> list[str]:
    """The verdicts against the reference, and each row's share of the gain."""
    symbol, end = varied.vary.symbol, varied.reference
    if end is None:
        return [answer(varied)]
    shares = {row.name: varied.gain(row) for row in varied.rows if row.value != 0 and row is not end}
    gains = [f"{share:.0%} with {name}" for name, share in shares.items() if share is not None]
    if not gains:
        return [answer(varied)]
    return [answer(varied), f"Share of the gain from {symbol} = 0 to {end.name}: {formatting.listed(gains)}."]


def _replicates_answer(record: ExperimentRecord) -> list[str]:
    """The best algorithm, the verdicts on the others and against the baselines, and how many pairs have a verdict."""
    compared = record.comparison
    baselines = [compared["baselines"]["answer"]] if compared["baselines"] else []
    return [compared["answer"], *baselines, settled(record)]


def _wrapped(line: str, indent: str = "") -> str:
    whole = line.replace(" = ", "\xa0=\xa0")  # a value stays on the line of its symbol
    wrapped = fill(whole, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return wrapped.replace("\xa0", " ")


def results_block(comparison: Record) -> str:
    rows = ranked(comparison["algorithms"])
    seeds = rows[0]["seeds"]
    tasks = f"accuracy on {comparison['evaluate']['tasks']:,} test tasks"
    header = [_seeds(seeds), tasks, "inductive", "loss", "training"]
    has_study = any(row["writeup"] for row in rows)
    header += ["original study: accuracy (32 tasks)", "its loss", "its time"] if has_study else []
    table = as_markdown(Table(header, [_row(row, has_study) for row in rows]))
    return f"{table}\n\n{_about(comparison, rows)}"


def _row(row: Record, has_study: bool) -> list[str]:
    inductive, printed = formatting.percent(row["inductive_accuracy"]["mean"]), row["writeup"]
    times = "; ".join(f"{time['train_seconds']['mean']:,.0f} s" for time in row["times"])
    ours = [row["label"], estimate(row["accuracy"]), inductive, f"{row['loss']['mean']:.4f}", times]
    if not has_study:
        return ours
    if printed is None:
        return [*ours, "", "", ""]
    accuracy, seconds = formatting.percent(printed["accuracy"]), f"{printed['train_seconds']:,.0f} s"
    return [*ours, accuracy, f"{printed['loss']:.5f}", seconds]


def _seeds(seeds: list[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"


def _about(comparison: Record, rows: list[Record]) -> str:
    """The setting of the comparison, the devices, and the answer."""
    task = f"{comparison['task']['ways']}-way {comparison['task']['shots']}-shot"
    iterations = formatting.listed(list(dict.fromkeys(f"{row['iterations']:,}" for row in rows)))
    over = "clustered by character, since tasks share characters" if len(rows[0]["seeds"]) == 1 else "over seeds"
    devices = sorted({time["device"] for row in rows for time in row["times"]})
    devices_of_study = sorted({row["writeup"]["device"] for row in rows if row["writeup"]})
    where = f"Training on {formatting.listed(devices)} (`data/models/*/run.json`)"
    if devices_of_study:
        where += f"; the original study's on {formatting.listed(devices_of_study)}, with data loading and validation"
    lines = [
        f"{formatting.dataset(comparison['dataset'])}, {task}, model {comparison['model']}, {iterations} iterations;",
        f"in brackets 95% confidence intervals {over}.",
        f"{where}.",
        f"{comparison['answer']} More is in `data/report/comparison.md`.",
    ]
    return _wrapped(" ".join(lines))
