import learn2learn as l2l
import numpy as np
import pytest
import torch

from metaglot.core.nn.initial_weights import initial_weights, module_state

both = pytest.mark.parametrize("model", ["fc", "conv"])


@both
@pytest.mark.parametrize(("ways", "size", "seed"), [(5, 28, 42), (20, 28, 0), (3, 28, 2**32 - 1)])
def test_the_initialisation_is_learn2learns_to_the_last_bit(model, ways, size, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed)
        models = l2l.vision.models
        expected = (models.OmniglotFC(size**2, ways) if model == "fc" else models.OmniglotCNN(ways)).state_dict()
    state = module_state(initial_weights(model, ways, size, seed))
    assert state.keys() == expected.keys()
    for name, value in state.items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0)


@both
def test_it_neither_reads_nor_changes_the_global_random_states(model):
    torch.manual_seed(1)
    np.random.seed(1)
    expected = torch.rand(3).tolist(), np.random.rand(3).tolist()
    before = initial_weights(model, 5, 28, 7)
    torch.manual_seed(1)
    np.random.seed(1)
    after = initial_weights(model, 5, 28, 7)
    assert (torch.rand(3).tolist(), np.random.rand(3).tolist()) == expected
    assert all(torch.equal(value, after[name]) for name, value in before.items())
