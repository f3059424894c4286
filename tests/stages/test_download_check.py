"""`download --check`: what can be reached, and nothing is written."""

import pytest
import typer
from small_omniglot import Archives

from metaglot.core.common.atomic_files import write_text, write_yaml
from metaglot.core.common.errors import UserError
from stages import download
from stages.support import paths


def test_check_answers_and_writes_nothing(
    archives: Archives, unreachable_official: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    download.main(only_check=True)
    assert "mirror answers" in capsys.readouterr().err
    monkeypatch.setenv("OMNIGLOT_MIRROR", "/nowhere")
    with pytest.raises(UserError, match="^/nowhere/images_background.zip is not there; set"):
        download.main(only_check=True)
    monkeypatch.delenv("OMNIGLOT_MIRROR")
    with pytest.raises(typer.Exit) as left:
        download.main(only_check=True)
    assert left.value.exit_code == 3
    assert (
        f"omniglot cannot be reached: {unreachable_official}/images_background.zip does not answer"
        in capsys.readouterr().err
    )
    assert not paths.RAW.exists()


def test_check_needs_no_source_for_glyphs_nor_for_what_is_here(
    archives: Archives, unreachable_official: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    download.main()
    monkeypatch.delenv("OMNIGLOT_MIRROR")
    download.main(only_check=True)
    assert "data/raw holds omniglot" in capsys.readouterr().err
    write_text(paths.RAW / "images_background.zip", "changed")
    with pytest.raises(typer.Exit):
        download.main(only_check=True)
    write_yaml(paths.DATA_CONFIG, {"source": "glyphs"})
    download.main(only_check=True)
    assert "glyphs (synthetic): made here" in capsys.readouterr().err


def test_check_may_ask_about_another_data_set_than_the_config_s(
    archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    download.main(only_check=True, source="glyphs")
    assert "glyphs (synthetic): made here" in capsys.readouterr().err
    with pytest.raises(UserError, match="--source: there is no data set 'nothing'; there are omniglot, "):
        download.main(only_check=True, source="nothing")
