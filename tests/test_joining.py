import numpy as np
import pytest
from hypothesis import given

import lfp_ref as lfp
from tests import oracle
from tests.common import assert_close, batches, dtypes, fill, numbers, rules, seeds


def exact_dense(layer):
    return oracle.Dense(oracle.exact(layer.weight.value), oracle.exact(layer.bias.value))


@given(batches, dtypes, rules, seeds)
def test_concatenation_equals_the_oracle(n, dtype, rule, seed):
    first, last = lfp.Dense(4, 3, dtype=dtype), lfp.Dense(4, 2, dtype=dtype)
    layer = fill(lfp.Concatenate(first, lfp.Identity(), last), seed)
    restated = oracle.Concatenate(exact_dense(first), oracle.leaky_relu(1), exact_dense(last))
    x = numbers([seed, 7], n, 4, dtype=dtype)
    z = layer.forward(x)
    assert z.shape == (n, 9)
    assert_close(z, restated.forward(oracle.exact(x)))
    reward = numbers([seed, 8], *z.shape, dtype=dtype)
    given = oracle.GRADIENT if rule.is_gradient else oracle.Fraction(float(dtype(rule.epsilon)))
    handed = layer.feedback(reward, rule)
    expected = restated.feedback(oracle.exact(reward), given)
    term = 4 * float(max(restated.branches[0].largest_s, restated.branches[2].largest_s))
    assert_close(handed, expected, "input's reward", term)
    for one, other in ((first, restated.branches[0]), (last, restated.branches[2])):
        assert_close(one.weight.feedback, other.d_weight, "feedback", term)


@given(batches, seeds)
def test_joining_keeps_nothing_under_any_rule(n, seed):
    """Images of different channels; what comes in is handed on, bit for bit on this grid."""
    layer = lfp.Concatenate(lfp.Identity(), lfp.MaxPool2d(1), lfp.Sequential(lfp.ReLU(), lfp.Identity()))
    x = numbers([seed, 1], n, 2, 3, 2)
    assert layer.forward(x).shape == (n, 6, 3, 2)
    reward = numbers([seed, 2], n, 6, 3, 2)
    handed = layer.feedback(reward, lfp.rules.AlphaBeta())
    assert np.array_equal(handed, reward[:, :2] + reward[:, 2:4] + reward[:, 4:])


def test_wrong_branches_are_named():
    with pytest.raises(TypeError, match="each of branches must be a layer, got 3"):
        lfp.Concatenate(lfp.Identity(), 3)
    with pytest.raises(ValueError, match="at least one branch"):
        lfp.Concatenate()
    with pytest.raises(TypeError, match="one dtype"):
        lfp.Concatenate(lfp.Dense(2, 2), lfp.Dense(2, 2, dtype=np.float64))
    layer = lfp.Concatenate(lfp.MaxPool2d(2), lfp.Identity())
    with pytest.raises(ValueError, match=r"agree in all axes but the second \(they are \(1, 1, 2, 2\), \(1, 1, 4, 4\)"):
        layer.forward(np.ones((1, 1, 4, 4)))


def test_the_first_layers_of_a_network_are_those_of_all_branches():
    net = lfp.Sequential(lfp.Concatenate(lfp.Dense(2, 2), lfp.Identity(), lfp.Dense(2, 1)), lfp.Dense(5, 1))
    assert net.first_layers() == ["0.branches.0", "0.branches.2"]
    assert list(net.state_dict())[:2] == ["0.branches.0.weight", "0.branches.0.bias"]
    composite = {"0.branches.0": lfp.rules.ZBox(), lfp.Layer: lfp.rules.Epsilon()}
    net.forward(np.ones((1, 2)))
    net.feedback(np.ones((1, 1)), composite)
