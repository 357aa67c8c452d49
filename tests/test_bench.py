"""What a benchmark prints. How fast anything is, no test says."""

import gzip
import importlib.util
import json

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.tools import cli
from lfp_ref.tools.bench import measuring, peers, roofline, workloads
from lfp_ref.tools.bench.measuring import WORKLOADS
from lfp_ref.tools.cli import benchmarking

# by network: 3 x 3 convolutions with bias have 9 * C * O + O parameters; without, but normalised, 9 * C * O + 2 * O
PARAMETERS = {
    "lenet": (16 * 25 + 16) + (16 * 16 * 25 + 16) + 257 * 120 + 121 * 84 + 85 * 10,
    "mlp": 785 * 120 + 121 * 84 + 85 * 10,
    "mlp1024": 785 * 1024 + 1025 * 1024 + 1025 * 10,
    "mlp4096": 785 * 4096 + 4097 * 4096 + 4097 * 10,
    "vgg": 1_792 + 36_928 + 73_856 + 147_584 + 295_168 + 590_080 + 40_970,
    "resnet20": 464 + 3 * 4_672 + (13_952 + 576) + 2 * 18_560 + (55_552 + 2_176) + 2 * 73_984 + 650,
    "vit": 17 * 128 + 128 + 50 * 128 + 4 * (4 * 128 + 129 * 4 * 128 + 129 * 512 + 513 * 128) + 2 * 128 + 129 * 10,
    "spiking_mlp": 785 * 1000 + 1001 * 10,
    "spiking_cnn": (12 * 25 + 12) + (64 * 12 * 25 + 64) + 1025 * 10,
}


def test_a_json_line_for_each_workload(capsys):
    assert cli.main(["bench", "mlp-lfp", "mlp-gradient", "--json", "--steps", "3"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["work"] for row in rows] == ["mlp-lfp", "mlp-gradient"]
    for row in rows:
        assert set(row) == {"work", "ms", "steps", "flops", "peak_fraction", "rss_mb"}
        assert row["ms"] > 0 and row["steps"] == 3 and 0 < row["peak_fraction"] < 1 and row["rss_mb"] > 50
        # 784-120-84-10, batch 128: forward and weights of all layers, inputs of all but the first
        assert row["flops"] == 2 * 128 * (2 * 784 * 120 + 3 * 120 * 84 + 3 * 84 * 10)


def test_every_workload_makes_a_training_step_that_changes_every_parameter():
    for workload, (_, batch, shape) in WORKLOADS.items():
        x, y = workloads.samples_of(WORKLOADS[workload])
        assert x.shape[1:] == shape and len(x) == len(y) >= batch, workload
        net = workloads.network(workload)
        before = net.state_dict()
        workloads.stepper(net, workload)(x[:4], y[:4])
        assert all(np.any(before[name] != value) for name, value in net.state_dict().items()), workload


@pytest.mark.parametrize("workload", [name for name in WORKLOADS if name.endswith("lfp")])
def test_networks_have_the_parameters_of_the_peers(workload):
    shapes = [parameter.value.shape for parameter in workloads.network(workload).parameters()]
    model = workload.removesuffix("-lfp")
    assert sum(map(np.prod, shapes)) == PARAMETERS["lenet" if model.startswith("lenet") else model]
    if importlib.util.find_spec("torch") and not model.startswith("spiking"):
        theirs = [tuple(parameter.shape) for parameter in peers.torch_network(workload).parameters()]
        assert sorted(shapes) == sorted(theirs)


def test_samples_are_those_of_mnist_where_its_folder_is_named(monkeypatch, tmp_path):
    pixels = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(bytes(16) + pixels.tobytes())
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + bytes([7, 3])))
    monkeypatch.setenv("LFP_REF_DATA", str(tmp_path))
    x, y = measuring.samples(2)
    assert np.allclose(x, pixels.reshape(2, 1, 28, 28) / 127.5 - 1, atol=1e-6) and list(y) == [7, 3]
    assert x.dtype == np.float32 and y.dtype == np.int64
    for count, shape in ((3, measuring.MNIST), (2, measuring.COLOUR)):  # more than there are; another shape
        x, y = measuring.samples(count, shape)
        assert x.shape == (count, *shape) and abs(x.mean()) < 0.1 and len(y) == count


