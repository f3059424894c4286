"""OMNIGLOT_MIRROR is a folder or an address; what does not answer is told apart from what answers wrongly."""

from pathlib import Path

import pytest

from metaglot.core.common.errors import UserError
from metaglot.datasets.dataset import Unreachable
from metaglot.datasets.omniglot_mirrors import ADDRESS, FolderMirror, WebMirror, answer, list_sources, mirror_at


def test_a_mirror_comes_before_the_official_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIGLOT_MIRROR", "https://mirror.example/omniglot/")
    official = WebMirror("https://raw.githubusercontent.com/brendenlake/omniglot/master/python")
    assert list_sources(Path()) == [WebMirror("https://mirror.example/omniglot"), official]
    monkeypatch.setenv("OMNIGLOT_MIRROR", "")
    assert list_sources(Path()) == [official]
    assert mirror_at(ADDRESS + "/", Path()) == official


def test_a_relative_folder_is_relative_to_the_repository() -> None:
    assert mirror_at("../omniglot", Path("/x")) == FolderMirror("../omniglot", Path("/x/../omniglot"))
    assert mirror_at("/omniglot", Path("/x")) == FolderMirror("/omniglot", Path("/omniglot"))


@pytest.mark.parametrize("named", ["~nobody-of-this-name/omniglot", "x" * 300, "/etc/passwd", "a\nb"])
def test_a_folder_that_cannot_exist_is_not_there(named: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="^is not there$"), mirror_at(named, tmp_path).open("images.zip"):
        pass


def test_a_file_address_is_a_folder() -> None:
    assert mirror_at("file:///data/omni%20glot", Path()) == FolderMirror(
        "file:///data/omni%20glot", Path("/data/omni glot")
    )


@pytest.mark.parametrize("mirror", ["ftp://mirror.example", "s3://bucket/omniglot", "gopher://x"])
def test_another_kind_of_address_is_refused(mirror: str) -> None:
    with pytest.raises(UserError, match=f"OMNIGLOT_MIRROR={mirror} is neither a folder nor"):
        mirror_at(mirror, Path())


def test_a_malformed_address_of_a_mirror_is_refused_by_the_variable_s_name() -> None:
    with pytest.raises(UserError, match="OMNIGLOT_MIRROR is not a valid address: .*IPv6"):
        mirror_at("http://[bad", Path())


def test_a_password_in_an_address_is_not_shown() -> None:
    assert str(WebMirror("https://me:secret@mirror.example:8080/x")) == "https://mirror.example:8080/x"


@pytest.mark.parametrize("address", ["http://", "http://[::1", "http://a b.example:port/x"])
def test_a_malformed_address_is_refused_not_taken_for_unreachable(address: str) -> None:
    with pytest.raises(UserError) as refused:
        answer(f"{address}/x.zip")
    assert not isinstance(refused.value, Unreachable) and str(refused.value).startswith("cannot be asked for")


def test_a_port_where_nobody_listens_is_unreachable(silent_port: int) -> None:
    with pytest.raises(Unreachable, match="does not answer .*Connection refused"):
        answer(f"http://127.0.0.1:{silent_port}/x.zip")


def test_a_server_without_a_certificate_is_refused(mirror_server: str) -> None:
    with pytest.raises(UserError, match="has no valid certificate") as refused:
        answer(mirror_server.replace("http", "https") + "/x.zip")
    assert not isinstance(refused.value, Unreachable)
