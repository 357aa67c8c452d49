import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import models, names


@pytest.mark.parametrize("name,shape,parameters", [
    ("mlp", (1, 8, 8), 64 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10),
    ("lenet", (1, 28, 28), 25 * 16 + 16 + 16 * 25 * 16 + 16 + 256 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10),
    ("small-cnn", (1, 8, 8), 9 * 16 + 16 + 16 * 9 * 32 + 32 + 32 * 4 * 10 + 10),
    ("spiking-mlp", (1, 8, 8), 64 * 1000 + 1000 + 1000 * 10 + 10),
    ("spiking-cnn", (1, 28, 28), 25 * 12 + 12 + 12 * 25 * 64 + 64 + 64 * 4 * 4 * 10 + 10),
])  # fmt: skip
def test_sizes(name, shape, parameters):
    net = names.NETWORKS[name](shape, 10, rng=np.random.default_rng(0))
    assert sum(p.value.size for p in net.parameters()) == parameters
    over_time = (15,) if name in names.SPIKING_NETWORKS else ()
    assert net.forward(np.zeros((2, *shape))).shape == (*over_time, 2, 10)


def test_seed_dtype_and_activation_reach_every_layer():
    for name in names.NETWORKS:
        make = () if name in names.SPIKING_NETWORKS else (names.activation("negated-leaky-relu"),)
        one, same = (
            names.NETWORKS[name]((1, 16, 16), 3, *make, dtype=np.float64, rng=np.random.default_rng(7)) for _ in "ab"
        )
        assert one.dtype == np.float64
        assert all(
            np.array_equal(a, b) for a, b in zip(one.state_dict().values(), same.state_dict().values(), strict=True)
        )
        found = {type(layer) for layer in one if isinstance(layer, lfp.ReLU | lfp.Negated)}
        assert found == ({lfp.Negated} if make else set())


@pytest.mark.parametrize("name", ["mlp", "lenet", "small-cnn"])
def test_inputs_are_dropped_while_training_and_then_only(name):
    net = names.NETWORKS[name]((1, 16, 16), 3, dropout=0.5, rng=np.random.default_rng(0))
    assert repr(net[0]) == "Dropout(0.5)" and "Dropout" not in repr(names.NETWORKS[name]((1, 16, 16), 3))
    x = np.ones((4, 1, 16, 16))
    assert np.array_equal(net.forward(x), net.forward(x))
    assert set(np.unique(net.record(x, training=True).output("0"))) == {0, 2}


def test_images_too_small_are_named():
    for make in (models.lenet, models.spiking_cnn):
        with pytest.raises(ValueError, match=r"at least 16 x 16, got \(1, 8, 8\)"):
            make((1, 8, 8), 10)


def test_names_mean_what_they_say():
    for name, size in (("lenet", (1, 16, 28)), ("small-cnn", (1, 8, 12))):  # height is not width
        assert names.NETWORKS[name](size, 3).forward(np.ones((2, *size))).shape == (2, 3)
    assert models.spiking_cnn((1, 16, 28), 3, steps=4).forward(np.ones((2, 1, 16, 28))).shape == (4, 2, 3)
    assert type(names.activation("reflected-relu")()) is lfp.Reflected
    for name in names.ACTIVATIONS:
        assert type(names.activation(name)()).__name__.lower() == name.replace("-", "")
    for name, count in (("mlp", 2), ("lenet", 4), ("small-cnn", 2)):
        assert sum(isinstance(layer, lfp.ReLU) for layer in names.NETWORKS[name]((1, 16, 16), 3)) == count


@pytest.mark.parametrize("name", names.SPIKING_NETWORKS)
def test_every_neuron_of_a_spiking_network_is_as_asked_for(name):
    net = names.SPIKING_NETWORKS[name]((1, 16, 16), 3, steps=4, beta=0.5, threshold=2.0, reset="zero")
    neurons = [layer for layer in net if isinstance(layer, lfp.LIF)]
    assert {(lif.beta, lif.threshold, lif.reset) for lif in neurons} == {(0.5, 2.0, "zero")} and net.steps == 4
    usual = [layer for layer in names.SPIKING_NETWORKS[name]((1, 16, 16), 3) if isinstance(layer, lfp.LIF)]
    assert len(neurons) == len(usual) == {"spiking-mlp": 2, "spiking-cnn": 3}[name]
    assert {(lif.beta, lif.threshold, lif.reset) for lif in usual} == {(0.9, 1.0, "subtract")}


@pytest.mark.parametrize("name", names.SPIKING_NETWORKS)
def test_a_code_puts_pixels_into_time_as_seeded(name):
    x = np.random.default_rng(0).uniform(-1, 1, (2, 1, 16, 16))
    codes = {"constant": [], "rate": ["RateCode(-1.0, 1.0)"], "latency": ["LatencyCode(-1.0, 1.0)"]}
    for code, shown in codes.items():
        one, same = (
            names.SPIKING_NETWORKS[name]((1, 16, 16), 3, threshold=0.1, code=code, rng=np.random.default_rng(7))
            for _ in "ab"
        )
        assert [repr(layer) for layer in one if isinstance(layer, lfp.RateCode | lfp.LatencyCode)] == shown
        spikes = one.forward(x)
        assert spikes.any() and np.array_equal(spikes, same.forward(x))
    with pytest.raises(ValueError, match="code must be one of constant, rate, latency, got 'morse'"):
        names.SPIKING_NETWORKS[name]((1, 16, 16), 3, code="morse")
