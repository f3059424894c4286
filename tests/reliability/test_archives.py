"""Archives changed at random, by the thousand: refused soon, in one line and little memory, and nothing is written."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

import pytest
from draws import examples
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from small_omniglot import Members, pack, pair, png, unpack

from metaglot.core.common.atomic_files import write_yaml
from metaglot.core.common.errors import UserError
from metaglot.datasets.omniglot import Omniglot
from metaglot.datasets.omniglot_zip import content_sha256, read_drawings
from stages import download
from stages.support import paths

pytestmark = pytest.mark.slow

MEGABYTES, SECONDS = 256, 60  # what all may take, the test itself included; what one may, of the processor

names = st.one_of(
    st.text(min_size=1, max_size=30),
    st.sampled_from(["../x.png", "/etc/x.png", "C:\\x.png", "images_background/../../x.png", "~/x.png", "x\n.png"]),
    st.integers(1, 9).map(lambda up: "../" * up + "evil.png"),
    st.integers(0, 99).map(lambda n: f"images_background/Glyphs_01/character{n:02}/{n:04}_21.png"),
)
contents = st.one_of(
    st.binary(max_size=50),
    st.tuples(st.integers(1, 300), st.integers(1, 300)).map(png),
    st.sampled_from(["RGB", "L", "P", "RGBA"]).map(lambda mode: png(mode=mode)),
    st.sampled_from([10**5, 10**6]).map(bytes),  # zeros, which deflate makes small
)
kinds = ["rename", "replace", "add", "link", "drop", "twice", "bytes", "cut"]
change = st.tuples(st.sampled_from(kinds), st.integers(0, 10**6), names, contents)


def changed(members: Members, changes: list[tuple[str, int, str, bytes]]) -> None:
    """Change an archive's members."""
    for kind, number, name, content in changes:
        place = number % len(members)
        info, old = members[place]
        if kind == "rename":
            members[place] = (ZipInfo(name), old)
        elif kind in ("replace", "add"):
            new = info if kind == "replace" else ZipInfo(name)
            new.compress_type = ZIP_DEFLATED if number % 2 or len(content) > 1000 else ZIP_STORED
            members[place : place + (kind == "replace")] = [(new, content)]
        elif kind == "link":
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            members[place] = (info, name.encode())
        elif kind == "drop" and len(members) > 1:
            del members[place]
        elif kind == "twice":
            members.append((info, old))


def spoiled(content: bytearray, changes: list[tuple[str, int, str, bytes]]) -> bytes:
    """Change an archive's bytes."""
    for kind, number, _, new in changes:
        place = number % len(content)
        if kind == "bytes":
            content[place : place + len(new[:20])] = new[:20]
        elif kind == "cut":
            del content[max(1, place) :]
    return bytes(content)


def memory(name: str) -> float:
    """A line of what Linux says of this process's memory, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror with two small archives in Omniglot's place, and a workspace beside it."""
    folder = tmp_path_factory.mktemp("around")
    write_yaml(folder / "workspace" / paths.DATA_CONFIG, {"source": "omniglot"})
    return folder


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="asks Linux for a peak of memory")
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_changed_at_random_is_refused_soon_in_one_line_and_writes_nothing(
    around: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]
) -> None:
    known = pair(around / "mirror")
    path = around / "mirror" / "images_background.zip"
    whole, unchanged = unpack(path), path.read_bytes()
    monkeypatch.chdir(around / "workspace")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setenv("OMNIGLOT_MIRROR", str(around / "mirror"))
    monkeypatch.setattr(Omniglot, "parts", known)
    counts = {"refused": 0, "the same drawings": 0}
    spent: list[float] = []

    @given(st.lists(change, min_size=1, max_size=3))
    @settings(examples(55), phases=[Phase.generate])
    def property(changes: list[tuple[str, int, str, bytes]]) -> None:
        members = [(ZipInfo(info.filename), content) for info, content in whole]
        changed(members, changes)
        try:
            pack(path, members)
        except (ValueError, UnicodeEncodeError):  # no archive has such a name
            assume(False)
        path.write_bytes(spoiled(bytearray(path.read_bytes()), changes))
        before, tree = time.process_time(), {*around.rglob("*"), paths.RAW.absolute()}
        try:
            download.main()
            same = content_sha256(read_drawings(path, known[0].folder, known[0].images))
            assert same == known[0].content_sha256
            counts["the same drawings"] += 1
            for file in paths.RAW.iterdir():
                file.unlink()
            paths.RAW.rmdir()
        except UserError as refusal:
            line = str(refusal)
            assert "images_background.zip" in line and len(line) < 1000 and line.isprintable(), line
            assert {*around.rglob("*")} | {paths.RAW.absolute()} == tree
            counts["refused"] += 1
        spent.append(time.process_time() - before)

    resident = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    try:
        property()
    finally:
        path.write_bytes(unchanged)
    grown = memory("VmHWM") - resident
    assert counts["refused"] > 0 and grown < MEGABYTES and max(spent) < SECONDS
    assert not [name for name in os.listdir(around.parent) if "evil" in name]
    figure(
        f"{counts['refused']} refused, {counts['the same drawings']} as good as before; at most "
        f"{max(spent):.2f} s and {grown:.0f} MiB; nothing written"
    )
