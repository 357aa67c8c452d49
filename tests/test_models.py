import re
from pathlib import Path

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import models, names


@pytest.mark.parametrize("name,shape,parameters", [
    ("mlp", (1, 8, 8), 64 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10),
    ("lenet", (1, 28, 28), 25 * 16 + 16 + 16 * 25 * 16 + 16 + 256 * 120 + 120 + 120 * 84 + 84 + 84 * 10 + 10),
    ("small-cnn", (1, 8, 8), 9 * 16 + 16 + 16 * 9 * 32 + 32 + 32 * 4 * 10 + 10),
    ("vgg-like", (1, 28, 28), 9 * (32 + 32 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256)
     + 32 + 64 + 128 + 128 + 256 + 256 + 2304 * 1024 + 1024 + 1024 * 512 + 512 + 512 * 10 + 10),
    ("resnet8", (1, 8, 8), 9 * 16 + 2 * 9 * 16 * 16 + 9 * 16 * 32 + 9 * 32 * 32 + 16 * 32 + 9 * 32 * 64 + 9 * 64 * 64
     + 32 * 64 + 2 * (3 * 16 + 3 * 32 + 3 * 64) + 640 + 10),
    ("resnet20", (3, 32, 32), 272474),  # 0.27 million (He et al. 2016, table 6)
    ("spiking-mlp", (1, 8, 8), 64 * 1000 + 1000 + 1000 * 10 + 10),
    ("spiking-vgg", (3, 32, 32), 9 * (3 * 30 + 30 * 150 + 150 * 250 + 250 * 200 + 200 * 100) + 2500 * 10),
    ("spiking-resnet", (3, 32, 32), 25 * 90 + 9 * (30 * 150 + 150 * 250) + 150 * 250 + 16 * 250 * 200 + 1800 * 10),
    ("spiking-cnn", (1, 28, 28), 25 * 12 + 12 + 12 * 25 * 64 + 64 + 64 * 4 * 4 * 10 + 10),
])  # fmt: skip
def test_sizes(name, shape, parameters):
    net = names.NETWORKS[name](shape, 10, rng=np.random.default_rng(0))
    assert sum(p.value.size for p in net.parameters()) == parameters
    over_time = (15,) if name in names.SPIKING_NETWORKS else ()
    assert net.forward(np.zeros((2, *shape))).shape == (*over_time, 2, 10)


def test_seed_dtype_and_activation_reach_every_layer():
    for name in names.NETWORKS.keys() - {"vgg16", "vgg16-bn", "vit-b-16"}:  # too large for the images, or for a test
        make = () if name in names.SPIKING_NETWORKS else (names.activation("negated-leaky-relu"),)
        one, same = (
            names.NETWORKS[name]((1, 16, 16), 3, *make, dtype=np.float64, rng=np.random.default_rng(7)) for _ in "ab"
        )
        assert one.dtype == np.float64
        assert all(
            np.array_equal(a, b) for a, b in zip(one.state_dict().values(), same.state_dict().values(), strict=True)
        )
        layers = [layer for _, layer in one.named_layers()]
        found = {type(layer) for layer in layers if isinstance(layer, lfp.ReLU | lfp.GELU | lfp.Negated)}
        assert found == ({lfp.Negated} if make else set())


@pytest.mark.parametrize("name", ["mlp", "lenet", "small-cnn", "resnet8"])
def test_inputs_are_dropped_while_training_and_then_only(name):
    net = names.NETWORKS[name]((1, 16, 16), 3, dropout=0.5, rng=np.random.default_rng(0))
    assert repr(net[0]) == "Dropout(0.5)" and "Dropout" not in repr(names.NETWORKS[name]((1, 16, 16), 3))
    x = np.ones((4, 1, 16, 16))
    assert np.array_equal(net.forward(x), net.forward(x))
    assert set(np.unique(net.record(x, training=True).output("dropout" if name == "resnet8" else "0"))) == {0, 2}


def test_resnets_take_another_normalisation():
    def group(filters, **options):
        return lfp.GroupNorm(4, filters, **options)

    net = models.resnet8((1, 8, 8), 3, norm=group, dtype=np.float64, rng=np.random.default_rng(0))
    kinds = {type(layer) for _, layer in net.named_layers()}
    assert lfp.GroupNorm in kinds and lfp.BatchNorm not in kinds and net.dtype == np.float64
    assert net.state_dict().keys() == {
        name for name in models.resnet8((1, 8, 8), 3).state_dict() if "running" not in name
    }
    with pytest.raises(TypeError, match="norm must be a function"):
        models.resnet8((1, 8, 8), 3, norm="group")


@pytest.mark.parametrize("name,dropped", [("vgg-like", ["18", "21"]), ("vgg16", ["classifier.2", "classifier.5"])])
def test_vggs_drop_what_the_last_dense_layers_get(name, dropped):
    net = names.NETWORKS[name]((1, 32, 32), 3, dropout=0.25, rng=np.random.default_rng(0))
    assert [(path, layer.p) for path, layer in net.named_layers() if isinstance(layer, lfp.Dropout)] == [
        (path, 0.25) for path in dropped
    ]


def test_images_too_small_are_named():
    for make, least in ((models.lenet, 16), (models.spiking_cnn, 16), (models.small_cnn, 4), (models.vgg_like, 8),
                        (models.vgg16, 32), (models.spiking_vgg, 6), (models.spiking_resnet, 12)):  # fmt: skip
        with pytest.raises(ValueError, match=rf"of at least {least} x {least}, got \(1, {least}, {least - 1}\)"):
            make((1, least, least - 1), 10)
        if make is not models.vgg16:
            assert make((1, least, least), 10).forward(np.ones((1, 1, least, least))).shape[-1] == 10
    with pytest.raises(ValueError, match=r"needs samples \(C, H, W\)"):
        models.resnet18((64,), 10)


