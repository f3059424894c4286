"""learn2learn's networks, with its own initialisation and its own names of their parameters."""

import numpy as np
import torch
from torch import Tensor, nn

from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.common.stage_configs import Model


def initial_module(model: Model, ways: int, image_size: int, seed: int, channels: int = 1) -> nn.Module:
    """learn2learn's OmniglotFC or OmniglotCNN with its own initialisation, which depends on the seed alone."""
    numpy_state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # and not the GPUs' generators, which are not restored
        np.random.seed(seed)  # OmniglotFC draws from scipy, which draws from numpy
        models = l2l.vision.models
        module: nn.Module
        if channels > 1:
            module = ColourCNN(ways, channels)
        else:
            module = models.OmniglotCNN(ways) if model == "conv" else models.OmniglotFC(image_size**2, ways)
    np.random.set_state(numpy_state)
    return module


class ColourCNN(nn.Module):
    """learn2learn's OmniglotCNN for images of several channels, made of the same parts in the same order."""

    def __init__(self, ways: int, channels: int):
        super().__init__()
        self.base = l2l.vision.models.ConvBase(hidden=64, channels=channels, max_pool=False, layers=4)
        mean = l2l.nn.Lambda(lambda x: x.mean(dim=[2, 3]))
        self.features = nn.Sequential(nn.Identity(), self.base, mean, l2l.nn.Flatten())
        self.classifier = nn.Linear(64, ways)
        self.classifier.weight.data.normal_()
        self.classifier.bias.data.mul_(0.0)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(x))
        return logits


def module_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """A network's parameters by their names in the weights file; OmniglotCNN registers its blocks twice."""
    named = module.named_parameters(remove_duplicate=False)
    return {name: parameter for name, parameter in named if not name.startswith("base.")}


def split_module(module: nn.Module) -> tuple[nn.Module, nn.Module]:
    """A network's feature extractor and its head."""
    children = dict(module.named_children())
    return children["features"], children["classifier"]


def channels_first(images: Tensor) -> Tensor:
    """Images [n, height, width], in colour [n, height, width, 3], as [n, channels, height, width]."""
    return images.unsqueeze(1) if images.dim() == 3 else images.movedim(-1, 1)
