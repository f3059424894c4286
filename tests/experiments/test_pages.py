"""The pages: made from what is committed, byte for byte, and from nothing else."""

import re
import shutil
from contextlib import chdir
from pathlib import Path

import pytest
from params_file import ROOT
from ran_experiment import ran

from experiments.conclusions import open_questions, verdicts
from experiments.declared import FINDINGS
from experiments.load_record import load_records
from experiments.pages import PAGES, fill_page
from experiments.save_record import save_record
from metaglot.core.common.atomic_files import read_json, write_json
from metaglot.core.common.errors import UserError

RECORDED = [name for name, found in load_records(ROOT / FINDINGS).items() if found.has_results]
COMPARISONS = sorted((ROOT / FINDINGS).rglob("comparison.json"))


def block(name: str, findings: Path, folder: Path) -> str:
    """What a page says of an experiment."""
    page = folder / "page.md"
    page.write_text(f"Before.\n\n<!-- table: {name} -->\nold\n<!-- /table -->\nAfter.\n")
    text = fill_page(page, findings)
    assert text.startswith(f"Before.\n\n<!-- table: {name} -->\n\n") and text.endswith("\n\n<!-- /table -->\nAfter.\n")
    page.write_text(text)
    assert fill_page(page, findings) == text
    return text


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_committed_pages_are_made_from_the_committed_numbers(page: Path, committed: Path) -> None:
    with chdir(committed):
        assert fill_page(page) == page.read_text()


def test_in_readme_s_blocks_a_value_stays_on_the_line_of_its_symbol(committed: Path) -> None:
    with chdir(committed):
        text = fill_page(Path("README.md"))
    assert not re.search(r"=$|^=", text, re.MULTILINE)


@pytest.mark.parametrize("path", COMPARISONS, ids=lambda path: str(path.parent.relative_to(ROOT / FINDINGS)))
def test_a_committed_comparison_says_what_the_committed_results_say(path: Path) -> None:
    folder = path.parent
    rows = read_json(folder / "comparison.json")["runs"]
    assert {f"{row['algorithm']}-{row['seed']}.json" for row in rows} == {one.name for one in folder.glob("runs/*")}
    for row in rows:
        run = f"{row['algorithm']}-{row['seed']}.json"
        result, training = read_json(folder / "results" / run), read_json(folder / "runs" / run)
        assert (row["accuracy"], row["loss"]) == (result["accuracy"]["mean"], result["loss"]["mean"])
        assert (row["train_seconds"], row["device"]) == (training["train_seconds"], training["device"])


def test_nothing_but_records_of_experiments_lies_among_the_findings() -> None:
    folders = {path.name for path in (ROOT / FINDINGS).iterdir()} if (ROOT / FINDINGS).exists() else set()
    assert folders == set(RECORDED)


def test_what_was_not_run_has_a_command_and_no_result(findings: Path, tmp_path: Path) -> None:
    text = block("sixty-thousand", findings, tmp_path)
    assert "python -m experiments run sixty-thousand" in text and "train.iterations=60000" in text
    assert "**Not run**: about 100 minutes" in text
    assert "%" not in text and "|" not in text


def test_a_block_shows_every_number_of_its_comparison(findings: Path, tmp_path: Path) -> None:
    text = block("engines-batched", findings, tmp_path)
    compared = read_json(findings / "engines-batched/comparison.json")
    assert compared["answer"] in text
    for row in compared["algorithms"]:
        low, high = (100 * bound for bound in row["accuracy"]["ci95"])
        assert f"| {row['accuracy']['mean']:.2%} [{low:.2f}, {high:.2f}] |" in text
    for run in compared["runs"]:
        assert f"| {run['run']} | {run['accuracy']:.2%} [" in text


