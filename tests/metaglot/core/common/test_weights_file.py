from pathlib import Path

import pytest
import torch
from cases import Case
from error_lines import error_line
from safetensors.torch import load_file, save_file

from metaglot.core.common.weights_file import read_weights, write_weights
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import initial_module, module_parameters

NAMES = create_network("fc").names


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A weights file of 5 ways, as a training leaves it."""
    path = tmp_path / "models" / "weights.safetensors"
    write_weights(path, module_parameters(initial_module("fc", 5, 28, 0)))
    return path


def refused(path: Path, ways: int = 5) -> str:
    """The one line, naming the file, that it is refused with."""
    line = error_line(lambda: read_weights(path, NAMES, ways))
    assert str(path) in line
    return line


def test_what_is_written_is_read(path):
    expected = module_parameters(initial_module("fc", 5, 28, 0))
    weights = read_weights(path, NAMES, 5)
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in weights)
    assert not any(value.requires_grad for value in weights.values())


def test_the_same_weights_are_the_same_bytes_in_any_order_of_their_names(tmp_path):
    weights = Case().parameters()
    write_weights(tmp_path / "one", weights)
    write_weights(tmp_path / "other", dict(reversed(weights.items())))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_weights_that_share_memory_are_written_each_in_full(tmp_path):
    whole = torch.arange(6.0)
    write_weights(tmp_path / "file", {"a": whole, "b": whole[::2], "c": whole})
    weights = load_file(tmp_path / "file")
    assert torch.equal(weights["b"], whole[::2]) and torch.equal(weights["c"], whole)


def test_writing_again_leaves_nothing_beside_the_file(path):
    write_weights(path, {"a": torch.zeros(1)})
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize(
    "spoil",
    [
        *(lambda content, kept=kept: content[:kept] for kept in (0, 4, 100, -1)),
        lambda content: content[: len(content) // 2],
        lambda content: content[:8] + b"\xff" * 32 + content[40:],
        lambda _: b'{"weights": [1, 2, 3]}',
    ],
    ids=["empty", "4 bytes", "100 bytes", "without the last byte", "half", "damaged", "something else"],
)
def test_what_is_not_a_weights_file_is_refused(path, spoil):
    path.write_bytes(spoil(path.read_bytes()))
    assert "is not a weights file" in refused(path)


def test_a_file_that_is_not_there_or_a_folder_is_refused(path):
    assert "other.safetensors is not there" in refused(path.with_name("other.safetensors"))
    assert "is not a weights file" in refused(path.parent)


def test_weights_of_another_network_are_refused(path):
    assert "is for 5 ways, not 20" in refused(path, ways=20)
    write_weights(path, module_parameters(initial_module("conv", 5, 28, 0)))
    assert "lacks features.1.0.linear.weight" in refused(path)


def test_weights_that_are_missing_or_not_finite_are_refused_by_name(path):
    weights = load_file(path)
    for value in (float("nan"), float("inf")):
        weights["features.1.3.linear.weight"][0, 0] = value
        save_file(weights, path)
        assert "features.1.3.linear.weight that are not finite" in refused(path)
    del weights["features.1.2.normalize.weight"]
    save_file(weights, path)
    assert "lacks features.1.2.normalize.weight" in refused(path)
