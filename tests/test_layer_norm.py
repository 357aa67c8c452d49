from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.rules import AttnLRP, Epsilon, Gradient, ZPlus
from lfp_ref.testing import check_layer
from tests import oracle
from tests.common import assert_close, batches, compare, dtypes, fill, numbers, seeds

KIND = {"dtype": np.float64}
ALL_RULES = [Gradient(), Epsilon(0.0), Epsilon(), Epsilon(0.25), AttnLRP(0.0), AttnLRP(), AttnLRP(0.25)]
rules = st.sampled_from(ALL_RULES)
PATTERN = np.array([5, -1, -1, -3])  # of mean 0 and variance 9
SPREADS = np.array([0, 0.25, 0.625])  # with eps = 1, the root of the variance is a fraction


def root(var):
    """Of a variance plus 1, which is the square of a fraction."""
    var = var + 1
    found = Fraction(isqrt(var.numerator), isqrt(var.denominator))
    assert found * found == var
    return found


def rows(seed, count):
    """Rows of four numbers, in any order, whose variance has such a root: (count, 4)."""
    rng = np.random.default_rng(seed)
    shuffled = np.stack([rng.permutation(PATTERN) for _ in range(count)])
    return numbers([seed, 1], count, 1) + rng.choice(SPREADS, (count, 1)) * shuffled


def away_from_0(layer):
    """With biases so large that no output is 0, which is exact in fractions and not in floats; returns the layer."""
    layer.bias.value = np.where(np.arange(layer.bias.value.size) % 2, -1, 1) * (3.25 + np.abs(layer.bias.value))
    return layer


def check_kept(layer, restated, dtype, term):
    """The balance sheet's causes are the oracle's."""
    sheet = lfp.balance(layer)
    for cause, amounts in restated.kept.items():
        assert_close(np.asarray(sheet.kept(cause), dtype), amounts, cause, term)


@pytest.mark.parametrize("tokens", [0, 1, 3])
@given(n=batches, dtype=dtypes, rule=rules, seed=seeds)
def test_layer_normalisation_equals_the_oracle(tokens, n, dtype, rule, seed):
    """Also of samples without tokens."""
    layer = away_from_0(fill(lfp.LayerNorm(4, eps=1.0, dtype=dtype), seed))
    weight, bias = (oracle.exact(p.value) for p in (layer.weight, layer.bias))
    restated = oracle.SampleNorm(weight, bias, oracle.of_token, root, rule.constant_scale)
    x = rows([seed, 3], n * max(1, tokens)).reshape((n, tokens, 4) if tokens else (n, 4)).astype(dtype)
    compare(layer, restated, x, [seed, 7], rule)
    if not rule.is_gradient:
        check_kept(layer, restated, dtype, 8 * float(restated.largest_s))


@pytest.mark.parametrize(("groups", "channels", "pixels"), [(1, 2, (2,)), (2, 4, (1, 2)), (3, 3, (2, 2)), (2, 8, ())])
@given(n=batches, dtype=dtypes, rule=rules, seed=seeds)
def test_group_normalisation_equals_the_oracle(groups, channels, pixels, n, dtype, rule, seed):
    """One group, several, one a channel (instance normalisation), and samples without pixels."""
    layer = away_from_0(fill(lfp.GroupNorm(groups, channels, eps=1.0, dtype=dtype), seed))
    weight, bias = (oracle.exact(p.value) for p in (layer.weight, layer.bias))
    restated = oracle.SampleNorm(weight, bias, oracle.of_group(channels // groups), root, rule.constant_scale)
    x = rows([seed, 3], n * groups).reshape(n, channels, *pixels).astype(dtype)
    compare(layer, restated, x, [seed, 7], rule)
    if not rule.is_gradient:
        check_kept(layer, restated, dtype, 8 * float(restated.largest_s))


@pytest.mark.parametrize("rule", ALL_RULES[1:])
def test_both_are_right(rule):
    rng = np.random.default_rng(0)
    check_layer(lfp.LayerNorm(6, rng=rng, **KIND), rng.uniform(-1, 1, (3, 4, 6)), rule)
    check_layer(lfp.LayerNorm(6, rng=rng, **KIND), rng.uniform(-1, 1, (3, 6)), rule)
    check_layer(lfp.GroupNorm(2, 4, rng=rng, **KIND), rng.uniform(-1, 1, (3, 4, 2, 3)), rule)


def test_through_the_statistics_next_to_nothing_is_left_and_with_a_constant_scale_all_but_the_bias():
    """sum r_a = eps scale^2 sum x t, and sum r_a = sum x t."""
    layer, rng = lfp.LayerNorm(5, rng=np.random.default_rng(1), **KIND), np.random.default_rng(0)
    x, reward = rng.normal(size=(4, 3, 5)), rng.normal(size=(4, 3, 5))
    y = layer.forward(x)
    scale = 1 / np.sqrt(x.var(axis=-1) + 1e-5)
    xt = ((x - x.mean(axis=-1, keepdims=True)) * scale[..., None] * reward / y).sum(axis=-1)
    handed = layer.feedback(reward, Epsilon(0.0)).sum(axis=-1)
    np.testing.assert_allclose(handed, 1e-5 * scale**2 * xt, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(layer.feedback(reward, AttnLRP(0.0)).sum(axis=-1), xt, rtol=1e-10)


def test_lfp_0_is_the_absolute_weight_times_the_gradient():
    layer, rng = fill(lfp.GroupNorm(2, 4, **KIND), 3), np.random.default_rng(0)
    x, slope = rng.normal(size=(3, 4, 2, 2)), rng.normal(size=(3, 4, 2, 2))
    tape = layer.record(x)
    gradient = tape.feedback(slope, Gradient())
    expected = [np.abs(p.value) * p.feedback for p in layer.parameters()]
    np.testing.assert_allclose(tape.feedback(tape.outputs * slope, Epsilon(0.0)), x * gradient, rtol=1e-9, atol=1e-12)
    for parameter, d in zip(layer.parameters(), expected, strict=True):
        np.testing.assert_allclose(parameter.feedback, d, rtol=1e-9, atol=1e-12)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"\(N\[, T\], 3\), got \(2, 4\)"):
        lfp.LayerNorm(3).forward(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"\(N, 4, ...\), got \(2, 3, 2\)"):
        lfp.GroupNorm(2, 4).forward(np.ones((2, 3, 2)))
    with pytest.raises(ValueError, match="groups must divide channels, 4, got 3"):
        lfp.GroupNorm(3, 4)
    with pytest.raises(ValueError, match="LayerNorm: eps must be a finite number > 0 and <= 1, got 0"):
        lfp.LayerNorm(3, eps=0)
    layer = lfp.LayerNorm(3)
    layer.forward(np.ones((2, 3)))
    with pytest.raises(ValueError, match="a LayerNorm shares by Epsilon"):
        layer.feedback(np.ones((2, 3)), ZPlus())
