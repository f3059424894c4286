"""cpu_kernels.c is torch_fallback.py, in any shape, to rounding."""

import pytest
import torch
from kernels import as_precise, same_bits
from torch import Tensor

from metaglot.core.nn.batch_norm_relu import cpu_kernels, torch_fallback

EPS = 1e-3
SHAPES = [(1, 1, 1), (3, 2, 63), (2, 31, 64), (2, 33, 65), (4, 25, 200), (2, 700, 64)]


def inputs(shape: tuple[int, int, int], dtype: torch.dtype) -> tuple[list[Tensor], list[Tensor]]:
    """z, gamma, beta, dy; a, b, c."""
    random = torch.Generator().manual_seed(sum(shape))
    thin = shape[0], 1, shape[2]
    tensors = [torch.randn(size, generator=random).to(dtype) for size in (shape, thin, thin, shape, shape, thin, thin)]
    return tensors[:4], tensors[4:]


def everything(by, given: list[Tensor], along: list[Tensor]) -> list[Tensor]:
    """All that the three functions give."""
    z, gamma, beta, dy = given
    y, saved = by.forward(z, gamma, beta, EPS)
    *gradient, saved = by.gradient(dy, *saved)
    return [y, *gradient, *by.double_backward(*along, *saved)]


@pytest.mark.parametrize("shape", SHAPES)
def test_in_double_precision_both_are_the_same(shape):
    given = inputs(shape, torch.double)
    assert cpu_kernels.supports(given[0][0])
    torch.testing.assert_close(
        everything(cpu_kernels, *given), everything(torch_fallback, *given), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("shape", [(32, 25, 256), (2, 4900, 64)])
def test_in_single_precision_it_is_as_near_to_double_as_the_formulas_are(shape):
    given = inputs(shape, torch.float)
    exact = everything(torch_fallback, *([x.double() for x in part] for part in given))
    assert as_precise(everything(cpu_kernels, *given), everything(torch_fallback, *given), exact)


def test_a_scale_that_tasks_share_and_a_gradient_that_lies_otherwise_are_read_as_what_they_are():
    (z, gamma, beta, dy), along = inputs((3, 5, 8), torch.double)
    whole = [z, gamma[:1].expand(3, -1, -1), beta[:1].expand(3, -1, -1), dy.mT.contiguous().mT]
    assert not whole[3].is_contiguous()
    actual = everything(cpu_kernels, [z, gamma[:1], beta[:1], whole[3]], along)
    torch.testing.assert_close(actual, everything(torch_fallback, whole, along))


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_gives_the_same_bits(threads):
    given = inputs((32, 25, 200), torch.float)
    assert same_bits(lambda: everything(cpu_kernels, *given), threads)


def test_what_it_does_not_know_is_left_to_the_formulas():
    z = torch.zeros(1, 1, 1)
    assert cpu_kernels.supports(z, z) and not cpu_kernels.supports(z, z.double())
    assert not cpu_kernels.supports(z.bfloat16()) and not cpu_kernels.supports(z.to("meta"))


def test_a_scale_of_other_features_is_refused():
    (z, gamma, beta, _), _ = inputs((3, 5, 8), torch.float)
    with pytest.raises(RuntimeError):
        cpu_kernels.forward(z, gamma[:, :, :7], beta, EPS)
