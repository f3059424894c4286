"""A folder is read on every core into the same images; what is unreadable or does not fit is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_classes import write_folder

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import ImageForm
from metaglot.datasets import image_folder
from metaglot.datasets.image_folder import check_memory, read_folder
from metaglot.datasets.stage_configs import FolderConfig
from metaglot.inference.user_images import load_images


def config(folder: Path, channels: int = 1, **changes: Any) -> FolderConfig:
    about = {"groups": "none", "unreadable": "refuse", "images_needed": 3, "ways": 2}
    form = ImageForm(ink=changes.pop("ink", "auto"), channels=channels)  # type: ignore[arg-type]
    return FolderConfig(**about | changes | {"path": str(folder), "form": form})


@pytest.mark.parametrize(("ink", "channels"), [("auto", 1), ("dark", 1), ("light", 1), ("none", 1), ("auto", 3)])
def test_a_folder_gives_what_the_predictor_sees(tmp_path: Path, ink: str, channels: int) -> None:
    write_folder(tmp_path, {"a": 3, "b": 4})
    form = ImageForm(ink=ink, channels=channels)  # type: ignore[arg-type]
    folder = read_folder(config(tmp_path, channels, ink=ink), 28)
    assert [len(images) for images in folder.images.values()] == [3, 4]
    shown = load_images(sorted((tmp_path / "b").iterdir()), 28, "b", form)
    assert np.array_equal(np.rint(shown.numpy() * 255), folder.images["b"])
    assert folder.images["b"].shape[1:] == ((28, 28) if channels == 1 else (28, 28, 3))


def test_a_class_with_too_few_images_is_left_out(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a": 3, "b": 2, "c": 5})
    folder = read_folder(config(tmp_path), 28)
    assert ([*folder.images], folder.too_few) == (["a", "c"], {"b": 2})


def test_several_processes_read_what_one_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, {"a": 70, "b": 3})
    (tmp_path / "b" / "notes.txt").write_text("no image")
    alone = read_folder(config(tmp_path), 28)
    monkeypatch.setattr(image_folder, "PARALLEL", 10)
    together = read_folder(config(tmp_path), 28)
    assert alone.unreadable == together.unreadable and len(alone.unreadable) == 1
    for name, images in alone.images.items():
        assert np.array_equal(images, together.images[name])


def test_every_unreadable_image_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a": 4, "b": 4})
    (tmp_path / "a" / "000.jpg").write_bytes(b"")
    (tmp_path / "b" / "notes.txt").write_text("no image")
    (tmp_path / "b" / "gone.png").symlink_to(tmp_path / "nothing.png")
    folder = read_folder(config(tmp_path), 28)
    assert [line.removeprefix(f"{tmp_path}/").split(" is ")[0] for line in folder.unreadable] == [
        "a/000.jpg",
        "b/gone.png",
        "b/notes.txt",
    ]
    assert [len(images) for images in folder.images.values()] == [3, 4]


def test_what_does_not_fit_into_memory_is_refused_with_the_numbers() -> None:
    check_memory(100_000, (28, 28), 2**30)
    with pytest.raises(UserError, match="100,000 images of 224x224x3 take 70.1 GiB .* and 4.0 GiB are free"):
        check_memory(100_000, (224, 224, 3), 4 * 2**30)
