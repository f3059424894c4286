"""What is scored: an algorithm with its trained meta-parameters, and the images that its tasks are drawn from."""

from typing import NamedTuple

from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks.image_store import ImageStore


class TrainedNetwork(NamedTuple):
    """shots: support images of a class. steps: adaptation steps. chunk: how many tasks are scored at a time."""

    algorithm: MetaLearner
    parameters: MetaParameters
    images: ImageStore
    shots: int
    steps: int
    chunk: int
