from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from metaglot.core.nn.batch_norm_relu import cpu_kernels
from metaglot.core.nn.batch_norm_relu.autograd import ActiveUnits, Statistics, norm_relu, statistics

EPS = 1e-3


@pytest.fixture(autouse=True, params=["cpu_kernels", "torch_fallback"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test twice: by cpu_kernels.c, and as on a device that it does not take."""
    assert cpu_kernels.supports(inputs()[0])
    if request.param == "torch_fallback":
        monkeypatch.setattr(cpu_kernels, "supports", lambda *tensors: False)


def inputs(tasks: int = 2, rows: int = 5, features: int = 3, dtype: torch.dtype = torch.double) -> list[Tensor]:
    """z, gamma, beta; means and scales differ by task, row and feature."""
    random = torch.Generator().manual_seed(rows)
    z = torch.randn(tasks, rows, features, generator=random) * 2 + 1
    gamma, beta = torch.randn(2, tasks, 1, features, generator=random)
    return [x.to(dtype).requires_grad_() for x in (z, gamma, beta)]


def pytorchs_norm(z: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """PyTorch's own batch norm, task by task."""
    tasks = zip(z, gamma, beta, strict=True)
    return torch.stack([F.batch_norm(z, None, None, g[0], b[0], True, 0.0, EPS) for z, g, b in tasks])


def pytorchs(z: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return F.relu(pytorchs_norm(z, gamma, beta))


def second_derivatives(function, given: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """The gradient of an arbitrary scalar, and the gradient of an arbitrary scalar of that gradient."""
    y = function(*given)
    first = torch.autograd.grad((y * torch.cos(y)).sum(), given, create_graph=True)
    scalar = sum((torch.sin(g + i) * g).sum() for i, g in enumerate(first))
    return list(first), list(torch.autograd.grad(scalar, given))


def test_the_gradient_and_its_gradient_agree_with_finite_differences():
    given = inputs()
    assert torch.autograd.gradcheck(norm_relu, (*given, EPS))
    assert torch.autograd.gradgradcheck(norm_relu, (*given, EPS))


@pytest.mark.parametrize(("tasks", "rows", "features"), [(1, 2, 1), (3, 5, 4), (2, 25, 64), (4, 196, 8)])
def test_it_is_pytorchs_batch_norm_and_relu_to_the_second_derivative(tasks, rows, features):
    given = inputs(tasks, rows, features)
    torch.testing.assert_close(norm_relu(*given, EPS), pytorchs(*given))
    ours, theirs = (second_derivatives(function, given) for function in (partial(norm_relu, eps=EPS), pytorchs))
    for actual, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(actual, list(expected), rtol=1e-9, atol=1e-11)


def test_gradients_may_be_asked_of_some_inputs_only():
    z, gamma, beta = inputs()
    alone = norm_relu(z, gamma.detach(), beta.detach(), EPS).square().sum()
    whole = norm_relu(z, gamma, beta, EPS).square().sum()
    torch.testing.assert_close(torch.autograd.grad(alone, z), torch.autograd.grad(whole, z))


def test_gamma_and_beta_that_tasks_share_gather_the_gradients_of_all():
    z, gamma, beta = inputs()
    shared = [x[:1].detach().requires_grad_() for x in (gamma, beta)]
    expanded = [x.expand(len(z), -1, -1) for x in shared]
    actual = torch.autograd.grad(norm_relu(z, *expanded, EPS).square().sum(), shared)
    each = [x.detach().repeat(len(z), 1, 1).requires_grad_() for x in shared]
    expected = torch.autograd.grad(norm_relu(z, *each, EPS).square().sum(), each)
    torch.testing.assert_close(actual, tuple(x.sum(0, keepdim=True) for x in expected))


def test_a_feature_that_is_the_same_in_every_row_passes_no_gradient_on():
    z, gamma, beta = inputs()
    z = torch.zeros_like(z).requires_grad_()
    y = norm_relu(z, gamma, beta, EPS)
    torch.testing.assert_close(y, F.relu(beta).expand_as(y))
    (dz,) = torch.autograd.grad(y.sum(), z)
    assert not dz.any()


def test_what_is_not_a_number_stays_visible():
    z, gamma, beta = inputs()
    broken = z.detach().clone()
    broken[0, 0, 0] = torch.nan
    y = norm_relu(broken.requires_grad_(), gamma, beta, EPS)
    (dz,) = torch.autograd.grad(y.sum(), broken)
    for actual in (y, dz):
        assert actual[0, :, 0].isnan().all() and actual.isnan().sum() == z.shape[1]


def test_given_statistics_are_those_of_pytorchs_batch_norm_in_evaluation():
    z, gamma, beta = inputs()
    seen = inputs(rows=7)[0].detach()
    actual = norm_relu(z, gamma, beta, EPS, statistics(seen))
    for i in range(len(z)):
        mean, variance = seen[i].mean(0), seen[i].var(0, correction=0)
        expected = F.relu(F.batch_norm(z[i], mean, variance, gamma[i, 0], beta[i, 0], False, 0.0, EPS))
        torch.testing.assert_close(actual[i], expected)


def test_statistics_are_the_mean_and_the_biased_variance_of_each_tasks_rows():
    z = inputs(rows=6)[0]
    before = z.detach().clone()
    actual = statistics(z.detach())
    expected = Statistics(z.mean(1, keepdim=True), z.var(1, correction=0, keepdim=True))
    torch.testing.assert_close(actual, Statistics(*(x.detach() for x in expected)))
    assert torch.equal(z, before)


@pytest.mark.parametrize(("tasks", "rows", "features"), [(1, 2, 1), (3, 5, 4), (2, 25, 64)])
def test_given_active_units_pass_pytorchs_batch_norm_to_the_second_derivative(tasks, rows, features):
    given = inputs(tasks, rows, features)
    outputs = torch.randn(given[0].shape, generator=torch.Generator().manual_seed(0)).double().relu()
    ours = partial(norm_relu, eps=EPS, given=ActiveUnits(outputs))
    theirs = lambda *x: pytorchs_norm(*x) * (outputs > 0)  # noqa: E731
    torch.testing.assert_close(ours(*given), theirs(*given))
    for actual, expected in zip(second_derivatives(ours, given), second_derivatives(theirs, given), strict=True):
        torch.testing.assert_close(actual, list(expected), rtol=1e-9, atol=1e-11)
