import pytest
import torch
from cases import Case
from oracles import inductive

from metaglot.core.nn.functional_networks import LayerRecorder, create_network
from metaglot.core.nn.learn2learn_networks import module_parameters

CASES = [Case("fc", ways=5), Case("fc", size=12), Case("conv", ways=4), Case("conv", hidden=64, tasks=2)]
both = pytest.mark.parametrize("model", ["fc", "conv"])


@pytest.mark.parametrize("case", CASES)
def test_features_and_logits_are_those_of_learn2learns_module_task_by_task(case):
    module, images = case.module(), case.batch().query
    net = create_network(case.model)
    fast = net.fast(case.parameters())
    expected = torch.stack([module.features(x[:, None]).flatten(1) for x in images])
    torch.testing.assert_close(net.features(fast, images), expected)
    torch.testing.assert_close(net(fast, images), torch.stack([module(x[:, None]) for x in images]))


@both
def test_its_names_are_the_parameters_of_the_module_but_for_the_biases_before_a_norm(model):
    net, case = create_network(model), Case(model)
    unused = {block.unused for block in net.blocks}
    assert len(unused) == 4
    assert {*net.names, *unused} == {*case.parameters()}
    assert not unused & {*net.names}


@both
def test_given_the_statistics_of_a_support_set_a_query_sees_no_other(model):
    case = Case(model)
    net, batch, module = create_network(model), case.batch(), case.module()
    fast = net.fast(case.parameters())
    actual = net(fast, batch.query, given=net.statistics(fast, batch.support))
    pairs = zip(batch.support, batch.query, strict=True)
    torch.testing.assert_close(actual, torch.stack([inductive(module, s, q) for s, q in pairs]))


@both
def test_a_tape_keeps_the_two_factors_of_every_matrixs_gradient(model):
    case = Case(model, tasks=1)
    net, module, batch = create_network(model), case.module(), case.batch()
    tape = LayerRecorder([*(block.matrix for block in net.blocks), "classifier.weight"])
    fast = net.fast({name: value.detach() for name, value in case.parameters().items()})
    scalar = net(fast, batch.query, tape).square().sum()
    names = [*tape.outputs]
    gradients = dict(zip(names, torch.autograd.grad(scalar, [*tape.outputs.values()]), strict=True))
    own = module_parameters(module)
    expected = torch.autograd.grad(module(batch.query[0][:, None]).square().sum(), [own[name] for name in names])
    assert len(names) == 5
    for name, gradient in zip(names, expected, strict=True):
        dense = tape.factors(name, gradients[name], second_order=False).dense()
        torch.testing.assert_close(dense[0], gradient)
