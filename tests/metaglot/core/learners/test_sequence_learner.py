"""Meta-gradients of sequences against a literal loop over sequences, tasks and steps, with plain weights."""

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from cases import CHARACTERS, CPU, Case, cases
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from oracles import adam, distance, gradient_of, meta_gradient, plain_tasks, slope

from metaglot.algorithms.seq_fomaml import SeqFOMAML
from metaglot.algorithms.seq_maml import SeqMAML
from metaglot.core.learners.adam_steps import minibatch_rows
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.sequence_learner import SequenceLearner
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import module_parameters
from metaglot.core.tasks.image_store import TaskBatch
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.sequences import tasks_in_order


def learner(case: Case, length: int, **settings) -> SequenceLearner:
    kind = SeqFOMAML if case.first_order else SeqMAML
    chosen = kind.Settings(sequence_length=length, **settings)
    return kind(create_network(case.model), case.fast_lr, case.steps, settings=chosen)


def sequences(case: Case, algorithm: SequenceLearner) -> TaskBatch:
    stream = (StreamPurpose.TRAINING, case.seed, 1)
    return algorithm.training_batch(case.images(), stream, case.task, case.tasks).double()


def by_hand(case: Case, batch: TaskBatch, loss: str, heads: str) -> tuple[float, dict[str, torch.Tensor]]:
    """The mean over the sequences of the loss's gradient; in first order each at its weights, added up."""
    module, total = case.module(), 0.0
    start = {name: value.detach().requires_grad_() for name, value in module_parameters(module).items()}

    def with_head(weights: dict[str, torch.Tensor], of: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        own = {name: of[name].clone() for name in of if name.startswith("classifier")}  # a tensor of this task alone
        return weights | own if heads == "several" else weights

    for sequence in zip(*batch.parts(), strict=True):
        tasks, weights, path = plain_tasks(case, module, TaskBatch(*sequence)), start, []
        for support_loss, _ in tasks:
            weights = with_head(weights, start)
            for _ in range(case.steps):
                gradient = slope(support_loss, weights, create_graph=not case.first_order)
                weights = {n: w - case.fast_lr * gradient[n] for n, w in weights.items()}
            path.append(weights)
        losses = [
            query_loss(with_head(path[-1], w)) / len(tasks) for (_, query_loss), w in zip(tasks, path, strict=True)
        ]
        if loss == "end_and_each":
            losses += [query_loss(w) / len(tasks) for (_, query_loss), w in zip(tasks, path, strict=True)]
        total += sum(losses) / case.tasks
    return total.item(), gradient_of(total, start)


def has_rows(case: Case) -> bool:
    """Batch norm on two to five rows amplifies rounding, the more the longer the sequence (to 1e-8 with two rows)."""
    return min(case.shots, case.queries) * case.ways >= 6


@examples(12)
@given(
    st.sampled_from([1, 2]).flatmap(lambda steps: cases(steps=steps)).filter(has_rows),
    st.integers(1, 4),
    st.sampled_from(["end", "end_and_each"]),
    st.sampled_from(["one", "several"]),
)
def test_the_meta_gradient_is_that_of_a_literal_loop(case: Case, length: int, loss: str, heads: str) -> None:
    length = min(length, CHARACTERS // case.ways)
    algorithm = learner(case, length, loss=loss, heads=heads)
    batch, parameters = sequences(case, algorithm), case.parameters()
    gradient, _ = meta_gradient(algorithm, parameters, batch)
    total, expected = by_hand(case, batch, loss, heads)
    assert algorithm.meta_loss(parameters, batch)[0].mean().item() == pytest.approx(total, rel=1e-9)
    assert distance(gradient, expected) < 1e-9


@pytest.mark.parametrize("first_order", [True, False])
def test_chunks_of_sequences_give_the_same_meta_gradient(first_order: bool) -> None:
    case = Case(first_order=first_order, ways=2)
    algorithm, parameters = learner(case, 3), case.parameters()
    batch = sequences(case, algorithm)
    whole, _ = meta_gradient(algorithm, parameters, batch)
    chunked, scores = meta_gradient(BatchedEngine(algorithm, 1), parameters, batch)
    assert len(scores.losses) == case.tasks and distance(chunked, whole) < 1e-12


def adam_by_hand(case: Case, batch: TaskBatch, minibatch: int, heads: str) -> dict[str, torch.Tensor]:
    """The gradients at the weights of an ordinary Adam on an ordinary module, added up.

    With several heads every task has a new Adam for a new head, beside the one of the features.
    """
    sums: dict[str, torch.Tensor] = {}
    for sequence in zip(*batch.parts(), strict=True):
        module, tasks, path = case.module(), [*zip(*sequence, strict=True)], []
        new_head = deepcopy(module.classifier)
        of_features, of_head = (adam(part, case.fast_lr) for part in (module.features, module.classifier))
        for support, labels, _, _ in tasks:
            if heads == "several":
                module.classifier = deepcopy(new_head)
                of_head = adam(module.classifier, case.fast_lr)
            for step in range(case.steps):
                rows = minibatch_rows(step, len(support), minibatch, CPU)
                module.zero_grad()
                F.cross_entropy(module(support[rows, None]), labels[rows]).backward()
                of_features.step()
                of_head.step()
            path.append(deepcopy(module))
        at_end = [deepcopy(path[-1]) for _ in path]
        for judge, learned in zip(at_end, path, strict=True):
            if heads == "several":
                judge.classifier = deepcopy(learned.classifier)
        for judge, (_, _, query, labels) in zip(path + at_end, tasks + tasks, strict=True):
            judge.zero_grad()
            F.cross_entropy(judge(query[:, None]), labels).backward()
            for name, value in module_parameters(judge).items():
                sums[name] = sums.get(name, 0) + value.grad / len(tasks) / case.tasks
    return sums


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize("heads", ["one", "several"])
def test_with_adam_the_gradients_at_the_weights_of_an_ordinary_adam_are_added_up(
    model: str, length: int, heads: str
) -> None:
    case = Case(model, first_order=True, shots=4, queries=3, steps=3, fast_lr=0.01)
    algorithm, parameters = learner(case, length, inner="adam", minibatch=8, heads=heads), case.parameters()
    batch = sequences(case, algorithm)
    ours, expected = meta_gradient(algorithm, parameters, batch)[0], adam_by_hand(case, batch, 8, heads)
    names = algorithm.network.names
    assert distance({n: ours[n] for n in names}, {n: expected[n] for n in names}) < 1e-9


def test_in_inductive_training_each_task_is_normalised_by_its_own_support_set() -> None:
    case = Case(first_order=True, ways=2, shots=4, queries=3)
    algorithm, parameters = learner(case, 3, loss="end"), case.parameters()
    algorithm.inductive = True
    tasks, network = tasks_in_order(sequences(case, algorithm)), algorithm.network
    supports = [(task.support, task.support_labels) for task in tasks]
    *_, at_end = algorithm.learn_sequence(parameters, supports, case.steps)
    fast, losses = at_end[-1].fast, []
    for task in tasks:
        logits = network(fast, task.query, given=network.statistics(fast, task.support))
        losses.append(F.cross_entropy(logits.flatten(0, 1), task.query_labels.flatten()))
    total = algorithm.meta_loss(parameters, sequences(case, algorithm))[0].mean()
    assert total.item() == pytest.approx(torch.stack(losses).mean().item(), rel=1e-9)


def test_with_adam_no_exact_meta_gradient_is_compared() -> None:
    assert learner(Case(first_order=True), 2, inner="adam").first_order is None
    assert learner(Case(first_order=True), 2).first_order is True
