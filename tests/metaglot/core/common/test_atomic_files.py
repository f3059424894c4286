import hashlib
import os
from pathlib import Path

import pytest
from error_lines import error_line

from metaglot.core.common.atomic_files import (
    atomic_folder,
    atomic_write,
    read_json,
    read_yaml,
    sha256,
    write_bytes,
    write_json,
    write_text,
    write_yaml,
)

RECORD = {"name": "Ægypt", "values": [1, 2.5, None, True], "first": {"b": 1, "a": 2}}


def refused(read, path: Path) -> str:
    line = error_line(lambda: read(path))
    assert str(path) in line
    return line


@pytest.mark.parametrize(("write", "read"), [(write_json, read_json), (write_yaml, read_yaml)])
def test_a_record_that_is_written_is_read_in_its_order(write, read, tmp_path):
    path = tmp_path / "a" / "b" / "record"
    write(path, RECORD)
    record = read(path)
    assert record == RECORD and list(record["first"]) == ["b", "a"]
    assert "Ægypt" in path.read_text(encoding="utf-8") and path.read_bytes().endswith(b"\n")


def test_json_holds_no_number_that_is_none(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "record", {"loss": float("nan")})
    assert [*tmp_path.iterdir()] == []


def test_a_block_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as beside:
        beside.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old" and [*tmp_path.iterdir()] == [path]


def test_a_folder_is_replaced_whole_or_stays_as_it_was(tmp_path):
    path, left = tmp_path / "folder", tmp_path / ".folder.partial" / "of a killed run"
    write_text(path / "old", "old")
    write_text(left, "half")
    with pytest.raises(ZeroDivisionError), atomic_folder(path) as beside:
        write_text(beside / "new", "half")
        raise ZeroDivisionError
    assert [*tmp_path.rglob("*")] == [path, path / "old"]
    with atomic_folder(path) as beside:
        write_text(beside / "new", "new")
        assert [*path.iterdir()] == [path / "old"]
    assert [*tmp_path.rglob("*")] == [path, path / "new"]


def test_until_the_block_ends_the_old_file_stands(tmp_path):
    path = tmp_path / "file"
    write_text(path, "old")
    with atomic_write(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old" and beside.parent == path.parent
    assert path.read_text() == "new" and [*tmp_path.iterdir()] == [path]


def test_a_linked_or_read_only_old_file_is_replaced_and_not_written_through(tmp_path):
    kept = tmp_path / "cache"
    kept.write_text("kept")
    kept.chmod(0o444)
    path = tmp_path / "file"
    os.link(kept, path)  # as DVC may link an output to its cache
    write_text(path, "new")
    assert (path.read_text(), kept.read_text()) == ("new", "kept")


@pytest.mark.parametrize("read", [read_json, read_yaml])
def test_what_is_not_there_not_text_or_malformed_is_refused_by_name(read, tmp_path):
    path = tmp_path / "record"
    assert "is not there" in refused(read, path)
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not text" in refused(read, path)
    path.write_text('{"a": [1,\n 2')
    assert "is not JSON" in refused(read, path) or "is not YAML" in refused(read, path)


def test_the_digest_is_that_of_the_content(tmp_path):
    write_bytes(tmp_path / "file", b"content" * 100_000)
    assert sha256(tmp_path / "file") == hashlib.sha256(b"content" * 100_000).hexdigest()
