"""A trained initialisation as a file: safetensors, under learn2learn's names."""

from collections.abc import Collection
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from metaglot.core.common.atomic_files import write_bytes
from metaglot.core.common.errors import UserError, unreadable_weights


def write_weights(path: Path, weights: dict[str, Tensor]) -> None:
    write_bytes(path, save({name: value.detach().cpu().clone() for name, value in weights.items()}))


def read_weights(path: Path, names: Collection[str], ways: int) -> dict[str, Tensor]:
    """Everything in the file; UserError where it is damaged, lacks one of `names`, has other ways, or is not finite."""
    try:
        weights: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise unreadable_weights(path, error) from None
    for problem in _problems(weights, names, ways):
        raise UserError(f"{path} {problem}: train it again with `dvc repro -f`")
    return weights


def _problems(weights: dict[str, Tensor], names: Collection[str], ways: int) -> list[str]:
    lacking = [f"lacks {name}" for name in names if name not in weights]
    head = weights.get("classifier.weight")
    other = [f"is for {len(head)} ways, not {ways}"] if head is not None and len(head) != ways else []
    return (
        lacking
        + other
        + [f"holds numbers in {n} that are not finite" for n, w in weights.items() if not w.isfinite().all()]
    )
