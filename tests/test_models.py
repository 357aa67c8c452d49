import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import models


@pytest.mark.parametrize("name,shape,parameters", [
    ("mlp", (1, 8, 8), 64 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10),
    ("lenet", (1, 28, 28), 25 * 16 + 16 + 16 * 25 * 16 + 16 + 256 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10),
    ("small-cnn", (1, 8, 8), 9 * 16 + 16 + 16 * 9 * 32 + 32 + 32 * 4 * 10 + 10),
])  # fmt: skip
def test_sizes(name, shape, parameters):
    net = models.NAMES[name](shape, 10, rng=np.random.default_rng(0))
    assert sum(p.value.size for p in net.parameters()) == parameters
    assert net.forward(np.zeros((2, *shape))).shape == (2, 10)


def test_seed_dtype_and_activation_reach_every_layer():
    for name in models.NAMES:
        make = () if name in models.SPIKING else (models.activation("negated-leaky-relu"),)
        one, same = (
            models.NAMES[name]((1, 16, 16), 3, *make, dtype=np.float64, rng=np.random.default_rng(7)) for _ in "ab"
        )
        assert one.dtype == np.float64
        assert all(
            np.array_equal(a, b) for a, b in zip(one.state_dict().values(), same.state_dict().values(), strict=True)
        )
        found = {type(layer) for layer in one if isinstance(layer, lfp.ReLU | lfp.Negated)}
        assert found == ({lfp.Negated} if make else set())


def test_every_activation_has_a_name():
    for name in models.ACTIVATIONS:
        for prefix in ("", "negated-", "reflected-"):
            assert models.activation(prefix + name)().forward(np.ones((1, 2))).shape == (1, 2)
    with pytest.raises(ValueError, match="unknown activation 'relo'; known: relu, leaky-relu"):
        models.activation("relo")


def test_images_too_small_are_named():
    with pytest.raises(ValueError, match=r"at least 16 x 16, got \(1, 8, 8\)"):
        models.lenet((1, 8, 8), 10)


def test_names_mean_what_they_say():
    for name, size in (("lenet", (1, 16, 28)), ("small-cnn", (1, 8, 12))):  # height is not width
        assert models.NAMES[name](size, 3).forward(np.ones((2, *size))).shape == (2, 3)
    assert type(models.activation("reflected-relu")()) is lfp.Reflected
    for name in models.ACTIVATIONS:
        assert type(models.activation(name)()).__name__.lower() == name.replace("-", "")
    for name, count in (("mlp", 2), ("lenet", 4), ("small-cnn", 2)):
        assert sum(isinstance(layer, lfp.ReLU) for layer in models.NAMES[name]((1, 16, 16), 3)) == count