def test_names_mean_what_they_say():
    for name, size in (("lenet", (1, 16, 28)), ("small-cnn", (1, 8, 12))):  # height is not width
        assert names.NETWORKS[name](size, 3).forward(np.ones((2, *size))).shape == (2, 3)
    assert models.spiking_cnn((1, 16, 28), 3, steps=4).forward(np.ones((2, 1, 16, 28))).shape == (4, 2, 3)
    assert type(names.activation("reflected-relu")()) is lfp.Reflected
    for name in names.ACTIVATIONS.keys() - {"identity"}:
        assert type(names.activation(name)()).__name__.lower() == name.replace("-", "")
    for name, count in (("mlp", 2), ("lenet", 4), ("small-cnn", 2)):
        assert sum(isinstance(layer, lfp.ReLU) for layer in names.NETWORKS[name]((1, 16, 16), 3)) == count


@pytest.mark.parametrize("name", names.SPIKING_NETWORKS)
def test_every_neuron_of_a_spiking_network_is_as_asked_for(name):
    net = names.SPIKING_NETWORKS[name]((1, 16, 16), 3, steps=4, beta=0.5, threshold=2.0, reset="zero")
    neurons = [layer for _, layer in net.named_layers() if isinstance(layer, lfp.LIF)]
    assert {(lif.beta, lif.threshold, lif.reset) for lif in neurons} == {(0.5, 2.0, "zero")} and net.steps == 4
    layers = names.SPIKING_NETWORKS[name]((1, 16, 16), 3).named_layers()
    usual = [layer for _, layer in layers if isinstance(layer, lfp.LIF)]
    count = {"spiking-mlp": 2, "spiking-cnn": 3, "spiking-vgg": 6, "spiking-resnet": 6}[name]
    assert len(neurons) == len(usual) == count
    threshold = 0.3 if count == 6 else 1.0
    assert {(lif.beta, lif.threshold, lif.reset) for lif in usual} == {(0.9, threshold, "subtract")}


@pytest.mark.parametrize("name", names.SPIKING_NETWORKS)
def test_every_layer_of_a_new_spiking_network_spikes(name):
    net = names.SPIKING_NETWORKS[name]((3, 32, 32), 10, rng=np.random.default_rng(0))
    net.forward(np.random.default_rng(1).uniform(-1, 1, (2, 3, 32, 32)))
    rates = [rate for key, rate in net.activity().items() if key.startswith("spike_rate")]
    assert all(0.001 < rate < 0.5 for rate in rates)


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


def test_the_page_on_networks_is_right():
    """Its table of names, least sizes and parameters; all networks are in it."""
    page = (Path(__file__).parent.parent / "docs" / "networks.md").read_text()
    seen = set()
    for row in page.splitlines():
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        if len(cells) != 4 or "`" not in cells[0]:
            continue
        found = re.findall(r"`([^`]+)`", cells[0])
        seen |= set(found)
        counts = re.findall(r"[\d,]{4,}", cells[3])
        leasts = cells[2].split("; ") * (len(found) // (cells[2].count(";") + 1))
        for name, count, least in zip(found, counts, leasts, strict=True):
            if least != "any":
                with pytest.raises(ValueError, match=f"at least {least} x {least}"):
                    names.network(name)((3, int(least) - 1, 40), 10)
            if name not in ("vgg16", "vgg16-bn", "vit-b-16"):  # a gigabyte
                net = names.network(name)((3, 32, 32), 10)
                assert f"{sum(p.value.size for p in net.parameters()):,}" == count, name
    assert seen == set(names.NETWORKS)


def test_layers_with_names_of_their_own():
    net = lfp.Sequential(
        {"first": lfp.Dense(3, 4), "act": lfp.ReLU(), "out": lfp.Sequential({"dense": lfp.Dense(4, 2)})}
    )
    assert [name for name, _ in net.named_parameters()] == [
        "first.weight", "first.bias", "out.dense.weight", "out.dense.bias",
    ]  # fmt: skip
    assert isinstance(net[1], lfp.ReLU) and len(net) == 3 and net.first_layers() == ["first"]
    for name in ("a.b", "", 3):
        with pytest.raises(ValueError, match=f"a layer's name is text without a dot, got {name!r}"):
            lfp.Sequential({name: lfp.ReLU()})
    with pytest.raises(ValueError, match="needs at least one layer"):
        lfp.Sequential({})
    with pytest.raises(TypeError, match="number a is 3"):
        lfp.Sequential({"a": 3})


def test_rules_by_name_reach_into_a_residual_block():
    """The sum of branches follows the rule of the block, its layers those of their own names and classes."""
    net = models.resnet8((1, 8, 8), 3)
    rules = {"layer2.0.conv1": lfp.rules.Gamma(), lfp.Residual: lfp.rules.Epsilon(0.5), lfp.Layer: lfp.rules.Epsilon()}
    tape = net.record(np.ones((2, 1, 8, 8)))
    tape.feedback(np.ones((2, 3)), rules)
    by_path = {node.path: node.rule for node in tape.nodes()}
    assert by_path["layer2.0"] == by_path["layer1.0"] == lfp.rules.Epsilon(0.5)
    assert by_path["layer2.0.conv1"] == lfp.rules.Gamma() and by_path["layer2.0.conv2"] == lfp.rules.Epsilon()


def test_a_block_alone_is_a_layer_like_any_other():
    block = models.resnet.BasicBlock(2, 3, 2, lfp.ReLU, dtype=np.float64, rng=np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(3, 2, 5, 4))
    assert block.first_layers() == ["conv1", "downsample.0"] and block.forward(x).shape == (3, 3, 3, 2)
    lfp.testing.check_layer(block, x)
