from pathlib import Path

from metaglot.config.yaml12 import read_yaml12


def test_a_number_without_a_point_is_a_number(tmp_path: Path) -> None:
    """PyYAML, which reads YAML 1.1, takes it for a text."""
    (tmp_path / "params.yaml").write_text("meta_lr: 3e-05")
    assert read_yaml12(tmp_path / "params.yaml") == {"meta_lr": 3e-5}
