"""The same work by several numbers of threads."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def same_bits(work: Callable[[], Iterable[Tensor]], threads: int) -> bool:
    """Whether so many threads give what one does; the number is then as it was."""
    before, results = torch.get_num_threads(), []
    try:
        for number in (1, threads):
            torch.set_num_threads(number)
            results.append([*work()])
    finally:
        torch.set_num_threads(before)
    return all(torch.equal(single, several) for single, several in zip(*results, strict=True))
