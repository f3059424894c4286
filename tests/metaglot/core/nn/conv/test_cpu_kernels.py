"""cpu_kernels.c is torch_fallback.py, in any shape, to rounding."""

import pytest
import torch
from kernels import as_precise, same_bits
from torch import Tensor

from metaglot.core.nn.conv import cpu_kernels, torch_fallback

SHAPES = [  # tasks, images, height, width, channels, features
    (1, 1, 1, 1, 1, 16),
    (1, 1, 1, 1, 16, 16),
    (3, 1, 5, 7, 16, 16),
    (2, 3, 28, 28, 1, 64),
    (3, 1, 5, 8, 7, 16),
    (2, 9, 4, 4, 16, 48),
    (2, 5, 2, 3, 64, 64),
    (1, 30, 14, 14, 16, 32),
]


def inputs(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """x, kernels, grad."""
    tasks, images, height, width, channels, features = shape
    random = torch.Generator().manual_seed(sum(shape))
    after = tasks, images, (height + 1) // 2, (width + 1) // 2, features
    shapes = shape[:5], (tasks, features, channels, 3, 3), after
    x, kernels, grad = (torch.randn(shape, generator=random, dtype=torch.double).to(dtype) for shape in shapes)
    return x, kernels, grad


def everything(by, x: Tensor, kernels: Tensor, grad: Tensor) -> list[Tensor]:
    """All that the three operations give; of images with channels for which they are cpu_kernels."""
    results = [by.convolve(x, kernels), by.weight_gradient(grad, x)]
    return results if x.shape[-1] % cpu_kernels.WIDTH else [*results, by.input_gradient(grad, kernels, x.shape)]


@pytest.mark.parametrize("shape", SHAPES)
def test_in_double_precision_both_are_the_same(shape):
    given = inputs(shape, torch.double)
    assert cpu_kernels.supports(*given[:2], width=shape[-1])
    torch.testing.assert_close(
        everything(cpu_kernels, *given), everything(torch_fallback, *given), rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize("shape", [(4, 25, 14, 14, 64, 64), (4, 25, 28, 28, 1, 64), (1, 100, 7, 7, 64, 64)])
def test_in_single_precision_it_is_as_near_to_double_as_pytorch_is(shape):
    given = inputs(shape, torch.float)
    exact = everything(torch_fallback, *(x.double() for x in given))
    assert as_precise(everything(cpu_kernels, *given), everything(torch_fallback, *given), exact)


@pytest.mark.parametrize("shape", [(0, 3, 4, 4, 16, 16), (2, 0, 4, 4, 16, 16)])
def test_without_images_there_are_none_and_no_gradient(shape):
    x, kernels, grad = inputs(shape, torch.double)
    y, slope, images = everything(cpu_kernels, x, kernels, grad)
    assert y.shape == grad.shape and images.shape == x.shape and torch.equal(slope, torch.zeros_like(kernels))


def test_memory_in_any_order_is_read_as_what_it_is():
    x, kernels, grad = inputs((2, 3, 7, 6, 16, 32), torch.double)
    expected = everything(cpu_kernels, x, kernels, grad)
    for order in ((0, 3, 4, 2, 1), (0, 4, 3, 2, 1), (4, 3, 2, 1, 0)):
        back = [order.index(i) for i in range(5)]
        given = [t.permute(order).contiguous().permute(back) for t in (x, kernels, grad)]
        assert not any(t.is_contiguous() for t in given)
        torch.testing.assert_close(everything(cpu_kernels, *given), expected)
    shared = kernels[:1].expand(2, -1, -1, -1, -1)
    torch.testing.assert_close(cpu_kernels.convolve(x, shared), cpu_kernels.convolve(x, shared.contiguous()))


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("shape", [(5, 25, 7, 7, 16, 32), (1, 90, 8, 8, 16, 32)])
def test_any_number_of_threads_gives_the_same_bits(shape, threads):
    given = inputs(shape, torch.float)
    assert same_bits(lambda: everything(cpu_kernels, *given), threads)


@pytest.mark.parametrize(
    "other", [(2, 9, 4, 4, 16, 32), (3, 9, 4, 4, 16, 48), (2, 9, 4, 6, 16, 48), (2, 8, 4, 4, 16, 48)]
)
def test_shapes_that_do_not_belong_to_one_convolution_are_refused(other):
    x, kernels, grad = inputs((2, 9, 4, 4, 16, 48), torch.float)
    for given in ((x, kernels, inputs(other, torch.float)[2]), (x, inputs(other, torch.float)[1], grad)):
        if [tensor.shape for tensor in given] != [x.shape, kernels.shape, grad.shape]:
            with pytest.raises(RuntimeError, match=r"kernels \[.* do not make images"):
                everything(cpu_kernels, *given)


def test_what_it_does_not_know_is_left_to_pytorch():
    x = torch.zeros(1)
    assert cpu_kernels.supports(x, x, width=32) and not cpu_kernels.supports(x, x, width=24)
    assert not cpu_kernels.supports(x, x.double(), width=32) and not cpu_kernels.supports(x, x.to("meta"), width=32)
    assert not cpu_kernels.supports(x.bfloat16(), x.bfloat16(), width=32)
