"""A folder of images through the whole pipeline: unlike classes, groups, colour, its own name; and Omniglot's own."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from error_lines import error_line
from image_classes import write_folder
from params_file import TINY, changed, text
from shell import run_python
from small_omniglot import pair, record_source, unpack

from metaglot.core.common.atomic_files import read_json
from metaglot.core.tasks import class_splits, split_parts
from metaglot.inference.predictor import load_predictor
from stages import configure, download, evaluate, preprocess, report, train
from stages.support import paths

TASK = {"task.ways": 2, "task.shots": 2, "task.queries": 2}
QUICK = TASK | {"data.groups": "folders", "train.iterations": 3, "train.validate_every": 3, "data.source": "omniglot"}
COLOUR = TINY | QUICK | {"data.channels": 3, "model": "conv", "train.fast_lr": 0.05}
COUNTS = {f"group{n % 2}/class{n}": 4 + n % 3 for n in range(12)} | {"group0/few": 3}
Write = Callable[[dict[str, Any]], None]


@pytest.fixture
def write_params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A workspace, and a function that writes its params."""
    (tmp_path / "workspace").mkdir()
    monkeypatch.chdir(tmp_path / "workspace")
    return lambda changes: Path("params.yaml").write_bytes(text(changed(changes))) and None


def run_pipeline(algorithms: list[str]) -> None:
    configure.main()
    download.main()
    preprocess.main()
    for name in algorithms:
        train.main(name, 42)
        evaluate.main(name, 42)
    report.main()


def test_images_in_colour_go_through_the_whole_pipeline(
    tmp_path: Path, write_params: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "Garden birds", COUNTS)
    shares = {"split.train": 0.5, "split.validation": 0.25, "split.test": 0.25}
    algorithms = ["maml", "anil", "protonet", "pretrained"]
    write_params(COLOUR | shares | {"data.path": str(folder), "algorithms": algorithms})
    run_pipeline(algorithms)
    output = capsys.readouterr().err
    assert f"{folder}: 12 classes in 2 groups, 60 images" in output and "train 6, validation 3, test 3" in output
    assert "left out: 1 classes with 3 images, which have fewer than the 4 that a task needs of each" in output
    for name in ("maml", "anil"):  # the two that learn2learn has
        parity = read_json(paths.run_record(name, 42))["parity"]
        assert parity["reference"].startswith("learn2learn") and parity["relative_difference"] < 1e-10
    assert read_json(paths.result("maml", 42))["dataset"] == "Garden birds"
    page = (paths.REPORT / "index.html").read_text()
    markdown = (paths.REPORT / "comparison.md").read_text()
    assert "2-way 2-shot Garden birds" in markdown and '<body class="colour">' in page
    for shown in (page, markdown):
        assert "original study" not in shown and "Omniglot" not in shown and "What others published" not in shown
    classifier = load_predictor(paths.model("maml", 42)).adapt(
        [*sorted((folder / "group0/class0").iterdir()), *sorted((folder / "group1/class1").iterdir())],
        ["zero"] * 4 + ["one"] * 5,
    )
    assert len(classifier.predict([folder / "group0/class2/000.jpg"])) == 1


def unpacked(folder: Path, archives: Path) -> Path:
    """Every alphabet of both archives as a folder of characters."""
    for path in archives.glob("*.zip"):
        for member, content in unpack(path):
            place = folder / member.filename.split("/", 1)[1]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    return folder


def test_omniglot_s_own_drawings_in_a_folder_give_the_same_split(tmp_path: Path, write_params: Write) -> None:
    record_source(pair(paths.RAW))
    folder = unpacked(tmp_path / "drawings", paths.RAW)
    split = {"split.train": 5, "split.validation": 2, "split.test": 3}
    splits = []
    for data in ({"data.source": "omniglot"}, {"data.path": str(folder), "data.groups": "folders"}):
        write_params(TASK | split | data)
        configure.main()
        preprocess.main()
        splits.append({part: split_parts.load_split_part(paths.split(part)) for part in class_splits.PARTS})
    for part, expected in splits[0].items():
        assert splits[1][part].names == expected.names
        assert np.array_equal(splits[1][part].images, expected.images)
    digests = [split_parts.split_digest("omniglot", split) for split in splits]
    assert digests[0] == digests[1]


def test_a_path_that_is_no_folder_is_refused_before_anything_is_written(tmp_path: Path, write_params: Write) -> None:
    archive = tmp_path / "images.zip"
    archive.write_bytes(b"PK")
    for path, message in ((archive, "is a file, not a folder"), (tmp_path / "missing", "is no folder")):
        write_params({"data.path": str(path)})
        assert message in error_line(configure.main)
    assert [path.name for path in Path().iterdir()] == ["params.yaml"]


def test_unreadable_pictures_are_all_named_and_refused_or_skipped(
    tmp_path: Path, write_params: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "images", {f"class{n}": 5 for n in range(6)})
    for name in ("class0/000.jpg", "class5/001.png"):
        (folder / name).write_bytes(b"not an image")
    write_params(TINY | TASK | {"data.path": str(folder)})
    configure.main()
    assert error_line(preprocess.main).startswith("images that cannot be read: 2, named above")
    output = capsys.readouterr().err
    assert f"{folder}/class0/000.jpg is not a readable image" in output and f"{folder}/class5/001.png is" in output
    assert not paths.SPLITS.exists()
    write_params(TINY | TASK | {"data.path": str(folder), "data.unreadable": "skip"})
    configure.main()
    preprocess.main()
    assert read_json(paths.SPLIT_RECORD)["left_out"] == {"unreadable_pictures": 2, "classes_with_too_few": {}}


# Root may read every file; without these capabilities it may read what others may.
OF_ROOT = "--bounding-set=-dac_override,-dac_read_search"
AS_A_USER = ("setpriv", OF_ROOT) if os.geteuid() == 0 else ()


@pytest.mark.skipif(bool(AS_A_USER) and not shutil.which("setpriv"), reason="root may read every file: needs setpriv")
@pytest.mark.parametrize(
    "forbidden, message",
    [
        (
            "class1/000.jpg",
            "{}/class1/000.jpg cannot be read: permission denied\nerror: images that cannot be read: 1,",
        ),
        ("class1", "error: {}/class1 cannot be listed: permission denied\n"),
        (".", "error: {} cannot be listed: permission denied\n"),
    ],
)
def test_what_may_not_be_read_is_named(tmp_path: Path, write_params: Write, forbidden: str, message: str) -> None:
    folder = write_folder(tmp_path / "images", {f"class{n}": 5 for n in range(6)})
    write_params(TINY | TASK | {"data.path": str(folder)})
    configure.main()
    mode = (folder / forbidden).stat().st_mode
    (folder / forbidden).chmod(0)
    done = run_python(Path(), "-m", "stages.preprocess", under=AS_A_USER)
    (folder / forbidden).chmod(mode)
    assert done.returncode == 1 and done.stderr.startswith(message.format(folder)), done.stderr
    assert not paths.SPLITS.exists()


def test_too_few_classes_for_a_task_are_refused_with_the_numbers(tmp_path: Path, write_params: Write) -> None:
    folder = write_folder(tmp_path / "images", {f"class{n}": 5 for n in range(5)})
    write_params(TASK | {"data.path": str(folder)})
    configure.main()
    assert error_line(preprocess.main).startswith("5 classes are too few: each of 3 parts of the split needs 2 or more")
    write_params({"data.path": str(folder), "task.shots": 9})
    configure.main()
    assert error_line(preprocess.main).startswith("0 classes are too few: each of 3 parts of the split needs 5 or more")
