"""The stage that reads params.yaml: all of data/config or nothing, and one line when something is wrong."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from draws import examples
from hypothesis import example, given
from params_cases import Mistake, invalid, valid
from params_file import TEXT, changed, text
from shell import entered, refusal_of, run_python

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.resolve import SHARED, import_classes
from metaglot.core.common.stage_configs import TrainStageConfig, load_stage_config
from metaglot.datasets.stage_configs import DownloadStageConfig, PreprocessStageConfig
from metaglot.evaluation.stage_configs import EvaluateStageConfig
from metaglot.report.stage_configs import ReportStageConfig
from stages import configure
from stages.support import paths

FILES = ["data.yaml", "fomaml/evaluate.yaml", "fomaml/train.yaml", "maml/evaluate.yaml", "maml/train.yaml"]

CLASSES = import_classes(ALGORITHMS)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes(TEXT)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def asked(here: Path, **changes: Any) -> None:
    (here / "params.yaml").write_bytes(text(changed({key.replace("__", "."): value for key, value in changes.items()})))


def test_every_config_file_is_written_and_nothing_else(here: Path) -> None:
    configure.main()
    assert sorted(contents(here / "data")) == sorted(f"config/{name}" for name in [*FILES, "report.yaml", "split.yaml"])


def test_the_same_params_give_the_same_bytes(here: Path) -> None:
    configure.main()
    first = contents(here / "data")
    configure.main()
    assert contents(here / "data") == first
    shutil.rmtree(here / "data")
    asked(here)  # without the comments
    configure.main()
    assert contents(here / "data") == first


def test_an_algorithm_that_is_no_longer_asked_for_leaves_no_file(here: Path) -> None:
    configure.main()
    asked(here, algorithms=["fomaml"])
    configure.main()
    assert sorted(path.name for path in (here / "data/config").iterdir()) == [
        "data.yaml",
        "fomaml",
        "report.yaml",
        "split.yaml",
    ]


def test_check_writes_nothing_and_says_only_what_is_wrong(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(here, settings__fomaml__fast_lr=0.25)
    configure.main(check=True)
    assert [path.name for path in here.iterdir()] == ["params.yaml"] and not capsys.readouterr().out


def test_what_settings_override_is_said_when_a_run_starts(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(here, settings__fomaml__fast_lr=0.25)
    configure.main()
    assert capsys.readouterr().out == "params.yaml: settings.fomaml.fast_lr: 0.25 instead of 0.5\n"


def test_params_that_are_refused_leave_the_config_as_it_was(here: Path) -> None:
    configure.main()
    before = contents(here)
    asked(here, task__ways=1000)
    assert entered(configure.main) == "error: params.yaml: task.ways: got 1000; takes a whole number from 2 up to 256"
    assert contents(here / "data") == {name[5:]: kept for name, kept in before.items() if name.startswith("data/")}


def test_another_test_split_must_be_there(here: Path) -> None:
    asked(here, evaluate__test_split="elsewhere/test.npz")
    refusal = "got 'elsewhere/test.npz'; takes data/splits/test.npz, or such a file of another project; there is none"
    assert entered(configure.main) == f"error: params.yaml: evaluate.test_split: {refusal}"
    (here / "elsewhere").mkdir()
    (here / "elsewhere/test.npz").touch()
    configure.main()
    assert "test_split: elsewhere/test.npz" in (here / "data/config/maml/evaluate.yaml").read_text()


def test_what_a_killed_run_left_behind_is_cleared_away(here: Path) -> None:
    left = here / "data/.config.partial/maml/train.yaml"
    left.parent.mkdir(parents=True)
    left.write_text("half a fi")
    configure.main()
    assert [path.name for path in (here / "data").iterdir()] == ["config"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            TEXT.replace(b"- fomaml", b"- ../fomaml; touch x"),
            "params.yaml: algorithms.1: got '../fomaml; touch x'",
        ),
        (
            TEXT.replace(b" 10000 ", b" 1e999 "),
            "params.yaml: train.iterations: got inf; takes a whole number from 0 up to",
        ),
        ("model: ✗\ud800".encode("utf-8", "surrogatepass"), "params.yaml: unacceptable character"),
        (None, "[Errno 2] No such file or directory: 'params.yaml'"),
    ],
)
def test_a_mistake_is_one_line_and_no_file(here: Path, content: bytes | None, line: str) -> None:
    (here / "params.yaml").unlink()
    if content is not None:
        (here / "params.yaml").write_bytes(content)
    output = entered(configure.main)
    assert output.startswith(f"error: {line}") and "\n" not in output
    assert {path.name for path in here.iterdir()} <= {"params.yaml"}


@given(invalid())
@examples(60)
def test_any_mistake_is_one_line_an_exit_code_and_no_file(here: Path, mistake: Mistake) -> None:
    params, line = mistake
    (here / "params.yaml").write_bytes(text(params))
    output = entered(configure.main)
    assert output.startswith(f"error: params.yaml: {line}") and output.isprintable()
    assert [path.name for path in here.iterdir()] == ["params.yaml"]


def drops_second_order(params: dict[str, Any]) -> bool:
    """Whether these params make MAML first-order: by the switch, or by a factor of nothing."""
    return params["first_order"] or params["settings"].get("maml", {}).get("second_order") == 0


@given(valid())
@example(changed({"settings": {"maml": {"second_order": 0.0}}}))
@examples(60)
def test_any_valid_params_resolve_to_themselves(here: Path, params: dict[str, Any]) -> None:
    (here / "params.yaml").write_bytes(text(params))
    configure.main()
    split = load_stage_config(PreprocessStageConfig, paths.SPLIT_CONFIG).model_dump()
    alphabets = {"train": None, "validation": None, "test": None} if params["split"]["kind"] == "background" else {}
    about: dict[str, Any] = {"dataset": params["data"]["source"].replace("glyphs", "glyphs (synthetic)")}
    about |= {"image_size": params["data"]["image_size"], "folder": None}
    assert split == params["split"] | alphabets | about
    assert load_stage_config(DownloadStageConfig, paths.DATA_CONFIG).source == params["data"]["source"].removesuffix(
        "-nearest"
    )
    for name in params["algorithms"]:
        given = CLASSES[name].Settings(**params["settings"].get(name, {}))
        block = given.model_dump(include=SHARED, exclude_none=True)
        train = load_stage_config(TrainStageConfig, paths.train_config(name)).model_dump()
        evaluate = load_stage_config(EvaluateStageConfig, paths.evaluate_config(name)).model_dump()
        steps = {"adaptation_steps": block.pop("test_adaptation_steps", params["evaluate"]["adaptation_steps"])}
        assert train["train"] == params["train"] | block
        unused = {"test_split"} | ({"sequence_heads"} if params["evaluate"]["sequence_heads"] == "one" else set())
        if not params["evaluate"]["sequences"]:
            unused |= {"sequences", "sequence_length", "sequence_heads"}
        used = {key: value for key, value in params["evaluate"].items() if key not in unused}
        assert evaluate["evaluate"] == used | steps
        assert evaluate["fast_lr"] == train["train"]["fast_lr"]
        for config in (train, evaluate):
            assert all(config[key] == params[key] for key in ("task", "model", "run"))
            assert config["first_order"] == (
                drops_second_order(params) if name == "maml" else CLASSES[name].first_order
            )
            assert config["settings"] == given.model_dump(exclude=SHARED)
    rows = [(row.algorithm, row.seed) for row in load_stage_config(ReportStageConfig, paths.REPORT_CONFIG).rows]
    assert rows == [(name, seed) for name in params["algorithms"] for seed in params["seeds"]]


def test_a_disk_without_room_leaves_the_config_as_it_was(here: Path) -> None:
    configure.main()
    before = contents(here / "data")
    asked(here, seeds=[1, 2])
    limited = ("bash", "-c", 'ulimit -f 0; exec "$@"', "bash")
    assert refusal_of(run_python(here, "-m", "stages.configure", under=limited)).startswith("error: ")
    assert contents(here / "data") == before
    assert [path.name for path in (here / "data").iterdir()] == ["config"]
