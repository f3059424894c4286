"""A folder that one command uses is refused to another."""

from pathlib import Path

import pytest

from metaglot.core.common.errors import UserError
from tools.in_use import in_use


def test_a_folder_in_use_is_refused_until_the_command_ends(tmp_path: Path) -> None:
    folder = tmp_path / "clones/one"
    with in_use(folder):
        with pytest.raises(UserError, match=f"^{folder} is in use by another command: wait until that has ended, or "):
            with in_use(folder):
                pass
        with in_use(folder.with_name("two")):
            pass
    with in_use(folder):
        pass
