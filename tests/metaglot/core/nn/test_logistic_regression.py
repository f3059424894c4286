import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from metaglot.core.nn.logistic_regression import fit


def clusters(tasks: int, ways: int, shots: int, features: int, apart: float = 1.0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(ways + shots)
    centres = apart * torch.randn(tasks, ways, 1, features, generator=random, dtype=torch.double)
    x = centres + torch.randn(tasks, ways, shots, features, generator=random, dtype=torch.double)
    return x.flatten(1, 2), torch.arange(ways).repeat_interleave(shots).expand(tasks, -1)


@pytest.mark.parametrize(
    ("ways", "shots", "features", "apart"),
    [(2, 1, 3, 1.0), (5, 1, 64, 1.0), (5, 5, 64, 0.1), (5, 5, 64, 100.0), (3, 40, 6, 0.5), (20, 1, 64, 2.0)],
)
def test_it_is_scikit_learns_logistic_regression(ways, shots, features, apart):
    x, y = clusters(3, ways, shots, features, apart)
    fitted = fit(x, y)
    for task in range(3):
        peer = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000, solver="newton-cholesky")
        peer.fit(x[task].numpy(), y[task].numpy())
        theirs = torch.from_numpy(peer.predict_proba(x[task].numpy()))
        ours = fitted(x)[task].softmax(-1)
        if ways == 2:  # scikit-learn has one row of weights then, and half the penalty on what it stands for
            assert torch.equal(ours.argmax(-1), theirs.argmax(-1))
            continue
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(fitted.weight[task], torch.from_numpy(peer.coef_), rtol=1e-6, atol=1e-8)


def test_at_its_end_the_objective_has_no_slope():
    x, y = clusters(2, 2, 3, 4)
    fitted = fit(x, y)
    weight = fitted.weight.clone().requires_grad_()
    bias = fitted.bias.clone().requires_grad_()
    logits = (x @ weight.mT + bias).flatten(0, 1)
    objective = F.cross_entropy(logits, y.flatten(), reduction="sum") + weight.square().sum() / 2
    for slope in torch.autograd.grad(objective, (weight, bias)):
        assert slope.abs().max() < 1e-7


def test_features_that_are_all_alike_leave_the_answer_open():
    x, y = torch.ones(1, 4, 3), torch.tensor([[0, 0, 1, 1]])
    torch.testing.assert_close(fit(x, y)(x).softmax(-1), torch.full((1, 4, 2), 0.5))
