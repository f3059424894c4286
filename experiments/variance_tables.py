"""The block of the experiment on variance: shares of the split, the seed and the test tasks."""

import numpy as np

from experiments.compare import accuracy_by_seed
from experiments.load_record import ExperimentRecord, recorded_parts
from experiments.variance_shares import Components, Floats, estimate_components
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.tables import Table


def variance_block(record: ExperimentRecord) -> list[str]:
    """The parts of the block after the command; the shares need every combination."""
    if so_far := record.runs_so_far():
        return [f"**So far {so_far}.** The shares are estimated from all of them."]
    return [_note(record), as_markdown(variance_table(record))]


def variance_table(record: ExperimentRecord) -> Table:
    """A row for each algorithm, and for each difference between the first and another."""
    arrays = accuracies(record)
    first, *others = arrays
    rows = [_cells(label, estimate_components(values)) for label, values in arrays.items()]
    for other in others:
        rows.append(_cells(formatting.minus(first, other), estimate_components(arrays[first] - arrays[other])))
    header = ["accuracy of", "standard deviation, points", "split", "seed", "test tasks"]
    return Table(header, rows)


def accuracies(record: ExperimentRecord) -> dict[str, Floats]:
    """[splits, seeds, draws of test tasks] by algorithm."""
    crossed, parts = record.experiment.crossed, recorded_parts(record)
    assert crossed is not None
    scores = {part: accuracy_by_seed(loaded) for part, loaded in parts.items()}
    labels, seeds = next(iter(scores.values())), record.experiment.settings["seeds"]
    return {
        label: np.array(
            [[[scores[f"{s}-{t}"][label][seed] for t in crossed.tasks] for seed in seeds] for s in crossed.splits]
        )
        for label in labels
    }


def _cells(name: str, components: Components) -> list[str]:
    deviation = np.sqrt(components.split + components.seed + components.tasks)
    return [name, f"{100 * deviation:.3f}", *(f"{share:.0%}" for share in components.shares.values())]


def _note(record: ExperimentRecord) -> str:
    crossed, seeds = record.experiment.crossed, len(record.experiment.settings["seeds"])
    assert crossed is not None
    return (
        f"{len(crossed.splits)} splits by {seeds} seeds, each scored on {len(crossed.tasks)} draws of test tasks. The "
        "shares of variance are estimated by the method of moments from an analysis of variance with random effects; "
        "from so few splits and seeds they are rough. The seed's share includes its interaction with the split, the "
        "share of the test tasks includes the residual."
    )
