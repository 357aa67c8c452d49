"""ONNX: others compute from our files what we do, we compute from theirs what they did, and bad files do no harm."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.onnx import Graph, Max, Product, Reshape, Sum, Transpose
from tests.common import seeds

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
helper = onnx.helper
RECORDED = Path(__file__).parent / "recorded" / "onnx"


def close(actual, expected):
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= 1e-5 * max(1, np.abs(expected).max())


# ---- written


def norm(layer, rng):
    for parameter in layer.parameters():
        parameter.value = rng.normal(size=parameter.value.shape)
    for name, array in layer.buffers().items():
        array[...] = rng.uniform(0.5, 2, array.shape) if name == "running_var" else rng.normal(size=array.shape)
    return layer


def graph(rng):
    layers = {"a": lfp.Dense(4, 3, rng=rng), "b": lfp.Dense(4, 3, rng=rng), "sum": Sum(2), "product": Product(2)}
    layers |= {"joined": lfp.Dense(6, 5, rng=rng), "shape": Reshape(5, 1), "turn": Transpose(1, 0)}
    sources = {"a": ["input"], "b": ["input"], "sum": ["a", "b"], "product": ["a", "sum"], "shape": ["joined"]}
    return Graph(layers, {**sources, "joined": ["product", "sum"], "turn": ["shape"]})


def activations():
    plain = [lfp.ReLU(), lfp.LeakyReLU(0.2), lfp.ELU(0.7), lfp.SiLU(), lfp.GELU(), lfp.Tanh(), lfp.Sigmoid()]
    plain += [lfp.Softplus(), lfp.Softsign(), lfp.Step(0), lfp.Step(-1)]
    return [*plain, *(lfp.Negated(each) for each in plain), *(lfp.Reflected(each) for each in plain)]


# what is written and read back; the shape of a sample, a network
CASES = {
    "dense": ((6,), lambda rng: lfp.Sequential(lfp.Dense(6, 5, rng=rng), lfp.Dense(5, 3, bias=False, rng=rng))),
    "convolution": ((4, 9, 8), lambda rng: lfp.Sequential(
        lfp.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), groups=2, rng=rng), norm(lfp.BatchNorm(6, rng=rng), rng),
        lfp.ReLU(), lfp.MaxPool2d(3, 2, 1, ceil_mode=True), norm(lfp.GroupNorm(3, 6, rng=rng), rng), lfp.Flatten())),
    "same": ((1, 7, 7), lambda rng: lfp.Conv2d(1, 2, 4, padding="same", rng=rng)),
    "rows": ((2, 9), lambda rng: lfp.Sequential(lfp.Conv1d(2, 4, 3, padding=1, rng=rng), lfp.ReLU(), lfp.Flatten())),
    "upsampling": ((2, 4, 3), lambda rng: lfp.Sequential(lfp.ConvTranspose2d(
        2, 4, 3, 2, 1, 1, groups=2, rng=rng), lfp.Upsample((2, 3)), lfp.GlobalAvgPool2d(), lfp.Flatten())),
    "means": ((2, 8, 12), lambda rng: lfp.Sequential(
        lfp.AvgPool2d(3, 1, 1), lfp.AvgPool2d(3, 1, 1, count_include_pad=False), lfp.AdaptiveAvgPool2d((2, 3)))),
    "residual": ((4,), lambda rng: lfp.Residual(lfp.Dense(4, 4, rng=rng), lfp.Dense(4, 4, rng=rng))),
    "padding value": ((1, 6, 6), lambda rng: lfp.Conv2d(1, 2, 3, padding=1, padding_value=-1.0, rng=rng)),
    "same padding of a value": ((2, 7), lambda rng: lfp.Conv1d(2, 3, 4, padding="same", padding_value=0.5, rng=rng)),
    "maximum": ((4,), lambda rng: lfp.Maximum(lfp.Dense(4, 4, rng=rng))),
    "maximum of two": ((4,), lambda rng: lfp.Maximum(lfp.Dense(4, 3, rng=rng), lfp.Dense(4, 3, rng=rng))),
    "uneven regions": ((2, 10, 7), lambda rng: lfp.Sequential(lfp.Identity(), lfp.AdaptiveAvgPool2d(4))),
    "cut windows": ((2, 10, 12), lambda rng: lfp.AvgPool2d(3, 2, 1, ceil_mode=True)),
    "whole windows": ((2, 9, 11), lambda rng: lfp.AvgPool2d(3, 2, 1, ceil_mode=True)),
    "concatenation": ((4,), lambda rng: lfp.Concatenate(lfp.Dense(4, 3, rng=rng), lfp.Tanh(), lfp.Identity())),
    "graph": ((4,), graph),
    "dropout": ((4,), lambda rng: lfp.Sequential(lfp.Dropout(0.5, rng), lfp.Dense(4, 3, rng=rng))),
    "resnet8": ((3, 16, 16), lambda rng: lfp.models.resnet8((3, 16, 16), 10, rng=rng)),
    "vit_tiny": ((1, 14, 14), lambda rng: lfp.models.vit_tiny((1, 14, 14), 10, rng=rng)),
}  # fmt: skip
for phi in activations():
    CASES[repr(phi)] = ((5,), lambda rng, phi=phi: lfp.Sequential(lfp.Dense(5, 8, rng=rng), phi))


@pytest.mark.parametrize("name", CASES)
def test_onnxruntime_computes_the_same(tmp_path, name):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    shape, make = CASES[name]
    net = make(np.random.default_rng(0))
    lfp.onnx.save(net, tmp_path / "net.onnx", shape)
    session = runtime.InferenceSession(tmp_path / "net.onnx")
    for samples in (1, 3):
        x = np.random.default_rng(samples).normal(size=(samples, *shape)).astype(np.float32)
        close(session.run(["output"], {"input": x})[0], net.forward(x))


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_read_back(tmp_path, name):
    shape, make = CASES[name]
    net = make(np.random.default_rng(1))
    lfp.onnx.save(net, tmp_path / "net.onnx", shape)
    other = lfp.onnx.load(tmp_path / "net.onnx")
    assert other.input_shape == shape
    mine = sorted((p.value for p in net.parameters()), key=lambda w: (w.shape, w.sum()))
    theirs = sorted((p.value for p in other.parameters()), key=lambda w: (w.shape, w.sum()))
    assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
    x = np.random.default_rng(2).normal(size=(3, *shape)).astype(np.float32)
    close(other.forward(x), net.forward(x))


@given(seeds, st.lists(st.integers(1, 6), min_size=1, max_size=4), st.lists(st.sampled_from(activations()), min_size=4))
def test_random_networks_are_read_back(tmp_path_factory, seed, sizes, phis):
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    rng = np.random.default_rng(seed)
    layers, size = [], 3
    for wide, phi in zip(sizes, phis, strict=False):
        layers += [
            lfp.Dense(size, wide, bias=bool(seed % 2), rng=rng),
            phi,
            lfp.Residual(lfp.Dense(wide, wide, rng=rng)),
        ]
        size = wide
    net = lfp.Sequential(*layers)
    lfp.onnx.save(net, path, (3,))
    x = rng.normal(size=(4, 3)).astype(np.float32)
    close(lfp.onnx.load(path).forward(x), net.forward(x))


def test_the_file_says_what_it_is(tmp_path):
    net = lfp.Sequential({"first": lfp.Dense(4, 3), "act": lfp.ReLU(), "last": lfp.Dense(3, 2)})
    lfp.onnx.save(net, tmp_path / "net.onnx", (4,))
    model = onnx.load(tmp_path / "net.onnx")
    assert (model.producer_name, model.producer_version, model.opset_import[0].version) == ("lfp_ref", "0.1.0", 21)
    weights = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    assert weights.keys() == net.state_dict().keys()
    assert all(np.array_equal(weights[name], array) for name, array in net.state_dict().items())
    assert [size.dim_param or size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim] == ["N", 4]


def test_what_has_no_operators_is_named_at_once(tmp_path):
    class Own(lfp.ReLU):
        pass

    net = lfp.Sequential(Own(), lfp.Dense(2, 2), lfp.LatencyCode())
    with pytest.raises(RuntimeError, match="runs over time"):
        lfp.onnx.save(net, tmp_path / "net.onnx", (2,))
    with pytest.raises(ValueError, match=r"not supported(.|\n)*layer 0(.|\n)*layer 2"):
        lfp.onnx.save(lfp.Sequential(Own(), lfp.Dense(2, 2), Own()), tmp_path / "net.onnx", (2,))
    with pytest.raises(TypeError, match=r"lfp\.nir\.save"):
        lfp.onnx.save(lfp.Spiking(lfp.LIF(lfp.Dense(2, 2))), tmp_path / "net.onnx", (2,))
    with pytest.raises(ValueError, match="save needs the shape"):
        lfp.onnx.save(lfp.Dense(2, 2), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


# ---- graphs


def test_the_layers_of_graphs_keep_the_contract():
    rng = np.random.default_rng(0)
    for layer, shape in ((Sum(2), (6,)), (Product(3), (6, 2)), (Max(3), (6, 2)), (Reshape(3, 2), (6,)),
                         (Transpose(1, 0), (3, 2)), (graph(rng), (4,))):  # fmt: skip
        lfp.testing.check_layer(layer, rng.normal(size=(5, *shape)))


@pytest.mark.parametrize("rule", [lfp.rules.Epsilon(0.1), lfp.rules.ZPlus(), lfp.rules.Gamma(), lfp.rules.Gradient()])
def test_a_graph_of_a_sum_is_a_residual(rule):
    rng = np.random.default_rng(3)
    body, last = lfp.Dense(4, 4, rng=rng), lfp.Dense(4, 2, rng=rng)
    chain = lfp.Sequential(lfp.Residual(body), last)
    sources = {"body": ["input"], "sum": ["body", "input"], "last": ["sum"]}
    net = Graph({"body": body, "sum": Sum(2), "last": last}, sources)
    x, reward = rng.normal(size=(3, 4)).astype(np.float32), rng.normal(size=(3, 2)).astype(np.float32)
    results = []
    for each in (chain, net):
        outputs = each.forward(x)
        handed = each.feedback(reward, rule)
        results.append([outputs, handed, body.weight.feedback.copy(), last.weight.feedback.copy()])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert net.first_layers() == ["body", "last"]


def test_equal_branches_share_the_reward_of_their_maximum():
    layer = Max(3)
    assert np.array_equal(layer.forward(np.array([[2.0, -1, 2, 0, 1, -1]])), [[2, 0]])
    assert np.array_equal(layer.feedback(np.array([[3.0, 4]])), [[1.5, 0, 1.5, 4, 0, 0]])


def test_a_graph_needs_its_sources_first():
    with pytest.raises(ValueError, match=r"sources of 'a' must be some of \['input'\], got \['b'\]"):
        Graph({"a": lfp.Dense(2, 2), "b": lfp.Dense(2, 2)}, {"a": ["b"], "b": ["input"]})


# ---- files of others


@pytest.mark.parametrize("exporter", ["dynamo", "script"])
@pytest.mark.parametrize("name", ["lenet", "vgg", "resnet", "vit", "mixed"])
def test_pytorchs_files_give_what_pytorch_did(name, exporter):
    """Written by torch.onnx.export of torch 2.13, by either exporter; outputs are PyTorch's."""
    recorded = np.load(RECORDED / "outputs.npz")
    net = lfp.onnx.load(RECORDED / f"{name}-{exporter}.onnx")
    assert type(net) is (lfp.Sequential if name in ("lenet", "vgg") else Graph)
    close(net.forward(recorded[f"{name}_x"]), recorded[f"{name}_y"])
    relevance = lfp.explain(net, recorded[f"{name}_x"])
    sheet = lfp.balance(net)
    assert relevance.shape == recorded[f"{name}_x"].shape and np.abs(sheet.residue).max() < 1e-3


