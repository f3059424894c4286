"""On a GPU a meta-gradient is hundreds of small kernels, each over before the next has been asked for: recorded once
as a CUDA graph, they are asked for all at once.
"""

from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.meta_learner import MetaParameters, TaskScores
from metaglot.core.tasks.task_sampler import TaskBatch

Found = tuple[list[Tensor], TaskScores]
WARM_UP = 3  # times that libraries choose their kernels and take their memory, which no recording may hold


class CudaGraphEngine:
    """The batched engine; its kernels are recorded once in each phase of a training, then replayed on other numbers.

    It computes the same. The learned tensors must be changed in place, as an optimiser does, and every batch be of
    the same shape. Gradients and outcome are overwritten by the next call.
    """

    def __init__(self, engine: BatchedEngine):
        self.engine = engine
        self.recordings: dict[Hashable, Recording] = {}

    def meta_gradient(self, learned: MetaParameters, batch: TaskBatch, progress: float = 0) -> Found:
        phase = self.engine.algorithm.cuda_graph_key(progress)
        if phase is None:
            return self.engine.meta_gradient(learned, batch, progress)
        if phase not in self.recordings:
            self.recordings[phase] = Recording(batch, lambda kept: self.engine.meta_gradient(learned, kept, progress))
        return self.recordings[phase].replay(batch)


class Recording:
    """What `compute` does with a batch."""

    def __init__(self, batch: TaskBatch, compute: Callable[[TaskBatch], Found]):
        self.batch = TaskBatch(*(part.clone(memory_format=torch.contiguous_format) for part in batch.parts()))
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                compute(self.batch)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.found = compute(self.batch)

    def replay(self, batch: TaskBatch) -> Found:
        for kept, given in zip(self.batch.parts(), batch.parts(), strict=True):
            kept.copy_(given)
        self.graph.replay()
        return self.found
