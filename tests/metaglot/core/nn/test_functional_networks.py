import pytest
import torch
from cases import Case
from oracles import inductive

from metaglot.core.nn.fast_weights import TaskVector
from metaglot.core.nn.functional_networks import LayerRecorder, create_network
from metaglot.core.nn.learn2learn_networks import initial_module, module_parameters

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


@pytest.mark.parametrize("case", CASES)
def test_weights_of_another_start_load_into_learn2learns_module_and_back(case):
    parameters, images = case.but(seed=7).parameters(), case.batch().query
    module = case.module()
    state = module.state_dict()
    assert parameters.keys() <= state.keys()
    module.load_state_dict(state | {name: value.detach() for name, value in parameters.items()})
    net = create_network(case.model)
    expected = torch.stack([module(x[:, None]) for x in images])
    torch.testing.assert_close(net(net.fast(parameters), images), expected)
    torch.testing.assert_close(net(net.fast(module_parameters(module)), images), expected)


@both
def test_its_names_are_the_parameters_of_the_module_but_for_the_biases_before_a_norm(model):
    net, case = create_network(model), Case(model)
    unused = {block.unused for block in net.blocks}
    assert len(unused) == 4
    assert {*net.names, *unused} == {*case.parameters()}
    assert not unused & {*net.names}


@both
def test_the_bias_before_a_norm_has_no_effect_and_no_gradient(model):
    case = Case(model)
    module, images = case.module(), case.batch().query[0][:, None]
    biases = [module_parameters(module)[block.unused] for block in create_network(model).blocks]
    before = module(images)
    gradients = torch.autograd.grad(before.square().sum(), biases)
    assert all(gradient.abs().max() < 1e-12 for gradient in gradients)
    for bias in biases:
        bias.data += 3
    torch.testing.assert_close(module(images), before)


@both
def test_a_task_sees_no_other_task(model):
    case = Case(model)
    net, images = create_network(model), case.batch().query
    fast = net.fast(case.parameters())
    torch.testing.assert_close(net(fast, images[1:2])[0], net(fast, images)[1])


@both
def test_given_the_statistics_of_a_support_set_a_query_sees_no_other(model):
    case = Case(model)
    net, batch, module = create_network(model), case.batch(), case.module()
    fast = net.fast(case.parameters())
    actual = net(fast, batch.query, given=net.statistics(fast, batch.support))
    pairs = zip(batch.support, batch.query, strict=True)
    torch.testing.assert_close(actual, torch.stack([inductive(module, s, q) for s, q in pairs]))


@both
def test_given_its_own_statistics_a_batch_fares_as_without(model):
    case = Case(model)
    net, images = create_network(model), case.batch().query
    fast = net.fast(case.parameters())
    torch.testing.assert_close(net(fast, images, given=net.statistics(fast, images)), net(fast, images))


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


@both
def test_the_shared_weights_are_learn2learns_at_the_size_that_is_trained(model):
    parameters = module_parameters(initial_module(model, 5, 28, 0))
    fast = create_network(model).fast(parameters)
    shapes = [tuple(weight.shared.shape) for weight in fast.values() if not isinstance(weight, TaskVector)]
    fc = [(256, 784), (128, 256), (64, 128), (64, 64), (5, 64)]
    assert shapes == (fc if model == "fc" else [(64, 1, 3, 3), *[(64, 64, 3, 3)] * 3, (5, 64)])
