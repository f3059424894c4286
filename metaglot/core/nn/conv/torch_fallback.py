"""The three operations by PyTorch's convolutions, task by task: for any device and type.

Images lie as [n, height, width, channels] there, the layout that is fastest in oneDNN. Shapes are those of autograd.py.
"""

import torch
from torch import Tensor

SIZE, STRIDE, PADDING = 3, (2, 2), (1, 1)


def convolve(x: Tensor, kernels: Tensor) -> Tensor:
    tasks = zip(x, _channels_last(kernels), strict=True)
    return _stacked([torch.conv2d(images.permute(0, 3, 1, 2), k, None, STRIDE, PADDING) for images, k in tasks])


def input_gradient(grad: Tensor, kernels: Tensor, shape: torch.Size) -> Tensor:
    tasks, images = zip(grad, _channels_last(kernels), strict=True), grad.new_empty(shape[1:])
    return _stacked([_backward(g, images, k, [True, False, False])[0] for g, k in tasks])


def weight_gradient(grad: Tensor, x: Tensor) -> Tensor:
    kernel = _channels_last(grad.new_empty(1, grad.shape[-1], x.shape[-1], SIZE, SIZE))[0]
    tasks = zip(grad, x, strict=True)
    return _stacked([_backward(g, images, kernel, [False, True, False])[1] for g, images in tasks]).movedim(-1, 2)


def _channels_last(kernels: Tensor) -> Tensor:
    """The same [tasks, out, in, 3, 3], in the order in which a convolution reads them."""
    return kernels.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)


def _stacked(parts: list[Tensor]) -> Tensor:
    """Each task's images [n, channels, height, width], in whatever order -> [tasks, n, height, width, channels]."""
    images = [part.permute(0, 2, 3, 1) for part in parts]
    return images[0].contiguous().unsqueeze(0) if len(images) == 1 else torch.stack(images)


def _backward(grad: Tensor, x: Tensor, kernel: Tensor, needed: list[bool]) -> tuple[Tensor, Tensor]:
    """A task's gradients along its images and its kernel; of what is not wanted, only the shape counts."""
    gradients = torch.ops.aten.convolution_backward(
        grad.permute(0, 3, 1, 2), x.permute(0, 3, 1, 2), kernel, None, STRIDE, PADDING, (1, 1), False, (0, 0), 1, needed
    )
    return gradients[0], gradients[1]
