"""The factor on the second-order term: a derivative is scaled where it flows back."""

import torch
from torch import Tensor


def scale_derivative(value: Tensor, factor: float) -> Tensor:
    """The same value to the last bit, through which `factor` times the derivative flows back; a constant if 0."""
    if factor == 1 or not value.requires_grad:
        return value
    return torch.lerp(value.detach(), value, factor) if factor else value.detach()
