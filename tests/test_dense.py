import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.layers import dense
from lfp_ref.rules import Epsilon, Flat, Gamma, Gradient, Group, Rule, Term
from tests import oracle
from tests.common import batches, compare, dtypes, fill, numbers, rules, seeds


class Backwards(Rule):
    """Of a user: sees an input with its sign turned round."""

    groups = (Group((Term(input=np.negative),)),)


@given(batches, st.integers(1, 9), st.integers(1, 9), st.booleans(), dtypes, rules, seeds)
def test_equals_the_oracle(n, inputs, outputs, bias, dtype, rule, seed):
    layer = fill(lfp.Dense(inputs, outputs, bias=bias, dtype=dtype), seed)
    restated = oracle.Dense(*map(oracle.exact, [p.value for p in layer.parameters()]))
    compare(layer, restated, numbers([seed, 9], n, inputs, dtype=dtype), [seed, 10], rule)


@given(batches, st.sampled_from([(256, 1), (257, 2), (259, 3)]), dtypes, rules, seeds)
@settings(max_examples=10)
def test_thin_matrices_equal_the_oracle(n, shape, dtype, rule, seed):
    layer = fill(lfp.Dense(*shape, dtype=dtype), seed)
    assert layer._is_thin()
    restated = oracle.Dense(*map(oracle.exact, [p.value for p in layer.parameters()]))
    compare(layer, restated, numbers([seed, 9], n, shape[0], dtype=dtype), [seed, 10], rule)


@pytest.mark.parametrize("blocks", [1, 2, 3, 7])
@pytest.mark.parametrize("outputs", [1, 2, 5])
@pytest.mark.parametrize("n", [1, dense.TILE - 1, dense.TILE, dense.TILE + 1])
def test_thin_products_are_exact_on_a_grid(n, outputs, blocks):
    w, a, b, s = numbers(0, outputs, 23), numbers(1, 3, 23, n), numbers(2, outputs), numbers(3, 3, outputs, n)
    z, g_w, g_b = np.full((3, outputs, n), np.nan), np.full((3, outputs, 23), np.nan), np.full((3, outputs), np.nan)
    dense.forward_thin(w, a, b, z)
    assert np.array_equal(z, w @ a + b[:, None])  # eighths: exact
    dense.feedback_parameters_thin(s, a, g_w, g_b, blocks)
    assert np.array_equal(g_w, s @ a.transpose(0, 2, 1)) and np.array_equal(g_b, s.sum(axis=2))


@pytest.mark.parametrize("outputs", [3, 40])
@pytest.mark.parametrize("rule", [Epsilon(), Epsilon(learning="oja"), Gradient(), Gamma(0.25), Flat(), Backwards()])
def test_spikes_in_bytes_give_the_same_as_spikes_in_numbers(rule, outputs):
    """A thin matrix reads bytes, another gets numbers; so do a rule's modifiers, which know of no bytes."""
    spikes = np.random.default_rng(0).random((1, 259, 70)) < 0.3
    reward = numbers(1, 1, outputs, 70, dtype=np.float32)
    results = {}
    for dtype in (np.uint8, np.float32):
        layer = fill(lfp.Dense(259, outputs, dtype=np.float32), 2)
        z = layer.propagate(spikes.astype(dtype), False).copy()
        r = layer.hand_back(reward.copy(), {layer: rule}, True)
        results[dtype] = z, r, *(p.feedback for p in layer.parameters())
    for ours, expected in zip(results[np.uint8], results[np.float32], strict=True):
        assert ours.dtype == expected.dtype and np.array_equal(ours, expected)


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
    with pytest.raises(ValueError, match=r"Dense\(4, 3\): expected input of shape \(N, 4\), got \(2, 5\)"):
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


@pytest.mark.parametrize("blocks", [1, 2, 3, 8])
def test_any_number_of_threads_computes_every_row(blocks):
    w, a, b, s = numbers(0, 4, 7), numbers(1, 2, 7, 3), numbers(2, 4), numbers(3, 2, 4, 3)
    z, g, g_w, g_b = (np.full((2, *shape), 99.0) for shape in ((4, 3), (7, 3), (4, 7), (4,)))
    dense.forward(w, a, b, z, blocks)
    dense.feedback_input(w, s, g, blocks)
    dense.feedback_parameters(s, a, g_w, g_b, blocks)
    products = (z, w @ a + b[:, None]), (g, w.T @ s), (g_w, s @ a.transpose(0, 2, 1)), (g_b, s.sum(axis=2))
    for actual, expected in products:
        assert np.array_equal(actual, expected)  # exact on this grid


def test_at_z_0_the_stabiliser_counts_as_positive():
    layer = lfp.Dense(2, 1, bias=False, dtype=np.float64)
    layer.weight.value = [[1.0, -1.0]]
    layer.forward([[1.0, 1.0]])
    assert layer.feedback([[1.0]], lfp.rules.Epsilon(0.25)).tolist() == [[4.0, -4.0]]
    assert layer.weight.feedback.tolist() == [[4.0, 4.0]]  # |w| a s
