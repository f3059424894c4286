import io
from pathlib import Path

import pytest
from finished_pipeline import LABELS, Finished, comparison, finished
from rich.console import Console

from metaglot.report.comparison import compare_runs
from metaglot.report.footnotes import notes, validation_notes
from metaglot.report.formatting import MINUS
from metaglot.report.markdown import as_grid, markdown, show
from metaglot.report.pair_tables import pairs_table
from metaglot.report.statistics.pairwise_result import shown_interval
from metaglot.report.tables import claims_table, main_table, more_metrics_table


def printed(compared: dict, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(compared, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_write_ups_row_stands_under_ours(one_seed: Finished):
    rows = main_table(compare_runs(*one_seed, None)).rows
    assert [row[0] for row in rows] == ["MAML", "original study: MAML", "FOMAML", "original study: FOMAML"]
    assert rows[1][2:6] == ["95.87%", "", "0.12392", "24,875.94 s"]
    assert rows[3][2:6] == ["96.99%", "", "0.10566", "23,617.31 s"]


def test_the_table_says_what_the_results_say(one_seed: Finished):
    maml = one_seed[1][0]
    row = main_table(compare_runs(*one_seed, None)).rows[0]
    low, high = shown_interval(maml.result.accuracy.model_dump())
    assert row[2] == f"{maml.result.accuracy.mean:.2%} [{100 * low:.2f}, {100 * high:.2f}]"
    assert row[4] == f"{maml.result.loss.mean:.4f}"
    assert row[5:] == [f"{maml.record.train_seconds:,.1f} s", maml.record.device]


def test_the_second_table_has_the_other_metrics(one_seed: Finished):
    maml = one_seed[1][0].result
    table = more_metrics_table(compare_runs(*one_seed, None))
    assert table and table.header == ["algorithm", "worst tenth", "calibration error", "spread over label permutations"]
    permuted = maml.label_permutations
    means = [maml.mean_of("worst_tenth"), maml.mean_of("calibration_error"), permuted and permuted.accuracy_std]
    for cell, mean in zip(table.rows[0][1:], means, strict=True):
        assert mean and cell.startswith(f"{mean.mean:.2%} [")


def test_a_comparison_that_is_older_than_the_other_metrics_has_no_second_table(one_seed: Finished):
    compared = compare_runs(*one_seed, None)
    new = {"worst_tenth", "calibration_error", "label_permutations"}
    old = [{key: value for key, value in row.items() if key not in new} for row in compared["algorithms"]]
    assert more_metrics_table(compared | {"algorithms": old}) is None
    assert "worst" not in markdown(compared | {"algorithms": old})


def test_the_terminal_and_comparison_md_say_the_same(five_seeds: Finished):
    compared = compare_runs(*five_seeds, None)
    texts = [markdown(compared), printed(compared)]
    for table in (main_table(compared), more_metrics_table(compared), pairs_table(compared)):
        assert table
        for cell in filter(None, (cell for row in table.rows for cell in row)):
            assert all(cell in text for text in texts), cell
    for text in texts:
        assert compared["question"] in text
        assert compared["answer"] in " ".join(text.split())
        assert all(claim["verdict"] in text.lower() for claim in compared["claims"])


def test_many_algorithms_stand_best_first(three_algorithms: Finished):
    compared = compare_runs(*three_algorithms, None)
    assert [row[0] for row in main_table(compared).rows] == ["MAML", "original study: MAML", "ANIL", "From scratch"]
    pairs = [row[0].split(f" {MINUS} ") for row in pairs_table(compared).rows]
    assert pairs == [["ANIL", "MAML"], ["From scratch", "MAML"], ["From scratch", "ANIL"]]


@pytest.mark.parametrize(
    ("dataset", "explained"), [("omniglot", False), ("glyphs (synthetic)", False), ("birds", True)]
)
def test_of_a_data_set_of_other_things_it_is_said_what_a_character_is(tmp_path: Path, dataset: str, explained: bool):
    text = markdown(comparison(tmp_path, dataset=dataset))
    assert (f'A "character" is a class of {dataset} here' in text) == explained


def test_on_glyphs_a_banner_comes_first_and_no_published_number(tmp_path: Path):
    compared = comparison(tmp_path, dataset="glyphs (synthetic)", seeds=(1, 2))
    for text in (markdown(compared), printed(compared)):
        assert "SYNTHETIC DATA: glyphs (synthetic)" in text[:300]
        assert not any(number in text for number in ("95.87", "96.99", "0.9699", "24,875", "24875"))


def test_times_of_two_devices_do_not_mix(tmp_path: Path):
    devices = ["One CPU", "Another GPU"]
    compared = comparison(tmp_path, seeds=(1, 2, 3, 4), devices=devices)
    times = compared["algorithms"][0]["times"]
    assert [(time["device"], time["runs"]) for time in times] == [("Another GPU", 2), ("One CPU", 2)]
    assert "Times on different devices are not comparable." in notes(compared)


def test_a_time_taken_while_another_training_ran_is_marked(tmp_path: Path):
    parallel = main_table(comparison(tmp_path / "parallel", serial=False)).rows
    assert all("†" in row[5] for row in parallel if not row[0].startswith("original study"))
    assert "†" not in markdown(comparison(tmp_path / "serial"))


@pytest.mark.parametrize("seeds", [(1,), (1, 2)], ids=["one seed", "two seeds"])
@pytest.mark.parametrize("names", [["maml", "fomaml"], [*LABELS]], ids=["two", "all"])
def test_at_80_columns_no_word_of_a_table_is_broken(tmp_path: Path, names: list[str], seeds: tuple[int, ...]):
    skills = {name: 0.97 - 0.01 * number for number, name in enumerate(names)}
    compared = comparison(tmp_path, skills=skills, seeds=seeds, tests=40)
    assert max(map(len, printed(compared, width=80).splitlines())) <= 80
    for table in (main_table(compared), more_metrics_table(compared), pairs_table(compared), claims_table(compared)):
        assert table
        console = Console(file=io.StringIO(), width=80, record=True)
        console.print(as_grid(table, console.width))
        shown = set(console.export_text().split())
        first = {word for row in table.rows for word in row[0].split()}
        last = {word for row in table.rows for word in row[-1].split()} if table.header[-1] != "device" else set()
        assert first | last <= shown


def test_a_label_is_text_and_nothing_else(tmp_path: Path):
    label = "MAML | [bold]x[/bold] <b>"
    compared = comparison(tmp_path, labels={"maml": label})
    assert label in printed(compared)
    assert label.replace("|", "\\|") in markdown(compared)


def test_the_answer_names_the_best_of_several(tmp_path: Path):
    skills = {"scratch": 0.5, "anil": 0.9, "maml": 0.97}
    compared = comparison(tmp_path, skills=skills, seeds=(1, 2, 3, 4))
    assert compared["answer"].startswith("MAML scores highest")
    assert "It is better than From scratch and ANIL." in compared["answer"]


def test_what_differs_between_algorithms_is_said_of_each(tmp_path: Path):
    skills = {"scratch": 0.5, "protonet": 0.9, "maml": 0.97}
    config, runs = finished(tmp_path, skills=skills, seeds=(1, 2))
    lines = notes(compare_runs(config, runs, None))
    assert "Training iterations: MAML 10,000, ProtoNet 10,000 and From scratch 0, Omniglot, model fc." in lines
    steps = "MAML 1, ProtoNet no fixed number and From scratch no fixed number"
    assert f"Adaptation steps before a test task's queries: {steps}." in lines
    maml = [run for run in runs if run.algorithm == "maml"]
    assert "Adaptation steps before a test task's queries: 1." in notes(compare_runs(config, maml, None))


@pytest.mark.parametrize(("training", "test"), [(5, 1), (1, 5), (1, 1)])
def test_a_test_with_more_or_fewer_steps_than_the_training_is_said(tmp_path: Path, training: int, test: int):
    train = {"adaptation_steps": training}
    _, runs = finished(tmp_path, skills={"maml": 0.97}, train=train, adaptation_steps=test, tests=40)
    said = " ".join(validation_notes(runs))
    assert (f"the test takes another number (MAML {training}, then {test})" in said) == (training != test)


def test_early_stopping_gives_the_fewest_and_the_most_iterations_of_the_seeds(tmp_path: Path):
    skills, stopped = {"pretrained": 0.9, "maml": 0.97}, {"pretrained": 4000}
    config, runs = finished(tmp_path, skills=skills, seeds=(1, 2), stopped=stopped, tests=40)
    compared = compare_runs(config, runs, None)
    later = next(run for run in compared["runs"] if run["algorithm"] == "pretrained")
    later["iterations"] = 5500
    assert "Training iterations: MAML 10,000 and Pretrained 4,000 to 5,500, Omniglot, model fc." in notes(compared)


def test_what_an_interval_leaves_out_is_said(one_seed: Finished, five_seeds: Finished, three_algorithms: Finished):
    conditional, uncorrected = "on this split and tested on these tasks", "corrected by Holm's method over all 3 pairs"
    compared = (compare_runs(*some, None) for some in (three_algorithms, five_seeds, one_seed))
    three, one_pair, single = map(notes, compared)
    assert any(conditional in note for note in three) and any(uncorrected in note for note in three)
    assert any(conditional in note for note in one_pair) and not any("Holm" in note for note in one_pair)
    assert not any(conditional in note or "Holm" in note for note in single)


def test_one_algorithm_alone_is_reported_too(tmp_path: Path):
    compared = comparison(tmp_path, skills={"maml": 0.97})
    assert compared["pairs"] == []
    assert "of the queries correctly" in compared["answer"] and "Differences" not in markdown(compared)


def test_a_maml_made_first_order_is_the_same_as_fomaml(tmp_path: Path):
    label = "MAML (first_order=true)"
    compared = comparison(tmp_path, labels={"maml": label}, first_order={"maml": True})
    assert main_table(compared).rows[0][0] == label
    assert compared["algorithms"][0]["writeup"] == compared["algorithms"][1]["writeup"]
