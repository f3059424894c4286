import ctypes
from pathlib import Path

import pytest

from metaglot.core.nn import c_extension


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A C file, and a cache with nothing in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "number.c"
    path.write_text("int number(void) { return NUMBER; }\n")
    return path


def built_libraries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache/metaglot").iterdir())


def number(source: Path, value: int) -> int:
    library = c_extension.load_library(source, f"-DNUMBER={value}")
    assert library is not None
    return library.number()


def test_c_is_compiled_once_and_kept(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert number(source, 7) == 7
    (library,) = built_libraries(tmp_path)

    def again(command: list[str], output: Path) -> None:
        raise AssertionError(command)

    monkeypatch.setattr(c_extension, "compile_library", again)
    assert number(source, 7) == 7 and built_libraries(tmp_path) == [library]


def test_another_source_or_command_is_compiled_anew(source: Path, tmp_path: Path) -> None:
    assert [number(source, 7), number(source, 8)] == [7, 8]
    source.write_text("int number(void) { return -NUMBER; }\n")
    assert number(source, 7) == -7
    assert len(built_libraries(tmp_path)) == 3


def test_what_is_kept_and_cannot_be_read_is_made_again(source: Path, tmp_path: Path) -> None:
    assert number(source, 7) == 7
    (library,) = built_libraries(tmp_path)
    library.unlink()
    library.write_text("not a library")
    assert number(source, 7) == 7
    assert ctypes.CDLL(str(library)).number() == 7


def test_without_a_compiler_there_is_a_warning_and_no_library(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.warns(UserWarning, match=r"number\.c cannot be compiled \(.*no-such-compiler.*slower"):
        assert c_extension.load_library(source, "-DNUMBER=7") is None


def test_what_the_compiler_says_is_said(source: Path, tmp_path: Path) -> None:
    source.write_text("int number(void) { return 7 }\n")
    with pytest.warns(UserWarning, match=r"number\.c cannot be compiled \(.*number"):
        assert c_extension.load_library(source) is None
    assert built_libraries(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_a_warning(source: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.warns(UserWarning, match="number.c cannot be compiled"):
        assert c_extension.load_library(source, "-DNUMBER=7") is None


def test_no_home_is_a_warning(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.warns(UserWarning, match="home directory"):
        assert c_extension.load_library(source, "-DNUMBER=7") is None
