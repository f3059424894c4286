import pytest

from metaglot.core.nn.learn2learn_networks import initial_module, module_parameters


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_every_parameter_is_named_once_and_is_the_modules_own(model):
    module = initial_module(model, 5, 28, 0)
    named = module_parameters(module)
    assert {id(p) for p in named.values()} == {id(p) for p in module.parameters()}
    assert len(named) == len({*module.parameters()}) == 18
    assert named.keys() <= module.state_dict().keys()