def test_scikit_learns_files_give_what_it_did():
    """Written by skl2onnx 1.20: scores come before the softmax, and labels are left off."""
    recorded = np.load(RECORDED / "outputs.npz")
    net = lfp.onnx.load(RECORDED / "sklearn-classifier.onnx")
    scores = net.forward(recorded["sklearn_x"])
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(p, recorded["sklearn_p"], atol=1e-5)
    assert np.array_equal(scores.argmax(axis=1), recorded["sklearn_labels"])
    close(
        lfp.onnx.load(RECORDED / "sklearn-regressor.onnx").forward(recorded["sklearn_x"])[:, 0], recorded["sklearn_r"]
    )


def test_a_loaded_network_is_trained_further():
    recorded = np.load(RECORDED / "outputs.npz")
    net = lfp.onnx.load(RECORDED / "resnet-dynamo.onnx")
    optimizer, x = lfp.optim.Adam(net.parameters(), lr=0.01), recorded["resnet_x"]
    labels = 1 - net.forward(x).argmax(axis=1).clip(0, 1)
    for _ in range(60):
        net.feedback(lfp.rewards.softmax(net.forward(x), labels))
        optimizer.step()
    assert np.array_equal(net.forward(x).argmax(axis=1), labels)


# ---- files that are damaged, unsupported, or made to do harm


