import torch

from metaglot.training.early_stopping import EarlyStopping


def test_the_first_of_equally_good_parameters_is_kept():
    stopping = EarlyStopping(patience=2)
    for value, accuracy in enumerate([0.5, 0.7, 0.7]):
        stopping.observe(accuracy, {"w": torch.tensor(value)})
    assert stopping.best["w"] == 1 and not stopping.should_stop
    stopping.observe(0.1, {"w": torch.tensor(9)})
    assert stopping.best["w"] == 1 and stopping.should_stop


def test_even_parameters_that_get_nothing_right_are_kept_and_without_patience_none_are():
    stopping, endless = EarlyStopping(patience=1), EarlyStopping(patience=None)
    assert not stopping.should_stop
    for each in (stopping, endless):
        each.observe(0.0, {"w": torch.tensor(1)})
    assert stopping.best["w"] == 1 and not stopping.should_stop
    for each in (stopping, endless):
        each.observe(0.0, {"w": torch.tensor(2)})
    assert stopping.best["w"] == 1 and stopping.should_stop
    assert endless.best == {} and not endless.should_stop


def test_the_best_parameters_are_a_copy_that_training_does_not_change():
    stopping, parameters = EarlyStopping(patience=2), {"w": torch.tensor(1.0, requires_grad=True)}
    stopping.observe(0.5, parameters)
    parameters["w"].data.fill_(2.0)
    assert stopping.best["w"] == 1 and not stopping.best["w"].requires_grad
