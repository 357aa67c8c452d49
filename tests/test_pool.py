import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.kernels.axis_windows import sliding_windows
from lfp_ref.layers import average, pool
from tests import oracle
from tests.common import batches, compare, dtypes, numbers, rules, seeds, threads

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))


@pytest.mark.parametrize("kind", ["Max", "Avg"])
@given(
    n=batches, channels=st.integers(1, 3), size=sizes, kernel=pairs, stride=pairs, dtype=dtypes, rule=rules, seed=seeds,
    padding=st.tuples(st.integers(0, 1), st.integers(0, 1)), ceil_mode=st.booleans(),
)  # fmt: skip
def test_equals_the_oracle(kind, n, channels, size, kernel, stride, dtype, rule, seed, padding, ceil_mode):
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    assume(all(k <= s + 2 * p for k, s, p in zip(kernel, size, padding, strict=True)))
    options = {"padding": padding, "ceil_mode": ceil_mode}
    layer = getattr(lfp, f"{kind}Pool2d")(kernel, stride, **options)
    restated = getattr(oracle, f"{kind}Pool")(kernel, stride, **options)
    compare(layer, restated, numbers([seed, 1], n, channels, *size, dtype=dtype), [seed, 2], rule)


@given(batches, sizes, sizes, dtypes, rules, seeds)
def test_adaptive_average_equals_the_oracle(n, size, outputs, dtype, rule, seed):
    x = numbers([seed, 1], n, 2, *size, dtype=dtype)
    compare(lfp.AdaptiveAvgPool2d(outputs), oracle.AdaptiveAvgPool(outputs), x, [seed, 2], rule)


@given(batches, sizes, dtypes, rules, seeds)
def test_global_average_equals_the_oracle(n, size, dtype, rule, seed):
    x = numbers([seed, 1], n, 2, *size, dtype=dtype)
    compare(lfp.GlobalAvgPool2d(), oracle.AvgPool(size, size), x, [seed, 2], rule)


@pytest.mark.parametrize("number", [1, 2])
@given(
    n=st.sampled_from([1, 3, 8, 17, 33]), channels=st.integers(1, 4), kernel=pairs, stride=pairs,
    beyond=st.tuples(st.integers(0, 4), st.integers(0, 4)), dtype=dtypes, seed=seeds,
)  # fmt: skip
def test_kernels_are_exact_on_a_grid(number, n, channels, kernel, stride, beyond, dtype, seed):
    """Bit for bit: windows that overlap, touch or leave something out; every number of the results is written."""
    a = numbers([seed, 1], channels, kernel[0] + beyond[0], kernel[1] + beyond[1], n, dtype=dtype)
    windows = np.lib.stride_tricks.sliding_window_view(a, kernel, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    windows = windows.reshape(*windows.shape[:4], -1)
    s, quarter = numbers([seed, 2], *windows.shape[:4], dtype=dtype), np.full(windows.shape[1:3], 0.25, dtype)
    tables = [sliding_windows(a.shape[1 + i], kernel[i], stride[i], 0, False).inside for i in (0, 1)]
    maxima, sums, r, g = (np.full(x.shape, np.nan, dtype) for x in (s, s, a, a))
    winner = np.full(s.shape, 255, np.uint8)
    with threads(number):
        pool.max_forward(a, *tables, maxima, winner)
        pool.max_backward(s, winner, *tables, r)
        average.sum_forward(a, *tables, quarter, sums)
        average.sum_backward(s, *tables, quarter, g)
    assert np.array_equal(maxima, windows.max(axis=-1)) and np.array_equal(winner, windows.argmax(axis=-1))
    assert np.array_equal(sums, windows.sum(axis=-1) / 4)
    expected_r, expected_g = np.zeros(a.shape), np.zeros(a.shape)
    for c, y, x, k in np.ndindex(s.shape):
        i, j = divmod(windows[c, y, x, k].argmax(), kernel[1])
        expected_r[c, y * stride[0] + i, x * stride[1] + j, k] += s[c, y, x, k]
        top, left = y * stride[0], x * stride[1]
        expected_g[c, top : top + kernel[0], left : left + kernel[1], k] += s[c, y, x, k] / 4
    assert np.array_equal(r, expected_r) and np.array_equal(g, expected_g)


def test_first_maximum_in_row_major_order_wins_a_tie():
    layer = lfp.MaxPool2d(2)
    layer.forward(np.array([[[[1.0, 3, 5, 5], [3, 3, 5, 5]]]]))
    assert np.array_equal(layer.feedback(np.array([[[[7.0, 9]]]])), [[[[0, 7, 9, 0], [0, 0, 0, 0]]]])


def test_uncovered_rows_get_no_reward():
    layer = lfp.MaxPool2d(2)
    layer.forward(np.ones((1, 1, 3, 5)))
    handed = layer.feedback(np.ones((1, 1, 1, 2)))
    assert handed[0, 0, 2].sum() == handed[0, 0, :, 4].sum() == 0 and handed.sum() == 2


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match=r"at least 3 x 3, got \(1, 2, 2, 5\)"):
        lfp.MaxPool2d(3).forward(np.ones((1, 2, 2, 5)))
    with pytest.raises(ValueError, match=r"expected input of shape \(N, C, H, W\), got \(2, 5\)"):
        lfp.GlobalAvgPool2d().forward(np.ones((2, 5)))
    with pytest.raises(ValueError, match="kernel_size"):
        lfp.AvgPool2d(0)
    with pytest.raises(ValueError, match=r"at most half of kernel_size, \(3, 3\), got 2"):
        lfp.MaxPool2d(3, padding=2)
    with pytest.raises(ValueError, match=r"at least 1 x 1, got \(1, 1, 0, 2\)|nothing empty"):
        lfp.MaxPool2d(2, padding=1).forward(np.ones((1, 1, 0, 2)))
    with pytest.raises(ValueError, match="output_size"):
        lfp.AdaptiveAvgPool2d((2, 0))


def test_padding_never_wins_and_a_window_behind_the_image_is_left_out():
    x = -np.ones((1, 1, 3, 3))
    assert np.array_equal(lfp.MaxPool2d(2, padding=1).forward(x), -np.ones((1, 1, 2, 2)))
    assert lfp.MaxPool2d(1, 3, ceil_mode=True).forward(np.ones((1, 1, 3, 4))).shape == (1, 1, 1, 2)
    layer = lfp.AvgPool2d(2, 2, 1, ceil_mode=True, count_include_pad=False)
    assert np.array_equal(layer.forward(x), -np.ones((1, 1, 2, 2)))
    assert np.array_equal(lfp.AvgPool2d(2, 2, 1).forward(x)[0, 0], [[-0.25, -0.5], [-0.5, -1]])


def test_windows_of_any_size_and_nan_that_is_seen():
    x = np.zeros((1, 1, 20, 20))
    x[..., 19, 19] = 1
    layer = lfp.MaxPool2d(20)
    layer.forward(x)
    assert np.array_equal(layer.feedback(np.ones((1, 1, 1, 1))), x)
    for size in (2, 3):
        for tap in range(size * size):
            x, z, winner = np.arange(1.0 * size * size), np.zeros((1, 1, 1, 1)), np.zeros((1, 1, 1, 1), np.uint8)
            x[tap] = np.nan
            whole = np.array([[0, size]])
            pool.max_forward(x.reshape(1, size, size, 1), whole, whole, z, winner)
            assert np.isnan(z).all() and winner.item() == tap
    with pytest.raises(ValueError, match="at least 3 x 3"):
        lfp.MaxPool2d(3).forward(np.ones((1, 2, 5, 2)))
