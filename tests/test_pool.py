import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.layers import pool
from tests import oracle
from tests.common import batches, compare, dtypes, numbers, rules, seeds

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))


@pytest.mark.parametrize("kind", ["Max", "Avg"])
@given(
    n=batches, channels=st.integers(1, 3), size=sizes, kernel=pairs, stride=pairs, dtype=dtypes, rule=rules, seed=seeds
)
def test_equals_the_oracle(kind, n, channels, size, kernel, stride, dtype, rule, seed):
    assume(kernel[0] <= size[0] and kernel[1] <= size[1])
    layer = getattr(lfp, f"{kind}Pool2d")(kernel, stride)
    restated = getattr(oracle, f"{kind}Pool")(kernel, stride)
    compare(layer, restated, numbers([seed, 1], n, channels, *size, dtype=dtype), [seed, 2], rule)


@given(batches, sizes, dtypes, rules, seeds)
def test_global_average_equals_the_oracle(n, size, dtype, rule, seed):
    x = numbers([seed, 1], n, 2, *size, dtype=dtype)
    compare(lfp.GlobalAvgPool2d(), oracle.AvgPool(size, size), x, [seed, 2], rule)


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
            pool.max_forward(x.reshape(1, size, size, 1), (size, size), (size, size), z, winner)
            assert np.isnan(z).all() and winner.item() == tap
    with pytest.raises(ValueError, match="at least 3 x 3"):
        lfp.MaxPool2d(3).forward(np.ones((1, 2, 5, 2)))
