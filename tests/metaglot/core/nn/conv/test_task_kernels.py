import pytest
import torch
import torch.nn.functional as F

from metaglot.core.nn.conv import cpu_kernels
from metaglot.core.nn.conv.autograd import without_kernels
from metaglot.core.nn.conv.task_kernels import ConvGradient, TaskConvWeight

IN, OUT = 16, 32


@pytest.fixture(autouse=True, params=["cpu_kernels", "torch_fallback"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test twice: by cpu_kernels.c, and as on a device that it does not take."""
    assert cpu_kernels.supports(noise(1), noise(1), width=OUT)
    if request.param == "torch_fallback":
        monkeypatch.setattr(cpu_kernels, "supports", lambda *given: False)


def noise(*shape: int) -> torch.Tensor:
    values = torch.randn(shape, dtype=torch.double, generator=torch.Generator().manual_seed(sum(shape)))
    return values.requires_grad_()


def channels_first(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(-1, -3)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (14, 14), (7, 7), (4, 4), (1, 1), (5, 8)])
def test_a_shared_kernel_convolves_as_pytorch_does(height, width):
    x, kernel = noise(2, 3, height, width, IN), noise(OUT, IN, 3, 3)
    actual = TaskConvWeight(kernel)(x)
    expected = F.conv2d(channels_first(x).flatten(0, 1), kernel, stride=2, padding=1)
    torch.testing.assert_close(channels_first(actual).flatten(0, 1), expected)


def test_a_kernel_of_its_own_convolves_each_task_alone():
    x, kernel, update = noise(2, 3, 7, 7, IN), noise(OUT, IN, 3, 3), noise(2, OUT, IN, 3, 3)
    actual = channels_first(TaskConvWeight(kernel).plus(update)(x))
    for task in range(2):
        alone = F.conv2d(channels_first(x)[task], kernel + update[task], stride=2, padding=1)
        torch.testing.assert_close(actual[task], alone)


def test_a_correlation_is_the_gradient_of_each_task_s_kernel():
    x, kernel = noise(2, 3, 7, 7, IN), noise(OUT, IN, 3, 3)
    grad = noise(2, 3, 4, 4, OUT)
    actual = ConvGradient(grad, x).dense()
    for task in range(2):
        own = kernel.detach().requires_grad_()
        y = F.conv2d(channels_first(x)[task], own, stride=2, padding=1)
        (expected,) = torch.autograd.grad(y, own, channels_first(grad)[task])
        torch.testing.assert_close(actual[task], expected)


@pytest.mark.parametrize("rate", [0.3, torch.tensor(0.3), torch.linspace(0, 1, OUT * IN * 9).view(OUT, IN, 3, 3)])
def test_a_rate_is_a_number_or_one_for_every_weight(rate):
    correlation = ConvGradient(noise(2, 3, 4, 4, OUT), noise(2, 3, 7, 7, IN))
    torch.testing.assert_close(correlation.times(rate), correlation.dense() * rate, check_dtype=False)


@pytest.mark.parametrize(("height", "width", "channels"), [(7, 7, 1), (4, 5, IN)])
def test_a_convolution_differentiates_twice(height, width, channels):
    x, kernel = noise(1, 2, height, width, channels), noise(OUT, channels, 3, 3)
    assert torch.autograd.gradcheck(lambda x, kernel: TaskConvWeight(kernel)(x), (x, kernel), fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x, kernel: TaskConvWeight(kernel)(x), (x, kernel), fast_mode=True)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("wrt", [("x",), ("kernel",), ("x", "kernel")])
def test_higher_derivatives_are_pytorchs(wrt, order):
    """Also where one is missing: `gradgradcheck` passes over a gradient that has lost its graph."""
    given = {"x": noise(1, 2, 7, 7, IN), "kernel": noise(OUT, IN, 3, 3)}
    watched = [given[name] for name in wrt]
    ours = TaskConvWeight(given["kernel"])(given["x"])[0]
    theirs = F.conv2d(channels_first(given["x"])[0], given["kernel"], stride=2, padding=1).movedim(1, -1)
    actual, expected = (_derivatives(y.square().sum(), watched, order) for y in (ours, theirs))
    torch.testing.assert_close(actual, expected)


def _derivatives(scalar: torch.Tensor, watched: list[torch.Tensor], order: int) -> tuple[torch.Tensor, ...]:
    for _ in range(order):
        gradients = torch.autograd.grad(scalar, watched, create_graph=True)
        scalar = sum(torch.sin(g / 100).sum() for g in gradients)
    return gradients


def test_a_correlation_differentiates_twice():
    grad, x = noise(1, 2, 4, 4, OUT), noise(1, 2, 7, 7, IN)
    assert torch.autograd.gradcheck(lambda grad, x: ConvGradient(grad, x).dense(), (grad, x), fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda grad, x: ConvGradient(grad, x).dense(), (grad, x), fast_mode=True)


def test_a_backward_pass_that_asks_for_no_kernel_computes_none_and_can_be_gone_through_again():
    x, kernel = noise(2, 3, 7, 7, IN), noise(OUT, IN, 3, 3)
    loss = TaskConvWeight(kernel)(x).square().sum()
    with without_kernels():
        (slope,) = torch.autograd.grad(loss, x, create_graph=True)
        assert torch.autograd.grad(loss, kernel, retain_graph=True, allow_unused=True) == (None,)
    (expected,) = torch.autograd.grad(loss, x, create_graph=True)
    assert torch.equal(slope, expected)
    slopes = (torch.autograd.grad(s.square().sum(), (x, kernel), retain_graph=True) for s in (slope, expected))
    torch.testing.assert_close(*slopes)