def model(nodes, weights=(), sizes=("N", 3), output=("N", 2), opset=20):
    kind = onnx.TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info("x", kind, sizes)]
    outputs = [helper.make_tensor_value_info("y", kind, output)]
    tensors = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in dict(weights).items()]
    whole = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


W = {"w": np.ones((2, 3), np.float32), "b": np.ones(2, np.float32)}
GEMM = helper.make_node("Gemm", ["x", "w", "b"], ["y"], "last", transB=1)


def huge():
    made = model([GEMM], W)
    made.graph.initializer[0].dims[:] = [2**40, 3]
    return made


def expanded(size=2**20, times=1):
    nodes = [helper.make_node("Expand", ["one", "shape"], [f"e{k}"]) for k in range(times)]
    nodes.append(helper.make_node("Sum", ["x", *(f"e{k}" for k in range(times))], ["y"]))
    return model(nodes, {"one": np.ones(1, np.float32), "shape": np.array([size, size])}, output=("N", 3))


def outside(location="../weights.bin", length=24):
    made = model([GEMM], W)
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
    return made


BROKEN = {
    "empty": (lambda: b"", "damaged"),
    "text": (lambda: b"no protobuf" * 9, "damaged"),
    "truncated": (lambda: (RECORDED / "lenet-script.onnx").read_bytes()[:1500], "damaged"),
    "wrong shapes": (lambda: model([GEMM], {**W, "w": np.ones((2, 4), np.float32)}),
                     r"Gemm 'last': the shape of 'y' does not follow .*\(2, 4\)"),
    "a circle": (lambda: model([helper.make_node("Relu", ["y"], ["z"]), helper.make_node("Relu", ["z"], ["y"])]),
                 "topological|sorted"),
    "a missing weight": (lambda: model([GEMM], {"w": W["w"]}), "'?b'?|sorted"),
    "NaN": (lambda: model([GEMM], {**W, "b": np.array([1, np.nan], np.float32)}), "'b' has NaN or infinity"),
    "a weight without its numbers": (huge, r"weight 'w' of shape .* has 13,194,139,533,312 bytes, the file holds 24"),
    "a constant that fills the memory": (expanded, "too large|has the shape"),
    "many constants that do": (lambda: expanded(2**12, 2000), "too large"),
    "a file elsewhere": (outside, r"kept in '\.\./weights\.bin', no file in the same folder"),
    "a file that is not there": (lambda: outside("none.bin"), "no file in the same folder"),
    "a file that is too short": (lambda: outside("short.bin"), "needs 24 bytes from 0 on of short.bin, which has 8"),
    "half precision": (lambda: model([GEMM], {key: w.astype(np.float16) for key, w in W.items()}), "float16|type"),
    "an open size": (lambda: model([GEMM], W, ("N", "M")), "fixed sizes"),
    "several outputs' worth of samples": (lambda: model([helper.make_node("Transpose", ["x"], ["y"], perm=[1, 0])],
                                                        output=(3, "N")), "leave samples the first axis"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(tmp_path, name):
    make, message = BROKEN[name]
    content = make()
    path = tmp_path / "net.onnx"
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    (tmp_path / "short.bin").write_bytes(b"12345678")
    with pytest.raises(ValueError, match=message) as caught:
        lfp.onnx.load(path)
    assert str(path) in str(caught.value) and len(str(caught.value)) < 700


def test_weights_beside_the_file_are_read(tmp_path):
    made = outside("weights.bin")
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    w = np.arange(6, dtype=np.float32).reshape(2, 3)
    (tmp_path / "weights.bin").write_bytes(w.tobytes())
    (layer,) = lfp.onnx.load(tmp_path / "net.onnx").layers
    assert np.array_equal(layer.weight.value, w) and np.array_equal(layer.bias.value, [1, 1])


def test_all_that_is_not_supported_is_named(tmp_path):
    nodes = [
        helper.make_node("Clip", ["x", "low", "high"], ["a"], "relu6"),
        helper.make_node("Gemm", ["a", "w", "b"], ["c"], "dense", transB=1, alpha=2.0),
        helper.make_node("LpNormalization", ["c"], ["y"], "norm"),
    ]
    made = model(nodes, {**W, "low": np.float32(0), "high": np.float32(6)})
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    named = r"Clip 'relu6': no layer(.|\n)*Gemm 'dense': attribute alpha = 2.0, supported is 1.0(.|\n)*LpNorm.*'norm'"
    with pytest.raises(ValueError, match=named):
        lfp.onnx.load(tmp_path / "net.onnx")
    with pytest.raises(FileNotFoundError, match="no network at"):
        lfp.onnx.load(tmp_path / "other.onnx")


@pytest.mark.parametrize(
    "around, value, own, says",
    [
        ((0, 1, 1, 1, 0, 1, 1, 1), 0, (0,) * 4, "one padding of height and width"),  # of channels
        ((0, 0, 1, 1, 0, 0, -1, 1), 0, (0,) * 4, "one padding of height and width"),
        ((0, 0, 1, 1, 0, 0, 1, 1), 2, (1,) * 4, "one padding of height and width"),  # two values, one around the other
        ((0, 0, 1, 1, 0, 0, 2, 1), 0, (1,) * 4, "different in front and behind"),
        ((0, 0, 2, 1, 0, 0, 2, 1), 0, (1,) * 4, None),
    ],
)
def test_padding_before_a_convolution_is_its_own(tmp_path, around, value, own, says):
    nodes = [helper.make_node("Pad", ["x", "around", "value"], ["a"]),
             helper.make_node("Conv", ["a", "w"], ["y"], "conv", pads=own)]  # fmt: skip
    channels = 2 + around[1] + around[5]
    weights = {"around": np.array(around), "value": np.float32(value), "w": np.ones((2, channels, 3, 3), np.float32)}
    made = model(nodes, weights, ("N", 2, 6, 6), ("N", 2, "H", "W"))
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    if says:
        with pytest.raises(ValueError, match=says):
            lfp.onnx.load(tmp_path / "net.onnx")
    else:
        net = lfp.onnx.load(tmp_path / "net.onnx")
        assert [layer.padding for layer in net] == [(3, 2)] and net.forward(np.ones((1, 2, 6, 6))).shape == (
            1,
            2,
            10,
            8,
        )


def test_a_value_inside_can_be_the_output():
    net = lfp.onnx.load(RECORDED / "lenet-dynamo.onnx", output="relu_1")
    assert net.forward(np.zeros((1, 1, 14, 14))).shape == (1, 4, 4, 4)
    with pytest.raises(ValueError, match="no value is called 'nothing'; outputs are"):
        lfp.onnx.load(RECORDED / "lenet-dynamo.onnx", output="nothing")


# ---- around it


def command(*arguments):
    return subprocess.run([sys.executable, "-m", "lfp_ref", *map(str, arguments)], capture_output=True, text=True)


def test_the_command_line_converts_and_explains(tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need the extra cli")
    net = lfp.Sequential(lfp.Dense(64, 12, rng=np.random.default_rng(0)), lfp.ReLU(), lfp.Dense(12, 10))
    first, second = tmp_path / "a.onnx", tmp_path / "b.onnx"
    lfp.onnx.save(net, first, (64,))
    for pair in ((first, second), (second, tmp_path / "b.npz")):
        done = command("convert", *pair)
        assert f"{pair[1]}: 910 parameters of 3 layers" in done.stdout, done.stderr
    lfp.load_weights(lfp.onnx.load(second), tmp_path / "b.npz")
    done = command("explain", second, "--data", "digits", "--sample", 3, "--target", 1)
    assert "sample 3 (label" in done.stdout and (tmp_path / "explain.png").stat().st_size > 1000, done.stderr
    for wrong, message in (((first, tmp_path / "c.nir"), "hold spiking networks"), ((first, "c.txt"), "B must end in"),
                           ((tmp_path / "c.safetensors", first), "--model")):  # fmt: skip
        assert message in command("convert", *wrong).stderr


def test_without_the_package_there_is_a_hint(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'An \.onnx file needs onnx: .*extra "onnx"'):
        lfp.onnx.load(tmp_path / "net.onnx")
    code = "import sys, lfp_ref; print('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
