"""Networks in a line of text: the layers that it says, and every mistake named."""

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import names


def test_a_line_is_the_network_that_one_would_write():
    line = "8c3-p2-6c3+1/2-a2-d0.25-20-10"
    net = names.network(line)((2, 28, 20), 10, lfp.Tanh, 0.5, rng=np.random.default_rng(3), dtype=np.float64)
    kind = {"rng": np.random.default_rng(3), "dtype": np.float64}
    written = lfp.Sequential(
        lfp.Dropout(0.5), lfp.Conv2d(2, 8, 3, **kind), lfp.Tanh(), lfp.MaxPool2d(2),
        lfp.Conv2d(8, 6, 3, stride=2, padding=1, **kind), lfp.Tanh(), lfp.AvgPool2d(2), lfp.Dropout(0.25),
        lfp.Flatten(), lfp.Dense(6 * 3 * 2, 20, **kind), lfp.Tanh(), lfp.Dense(20, 10, **kind),
    )  # fmt: skip
    assert repr(net) == repr(written) and net.input_shape == (2, 28, 20)
    x = np.random.default_rng(0).normal(size=(3, 2, 28, 20))
    assert np.array_equal(net.forward(x), written.forward(x))


def test_the_named_networks_are_lines():
    for name, line in (
        ("mlp", "120-84-10"), ("lenet", "16c5-p2-16c5-p2-120-84-10"), ("small-cnn", "16c3+1-p2-32c3+1-p2-10"),
        ("spiking-mlp", "spiking-1000-10"), ("spiking-cnn", "spiking-12c5-p2-64c5-p2-10"),
    ):  # fmt: skip
        one, other = (names.network(each)((1, 28, 28), 10, rng=np.random.default_rng(0)) for each in (name, line))
        assert repr(one) == repr(other) and names.is_spiking(line) == (name in names.SPIKING_NETWORKS)
        assert all(np.array_equal(one.state_dict()[key], array) for key, array in other.state_dict().items())


@pytest.mark.parametrize("line,says", [
    ("conv", "unknown network 'conv'; known: mlp, "),
    ("", "unknown network ''"),
    ("spiking-best", "unknown network 'spiking-best'"),
    ("3x-10", "'3x' in '3x-10' is not a layer: 32c3, "),
    ("32c-10", "'32c' in"), ("0c3-10", "'0c3' in"), ("32c3+-10", r"'32c3\+' in"), ("p0-10", "'p0' in"),
    ("120--10", "'' in"), ("d1-10", "'d1' in"), ("120-10-", "'' in"), ("32C3-10", "'32C3' in"),
])  # fmt: skip
def test_a_line_that_is_none(line, says):
    with pytest.raises(ValueError, match=says):
        names.network(line)


def test_a_line_that_does_not_fit_the_data():
    for line, shape, says in (
        ("120-9", (5,), "the last part of '120-9' is the number of outputs, here 10, got '9'"),
        ("120-p2", (1, 8, 8), "is the number of outputs, here 10, got 'p2'"),
        ("120-p2-10", (1, 8, 8), "'120-p2-10': convolutions and pools come before dense layers"),
        ("32c3-10", (5,), r"samples \(C, H, W\) of at least 3 x 3, got \(5,\)"),
        ("32c3-p2-64c3-p2-120-10", (1, 8, 8), r"of at least 10 x 10, got \(1, 8, 8\)"),
        ("spiking-32c3-p2-10", (1, 3, 9), r"of at least 4 x 4, got \(1, 3, 9\)"),
    ):
        with pytest.raises(ValueError, match=says):
            names.network(line)(shape, 10)


@pytest.mark.parametrize("line", ["3c5-p2-4c3-p3-5", "3c3+1/2-a2-4c3+2-p2-5", "2c7+3/2-3c1+1/3-5", "2c2+2-5"])
def test_the_least_size_is_the_least(line):
    """One pixel less, and a layer would see less than it needs."""
    sizes = []
    for size in range(1, 40):
        try:
            net = names.network(line)((1, size, 40), 5)
        except ValueError:
            assert not sizes, "larger images fit too"
            continue
        sizes.append(size)
        assert net.forward(np.zeros((1, 1, size, 40))).shape == (1, 5)
    parts = lfp.models.parse(line)
    left = [sizes[0] - 1]
    for part in parts[:-1]:
        left.append(part.size(left[-1]))
    assert min(left) < 1
