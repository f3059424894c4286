import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from cases import CPU, Case
from safetensors.torch import save
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.learners.batched_engine import BatchedEngine, Engine
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.tasks.task_sampler import ImageStore, StreamPurpose, sample_tasks
from metaglot.training.cuda_graph_engine import CudaGraphEngine
from metaglot.training.learn2learn_engine import Learn2LearnEngine, initial_module, parameters
from metaglot.training.meta_optimizer import LOOK_EVERY, Learner, Training

CASE = Case(ways=3, shots=2, queries=2, tasks=2)
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


def start(case: Case = CASE, device: torch.device = CPU) -> dict[str, Tensor]:
    module = initial_module(case.model, case.ways, case.size, case.seed).to(device)
    return {name: value.detach() for name, value in parameters(module).items()}


def training(case: Case = CASE, meta_lr: float = 0.003, device: torch.device = CPU) -> Training:
    engine = BatchedEngine(case.algorithm(), chunk=case.tasks)
    learner = Learner(engine.algorithm, engine, start(case, device), meta_lr, iterations=200)
    return Training(learner, ImageStore(case.drawings(), device), case.task, case.tasks, case.seed)


def learning(engine: Engine, case: Case, learned: MetaParameters, meta_lr: float) -> Learner:
    return Learner(case.algorithm(), engine, learned, meta_lr, iterations=50)


def learned_by(trained: Training) -> bytes:
    return save({name: value.detach().clone() for name, value in trained.learner.learned.items()})


def nothing(iteration: int, loss: float, accuracy: float) -> None:
    """Nobody looks."""


@pytest.mark.parametrize("first_order", [True, False])
def test_both_engines_see_the_same_losses_over_50_iterations(first_order):
    case = Case("fc", first_order, ways=5, shots=2, queries=2, tasks=3, fast_lr=0.5)
    exact = {name: value.double() for name, value in start(case).items()}
    batched = learning(BatchedEngine(case.algorithm(), 2), case, exact, 0.003)
    looped = learning(Learn2LearnEngine(case.algorithm(), case.module()), case, exact, 0.003)
    stream = training(case)
    losses = []
    for iteration in range(1, 51):
        batch = stream.batch(iteration).double()
        ours, theirs = batched.step(batch).losses, looped.step(batch).losses
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
        losses.append(theirs.mean().item())
    assert sum(losses[-10:]) < sum(losses[:10])  # they do learn


def test_the_same_seed_twice_gives_the_same_bytes_and_another_does_not():
    one, same, other = (training(CASE.but(seed=seed)) for seed in (3, 3, 4))
    for trained in (one, same, other):
        trained.until(5, nothing)
    assert learned_by(one) == learned_by(same) != learned_by(other)


def test_two_spans_are_one():
    whole, parts = training(), training()
    whole.until(7, nothing)
    parts.until(3, nothing)
    parts.until(7, nothing)
    assert learned_by(whole) == learned_by(parts)


def test_a_training_that_is_restored_goes_on_to_the_same_bytes():
    whole, before, after = training(), training(), training()
    whole.until(9, nothing)
    before.until(4, nothing)
    state = {name: value.clone() for name, value in before.learner.state().items()}
    after.until(2, nothing)
    after.learner.restore(state)
    assert after.learner.iteration == 4 and after.learner.gradient_norm() == before.learner.gradient_norm()
    after.until(9, nothing)
    assert learned_by(whole) == learned_by(after)
    assert all(torch.equal(value, after.learner.state()[name]) for name, value in whole.learner.state().items())


def test_whoever_disturbs_a_training_finds_it_before_or_after_an_iteration():
    """An update and the sums that go with it are made within `undisturbed`."""
    trained, seen = training(), []

    @contextmanager
    def undisturbed() -> Iterator[None]:
        before = trained.learner.iteration, trained.sums.clone()
        yield
        seen.append((before[0], trained.learner.iteration, not torch.equal(before[1], trained.sums)))

    trained.undisturbed = undisturbed
    trained.until(2, nothing)
    assert seen == [(0, 1, True), (1, 2, True)]


def test_a_meta_batch_is_the_stream_of_its_seed_and_iteration():
    trained = training()
    tasks = sample_tasks((StreamPurpose.TRAINING, CASE.seed, 7), CASE.tasks, 9, 20, CASE.task)
    expected = trained.images.batch(tasks, CASE.shots)
    assert all(torch.equal(a, b) for a, b in zip(trained.batch(7).parts(), expected.parts(), strict=True))


def test_a_span_says_the_mean_loss_and_accuracy_of_its_iterations():
    trained, again = training(), training()
    seen = []
    trained.until(4, lambda *look: seen.append(look))
    found = trained.means()
    outcomes = [again.learner.step(again.batch(iteration)) for iteration in range(1, 5)]
    means = [torch.stack([getattr(o, name).mean() for o in outcomes]).mean() for name in ("losses", "accuracies")]
    assert found == pytest.approx([mean.item() for mean in means])
    assert seen == [(4, *found)]