def test_the_sums_of_a_spiking_network_are_counted_at_every_step_but_for_a_constant_input():
    net = lfp.Spiking(lfp.LIF(lfp.Dense(5, 4)), lfp.LIF(lfp.Dense(4, 3)), steps=7)
    assert workloads.flops(net, np.ones((2, 5))) == 2 * (2 * (2 * 5 * 4) + 3 * (7 * 2 * 4 * 3))


def test_the_sums_inside_of_a_residual_connection_are_counted():
    net = lfp.Sequential(
        lfp.Conv2d(2, 4, 3, padding=1), lfp.ReLU(),
        lfp.Residual(
            lfp.Sequential(lfp.Conv2d(4, 6, 3, stride=2, padding=1), lfp.BatchNorm(6), lfp.ReLU(),
                           lfp.Conv2d(6, 6, 3, padding=1)),
            lfp.Sequential(lfp.Conv2d(4, 6, 1, stride=2)),
        ),
        lfp.GlobalAvgPool2d(), lfp.Flatten(), lfp.Dense(6, 3),
    )  # fmt: skip
    first = 64 * 4 * 18
    others = 16 * 6 * 36 + 16 * 6 * 54 + 16 * 6 * 4 + 6 * 3  # outputs (8 x 8 to 4 x 4) times what each sums over
    assert workloads.flops(net, np.ones((5, 2, 8, 8))) == 5 * 2 * (2 * first + 3 * others)
    # without a layer before it, both branches see the input: neither hands a reward back to it
    net = lfp.Sequential(lfp.Residual(lfp.Dense(4, 3), lfp.Dense(4, 3)))
    assert workloads.flops(net, np.ones((5, 4))) == 5 * 2 * 2 * (2 * 12)


def test_a_peer_that_is_missing_is_said_and_asked_once(capsys, monkeypatch):
    assert {name: peers.peers_of(name) for name in ("mlp-lfp", "vgg-lfp", "vgg-gradient", "spiking_cnn-lfp")} == {
        "mlp-lfp": ("lfprop", "torch", "sklearn"),
        "vgg-lfp": ("lfprop", "torch"),
        "vgg-gradient": ("torch",),
        "spiking_cnn-lfp": ("lfprop",),
    }
    asked = []

    def own_row(workload, steps):
        asked.append(workload)
        row = {"work": workload, "steps": 1, "flops": 1e6, "peak_fraction": 0.5, "rss_mb": 100}
        return {**row, "ms": 2.0 * len(asked)}

    def peer_row(peer, workload, steps, python):
        asked.append(peer)
        return {"work": workload, "ms": 5.0 * len(asked), "steps": 1, "rss_mb": 250} if peer == "torch" else None

    monkeypatch.setattr(benchmarking, "own_row", own_row)
    monkeypatch.setattr(benchmarking, "peer_row", peer_row)
    assert cli.main(["bench", "mlp-lfp", "--peers", "--rounds", "3"]) == 0
    # in turn. Medians: ours of calls 1, 5, 7, torch's of calls 3, 6, 8
    assert asked == ["mlp-lfp", "lfprop", "torch", "sklearn", *["mlp-lfp", "torch"] * 2]
    out = capsys.readouterr().out
    assert "mlp-lfp               10.00" in out and "torch               30.00" in out
    assert "3.0 x our time, 2.5 x our memory" in out


@pytest.mark.parametrize("peer", ["lfprop", "torch", "sklearn"])
def test_a_peer_runs_without_this_package_and_one_that_is_not_installed_is_none(peer):
    row = benchmarking.peer_row(peer, "mlp-lfp", "1")
    if importlib.util.find_spec(peer) is None:
        assert row is None
    else:
        assert row["ms"] > 0 and row["peer"] == peer and row["rss_mb"] > 10


