from collections.abc import Iterator

import pytest
import torch
from cases import CPU, Case
from oracles import identical, meta_gradient
from runs import CASE, initial, stream
from torch.optim import Optimizer

from metaglot.algorithms.maml import MAML
from metaglot.core.learners.batched_engine import BatchedEngine, Engine
from metaglot.core.learners.learn2learn_engine import Learn2LearnEngine
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks.image_store import TaskBatch
from metaglot.training.cuda_graph_engine import CudaGraphEngine
from metaglot.training.meta_optimizer import MetaOptimizer

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


def optimizer_of(engine: Engine, case: Case, parameters: MetaParameters, meta_lr: float) -> MetaOptimizer:
    return MetaOptimizer(case.algorithm(), engine, parameters, meta_lr, iterations=50)


@pytest.mark.parametrize("first_order", [True, False])
def test_both_engines_see_the_same_losses_over_50_iterations(first_order):
    case = Case("fc", first_order, ways=5, shots=2, queries=2, tasks=3, fast_lr=0.5)
    exact = {name: value.double() for name, value in initial(case).items()}
    batched = optimizer_of(BatchedEngine(case.algorithm(), 2), case, exact, 0.003)
    learn2learn = optimizer_of(Learn2LearnEngine(case.algorithm(), case.module()), case, exact, 0.003)
    tasks = stream(case)
    losses = []
    for iteration in range(1, 51):
        batch = tasks.batch(case.algorithm(), iteration).double()
        actual, expected = batched.step(batch).losses, learn2learn.step(batch).losses
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-6)
        losses.append(expected.mean().item())
    assert sum(losses[-10:]) < sum(losses[:10])  # they do learn


def descend(optimizer: Optimizer, parameters: MetaParameters, algorithm: MetaLearner, batch: TaskBatch) -> None:
    """One step down the meta-gradient by one of PyTorch's optimizers."""
    gradient, _ = meta_gradient(BatchedEngine(algorithm, 2), parameters, batch)
    for name, value in parameters.items():
        value.grad = gradient[name]
    optimizer.step()


def test_it_learns_as_unfused_adam_does():
    case = CASE.but(steps=1)
    optimizer = optimizer_of(BatchedEngine(case.algorithm(), 2), case, case.parameters(), meta_lr=0.01)
    expected = case.parameters()
    adam = torch.optim.Adam(expected.values(), lr=0.01, fused=False, foreach=False)
    for iteration in range(10):
        optimizer.step(case.batch(iteration))
        descend(adam, expected, case.algorithm(), case.batch(iteration))
    for name, value in expected.items():
        torch.testing.assert_close(optimizer.parameters[name], value, rtol=1e-9, atol=1e-11)


class Scheduled(MAML):
    """Falls in a line from the first iteration, as Reptile does, on plain SGD."""

    def meta_lr_factor(self, progress: float) -> float:
        return 1 - progress

    def optimiser(self, parameters: MetaParameters, meta_lr: float) -> Optimizer:
        return torch.optim.SGD(parameters.values(), lr=meta_lr)


def test_the_outer_rate_is_that_of_the_progress_before_each_iteration():
    """As PyTorch's own scheduler has it: the first of four iterations takes the whole rate, the last a quarter."""
    algorithm = Scheduled(CASE.algorithm().network, CASE.fast_lr, CASE.steps)
    optimizer = MetaOptimizer(algorithm, BatchedEngine(algorithm, 2), CASE.parameters(), meta_lr=0.2, iterations=4)
    expected = CASE.parameters()
    sgd = torch.optim.SGD(expected.values(), lr=0.2)
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, lambda iteration: 1 - iteration / 4)
    for iteration in range(4):
        optimizer.step(CASE.batch(iteration))
        descend(sgd, expected, algorithm, CASE.batch(iteration))
        schedule.step()
    for name, value in expected.items():
        torch.testing.assert_close(optimizer.parameters[name], value)


class Annealed(MAML):
    """Lists the progress that it is annealed by."""

    def at_progress(self, progress: float) -> "Annealed":
        self.progress = [*getattr(self, "progress", []), progress]
        return self


def test_an_algorithm_is_annealed_by_the_progress_before_each_iteration():
    algorithm = Annealed(CASE.algorithm().network, CASE.fast_lr, CASE.steps)
    engine = BatchedEngine(algorithm, chunk=CASE.tasks)
    optimizer = MetaOptimizer(algorithm, engine, CASE.parameters(), meta_lr=0.2, iterations=4)
    for iteration in range(3):
        optimizer.step(CASE.batch(iteration))
    assert algorithm.progress == [0, 0.25, 0.5]


def test_before_the_first_iteration_the_norm_is_zero():
    assert optimizer_of(BatchedEngine(CASE.algorithm(), 2), CASE, CASE.parameters(), 0.01).state()["norm"] == 0


def test_the_norm_is_that_of_the_whole_last_meta_gradient():
    optimizer = optimizer_of(BatchedEngine(CASE.algorithm(), 2), CASE, CASE.parameters(), meta_lr=0.01)
    gradients, _ = BatchedEngine(CASE.algorithm(), 2).meta_gradient(CASE.parameters(), CASE.batch())
    optimizer.step(CASE.batch())
    assert optimizer.gradient_norm().item() == pytest.approx(torch.cat([g.flatten() for g in gradients]).norm().item())


def test_learning_leaves_the_given_parameters_alone():
    given = initial()
    before = {name: value.clone() for name, value in given.items()}
    optimizer_of(BatchedEngine(CASE.algorithm(), 2), CASE, given, 0.01).step(stream().batch(CASE.algorithm(), 1))
    assert identical(given, before)


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """An operation that waits for the GPU raises an error."""
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@gpu
@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("graph", [True, False])
def test_on_cuda_nothing_waits_for_the_host_within_an_iteration(model, first_order, graph, request):
    case, cuda = Case(model, first_order, steps=2), torch.device("cuda")
    batched = BatchedEngine(case.algorithm(), case.tasks)
    optimizer = optimizer_of(CudaGraphEngine(batched) if graph else batched, case, initial(case, cuda), 0.003)
    tasks = stream(case, cuda)
    optimizer.step(tasks.batch(case.algorithm(), 1))  # libraries wait when they are first used
    request.getfixturevalue("no_waiting")
    for iteration in range(2, 6):
        optimizer.step(tasks.batch(case.algorithm(), iteration))


@gpu
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_on_cuda_meta_gradients_are_those_of_the_processor(model):
    case = Case(model, steps=2)
    gradients = []
    for device in (CPU, torch.device("cuda")):
        parameters = {name: value.detach().to(device).requires_grad_() for name, value in case.parameters().items()}
        batch = stream(case, device).batch(case.algorithm(), 1).double()
        gradients.append([g.cpu() for g in BatchedEngine(case.algorithm(), 2).meta_gradient(parameters, batch)[0]])
    torch.testing.assert_close(*gradients)
