"""The networks' initial weights: those of learn2learn 0.2.0 to the last bit, under its names."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from metaglot.core.common.stage_configs import Model

UNITS = (256, 128, 64, 64)  # OmniglotFC
CHANNELS, BLOCKS = 64, 4  # OmniglotCNN


def initial_weights(model: Model, ways: int, image_size: int, seed: int, channels: int = 1) -> dict[str, Tensor]:
    """`fc`: learn2learn's OmniglotFC, `conv`: its OmniglotCNN. They depend on the seed alone.

    channels: of an image; only `conv` takes three.
    """
    numpy_state = np.random.get_state()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)  # and not the GPUs' generators, which are not restored
        np.random.seed(seed)  # SciPy draws from NumPy's generator
        weights = _conv(ways, channels) if model == "conv" else _fc(image_size**2, ways)
    np.random.set_state(numpy_state)
    return weights


def module_state(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of learn2learn's module: OmniglotCNN names its blocks twice, and keeps statistics that nothing uses."""
    state = dict(weights)
    for name, value in weights.items():
        if name.endswith("conv.weight"):
            statistics = name.replace("conv.weight", "normalize.")
            state[f"{statistics}running_mean"] = torch.zeros(len(value), device=value.device)
            state[f"{statistics}running_var"] = torch.ones(len(value), device=value.device)
            state[f"{statistics}num_batches_tracked"] = torch.tensor(0, device=value.device)
    if any("conv" in name for name in weights):
        state |= {name.replace("features.1", "base"): value for name, value in state.items() if "features.1" in name}
    return state


def _fc(pixels: int, ways: int) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    for block, (inputs, outputs) in enumerate(zip((pixels, *UNITS), UNITS, strict=False)):
        weights |= _block(block, "linear", torch.ones(outputs), _truncated_normal(outputs, inputs))
    return weights | _head(_truncated_normal(ways, UNITS[-1]))


def _conv(ways: int, channels: int) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    for block in range(BLOCKS):
        scale = torch.rand(CHANNELS)
        convolution = nn.Conv2d(CHANNELS if block else channels, CHANNELS, 3)  # draws numbers that are then replaced
        weights |= _block(block, "conv", scale, nn.init.xavier_uniform_(convolution.weight))
    return weights | _head(nn.init.normal_(nn.Linear(CHANNELS, ways).weight))


def _block(block: int, layer: str, scale: Tensor, matrix: Tensor) -> dict[str, Tensor]:
    zeros, name = torch.zeros(len(scale)), f"features.1.{block}"
    parameters = {"normalize.weight": scale, "normalize.bias": zeros}
    parameters |= {f"{layer}.weight": matrix.detach(), f"{layer}.bias": zeros.clone()}
    return {f"{name}.{parameter}": value for parameter, value in parameters.items()}


def _head(matrix: Tensor) -> dict[str, Tensor]:
    return {"classifier.weight": matrix.detach(), "classifier.bias": torch.zeros(len(matrix))}


def _truncated_normal(outputs: int, inputs: int) -> Tensor:
    """Normal of deviation 0.01, without what is more than two deviations away."""
    from scipy.stats import truncnorm  # slow to import, and only a training needs it

    values = 0.01 * truncnorm.rvs(-2, 2, size=(outputs, inputs))
    return torch.from_numpy(values).float()
