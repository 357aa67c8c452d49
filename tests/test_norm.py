from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from tests import oracle
from tests.common import assert_close, batches, compare, dtypes, fill, numbers, rules, seeds


@given(batches, dtypes, rules, seeds)
def test_outside_training_equals_the_oracle(n, dtype, rule, seed):
    layer = fill(lfp.BatchNorm(3, eps=1.0, dtype=dtype), seed)
    layer.running_mean[...] = numbers([seed, 5], 3)
    layer.running_var[...] = [0, 3, 15]  # with eps 1, one over the root is exact
    restated = oracle.Affine(
        *map(oracle.exact, (layer.weight.value, layer.bias.value, layer.running_mean, [1, 0.5, 0.25]))
    )
    compare(layer, restated, numbers([seed, 6], n, 3, 2, 2, dtype=dtype), [seed, 7], rule)


# channels whose variance plus 1 is the square of a fraction: 0 + 1, (3/4)^2 + 1, (15/8)^2 + 1
SPREAD, SCALE = (0, 0.25, 0.625), (Fraction(1), Fraction(4, 5), Fraction(8, 17))
PATTERN = np.array([5, -1, -1, -3])  # of mean 0 and variance 9


@given(st.integers(1, 6), dtypes, rules, seeds)
def test_in_training_equals_the_oracle(n, dtype, rule, seed):
    """Statistics are the batch's, and reward goes through them."""
    layer = fill(lfp.BatchNorm(3, eps=1.0, dtype=dtype), seed)
    layer.bias.value = np.array([1, -1, 1]) * (3.25 + np.abs(layer.bias.value))  # no output near 0
    mean, rng = numbers([seed, 5], 3), np.random.default_rng([seed, 6])
    x = np.stack([m + spread * rng.permutation(np.tile(PATTERN, n)) for m, spread in zip(mean, SPREAD, strict=True)])
    x = x.reshape(3, n, 2, 2).swapaxes(0, 1).astype(dtype)
    weight, bias = (oracle.exact(p.value) for p in (layer.weight, layer.bias))
    restated = oracle.Affine(weight, bias, oracle.exact(mean), np.array(SCALE, object), of_batch=True)
    compare(layer, restated, x, [seed, 7], rule, training=True)
    if not rule.is_gradient:
        (line,) = lfp.balance(layer).lines
        largest = max(float(max(map(abs, amounts))) for amounts in restated.kept.values())
        for cause, amounts in restated.kept.items():
            assert_close(line.kept.get(cause, np.zeros(n)).astype(dtype), amounts, cause, largest)


def test_training_normalises_and_tracks():
    layer = lfp.BatchNorm(2, dtype=np.float64)
    layer.bias.value[...] = 0
    x = np.random.default_rng(0).normal(5, 3, (50, 2))
    out = layer.forward(x, training=True)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(out.var(axis=0), x.var(axis=0) / (x.var(axis=0) + 1e-5), rtol=1e-12)
    np.testing.assert_allclose(layer.running_mean, 0.1 * x.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(layer.running_var, 0.9 + 0.1 * x.var(axis=0, ddof=1), rtol=1e-14)


def test_gradient_in_training_goes_through_the_statistics():
    layer = lfp.BatchNorm(2, dtype=np.float64)
    x, direction = np.random.default_rng(0).normal(size=(6, 2)), np.random.default_rng(1).normal(size=(6, 2))
    layer.forward(x, training=True)
    gradient = layer.feedback(direction, lfp.rules.Gradient())
    for index in np.ndindex(x.shape):
        h = np.zeros_like(x)
        h[index] = 1e-5
        up, down = ((layer.forward(x + s * h, training=True) * direction).sum() for s in (1, -1))
        assert abs((up - down) / 2e-5 - gradient[index]) < 1e-8


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match=r"\(N, 3\[, H, W\]\), got \(2, 4\)"):
        lfp.BatchNorm(3).forward(np.ones((2, 4)))
    with pytest.raises(ValueError, match="more than one value per channel"):
        lfp.BatchNorm(3).forward(np.ones((1, 3)), training=True)
    with pytest.raises(ValueError, match="eps must be a finite number > 0"):
        lfp.BatchNorm(3, eps=0)


def test_outside_of_training_the_statistics_are_constants_and_in_training_the_reward_goes_through_them():
    layer = lfp.BatchNorm(2, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(6, 2))
    k = layer.weight.value / np.sqrt(1 + 1e-5)  # running statistics: mean 0, variance 1
    z = layer.forward(x)
    s = 1 / (z + 1e-6 * np.where(z >= 0, 1, -1))
    np.testing.assert_allclose(layer.feedback(np.ones((6, 2))), k * x * s, rtol=1e-9)
    z = layer.forward(x, training=True)
    sd = np.sqrt(x.var(axis=0) + 1e-5)
    normal, s = (x - x.mean(axis=0)) / sd, 1 / (z + 1e-6 * np.where(z >= 0, 1, -1))
    through = s.mean(axis=0) + normal * (normal * s).mean(axis=0)
    np.testing.assert_allclose(layer.feedback(np.ones((6, 2))), x * layer.weight.value / sd * (s - through), rtol=1e-9)
    np.testing.assert_allclose(layer.weight.feedback, np.abs(layer.weight.value) * (normal * s).sum(axis=0), rtol=1e-9)


def test_in_training_lfp_0_is_the_absolute_weight_times_the_gradient():
    """Also through the statistics: r = z dJ/dz hands back a dJ/da, and parameters get |w| dJ/dw."""
    layer = lfp.BatchNorm(3, dtype=np.float64)
    x, slope = (np.random.default_rng(i).normal(size=(5, 3, 2, 2)) for i in range(2))
    tape = layer.record(x, training=True)
    gradient = tape.feedback(slope, Gradient())
    expected = [np.abs(p.value) * p.feedback for p in layer.parameters()]
    handed = tape.feedback(tape.outputs * slope, Epsilon(0.0))
    np.testing.assert_allclose(handed, x * gradient, rtol=1e-9, atol=1e-12)
    for parameter, d in zip(layer.parameters(), expected, strict=True):
        np.testing.assert_allclose(parameter.feedback, d, rtol=1e-9)


@pytest.mark.parametrize("rule", [lfp.rules.ZPlus(), Epsilon(learning="oja")])
def test_a_rule_without_a_form_here_is_refused(rule):
    layer = lfp.BatchNorm(2)
    layer.forward(np.ones((3, 2)))
    with pytest.raises(ValueError, match="BatchNorm shares by Epsilon"):
        layer.feedback(np.ones((3, 2)), rule)


def test_images_are_normalised_over_all_positions():
    layer = lfp.BatchNorm(2, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(3, 2, 4, 5))
    layer.forward(x, training=True)
    np.testing.assert_allclose(layer.running_var, 0.9 + 0.1 * x.var(axis=(0, 2, 3), ddof=1), rtol=1e-13)
    lfp.BatchNorm(2).forward(x[:1], training=True)  # one sample, but 20 values


def test_a_variance_below_0_is_refused():
    layer = lfp.BatchNorm(2)
    with pytest.raises(ValueError, match="running_var: a variance below 0"):
        layer.load_state_dict({**layer.state_dict(), "running_var": [1, -1]})
