"""Letters in print are drawn from any folder of fonts, each in typefaces that differ."""

import re
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from metaglot.core.common.errors import UserError
from metaglot.datasets.folder_layout import list_images
from tools.printed_characters import main, script_of

LETTERS = "ABΩЖ"


def write_font(path: Path, width: int) -> None:
    """A font whose letters are bars; letters and fonts all differ."""
    names = [".notdef", *(f"letter{ord(letter)}" for letter in LETTERS)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(LETTERS, names[1:], strict=True)})
    builder.setupGlyf({name: bar(width, 150 * number) for number, name in enumerate(names)})
    builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def bar(width: int, height: int):
    pen = TTGlyphPen(None)
    corners = [(0, 0), (0, 100 + height), (width, 100 + height), (width, 0)]
    pen.moveTo(corners[0])
    for corner in corners[1:]:
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


@pytest.fixture
def fonts(tmp_path: Path) -> Path:
    (tmp_path / "fonts").mkdir()
    for number in range(12):
        write_font(tmp_path / "fonts" / f"font{number:02}.ttf", 100 + 60 * number)
    (tmp_path / "fonts" / "broken.ttf").write_bytes(b"no font")
    return tmp_path / "fonts"


def test_scripts_are_groups_and_characters_are_classes(
    fonts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(tmp_path / "printed", fonts)
    found = list_images(tmp_path / "printed", "folders")
    assert [*found] == ["Cyrillic/U+0416", "Greek/U+03A9", "Latin/U+0041", "Latin/U+0042"]
    assert all(len({Image.open(path).tobytes() for path in paths}) == 12 for paths in found.values())
    assert "4 characters of 3 scripts, 48 images, from 13 fonts" in capsys.readouterr().out


def test_a_damaged_font_is_left_out_by_name(fonts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (fonts / "font00.ttf").read_bytes()
    for number in range(40, len(whole), 40):
        (fonts / f"cut{number}.ttf").write_bytes(whole[:number])
        (fonts / f"changed{number}.ttf").write_bytes(whole[:number] + bytes(40) + whole[number + 40 :])
    main(tmp_path / "printed", fonts)
    assert len(list_images(tmp_path / "printed", "folders")) == 4
    left_out = re.findall(r"^.*/(\w+)\.ttf is damaged and left out$", capsys.readouterr().err, re.MULTILINE)
    assert {"broken", "cut40", "changed40"} <= {*left_out} and not any(name.startswith("font") for name in left_out)


def test_the_same_fonts_give_the_same_images(fonts: Path, tmp_path: Path) -> None:
    drawn = []
    for name in ("one", "two"):
        main(tmp_path / name, fonts)
        files = sorted(path for path in (tmp_path / name).rglob("*.png"))
        drawn.append([(path.relative_to(tmp_path / name), path.read_bytes()) for path in files])
    assert drawn[0] == drawn[1]


def test_fonts_of_one_name_in_two_folders_are_two_fonts(fonts: Path, tmp_path: Path) -> None:
    (fonts / "other").mkdir()
    for number in range(6):
        (fonts / f"font{number + 6:02}.ttf").rename(fonts / "other" / f"font{number:02}.ttf")
    main(tmp_path / "printed", fonts)
    found = list_images(tmp_path / "printed", "folders")
    assert [len(paths) for paths in found.values()] == [12, 12, 12, 12]


def test_what_cannot_be_is_refused_in_one_line_and_nothing_written(fonts: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is there already"):
        main(tmp_path, fonts)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no .ttf or .otf file: apt-get install fonts-noto-core"):
        main(tmp_path / "printed", tmp_path / "empty")
    for font in [*fonts.glob("font*.ttf")][:4]:
        font.unlink()
    with pytest.raises(UserError, match="no letter is in 10 of 9 font files"):
        main(tmp_path / "printed", fonts)
    assert not (tmp_path / "printed").exists()


@pytest.mark.parametrize(
    ("letter", "script"),
    [("A", "Latin"), ("ա", "Armenian"), ("ᏸ", "Cherokee"), ("ꀀ", "Yi"), ("中", ""), ("1", "")],
)
def test_the_script_is_in_a_letter_s_name(letter: str, script: str) -> None:
    assert script_of(letter) == script
