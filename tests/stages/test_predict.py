"""`predict`: what it prints to a terminal, a pipe and as JSON, and its one-line errors."""

import csv
import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shell import refusal_of, run_python
from trained_glyphs import WAYS, drawings, save, trained

from metaglot.core.common.errors import UserError
from metaglot.datasets import synthetic_glyphs
from metaglot.inference.predictor import load_predictor
from stages import evaluate
from stages.predict import main

MODEL, SUPPORT, QUERIES = Path("data/models/maml-42"), Path("letters"), Path("unknown")
NAMES = ["alpha", "beta", "[b]gamma"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained network, three images of each of three letters, and six to classify."""
    folder = tmp_path_factory.mktemp("workspace")
    trained(folder)
    hands = dict(zip(NAMES, drawings(WAYS, 9), strict=True))
    save(folder / SUPPORT, {name: shown[:3] for name, shown in hands.items()})
    save(folder, {"unknown": [shown[n] for n in (3, 4) for shown in hands.values()]})
    (folder / SUPPORT / ".DS_Store").touch()
    (folder / QUERIES / "Thumbs.db").touch()
    return folder


@pytest.fixture
def here(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the workspace's images to spoil, with its network, and the working directory."""
    subprocess.run(["cp", "-r", *workspace.iterdir(), tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMAND = ("-m", "stages.predict", str(MODEL), str(SUPPORT), str(QUERIES))


def on_a_terminal(here: Path) -> bytes:
    """What the stage shows on a terminal of 80 columns."""
    leader, follower = os.openpty()
    done = run_python(here, *COMMAND, stdout=follower, COLUMNS="80")
    os.close(follower)
    with open(leader, "rb", buffering=0) as terminal:
        shown = terminal.read(100_000)
    assert (done.returncode, done.stderr) == (0, "")
    return shown


def expected() -> list[Any]:
    support = [path for name in sorted(NAMES) for path in sorted((SUPPORT / name).iterdir())]
    classifier = load_predictor(MODEL).adapt(support, [path.parent.name for path in support])
    return classifier.predict(sorted(QUERIES.glob("*.png")))


def test_to_a_file_or_a_pipe_it_writes_csv(here: Path) -> None:
    done = run_python(here, *COMMAND)
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["file"] for row in rows] == [f"{n}.png" for n in range(1, 7)]
    answers = [(row["class"], row["probability"]) for row in rows]
    assert answers == [(answer.label, f"{answer.probability:.4f}") for answer in expected()]
    assert sum(row["class"] == NAMES[n % WAYS] for n, row in enumerate(rows)) >= 5


def test_on_a_terminal_it_shows_a_table(here: Path) -> None:
    shown = on_a_terminal(here).decode()
    assert "maml-42, 3 classes, adaptation steps: 1, each query independently\r\n" in shown
    for n, answer in enumerate(expected(), start=1):
        (row,) = (line for line in shown.splitlines() if f"{n}.png" in line)
        assert answer.label in row and f"{answer.probability:.1%}" in row


def test_as_json_it_has_the_probability_of_every_class(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(MODEL, SUPPORT, QUERIES, as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [row["file"] for row in rows] == [f"{n}.png" for n in range(1, 7)]
    assert [(row["class"], row["probabilities"]) for row in rows] == [
        (answer.label, answer.probabilities) for answer in expected()
    ]


def test_steps_and_the_mode_are_as_asked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = []
    for asked in ({}, {"steps": 1}, {"steps": 4}, {"transductive": True}):
        main(MODEL, SUPPORT, QUERIES, **asked)  # type: ignore[arg-type]
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] and len(set(outputs)) == 3


def test_a_copy_of_a_tested_run_adapts_as_its_test_did_and_gives_the_same_answers(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = {"settings__reptile__adaptation_steps": 2, "settings__reptile__test_adaptation_steps": 7}
    run = trained(here, "reptile", train__iterations=0, evaluate__tasks=2, **steps)
    evaluate.main("reptile", 42)
    shutil.copytree(run, here / "copy")
    for model, asked in ((run, {}), (Path("copy"), {}), (run, {"steps": 7})):
        main(model, SUPPORT, QUERIES, **asked)
    first, *others = capsys.readouterr().out.split("file,class,probability\n")[1:]
    assert others == [first, first]


def test_a_class_of_few_images_is_noted_and_predicted_all_the_same(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / SUPPORT / "beta/2.png").unlink()
    main(MODEL, SUPPORT, QUERIES)
    captured = capsys.readouterr()
    assert captured.err == "note: beta has 2 images; the network was trained on 3 a class: expect mistakes\n"
    assert len(captured.out.splitlines()) == 7


def test_a_name_that_is_no_unicode_is_written_as_it_is(here: Path) -> None:
    os.rename(os.fsencode(QUERIES / "1.png"), os.fsencode(QUERIES) + b"/\xff.png")
    assert b"\xff.png" in on_a_terminal(here)


def more_classes(here: Path) -> None:
    save(here / SUPPORT, {"delta": drawings(1, 9)[0][:1]})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda here: os.rename("letters", "moved"), "letters is not there"),
        (lambda here: os.rename("unknown", "moved"), "unknown is not there"),
        (
            lambda here: os.rename("unknown/1.png", "letters/1.png"),
            "letters/1.png is not a folder: letters should",
        ),
        (lambda here: Path("letters/delta").mkdir(), "letters/delta is empty: it should hold images"),
        (lambda here: Path("letters/beta/more").mkdir(), "letters/beta/more is not a file"),
        (lambda here: Path("unknown/notes.txt").write_text("7"), "unknown/notes.txt is not a readable image"),
        (lambda here: Path("letters/beta/2.png").write_bytes(b"\x89PNG"), "letters/beta/2.png is not a readable image"),
        (lambda here: [path.unlink() for path in QUERIES.iterdir()], "unknown is empty: it should hold images"),
        (more_classes, "got 4 classes; this network takes 2 to 3, as it was trained"),
        (lambda here: os.rename("data/models/maml-42", "data/models/x"), "data/models/maml-42/run.json is not there"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line_and_nothing_printed(
    spoil: Callable[[Path], object], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(here)
    with pytest.raises(UserError, match=message) as caught:
        main(MODEL, SUPPORT, QUERIES)
    assert "\n" not in str(caught.value) and capsys.readouterr().out == ""


def test_a_refusal_is_one_line_on_stderr_and_exit_code_1(here: Path) -> None:
    line = refusal_of(run_python(here, *COMMAND, "--steps", "-3"))
    assert line == "error: got -3 adaptation steps; takes a whole number from 0 to 1000\n"


def drawn_file(folder: Path) -> Path:
    """A file as the draw page exports it, of the same letters' pen strokes."""
    hands = zip(NAMES, synthetic_glyphs.characters(WAYS, (0, 9)), strict=True)
    lists = [(name, [[stroke.tolist() for stroke in drawing] for drawing in shown]) for name, shown in hands]
    classes = [{"label": name, "support": shown[:3], "queries": shown[3:5]} for name, shown in lists]
    path = folder / "drawings.json"
    path.write_text(json.dumps({"format": "metaglot drawings", "version": 1, "classes": classes}))
    return path


def test_a_file_of_the_draw_page_takes_the_place_of_both_folders(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(MODEL, drawn_file(here))
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["file"] for row in rows] == [f"{name}, query {n}" for name in NAMES for n in (1, 2)]
    assert sum(row["file"].startswith(row["class"]) for row in rows) >= 5


def test_a_file_of_the_draw_page_needs_no_queries_and_a_folder_does(here: Path) -> None:
    with pytest.raises(UserError, match="holds the queries too: leave unknown out"):
        main(MODEL, drawn_file(here), QUERIES)
    with pytest.raises(UserError, match="a folder of images to classify is missing"):
        main(MODEL, SUPPORT)
