import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.layers import conv
from tests import oracle
from tests.common import batches, compare, dtypes, fill, numbers, rules, seeds

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(
    batches, st.integers(1, 3), st.integers(1, 3), st.tuples(st.integers(1, 6), st.integers(1, 6)), pairs, pairs,
    st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(1, 2), st.integers(1, 2)), st.booleans(),
    dtypes, rules, seeds,
)  # fmt: skip
def test_equals_the_oracle(n, channels, outputs, size, kernel, stride, padding, dilation, bias, dtype, rule, seed):
    assume(all(size[i] + 2 * padding[i] >= dilation[i] * (kernel[i] - 1) + 1 for i in (0, 1)))
    layer = lfp.Conv2d(channels, outputs, kernel, stride, padding, dilation, bias=bias, dtype=dtype)
    fill(layer, seed)
    restated = oracle.Conv(oracle.exact(layer.weight.value), bias and oracle.exact(layer.bias.value),
                           stride, padding, dilation)  # fmt: skip
    restated.bias = restated.bias if bias else None
    compare(layer, restated, numbers([seed, 9], n, channels, *size, dtype=dtype), [seed, 10], rule)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("taps", [1, 7, 8, 9, 16, 17])
def test_number_of_taps_around_the_eight_of_a_pass(taps, dtype):
    layer = fill(lfp.Conv2d(taps, 2, 1, dtype=dtype), 0)
    restated = oracle.Conv(oracle.exact(layer.weight.value), oracle.exact(layer.bias.value))
    compare(layer, restated, numbers(1, 3, taps, 2, 2, dtype=dtype), 2, lfp.rules.Epsilon())


@pytest.mark.parametrize("stride, dilation", [((1, 1), (1, 1)), ((1, 1), (2, 2)), ((2, 2), (1, 1)), ((1, 3), (1, 2))])
@pytest.mark.parametrize("n", [conv.PIECE // 4 - 1, conv.PIECE // 4, conv.PIECE // 2 + 1, conv.PIECE, conv.PIECE + 3])
def test_rows_longer_than_a_piece_are_exact_on_a_grid(n, stride, dilation):
    a, w, b = numbers(0, 1, 2, 5, 7, n), numbers(1, 3, 2, 2, 3), numbers(2, 3)
    rows, columns = (((5, 7)[i] - dilation[i] * (1, 2)[i] - 1) // stride[i] + 1 for i in (0, 1))
    s, z, g = numbers(3, 1, 3, rows, columns, n), np.full((1, 3, rows, columns, n), np.nan), np.full(a.shape, np.nan)
    g_w, g_b = np.full((1, *w.shape), np.nan), np.full((1, 3), np.nan)
    conv.forward(a, w, b, stride, dilation, z)
    conv.feedback_input(np.ascontiguousarray(w.transpose(1, 2, 3, 0)), s, stride, dilation, g)
    conv.feedback_parameters(s, a, stride, dilation, g_w, g_b)
    expected_z, expected_g = np.zeros(z.shape) + b[:, None, None, None], np.zeros(g.shape)
    for i, j in np.ndindex(2, 3):
        y, x = i * dilation[0], j * dilation[1]
        seen = np.s_[
            :, :, y : y + stride[0] * (rows - 1) + 1 : stride[0], x : x + stride[1] * (columns - 1) + 1 : stride[1]
        ]
        expected_z += np.einsum("oc,pchwn->pohwn", w[:, :, i, j], a[seen])
        expected_g[seen] += np.einsum("oc,pohwn->pchwn", w[:, :, i, j], s)
        assert np.array_equal(g_w[0, :, :, i, j], np.einsum("pohwn,pchwn->oc", s, a[seen]))
    assert np.array_equal(z, expected_z) and np.array_equal(g, expected_g)
    assert np.array_equal(g_b, s.sum(axis=(2, 3, 4)))


def test_a_kernel_as_large_as_the_image_is_a_dense_layer():
    layer, dense = fill(lfp.Conv2d(2, 5, (3, 4)), 0), lfp.Dense(24, 5)
    dense.load_state_dict({"weight": layer.weight.value.reshape(5, 24), "bias": layer.bias.value})
    x, reward = numbers(1, 6, 2, 3, 4, dtype=np.float32), numbers(2, 6, 5, dtype=np.float32)
    assert np.array_equal(layer.forward(x).reshape(6, 5), dense.forward(x.reshape(6, 24)))
    r_conv, r_dense = layer.feedback(reward.reshape(6, 5, 1, 1)), dense.feedback(reward)
    # float32: 24 products of size up to 2 * 2 / 1e-6, each rounded to 2**-24
    np.testing.assert_allclose(r_conv.reshape(6, 24), r_dense, rtol=1e-5, atol=1e-5 * np.abs(r_dense).max())
    np.testing.assert_allclose(layer.weight.feedback.reshape(5, 24), dense.weight.feedback,
                               rtol=1e-5, atol=1e-5 * np.abs(dense.weight.feedback).max())  # fmt: skip


def test_wrong_inputs_are_named():
    layer = lfp.Conv2d(3, 4, 5, dilation=2)
    with pytest.raises(ValueError, match=r"expected input of shape \(N, 3, H, W\), got \(2, 1, 9, 9\)"):
        layer.forward(np.ones((2, 1, 9, 9)))
    with pytest.raises(ValueError, match="at least 9 x 9, got"):
        layer.forward(np.ones((2, 3, 8, 9)))
    for name, bad in (("kernel_size", 0), ("stride", (1, 0)), ("padding", -1), ("dilation", (1, 2, 3))):
        with pytest.raises(ValueError, match=name):
            lfp.Conv2d(**{"in_channels": 3, "out_channels": 4, "kernel_size": 5, name: bad})


def test_initial_values_are_uniform_within_one_over_root_fan_in():
    layer, k = lfp.Conv2d(20, 50, (2, 9), rng=np.random.default_rng(0)), 1 / np.sqrt(20 * 2 * 9)
    for parameter in layer.parameters():
        assert np.abs(parameter.value).max() <= k and np.all(parameter.value != 0)
        assert abs(parameter.value.std() * np.sqrt(3) / k - 1) < 5 / np.sqrt(parameter.value.size)
