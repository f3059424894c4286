from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from finished_pipeline import Finished, finished
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from metaglot.core.common.errors import UserError
from metaglot.evaluation.confidence_intervals import sequence_interval, t_interval
from metaglot.report.comparison import compare_runs
from metaglot.report.figures.sequences import sequences
from metaglot.report.load_runs import LoadedRun
from metaglot.report.markdown import SEQUENCES, markdown
from metaglot.report.sequence_tables import (
    matrix_tables,
    sequence_pairs_tables,
    sequences_answer,
    sequences_note,
    sequences_table,
)
from metaglot.report.statistics.sequences import compare_sequences

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finished(tmp_path_factory.mktemp("scored"), seeds=SEEDS, sequences=40, skills={"maml": 0.9, "fomaml": 0.8})


def final(run: LoadedRun) -> np.ndarray:
    return np.array([[row[3] for row in matrix] for matrix in run.scores["sequence_accuracy"]], float)


def test_the_means_of_an_algorithm_are_over_its_seeds(scored: Finished) -> None:
    compared = compare_sequences(scored[1], 0.005)
    assert (compared["sequences"], compared["length"]) == (40, 4)
    maml = compared["algorithms"][0]
    means = [final(run).mean() for run in scored[1][:3]]
    assert maml["final"]["mean"] == pytest.approx(np.mean(means))
    assert maml["final"]["ci95"] == pytest.approx(t_interval(means))
    assert maml["learning"]["mean"] == pytest.approx(maml["final"]["mean"] + maml["forgetting"]["mean"])
    assert maml["forgetting"]["mean"] == pytest.approx(0.15, abs=0.01)  # of 0.3, 0.2, 0.1 and 0
    assert [len(row) for row in maml["matrix"]] == [4, 3, 2, 1]
    matrices = [run.scores["sequence_accuracy"].astype(float) for run in scored[1][:3]]
    assert maml["matrix"][1] == pytest.approx(np.mean(matrices, axis=(0, 1))[1, 1:])
    assert maml["inductive"]["final"]["mean"] == pytest.approx(maml["final"]["mean"] - 0.01)


def test_a_pair_is_compared_sequence_by_sequence_and_seed_by_seed(scored: Finished) -> None:
    _, runs = scored
    (pair,) = compare_sequences(runs, 0.005)["pairs"]
    differences = [final(a) - final(b) for a, b in zip(runs[:3], runs[3:], strict=True)]
    means = [of_seed.mean() for of_seed in differences]
    assert pair["difference"] == pytest.approx(np.mean(means))
    assert pair["p_holm"] == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    characters = runs[0].scores["sequence_characters"]
    assert pair["ci95_by_character"] == pytest.approx(sequence_interval(np.mean(differences, axis=0), characters))
    assert pair["ci95"] == pytest.approx(t_interval(means)) and pair["verdict"] == "better"


def test_the_p_values_of_a_family_are_corrected_by_statsmodels(tmp_path: Path) -> None:
    skills = {"maml": 0.9, "fomaml": 0.899, "anil": 0.9005}
    _, runs = finished(tmp_path, seeds=SEEDS, sequences=20, skills=skills, tests=40)
    means = [[final(run).mean() for run in runs[start : start + 3]] for start in (0, 3, 6)]
    pairs = compare_sequences(runs, 0.5)["pairs"]
    raw = [stats.ttest_rel(a, b).pvalue for a, b in combinations(means, 2)]
    assert [pair["p_holm"] for pair in pairs] == pytest.approx(multipletests(raw, method="holm")[1])
    within = [ttost_paired(np.array(a), np.array(b), -0.5, 0.5)[0] for a, b in combinations(means, 2)]
    assert [pair["p_margin"] for pair in pairs] == pytest.approx(within)


def forgotten(run: LoadedRun) -> float:
    matrices = run.scores["sequence_accuracy"].astype(float)
    return float(np.mean([matrix[i, i] - matrix[i, 3] for matrix in matrices for i in range(4)]))


