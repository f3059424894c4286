from collections.abc import Iterator

import pytest
import torch
from cases import Case
from runs import initial, stream
from torch import Tensor

from metaglot.algorithms.anil import ANIL
from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.maml_plus_plus import STEP_LOSSES_END, MAMLPlusPlus
from metaglot.algorithms.meta_sgd import MetaSGD
from metaglot.algorithms.pretrained import Pretrained
from metaglot.algorithms.protonet import ProtoNet
from metaglot.algorithms.reptile import Reptile
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.cuda_graph_engine import CudaGraphEngine
from metaglot.training.meta_optimizer import MetaOptimizer

ALL = (MAML, FOMAML, ANIL, MetaSGD, MAMLPlusPlus, Reptile, ProtoNet, Pretrained)
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


def trained(kind: type[MetaLearner], model: str, replayed: bool, iterations: int = 20) -> list[Tensor]:
    """The parameters after a few iterations on a GPU."""
    case = Case(model, tasks=3, ways=3, queries=2)
    algorithm, device = kind(create_network(model), case.fast_lr, 2), torch.device("cuda")
    tasks = stream(case, device)
    parameters = algorithm.initial_parameters(initial(case, device), tasks.images)
    batched = BatchedEngine(algorithm, 2)
    engine = CudaGraphEngine(batched) if replayed else batched
    optimizer = MetaOptimizer(algorithm, engine, parameters, 0.003, iterations)
    for iteration in range(1, iterations + 1):
        optimizer.step(tasks.batch(algorithm, iteration))
    return [*optimizer.parameters.values()]


@pytest.fixture
def the_same_each_time() -> Iterator[None]:
    torch.backends.cudnn.deterministic = True
    yield
    torch.backends.cudnn.deterministic = False


@gpu
@pytest.mark.usefixtures("the_same_each_time")
@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize("kind", ALL)
def test_replayed_kernels_train_the_network_that_fresh_ones_do(kind: type[MetaLearner], model: str) -> None:
    torch.testing.assert_close(trained(kind, model, replayed=True), trained(kind, model, replayed=False))


@gpu
@pytest.mark.usefixtures("the_same_each_time")
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_training_twice_on_a_gpu_gives_the_same_bits(model: str) -> None:
    torch.testing.assert_close(trained(MAML, model, True), trained(MAML, model, True), rtol=0, atol=0)


def test_an_algorithm_whose_operations_change_is_never_captured() -> None:
    case = Case(steps=1)
    algorithm = MAMLPlusPlus(create_network("fc"), case.fast_lr, 1)
    parameters = algorithm.initial_parameters(case.parameters(), case.images())
    exact = {name: value.detach().double().requires_grad_() for name, value in parameters.items()}
    replayed = CudaGraphEngine(BatchedEngine(algorithm, case.tasks))
    for progress in (0.0, STEP_LOSSES_END / 2):  # with other weights for the steps' losses
        expected = BatchedEngine(algorithm, case.tasks).meta_gradient(exact, case.batch(), progress)
        torch.testing.assert_close(replayed.meta_gradient(exact, case.batch(), progress), expected)
    assert not replayed.graphs
