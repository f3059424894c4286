"""The accuracies on sequences against ordinary scores and against plain gradient steps by hand."""

from copy import deepcopy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from cases import CHARACTERS, Case

from metaglot.algorithms.anil import ANIL
from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.maml_2017 import MAML2017
from metaglot.algorithms.pretrained import Pretrained
from metaglot.algorithms.reptile import Reptile
from metaglot.algorithms.scratch import Scratch
from metaglot.algorithms.seq_fomaml import SeqFOMAML
from metaglot.algorithms.seq_maml import SeqMAML
from metaglot.core.common.stage_configs import Heads
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.sequences import sample_sequences
from metaglot.evaluation.scoring import concatenate, evaluate
from metaglot.evaluation.sequence_scores import score_sequences
from metaglot.evaluation.trained_network import TrainedNetwork

CASE = Case(ways=3, shots=3, queries=4, tasks=4, fast_lr=0.1)
STREAM = (StreamPurpose.TESTING, 0, 0)
KINDS = [MAML, FOMAML, MAML2017, ANIL, Reptile, Scratch, SeqFOMAML, SeqMAML]


def trained(kind, chunk: int) -> TrainedNetwork:
    algorithm = kind(create_network("fc"), CASE.fast_lr, 2)
    parameters = algorithm.initial_parameters(CASE.single_parameters(), CASE.images())
    return TrainedNetwork(algorithm, parameters, CASE.images(), CASE.shots, 2, chunk)


def accuracies(kind, length: int, sequences_at_a_time: int = 3, heads: Heads = "one"):
    tasks = sample_sequences(STREAM, CASE.tasks, length, CHARACTERS, 20, CASE.task)
    parts = [*score_sequences(trained(kind, sequences_at_a_time), tasks, length, heads)]
    return tasks, *(np.concatenate([getattr(p, mode) for p in parts]) for mode in ("transductive", "inductive"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_of_one_task_has_the_scores_of_an_ordinary_task(kind) -> None:
    tasks, transductive, inductive = accuracies(kind, 1)
    ordinary = concatenate([*evaluate(trained(kind, 3), tasks)])
    assert np.array_equal(transductive[:, 0, 0], ordinary.measures["accuracy"])
    assert np.array_equal(inductive[:, 0, 0], ordinary.measures["inductive_accuracy"])


@pytest.mark.parametrize("heads", ["one", "several"])
@pytest.mark.parametrize("kind", [MAML, Pretrained])
def test_the_accuracies_are_those_of_gradient_steps_by_hand(kind, heads: Heads) -> None:
    tasks, transductive, _ = accuracies(kind, 3, heads=heads)
    images = CASE.images()
    for sequence in range(CASE.tasks):
        module = CASE.module().float()
        if kind is Pretrained:
            for value in module.classifier.parameters():
                value.data.zero_()
        batch = images.batch(tasks[3 * sequence : 3 * sequence + 3], CASE.shots)
        first, learned = deepcopy(module.classifier), []
        for j in range(3):
            if heads == "several":
                module.classifier = deepcopy(first)
            learned.append(module.classifier)
            for _ in range(2):
                module.zero_grad()
                F.cross_entropy(module(batch.support[j][:, None]), batch.support_labels[j]).backward()
                for value in module.parameters():
                    value.data -= CASE.fast_lr * value.grad
            for i in range(j + 1):
                judge = deepcopy(module)
                judge.classifier = learned[i]
                answers = judge(batch.query[i][:, None]).argmax(1)
                by_hand = (answers == batch.query_labels[i]).float().mean().item()
                assert transductive[sequence, i, j] == pytest.approx(by_hand)


def test_a_task_has_no_accuracy_before_it_was_learned_and_chunks_change_nothing() -> None:
    _, transductive, inductive = accuracies(MAML, 3)
    for matrix in (transductive, inductive):
        assert np.array_equal(np.isnan(matrix), np.broadcast_to(np.tri(3, k=-1, dtype=bool), matrix.shape))
    assert np.array_equal(accuracies(MAML, 3, sequences_at_a_time=1)[1], transductive, equal_nan=True)
    assert torch.is_grad_enabled()