def test_forgetting_is_compared_too_and_less_is_better(scored: Finished) -> None:
    _, runs = scored
    worse = [replace(run, scores=run.scores | {"sequence_accuracy": halved(run)}) for run in runs[3:]]
    compared = compare_sequences([*runs[:3], *worse], 0.005)
    (pair,) = compared["forgetting_pairs"]
    differences = [forgotten(a) - forgotten(b) for a, b in zip(runs[:3], worse, strict=True)]
    assert pair["difference"] == pytest.approx(np.mean(differences))
    assert pair["difference"] < 0 and pair["verdict"] == "forgets less"
    assert pair["p_holm"] == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    (backwards,) = compare_sequences([*worse, *runs[:3]], 0.005)["forgetting_pairs"]
    assert backwards["verdict"] == "forgets more"
    after, forgetting = sequence_pairs_tables(compared)
    assert "after the last task, points" in after.header and "forgotten, points" in forgetting.header


def halved(run: LoadedRun) -> np.ndarray:
    """The accuracies with half as much left of each task after the last one."""
    accuracy = run.scores["sequence_accuracy"].copy()
    accuracy[:, :3, 3] /= 2
    return accuracy


def test_the_answer_names_the_most_accurate_and_the_least_forgetful(scored: Finished) -> None:
    compared = compare_sequences(scored[1], 0.005)
    maml, fomaml = compared["algorithms"]
    fomaml["forgetting"] = {**fomaml["forgetting"], "mean": 0.0123}
    assert sequences_answer(compared) == (
        f"After the last task, MAML has the highest mean accuracy, {100 * maml['final']['mean']:.2f}%. "
        "FOMAML forgets least, 1.23 points."
    )


def test_the_report_says_whether_the_tasks_of_a_sequence_share_their_outputs(tmp_path: Path, scored: Finished) -> None:
    assert "All tasks use the same outputs." in sequences_note(compare_sequences(scored[1], 0.005))
    _, runs = finished(tmp_path, sequences=20, sequence_heads="several")
    assert "Each task has its own head, which starts as" in sequences_note(compare_sequences(runs, 0.005))


def test_one_seed_has_the_interval_of_its_network_and_no_verdict(scored: Finished) -> None:
    runs = [scored[1][0], scored[1][3]]
    compared = compare_sequences(runs, 0.005)
    final, of_network = compared["algorithms"][0]["final"], runs[0].result.sequences.transductive.final
    assert (final["over"], final["ci95"]) == ("characters", [*of_network.ci95_by_character])
    assert compared["pairs"][0]["verdict"] == "inconclusive (one seed)"
    for header, (row,) in sequence_pairs_tables(compared):
        assert "the characters of one seed" in row and len({*header}) == len(header) == len(row)


def test_runs_without_sequences_have_no_such_section(tmp_path: Path) -> None:
    config, runs = finished(tmp_path)
    comparison = compare_runs(config, runs, None)
    assert "sequences" not in comparison and SEQUENCES not in markdown(comparison)


def test_other_sequences_are_refused(scored: Finished) -> None:
    first, *others = scored[1]
    changed = first.result.sequences.model_copy(update={"tasks_sha256": "0" * 64})
    other = replace(first, result=first.result.model_copy(update={"sequences": changed}))
    with pytest.raises(UserError, match="not scored on the same sequences"):
        compare_sequences([other, *others], 0.005)


def test_tables_and_chart_say_what_is_left_of_each_task(scored: Finished) -> None:
    config, runs = scored
    comparison = compare_runs(config, runs, None)
    table = sequences_table(comparison["sequences"])
    assert [row[0] for row in table.rows] == ["MAML", "FOMAML"] and "%" in table.rows[0][1]
    (_, matrix), _ = matrix_tables(comparison["sequences"])
    assert [row.count("") for row in matrix.rows] == [0, 1, 2, 3]
    assert SEQUENCES in markdown(comparison) and "40 sequences of 4 tasks" in markdown(comparison)
    (figure,) = sequences(runs)
    assert figure.table.rows[0]
