"""What a benchmark prints. How fast anything is, no test says."""

import importlib.util
import json

import numpy as np

import lfp_ref as lfp
from lfp_ref.tools import cli
from lfp_ref.tools.bench import peers, roofline, workloads
from lfp_ref.tools.cli import benchmarking


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
    x, y = workloads.samples(4)
    for workload in workloads.WORKLOADS:
        net = workloads.network(workload)
        before = net.state_dict()
        workloads.stepper(net, workload)(x, y)
        assert all(np.any(before[name] != value) for name, value in net.state_dict().items()), workload
        assert workloads.flops(net, x) > 0


def test_the_sums_of_a_spiking_network_are_counted_at_every_step_but_for_a_constant_input():
    net = lfp.Spiking(lfp.LIF(lfp.Dense(5, 4)), lfp.LIF(lfp.Dense(4, 3)), steps=7)
    assert workloads.flops(net, np.ones((2, 5))) == 2 * (2 * (2 * 5 * 4) + 3 * (7 * 2 * 4 * 3))


def test_peers_do_the_same_workloads_and_a_missing_one_is_said(capsys, monkeypatch):
    assert set(peers.PEERS) == set(workloads.WORKLOADS)
    assert {peer for each in peers.PEERS.values() for peer in each} == {"lfprop", "torch", "sklearn"}
    asked = []

    def child(module, *arguments):
        asked.append(arguments)
        if module == "lfp_ref.tools.bench.peers" and arguments[0] != "torch":
            return None
        ms = {"lfp_ref.tools.bench.workloads": 2.0, "lfp_ref.tools.bench.peers": 5.0}[module] * len(asked)
        return {"work": "mlp-lfp", "ms": ms, "steps": 1, "flops": 1e6, "peak_fraction": 0.5, "rss_mb": 100}

    monkeypatch.setattr(benchmarking, "child", child)
    assert cli.main(["bench", "mlp-lfp", "--peers", "--rounds", "3"]) == 0
    # in turn; who is missing is asked once. Medians: ours of calls 1, 5, 7, torch's of calls 3, 6, 8
    assert [a[0] for a in asked] == ["mlp-lfp", "lfprop", "torch", "sklearn", *["mlp-lfp", "torch"] * 2]
    out = capsys.readouterr().out
    assert "mlp-lfp               10.00" in out and "torch               30.00" in out and "3.0 x our time" in out


def test_a_peer_that_is_not_installed_ends_with_status_3():
    row = benchmarking.child("lfp_ref.tools.bench.peers", "lfprop", "mlp-lfp", "1")
    if importlib.util.find_spec("lfprop") is None:
        assert row is None
    else:
        assert row["ms"] > 0 and row["peer"] == "lfprop"


def test_how_time_grows_is_measured_for_each_thing_that_grows(capsys, monkeypatch):
    monkeypatch.setattr(workloads, "median_ms", lambda step, x, y, batch, count: step(x[:batch], y[:batch]) and 1.5)
    shortened = [(name, values[:1], step_of) for name, values, step_of in benchmarking.growing()]
    monkeypatch.setattr(benchmarking, "growing", lambda: shortened)
    assert cli.main(["bench", "--scaling", "--steps", "1"]) == 0
    out = capsys.readouterr().out
    assert len(shortened) == 6 and all(name in out for name, _, _ in shortened) and out.count("1.50 ms") == 6


def test_unknown_workloads_are_named(capsys):
    assert cli.main(["bench", "lenet"]) == 1
    assert "unknown workload 'lenet'; known: lenet-lfp, lenet-gradient" in capsys.readouterr().err


def test_a_roofline_has_every_kernel_of_a_step(monkeypatch, tmp_path):
    monkeypatch.setattr(roofline, "STEPS", 3)
    points = {(p.layer, p.kernel): p for p in roofline.measure("lenet-lfp")}
    assert len(points) == 2 + 3 + 3 * 3 + 2 * 2 + 4  # the first layer's input needs no reward
    conv = points["3 Conv2d", "feedback to the input"]
    assert conv.operations == 2 * 128 * (16 * 8 * 8) * (16 * 5 * 5) and conv.ms > 0
    assert conv.size == 4 * (128 * (16 * 12 * 12 + 16 * 8 * 8) + 16 * 16 * 5 * 5)
    assert points["2 MaxPool2d", "forward"].size == 4 * 128 * 16 * (24 * 24 + 2 * 12 * 12)
    roofline.draw(tmp_path / "roofline.png", list(points.values()), 1e11, 1e10)
    assert (tmp_path / "roofline.png").stat().st_size > 10_000