def test_a_python_for_the_peers_that_is_not_there_is_named(capsys, monkeypatch):
    monkeypatch.setattr(benchmarking, "own_row", lambda *_: {"ms": 1.0})
    assert cli.main(["bench", "mlp-lfp", "--peers", "--peers-python", "nowhere/python"]) == 1
    assert "nowhere/python cannot be run" in capsys.readouterr().err


def test_how_time_grows_is_measured_for_each_thing_that_grows(capsys, monkeypatch):
    monkeypatch.setattr(measuring, "median_ms", lambda step, x, y, batch, count: step(x[:batch], y[:batch]) and 1.5)
    shortened = [(name, values[:1], step_of) for name, values, step_of in benchmarking.growing()]
    monkeypatch.setattr(benchmarking, "growing", lambda: shortened)
    assert cli.main(["bench", "--scaling", "--steps", "1"]) == 0
    out = capsys.readouterr().out
    assert len(shortened) == 6 and all(name in out for name, _, _ in shortened) and out.count("1.50 ms") == 6


def test_unknown_workloads_are_named(capsys):
    assert cli.main(["bench", "lenet"]) == 1
    assert "unknown workload 'lenet'; known: lenet-lfp, lenet-gradient" in capsys.readouterr().err


def test_a_roofline_has_every_kernel_of_a_step():
    points = {(p.layer, p.kernel): p for p in roofline.measure("lenet-lfp", 2)}
    # forward; to weight and bias; to the input, of all but the first; two products each; pools; ReLUs
    assert len(points) == 5 + 5 + 4 + (5 + 4 + 5) + 2 * 2 + 4
    conv = points["3 Conv2d", "conv, backward input"]
    for kernel in ("conv, forward", "conv, backward input", "conv, backward parameters"):
        assert points["3 Conv2d", kernel].operations == 2 * 128 * (16 * 8 * 8) * (16 * 5 * 5)
    assert conv.size == 4 * (128 * (16 * 12 * 12 + 16 * 8 * 8) + 16 * 16 * 5 * 5) and conv.ms > 0
    assert points["9 Dense", "dense, forward"].operations == 2 * 128 * 120 * 84
    assert points["9 Dense", "times weight"].operations == 120 * 84 + 84
    assert points["2 MaxPool2d", "max pool, forward"].size == 128 * 16 * (4 * 24 * 24 + 5 * 12 * 12)


def test_kernels_are_themselves_again_after_a_roofline():
    def functions():
        return [vars(kernel.owner)[kernel.function] for kernel in roofline.KERNELS]

    before = functions()
    with roofline.timed_kernels():
        assert not any(now is then for now, then in zip(functions(), before, strict=True))
    assert all(now is then for now, then in zip(functions(), before, strict=True))


def test_numbers_in_a_roofline_do_not_overlap(monkeypatch, tmp_path):
    text = pytest.importorskip("matplotlib.text", reason="matplotlib is not installed")
    number_points, numbers = roofline.number_points, []
    monkeypatch.setattr(roofline, "number_points", lambda *arguments: numbers.extend(number_points(*arguments)))
    names = [kernel.name for kernel in roofline.KERNELS]
    rng = np.random.default_rng(0)
    points = [roofline.Point(f"{n} ReLU", names[n % 12], 1 + rng.random(), (1 + n % 3) * 1e7, 1e8) for n in range(40)]
    roofline.draw(tmp_path / "roofline.png", "vgg-lfp", points, 1e11, 1e10)
    assert (tmp_path / "roofline.png").stat().st_size > 10_000
    boxes = [text.Text.get_window_extent(number) for number in numbers]  # where they were drawn
    assert [number.get_text() for number in numbers] == [str(n) for n in range(40)]
    assert all(box.count_overlaps(boxes) == 1 for box in boxes)  # itself
