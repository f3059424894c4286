"""The CUDA graph engine: captures the batched engine's kernels once as a CUDA graph, then replays them.

A meta-gradient is hundreds of small kernels. On a GPU each ends before the next is launched; a graph launches them all
at once.
"""

from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.learners.task_classifier import TaskScores
from metaglot.core.tasks.image_store import TaskBatch

GradientAndScores = tuple[list[Tensor], TaskScores]
WARM_UP_RUNS = 3  # libraries choose kernels and allocate memory in these; neither may happen during a capture


class CudaGraphEngine:
    """Computes what the batched engine computes, with one graph for each `cuda_graph_key`.

    The parameters must be changed in place, as an optimiser does, and every batch must have the same shape. The next
    call overwrites the returned gradients and scores.
    """

    def __init__(self, engine: BatchedEngine):
        self.engine = engine
        self.graphs: dict[Hashable, CapturedGraph] = {}

    def meta_gradient(self, parameters: MetaParameters, batch: TaskBatch, progress: float = 0) -> GradientAndScores:
        key = self.engine.algorithm.cuda_graph_key(progress)
        if key is None:
            return self.engine.meta_gradient(parameters, batch, progress)
        if key not in self.graphs:
            self.graphs[key] = CapturedGraph(
                batch, lambda static: self.engine.meta_gradient(parameters, static, progress)
            )
        return self.graphs[key].replay(batch)


class CapturedGraph:
    """The kernels of `compute` on batches of one shape."""

    def __init__(self, batch: TaskBatch, compute: Callable[[TaskBatch], GradientAndScores]):
        self.batch = TaskBatch(*(part.clone(memory_format=torch.contiguous_format) for part in batch.parts()))
        side_stream = torch.cuda.Stream()
        side_stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side_stream):
            for _ in range(WARM_UP_RUNS):
                compute(self.batch)
        torch.cuda.current_stream().wait_stream(side_stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.results = compute(self.batch)

    def replay(self, batch: TaskBatch) -> GradientAndScores:
        for static, part in zip(self.batch.parts(), batch.parts(), strict=True):
            static.copy_(part)
        self.graph.replay()
        return self.results
