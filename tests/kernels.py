"""Kernels in C: the same bits from several numbers of threads, and the precision of single precision."""

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


def as_precise(ours: Iterable[Tensor], theirs: Iterable[Tensor], exact: Iterable[Tensor]) -> bool:
    """Whether each of our results in single precision is at most twice as far from the exact one as theirs."""
    triples = zip(ours, theirs, exact, strict=True)
    return all((our - truth).norm() < 2 * (their - truth).norm() for our, their, truth in triples)
