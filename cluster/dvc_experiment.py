"""A DVC experiment on workers: its runs are computed in a clone, and `dvc exp run` takes them from the shared cache."""

import shutil
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.utils.hydra import apply_overrides

from metaglot.core.common.errors import UserError
from tools.clone import clone_commit
from tools.params_file import PARAMS

CLONE = Path(".metaglot/experiment")


def prepare_clone(changes: list[str]) -> Path:
    """Clone the commit, with params.yaml as it stands and changed as `dvc exp run -S` would."""
    clone_commit(CLONE)
    shutil.copy(PARAMS, CLONE)
    try:
        apply_overrides(CLONE / PARAMS, changes)
    except DvcException as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise UserError(f"-S {' -S '.join(changes)}: {reason}") from None
    return CLONE
