"""On a GPU a meta-gradient is hundreds of small kernels, each over before the next has been asked for: recorded once
as a CUDA graph, they are asked for all at once.
"""

import torch
from torch import Tensor

from metaglot.algorithm import Learned, Outcome
from metaglot.engines import Batched
from metaglot.tasks import Batch

WARM_UP = 3  # times that libraries choose their kernels and take their memory, which no recording may hold


class Replayed:
    """The batched engine, its kernels recorded at the first meta-gradient and replayed on the numbers of the others.

    It computes the same numbers. The learned tensors must be changed in place, as an optimiser does, and every batch
    be of the same shape. Gradients and outcome are overwritten by the next call. What an algorithm cannot replay,
    since it computes something else each time, is computed as it comes.
    """

    def __init__(self, engine: Batched):
        self.engine = engine
        self.graph: torch.cuda.CUDAGraph | None = None

    def meta_gradient(self, learned: Learned, batch: Batch, progress: float = 0) -> tuple[list[Tensor], Outcome]:
        if not self.engine.algorithm.replays:
            return self.engine.meta_gradient(learned, batch, progress)
        if self.graph is None:
            self._record(learned, batch)
        assert self.graph is not None
        for kept, given in zip(self.batch.parts(), batch.parts(), strict=True):
            kept.copy_(given)
        self.graph.replay()
        return self.found

    def _record(self, learned: Learned, batch: Batch) -> None:
        self.batch = Batch(*(part.clone(memory_format=torch.contiguous_format) for part in batch.parts()))
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self.engine.meta_gradient(learned, self.batch)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.found = self.engine.meta_gradient(learned, self.batch)
