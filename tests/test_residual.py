import numpy as np
import pytest
from hypothesis import given

import lfp_ref as lfp
from tests import oracle
from tests.common import assert_close, batches, dtypes, fill, numbers, seeds


def restated_dense(layer):
    return oracle.Dense(oracle.exact(layer.weight.value), oracle.exact(layer.bias.value))


@pytest.mark.parametrize("with_shortcut", [False, True])
@pytest.mark.parametrize("rule", [lfp.rules.Epsilon(), lfp.rules.Epsilon(0.25), lfp.rules.Gradient()])
@given(n=batches, dtype=dtypes, seed=seeds)
def test_equals_the_oracle(with_shortcut, rule, n, dtype, seed):
    body = lfp.Sequential(lfp.Dense(4, 3, dtype=dtype), lfp.ReLU(), lfp.Dense(3, 4, dtype=dtype))
    shortcut = lfp.Dense(4, 4, dtype=dtype) if with_shortcut else None
    layer = fill(lfp.Residual(body, shortcut), seed)
    first, last = restated_dense(body[0]), restated_dense(body[2])
    beside = restated_dense(shortcut) if with_shortcut else None
    restated = oracle.Residual(oracle.Sequential(first, oracle.relu(), last), beside)
    x = numbers([seed, 7], n, 4, dtype=dtype)
    z = layer.forward(x)
    assert_close(z, restated.forward(oracle.exact(x)))
    reward = numbers([seed, 8], *z.shape, dtype=dtype)
    epsilon = oracle.GRADIENT if rule.is_gradient else oracle.Fraction(float(dtype(rule.epsilon)))
    handed = layer.feedback(reward, rule)
    expected = restated.feedback(oracle.exact(reward), epsilon)
    assert_close(handed, expected)
    assert_close(body[0].weight.feedback, first.d_weight)
    assert_close(body[2].bias.feedback, last.d_bias)
    if with_shortcut:
        assert_close(shortcut.weight.feedback, beside.d_weight)


def test_shapes_that_differ_are_named():
    layer = lfp.Residual(lfp.Dense(4, 3))
    with pytest.raises(ValueError, match="both branches agree"):
        layer.forward(np.ones((2, 4)))
    with pytest.raises(TypeError, match="Residual: body must be a layer"):
        lfp.Residual(lambda x: x)


@pytest.mark.parametrize("rule", [lfp.rules.ZPlus(), lfp.rules.AlphaBeta(1.0, 0.0)])
@given(n=batches, seed=seeds)
def test_under_z_plus_only_what_a_branch_contributed_above_0_counts(rule, n, seed):
    """u+ / (u+ + v+) of the reward to the one branch, v+ / (u+ + v+) to the other: nothing below 0."""
    layer = lfp.Residual(lfp.Negated(lfp.ReLU()), lfp.LeakyReLU(0.25))
    x, reward = numbers([seed, 7], n, 4), np.abs(numbers([seed, 8], n, 4))
    layer.forward(x)
    handed = layer.feedback(reward, rule)
    u, v = np.maximum(-np.maximum(x, 0), 0), np.maximum(np.where(x > 0, x, x / 4), 0)
    expected = np.where(u + v > 0, reward * (u + v) / (u + v + 1e-6), 0)
    np.testing.assert_allclose(handed, expected, rtol=1e-12)
    assert np.all(handed >= 0)
