"""NIR: what is written is read back spike for spike, here and by others; what it cannot say is refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from tests.common import seeds

nir = pytest.importorskip("nir", reason="needs the extra nir")
h5py = pytest.importorskip("h5py", reason="needs the extra nir")
RECORDED = Path(__file__).parent / "recorded"


def mlp(rng, reset="zero", beta=0.9, dtype=np.float32, inputs="given"):
    current = lfp.Dense(6, 5, dtype=dtype, rng=rng), lfp.Dense(5, 4, bias=False, dtype=dtype, rng=rng)
    first, last = (lfp.LIF(each, beta, 0.3, reset) for each in current)
    return lfp.Spiking(first, lfp.Dropout(0.5, rng=rng), last, steps=9, inputs=inputs)


def cnn(rng):
    conv = lfp.Conv2d(2, 3, 3, stride=(2, 1), padding=(1, 2), dilation=(1, 2), rng=rng)
    inner = lfp.Sequential(lfp.AvgPool2d(2, padding=1), lfp.Flatten())
    dense = lfp.Dense(3 * 3 * 4, 4, rng=rng)
    return lfp.Spiking(lfp.LIF(conv, 0.7, 0.2, "zero"), inner, lfp.LIF(dense, 0.7, 0.2, "zero"), steps=7)


def spikes(rng, *shape):
    return (rng.random(shape) < 0.4).astype(np.float32)


@given(seeds, st.sampled_from([0.0, 0.3, 0.9, 1 / 3, 1.0]), st.sampled_from([np.float32, np.float64]))
def test_what_is_written_is_read_back(tmp_path_factory, seed, beta, dtype):
    path = tmp_path_factory.mktemp("nir") / "net.nir"
    rng = np.random.default_rng(seed)
    net = mlp(rng, beta=beta, dtype=dtype)
    lfp.nir.save(net, path, (6,), dt=1e-3)
    other = lfp.nir.load(path)
    assert (other.steps, other.inputs, other.input_shape, other.dtype) == (9, "given", (6,), dtype)
    assert [(lif.beta, lif.threshold, lif.reset) for lif in other.layers] == [(beta, 0.3, "zero")] * 2
    for mine, theirs in zip(net.parameters(), other.parameters(), strict=True):
        assert np.array_equal(mine.value, theirs.value)
    x = spikes(rng, 9, 3, 6)
    assert np.array_equal(net.forward(x), other.forward(x))


def test_convolution_and_pooling_are_read_back(tmp_path):
    rng = np.random.default_rng(0)
    net = cnn(rng)
    lfp.nir.save(net, tmp_path / "net.nir", (2, 7, 6))
    other = lfp.nir.load(tmp_path / "net.nir")
    x = rng.normal(size=(3, 2, 7, 6))
    mine = net.forward(x)
    assert np.array_equal(mine, other.forward(x)) and 0 < mine.mean() < 1
    assert nir.read(tmp_path / "net.nir").output_type["output"].tolist() == [4]


def simulate(graph, x, dt):
    """NIR's own equations by forward Euler, reset at once, in double precision.  x (T, N, I)"""
    for _, node in lfp.nir.reading.chain(graph):
        if isinstance(node, nir.Affine | nir.Linear):
            x = x @ node.weight.T.astype(float) + getattr(node, "bias", 0)
            continue
        v, fired = np.zeros(x.shape[1:]), []
        for current in x:
            if isinstance(node, nir.IF):
                v = v + dt * node.r * current
            else:
                v = v + dt / node.tau * (node.v_leak - v + node.r * current)
            fired.append(v > node.v_threshold)
            v = np.where(fired[-1], node.v_reset, v)
        x = np.array(fired, float)
    return x


@pytest.mark.parametrize("beta", [0.0, 0.75, 1.0])
def test_written_neurons_obey_nirs_equations(tmp_path, beta):
    rng = np.random.default_rng(1)
    net = mlp(rng, beta=beta, dtype=np.float64)
    lfp.nir.save(net, tmp_path / "net.nir", (6,))
    x = spikes(rng, 9, 20, 6)
    mine = net.forward(x)
    assert np.array_equal(mine, simulate(nir.read(tmp_path / "net.nir"), x, 1e-4)) and 0 < mine.mean() < 1