def test_seeds_that_are_missing_are_said(findings: Path, tmp_path: Path) -> None:
    message = "2 of 3 seeds: 42 and 43"
    assert f"**So far {message}.**" in block("engines-learn2learn", findings, tmp_path)
    assert f"`engines-learn2learn`: so far {message}; all of them: `python -m exp" in block("open", findings, tmp_path)
    assert "So far" not in block("engines-batched", findings, tmp_path)


def test_what_was_not_run_or_has_one_seed_is_open(findings: Path, tmp_path: Path) -> None:
    text = block("open", findings, tmp_path)
    assert "`paper-5way-5shot`: One seed compares two networks" in text
    assert "`ten-seeds` was not run" in text and "`engines-batched` was not run" not in text


OPEN, NOTHING = "is inconclusive, and not shown", "No question stayed open."


@pytest.mark.parametrize(
    ("verdicts", "lines"),
    [
        (["better"], [NOTHING]),
        (["inconclusive"], [OPEN]),
        (["no difference larger than 0.5 points"], [NOTHING]),
        (["better"] + 3 * ["inconclusive"], 3 * [OPEN]),
        (["better"] + 4 * ["inconclusive"], ["`engines-batched`: 3 seeds settled 1 of 5 pairs"]),
    ],
)
def test_open_pairs_are_a_line_each_and_many_are_one_line(
    findings: Path, tmp_path: Path, verdicts: list[str], lines: list[str]
) -> None:
    changed = shutil.copytree(findings / "engines-batched", tmp_path / "engines-batched")
    compared = read_json(changed / "comparison.json")
    pairs = [compared["pairs"][0] | {"verdict": verdict} for verdict in verdicts]
    write_json(changed / "comparison.json", compared | {"pairs": pairs})
    said = open_questions({"engines-batched": load_records(tmp_path)["engines-batched"]}).splitlines()
    assert len(said) == len(lines) and all(part in line for part, line in zip(lines, said, strict=True))


def test_the_conclusions_and_verdicts_are_those_of_the_experiment_that_tests_them(
    findings: Path, tmp_path: Path
) -> None:
    assert block("conclusions", findings, tmp_path).count("not tested") == 4
    assert verdicts(load_records(findings)).count("not tested") == 4
    save_record("ten-seeds", ran(tmp_path / "ran", "ten-seeds"), [42, 43, 44], to=tmp_path / "docs")
    text, lines = block("conclusions", tmp_path / "docs", tmp_path), verdicts(load_records(tmp_path / "docs"))
    claims = {claim["id"]: claim for claim in read_json(tmp_path / "docs/ten-seeds/comparison.json")["claims"]}
    for claim in ("fomaml-more-accurate", "fomaml-faster", "first-order-close"):
        assert f"**{claims[claim]['statement']}** {claims[claim]['verdict'].capitalize()}." in text
        assert claims[claim]["measured"] in text
        in_short = f"- {claims[claim]['statement']} **{claims[claim]['verdict'].capitalize()}.** "
        (line,) = (line for line in lines.splitlines() if line.startswith(in_short))
        assert claims[claim]["measured"].startswith(line.removeprefix(in_short))
    assert text.count("From: `ten-seeds`, so far 3 of 10 seeds: 42, 43 and 44") == 3
    assert all("`maml-overtakes`: not tested; `python -m experiments run sixty-thousand`" in t for t in (text, lines))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- table: nine-seeds -->\n<!-- /table -->\n", "does not name an experiment"),
        ("<!-- table: ten-seeds/question -->\n<!-- /table -->\n", "does not name an experiment"),
        ("<!-- table: ten-seeds -->\n", "has no `<!-- /table -->`"),
        ("<!-- table: ten-seeds -->\n<!-- table: one-shot -->\n<!-- /table -->\n", "has no `<!-- /table -->`"),
    ],
)
def test_a_block_that_is_unknown_or_does_not_end_is_refused(tmp_path: Path, text: str, message: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(UserError, match=re.escape(message)):
        fill_page(page, tmp_path)
