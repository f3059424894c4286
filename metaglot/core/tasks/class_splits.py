"""The split of the classes into training, validation and test."""

from collections.abc import Sequence
from random import Random

import numpy as np

from metaglot.core.common.errors import UserError

PARTS = ("train", "validation", "test")
HELD_OUT = 5  # background alphabets for validation, of 30

Split = dict[str, list[str]]  # part: names of its characters, `Alphabet/character01`


def random_split(names: list[str], seed: int, counts: Sequence[int]) -> Split:
    """Shuffle all characters, given in sorted order, and deal `counts` of them to train, validation and test."""
    if sum(counts) > len(names) or min(counts) < 1:
        requested = " + ".join(f"{part} {count}" for part, count in zip(PARTS, counts, strict=True))
        raise UserError(
            f"split asks for {requested} = {sum(counts)} characters; each needs one, and there are {len(names)}"
        )
    shuffled = list(names)
    Random(seed).shuffle(shuffled)
    ends = np.cumsum([0, *counts])
    return {part: shuffled[a:b] for part, a, b in zip(PARTS, ends[:-1], ends[1:], strict=True)}


def background_split(background: list[str], evaluation: list[str], seed: int) -> Split:
    """Test on the evaluation alphabets, validate on 5 whole background alphabets, train on the others.

    Lake et al. (Science, 2015) meant the background alphabets for learning and the others for evaluation.
    """
    alphabets = sorted({alphabet(name) for name in background})
    if len(alphabets) <= HELD_OUT:
        raise UserError(f"split.kind background holds out {HELD_OUT} background alphabets; there are {len(alphabets)}")
    held_out = set(Random(seed).sample(alphabets, HELD_OUT))
    return {
        "train": [name for name in background if alphabet(name) not in held_out],
        "validation": [name for name in background if alphabet(name) in held_out],
        "test": list(evaluation),
    }


def alphabet(name: str) -> str:
    return name.partition("/")[0]