def test_the_loss_is_looked_at_now_and_then():
    seen = []
    case = Case(ways=2, shots=2, queries=1, tasks=1, size=6)
    trained = training(case)
    trained.until(10, nothing)
    trained.begin_span()
    trained.until(11 + 2 * LOOK_EVERY, lambda iteration, *_: seen.append(iteration))
    assert seen == [10 + LOOK_EVERY, 10 + 2 * LOOK_EVERY, 11 + 2 * LOOK_EVERY]


def test_a_loss_that_is_not_finite_is_refused_by_iteration_seed_and_norm():
    trained = training(CASE.but(seed=17), meta_lr=1e30)
    with pytest.raises(UserError) as refusal:
        trained.until(8, nothing)
    line = str(refusal.value)
    assert re.search(r"loss is (nan|inf) by iteration 8 of seed 17, with a meta-gradient of norm (nan|inf)", line)
    assert "train.meta_lr" in line and "\n" not in line


def test_it_learns_as_unfused_adam_does():
    case = CASE.but(steps=1)
    learner = learning(BatchedEngine(case.algorithm(), 2), case, case.learned(), meta_lr=0.01)
    plain = case.learned()
    adam = torch.optim.Adam(plain.values(), lr=0.01, fused=False, foreach=False)
    for iteration in range(10):
        learner.step(case.batch(iteration))
        gradient, _ = BatchedEngine(case.algorithm(), 2).meta_gradient(plain, case.batch(iteration))
        for value, found in zip(plain.values(), gradient, strict=True):
            value.grad = found
        adam.step()
    for name, value in plain.items():
        torch.testing.assert_close(learner.learned[name], value, rtol=1e-9, atol=1e-11)


def test_the_norm_is_that_of_the_whole_last_meta_gradient():
    learner = learning(BatchedEngine(CASE.algorithm(), 2), CASE, CASE.learned(), meta_lr=0.01)
    gradient, _ = BatchedEngine(CASE.algorithm(), 2).meta_gradient(CASE.learned(), CASE.batch())
    learner.step(CASE.batch())
    assert learner.gradient_norm().item() == pytest.approx(torch.cat([g.flatten() for g in gradient]).norm().item())


def test_learning_leaves_what_it_started_from_alone():
    given = start()
    before = {name: value.clone() for name, value in given.items()}
    learning(BatchedEngine(CASE.algorithm(), 2), CASE, given, 0.01).step(training().batch(1))
    assert all(torch.equal(given[name], before[name]) for name in given)


TRAIN_AND_TELL = """
import numpy as np
import torch
from metaglot.algorithms.maml import MAML
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.learners.batched_engine import BatchedEngine, Engine
from metaglot.training.meta_optimizer import Learner, Training
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.tasks.task_sampler import ImageStore
from stages.support.device import peak_memory_mb

def peak():
    return peak_memory_mb(torch.device("cpu"))

def learned(*widths):
    yield "classifier.weight", torch.randn(5, widths[-1])
    yield "classifier.bias", torch.zeros(5)
    for i, (wide, high) in enumerate(zip(widths, widths[1:])):
        yield f"features.1.{i}.linear.weight", torch.randn(high, wide) * wide**-0.5
        yield f"features.1.{i}.normalize.weight", torch.ones(high)
        yield f"features.1.{i}.normalize.bias", torch.zeros(high)

maml = MAML(create_network("fc"), 0.5, 1)
learner = Learner(maml, BatchedEngine(maml, 32), dict(learned(784, 256, 128, 64, 64)), 0.003, 50)
images = np.random.default_rng(0).integers(0, 256, (1100, 20, 28, 28), dtype=np.uint8)
task = TaskConfig(ways=5, shots=5, queries=5, rotations="class")
training = Training(learner, ImageStore(images, torch.device("cpu")), task, 32, 42)
training.until(10, lambda *look: None)
early = peak()
training.until(50, lambda *look: None)
print(early, peak())
"""


def test_the_peak_of_memory_does_not_grow_with_iterations():
    """At the default params, where one iteration's images are 5 MB: 40 that leaked would be 200, their graphs more."""
    command = [sys.executable, "-c", TRAIN_AND_TELL]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    early, late = (float(mb) for mb in done.stdout.split())
    assert late - early < 40
    assert late < 1200  # learn2learn and the rest of a stage come on top


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Whatever waits for the GPU raises an error."""
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@gpu
@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("replayed", [True, False])
def test_on_cuda_nothing_waits_for_the_host_within_an_iteration(model, first_order, replayed, request):
    trained = training(Case(model, first_order, steps=2), device=torch.device("cuda"))
    if replayed:
        trained.learner.engine = CudaGraphEngine(trained.learner.engine)
    trained.learner.step(trained.batch(1))  # libraries wait when they are first used
    request.getfixturevalue("no_waiting")
    for iteration in range(2, 6):
        trained.learner.step(trained.batch(iteration))


@gpu
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_on_cuda_meta_gradients_are_those_of_the_processor(model):
    case = Case(model, steps=2)
    gradients = []
    for device in (CPU, torch.device("cuda")):
        learned = {name: value.detach().to(device).requires_grad_() for name, value in case.learned().items()}
        batch = training(case, device=device).batch(1).double()
        gradients.append([g.cpu() for g in BatchedEngine(case.algorithm(), 2).meta_gradient(learned, batch)[0]])
    torch.testing.assert_close(*gradients)