@pytest.mark.parametrize("kind", ["LIF", "IF"])
def test_any_r_leak_and_unequal_thresholds_are_read(tmp_path, kind):
    rng = np.random.default_rng(2)
    w, b = rng.normal(size=(5, 6)), rng.normal(size=5)
    threshold = rng.uniform(0.2, 0.6, 5)
    options = {"r": rng.uniform(0.5, 2, 5) * (1 if kind == "LIF" else 1e4), "v_threshold": threshold}
    options |= {"tau": np.full(5, 4e-4), "v_leak": rng.normal(size=5) / 4} if kind == "LIF" else {}
    neurons = getattr(nir, kind)(**options, v_reset=np.zeros(5))
    graph = nir.NIRGraph.from_list(nir.Affine(w, b), neurons)
    nir.write(tmp_path / "net.nir", graph)
    net = lfp.nir.load(tmp_path / "net.nir", steps=8)
    x = spikes(rng, 8, 50, 6)
    mine = net.forward(x)
    assert np.array_equal(mine, simulate(graph, x, 1e-4)) and 0 < mine.mean() < 1


@pytest.mark.parametrize("reset", ["subtract", "none"])
def test_another_reset_is_refused_or_named(tmp_path, reset):
    rng = np.random.default_rng(3)
    net = mlp(rng, reset, inputs="constant")
    path = tmp_path / "net.nir"
    with pytest.raises(ValueError, match=f"layer 0, LIF.*no reset '{reset}', only to zero.*\n.*layer 2"):
        lfp.nir.save(net, path, (6,))
    assert not path.exists()
    with pytest.warns(UserWarning, match=f"no reset '{reset}': other programs reset to zero"):
        lfp.nir.save(net, path, (6,), exact=False)
    x = rng.normal(size=(4, 6))
    assert np.array_equal(lfp.nir.load(path).forward(x), net.forward(x))


def test_all_that_nir_cannot_say_is_named_at_once(tmp_path):
    rng = np.random.default_rng(0)
    grouped = lfp.LIF(lfp.Conv2d(2, 2, 2, groups=2, rng=rng), reset="zero")
    layers = [lfp.RateCode(0, 1, rng), grouped, lfp.MaxPool2d(2), lfp.AvgPool2d(2, ceil_mode=True), lfp.Flatten()]
    net = lfp.Spiking(*layers, lfp.LIF(lfp.Dense(8, 1, rng=rng), reset="zero"), steps=2)
    with pytest.raises(ValueError, match=r"layer 0, RateCode(.|\n)*groups(.|\n)*layer 2, MaxPool(.|\n)*ceil_mode"):
        lfp.nir.save(net, tmp_path / "net.nir", (2, 9, 9))
    with pytest.raises(TypeError, match=r"lfp\.Spiking, got Dense.*lfp\.onnx\.save"):
        lfp.nir.save(lfp.Dense(2, 1), tmp_path / "net.nir", (2,))
    with pytest.raises(ValueError, match="save needs the shape of one sample"):
        lfp.nir.save(net, tmp_path / "net.nir")


def test_snntorchs_file_spikes_as_snntorch_did():
    """The file and the spikes are snntorch 1.0.0's."""
    recorded = np.load(RECORDED / "snntorch.npz")
    net = lfp.nir.load(RECORDED / "snntorch.nir", steps=len(recorded["spikes"]))
    assert np.array_equal(net.forward(recorded["inputs"].astype(np.float32)), recorded["spikes"])
    assert 0 < recorded["spikes"].mean() < 1


