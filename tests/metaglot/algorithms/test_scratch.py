import torch
from cases import Case

from metaglot.algorithms.maml import MAML
from metaglot.algorithms.scratch import RATE, STEPS, Scratch
from metaglot.core.learners.task_classifier import classifier_after
from metaglot.core.nn.functional_networks import create_network

CASE = Case(ways=3, shots=2, queries=3, tasks=2)


def scratch() -> Scratch:
    return Scratch(create_network("fc"), 0.5, 1, settings=Scratch.Settings(tried_rates=[0.1, 0.4], tried_steps=[1, 3]))


def test_it_chooses_the_candidate_with_the_best_validation_accuracy():
    seen, start = [], scratch().initial_parameters(CASE.parameters(), CASE.images())

    def accuracy(parameters):
        seen.append((round(parameters[RATE].item(), 6), int(parameters[STEPS])))
        return {(0.1, 3): 0.9, (0.4, 1): 0.9}.get(seen[-1], 0.5)

    selected = scratch().select_on_validation(start, accuracy)
    assert seen == [(0.1, 1), (0.1, 3), (0.4, 1), (0.4, 3)]
    assert (round(selected[RATE].item(), 6), int(selected[STEPS])) == (0.1, 3)  # the first of the best
    assert set(scratch().names) <= set(selected)


@torch.no_grad()
def test_it_is_the_network_after_the_chosen_gradient_steps():
    batch, parameters = CASE.batch(), CASE.parameters()
    start = scratch().initial_parameters(parameters, CASE.images())
    start |= {RATE: torch.tensor(0.4), STEPS: torch.tensor(3.0)}
    classifiers = [*scratch().adapt(start, batch.support, batch.support_labels)]
    maml = MAML(create_network("fc"), torch.tensor(0.4).item(), 3)
    expected = classifier_after(maml.adapt(parameters, batch.support, batch.support_labels), 3)
    assert len(classifiers) == 1
    torch.testing.assert_close(classifiers[0](batch.query), expected(batch.query))
    torch.testing.assert_close(classifiers[0].inductive(batch.query), expected.inductive(batch.query))


def test_before_its_validation_it_takes_the_first_of_sixteen_candidates():
    defaults = Scratch(create_network("fc"), 0.5, 1)
    assert defaults.settings.iterations == 0
    assert defaults.candidates == [(rate, steps) for rate in (0.03, 0.1, 0.3, 1.0) for steps in (1, 3, 10, 30)]
    start = scratch().initial_parameters(CASE.parameters(), CASE.images())
    assert (round(start[RATE].item(), 6), int(start[STEPS])) == (0.1, 1)
