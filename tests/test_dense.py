import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.layers import dense
from lfp_ref.rules import Gradient, Group, Rule, Term
from tests import oracle
from tests.common import batches, compare, dtypes, fill, numbers, rules, seeds, threads


class Backwards(Rule):
    """Of a user: sees an input with its sign turned round."""

    def groups(self):
        return (Group((Term(input=np.negative),)),)


@given(batches, st.integers(1, 9), st.integers(1, 9), st.booleans(), dtypes, rules, seeds)
def test_equals_the_oracle(n, inputs, outputs, bias, dtype, rule, seed):
    layer = fill(lfp.Dense(inputs, outputs, bias=bias, dtype=dtype), seed)
    restated = oracle.Dense(*map(oracle.exact, [p.value for p in layer.parameters()]))
    compare(layer, restated, numbers([seed, 9], n, inputs, dtype=dtype), [seed, 10], rule)


@pytest.mark.parametrize("number", [1, 2])
@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 40), st.booleans(), dtypes, seeds)
def test_all_three_sums_are_exact_on_a_grid(number, n, inputs, outputs, bias, dtype, seed):
    """Bit for bit, whatever the shape and the number of threads."""
    layer = fill(lfp.Dense(inputs, outputs, bias=bias, dtype=dtype), seed)
    x, s = numbers([seed, 9], n, inputs, dtype=dtype), numbers([seed, 10], n, outputs, dtype=dtype)
    with threads(number):
        z = layer.forward(x)
        g = layer.feedback(s, Gradient())
    w = layer.weight.value.astype(float)
    assert np.array_equal(z, x.astype(float) @ w.T + (layer.bias.value if bias else 0))
    assert np.array_equal(g, s.astype(float) @ w)
    assert np.array_equal(layer.weight.feedback, s.astype(float).T @ x)
    assert not bias or np.array_equal(layer.bias.feedback, s.sum(axis=0))


def test_large_and_small_values():
    layer = fill(lfp.Dense(4, 3, dtype=np.float64), 0)
    for scale in (2.0**100, 2.0**-100):
        compare(layer, oracle.Dense(*map(oracle.exact, (layer.weight.value, layer.bias.value))),
                numbers(1, 5, 4) * scale, 2, lfp.rules.Epsilon(0.0))  # fmt: skip


def test_initial_values_are_uniform_within_one_over_root_fan_in_and_not_zero():
    layer = lfp.Dense(100, 400, rng=np.random.default_rng(0))
    for parameter in layer.parameters():
        assert np.abs(parameter.value).max() <= 0.1 and np.all(parameter.value != 0)
        # standard deviation of U(-k, k) is k/sqrt(3); its estimate from n >= 400 values is within 5/sqrt(n) of it
        assert abs(parameter.value.std() * np.sqrt(3) / 0.1 - 1) < 5 / np.sqrt(parameter.value.size)


def test_wrong_inputs_are_named():
    layer = lfp.Dense(4, 3)
    with pytest.raises(ValueError, match=r"Dense\(4, 3\): expected input of shape \(N\[, T\], 4\), got \(2, 5\)"):
        layer.forward(np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"Flatten"):
        layer.forward(np.ones((2, 1, 2, 2)))
    for bad in (0, -1, 2.5, True, "3"):
        with pytest.raises(ValueError, match="in_features"):
            lfp.Dense(bad, 3)
    with pytest.raises(TypeError, match="float32 or float64"):
        lfp.Dense(4, 3, dtype=np.int32)
    with pytest.raises(TypeError, match="default_rng"):
        lfp.Dense(4, 3, rng=0)


@pytest.mark.parametrize("tokens", [1, 2, 5, 19])
@pytest.mark.parametrize("blocks", [1, 2, 3, 8])
def test_any_number_of_threads_computes_every_row(blocks, tokens):
    w, a, b, s = numbers(0, 4, 7), numbers(1, tokens, 7, 3), numbers(2, 4), numbers(3, tokens, 4, 3)
    z, g, g_w, g_b = (np.full(shape, 99.0) for shape in ((tokens, 4, 3), (tokens, 7, 3), (4, 7), (4,)))
    dense.forward(w, a, b, z, blocks)
    dense.backward_input(w, s, g, blocks)
    dense.backward_parameters(s, a, g_w, g_b, blocks)
    expected_w = np.einsum("ton,tin->oi", s, a)
    for actual, expected in ((z, w @ a + b[:, None]), (g, w.T @ s), (g_w, expected_w), (g_b, s.sum(axis=(0, 2)))):
        assert np.array_equal(actual, expected)  # exact on this grid


def test_a_rule_of_ones_own_sees_a_modified_input():
    layer = fill(lfp.Dense(5, 3, dtype=np.float64), 0)
    x, reward = numbers(1, 4, 5), numbers(2, 4, 3)
    layer.forward(x)
    handed = layer.feedback(reward, Backwards())
    s = reward / oracle_stabilised(-x @ layer.weight.value.T + layer.bias.value)
    np.testing.assert_allclose(handed, -x * (s @ layer.weight.value), rtol=1e-12)
    np.testing.assert_allclose(layer.weight.feedback, np.abs(layer.weight.value) * (s.T @ -x), rtol=1e-12)


def oracle_stabilised(z):
    return z + 1e-6 * np.where(z >= 0, 1, -1)


def test_at_z_0_the_stabiliser_counts_as_positive():
    layer = lfp.Dense(2, 1, bias=False, dtype=np.float64)
    layer.weight.value = [[1.0, -1.0]]
    layer.forward([[1.0, 1.0]])
    assert layer.feedback([[1.0]], lfp.rules.Epsilon(0.25)).tolist() == [[4.0, -4.0]]
    assert layer.weight.feedback.tolist() == [[4.0, 4.0]]  # |w| a s