def test_snntorch_runs_the_file_spike_for_spike(tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    take = pytest.importorskip("snntorch.import_nir", reason="snntorch is not installed").import_from_nir
    rng = np.random.default_rng(4)
    net = mlp(rng)
    lfp.nir.save(net, tmp_path / "net.nir", (6,))
    twin, state, outputs = take(nir.read(tmp_path / "net.nir")), None, []
    x = spikes(rng, 9, 30, 6)
    for step in torch.from_numpy(x):
        out, state = twin(step, state)
        outputs.append(out.detach().numpy())
    assert np.array_equal(net.forward(x), np.stack(outputs))


# ---- files that are damaged, or made to do harm


def written(path, *nodes):
    nir.write(path, nir.NIRGraph.from_list(*nodes))


def affine():
    return nir.Affine(np.ones((2, 3), np.float32), np.ones(2, np.float32))


def lif(size=2, **options):
    usual = {key: np.ones(size) for key in ("tau", "r", "v_threshold")}
    zeros = {key: np.zeros(size) for key in ("v_leak", "v_reset")}
    return nir.LIF(**{**usual, **zeros, **options})


@pytest.mark.parametrize(("nodes", "message"), [
    ([affine(), nir.CubaLIF(*[np.ones(2)] * 6), nir.Threshold(np.ones(2)), lif()],
     "node cubalif, CubaLIF(.|\n)*node threshold, Threshold"),
    ([affine(), lif(v_reset=np.ones(2))], "node lif, LIF: v_reset other than 0"),
    ([affine(), lif(tau=np.array([1.0, 2.0]))], "tau that differs from neuron to neuron"),
    ([nir.Linear(np.ones((2, 3))), lif(v_leak=np.ones(2))], "v_leak other than 0 behind a Linear"),
    ([lif()], "its current must come from"),
    ([affine()], "the last layer must be a LIF"),
    ([nir.Affine(np.full((2, 3), np.nan), np.ones(2)), lif()], "weight: not finite"),
    ([nir.Affine(np.ones((2, 3), int), np.ones(2)), lif()], "2 axes of float32 or float64"),
])  # fmt: skip
def test_what_has_no_layer_is_named(tmp_path, nodes, message):
    written(tmp_path / "net.nir", *nodes)
    with pytest.raises(ValueError, match=message):
        lfp.nir.load(tmp_path / "net.nir")


def test_a_graph_with_branches_or_a_circle_is_refused(tmp_path):
    nodes = {"input": nir.Input(np.array([3])), "a": affine(), "l": lif(), "output": nir.Output(np.array([2]))}
    line = [("input", "a"), ("a", "l"), ("l", "output")]
    for extra in (("a", "output"), ("l", "a"), ("l", "nobody")):
        nir.write(tmp_path / "net.nir", nir.NIRGraph(nodes, [*line, extra], type_check=False))
        with pytest.raises(ValueError, match=r"chain|no node|damaged"):
            lfp.nir.load(tmp_path / "net.nir")


def test_damaged_and_hostile_files_are_refused(tmp_path):
    path = tmp_path / "net.nir"
    with pytest.raises(FileNotFoundError, match="no network at"):
        lfp.nir.load(path)
    whole = (RECORDED / "snntorch.nir").read_bytes()
    for content in (b"", b"no HDF5", whole[:1000], whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="damaged or no NIR file"):
            lfp.nir.load(path)

    def bomb(file):
        file.create_dataset("node/nodes/a/weight", (2**20, 2**15), np.float32, chunks=(1024, 1024), compression=9)

    def link(file):
        file["node/nodes/b"] = h5py.ExternalLink("other.nir", "/node")

    def circle(file):
        file["node/nodes/a/again"] = file["node"]

    def elsewhere(file):
        file.create_dataset("node/weight", (2,), np.float32, external=[("/etc/hostname", 0, 8)])

    for make, reason in ((bomb, "would unpack to"), (link, "link"), (circle, "too deep"), (elsewhere, "another file")):
        with h5py.File(path, "w") as file:
            file.create_group("node/nodes/a")
            make(file)
        with pytest.raises(ValueError, match=reason):
            lfp.nir.load(path)


def test_without_the_package_there_is_a_hint(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(ImportError, match=r'A \.nir file needs nir: .*extra "nir"'):
        lfp.nir.load(tmp_path / "net.nir")
    code = "import sys, lfp_ref; print([m for m in ('nir', 'h5py') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
