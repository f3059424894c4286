"""Streams of random numbers: each is a function of its purpose, a seed and an iteration, the same on every machine."""

from enum import IntEnum

import numpy as np


class StreamPurpose(IntEnum):
    """Keeps streams apart that serve different ends, whatever their seeds."""

    TRAINING, VALIDATION, TESTING, ADAPTING = range(4)


RandomStream = tuple[StreamPurpose, int, int]  # purpose, seed, iteration


def stream_generator(stream: RandomStream) -> np.random.Generator:
    """The generator of a stream: counter-based (Philox)."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(stream)))
