import io
import tarfile
from pathlib import Path

import pytest
from params_file import changed, text

from cluster.plan import Job
from cluster.workspace import pack, pack_inputs, unpack
from metaglot.core.common.errors import UserError

JOB = Job("maml", 42, ("train@maml-42", "evaluate@maml-42"))


def packed(folder: Path, test_split: str) -> set[str]:
    """What travels beside the configs."""
    configs = ("data/config/maml/train.yaml", "data/config/maml/evaluate.yaml")
    for name in (*configs, "other/test.npz"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "params.yaml").write_bytes(text(changed({"evaluate.test_split": test_split})))
    with tarfile.open(fileobj=io.BytesIO(pack_inputs(JOB))) as tar:
        return {*tar.getnames()} - {*configs, "params.yaml"}


@pytest.mark.parametrize(
    ("test_split", "travels"),
    [("data/splits/test.npz", set()), ("/other/test.npz", set()), ("other/test.npz", {"other/test.npz"})],
)
def test_another_test_split_in_the_repository_travels_with_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test_split: str, travels: set[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert packed(tmp_path, test_split) == travels


def test_what_a_link_leads_to_travels(tmp_path: Path) -> None:
    """DVC's cache may be linked, and the tar's reader takes no link that leads out of it."""
    (tmp_path / "cached").write_text("weights")
    (tmp_path / "weights").symlink_to(tmp_path / "cached")
    unpack(pack(tmp_path, "weights", dereference=True), tmp_path / "there")
    assert (tmp_path / "there/weights").read_text() == "weights" and not (tmp_path / "there/weights").is_symlink()


def test_a_path_that_leads_out_of_the_repository_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="workers take a path in the repository or a whole one"):
        packed(tmp_path, "../other/test.npz")
