"""A folder of classes is listed in order; any other path is a one-line error."""

import os
from pathlib import Path

from error_lines import error_line
from image_classes import write_folder

from metaglot.datasets.folder_layout import list_images


def test_classes_and_images_are_sorted_and_hidden_and_system_files_passed_over(tmp_path: Path) -> None:
    write_folder(tmp_path, {"b": 3, "ā 日 !": 2, "a": 2})
    for name in (".hidden", "a/.DS_Store", "a/Thumbs.db", "a/desktop.ini", "labels.csv"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".git").mkdir()
    images = list_images(tmp_path, "none")
    assert [*images] == ["a", "b", "ā 日 !"]
    assert [path.name for path in images["b"]] == ["000.jpg", "001.png", "002.jpg"]
    assert len(images["a"]) == 2


def test_groups_hold_classes_and_their_names_begin_with_the_group(tmp_path: Path) -> None:
    write_folder(tmp_path, {"two/x": 2, "one/y": 2, "one/x": 2})
    assert [*list_images(tmp_path, "folders")] == ["one/x", "one/y", "two/x"]


def test_a_name_that_is_no_text_is_written_as_bytes(tmp_path: Path) -> None:
    for name in (b"caf\xe9", b"tea"):
        folder = os.path.join(os.fsencode(tmp_path), name)
        os.mkdir(folder)
        with open(os.path.join(folder, b"1.png"), "wb") as file:
            file.write(b"x")
    assert [*list_images(tmp_path, "none")] == ["caf\\xe9", "tea"]


def test_a_link_to_a_folder_of_images_is_a_class(tmp_path: Path) -> None:
    write_folder(tmp_path / "elsewhere", {"a": 2})
    write_folder(tmp_path / "here", {"b": 2})
    (tmp_path / "here" / "a").symlink_to(tmp_path / "elsewhere" / "a")
    assert [*list_images(tmp_path / "here", "none")] == ["a", "b"]


def refused(folder: Path, groups: str = "none") -> str:
    line = error_line(lambda: list_images(folder, groups))  # type: ignore[arg-type]
    return line.replace(str(folder), "FOLDER")


def test_every_folder_that_is_none_of_classes_is_refused_in_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(empty) == "FOLDER has 0 classes with images; it takes two or more"
    alone = write_folder(tmp_path / "alone", {"a": 3})
    assert refused(alone) == "FOLDER has 1 class with images; it takes two or more"
    one_class = (
        "FOLDER has 0 classes with images; it takes two or more; it holds files itself: data.path takes the folder"
    )
    assert refused(alone / "a").startswith(one_class)
    flat = "FOLDER has 0 classes with images; it takes two or more; its images are one level higher: data.groups: none"
    assert refused(alone, "folders") == flat
    file = tmp_path / "images.zip"
    file.write_bytes(b"PK\3\4")
    assert refused(file).startswith("FOLDER is a file, not a folder with a folder of images for each class; unpack")
    assert refused(tmp_path / "missing").startswith("FOLDER is no folder; data.path takes one")
    deep = write_folder(tmp_path / "deep", {"g/h/a": 2, "g/h/b": 2})
    assert refused(deep) == "FOLDER/g holds the folder h, not images; data.groups: folders takes groups of classes"
    assert refused(deep, "folders") == "FOLDER/g/h holds the folder a, not images; it is one level too deep"


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a": 2, "b": 2})
    (tmp_path / "b" / "self").symlink_to("self")
    assert len(list_images(tmp_path, "none")["b"]) == 3  # it is named as unreadable once it is read
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert refused(tmp_path).startswith("FOLDER/a holds the folder up, not images")
