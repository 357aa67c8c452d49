"""Weights in and out: files that others read, and networks that compute the same on the other side."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lfp_ref as lfp

ENDINGS = (".npz", ".safetensors")


def network(seed, **kind):
    kind = {"rng": np.random.default_rng(seed), **kind}
    return lfp.Sequential(
        lfp.Conv2d(1, 3, 3, padding=1, **kind), lfp.BatchNorm(3, **kind), lfp.ReLU(), lfp.MaxPool2d(2), lfp.Flatten(),
        lfp.Dense(48, 7, **kind), lfp.BatchNorm(7, **kind), lfp.Tanh(), lfp.Dense(7, 4, bias=False, **kind),
    )  # fmt: skip


def images(count=9):
    return np.random.default_rng(1).normal(size=(count, 1, 8, 8)).astype(np.float32)


def trained(seed=0, **kind):
    """A network whose statistics are no longer the initial ones."""
    net = network(seed, **kind)
    for _ in range(3):
        net.forward(images(), training=True)
    return net


def need(ending):
    if ending == ".safetensors":
        pytest.importorskip("safetensors", reason="needs the extra interop")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_was_saved_is_loaded_bit_by_bit(tmp_path, ending, dtype):
    need(ending)
    net, other, path = trained(dtype=dtype), network(1, dtype=dtype), tmp_path / "new" / f"net{ending}"
    lfp.save_weights(net, path)
    lfp.load_weights(other, path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    for name, array in net.state_dict().items():
        loaded = other.state_dict()[name]
        assert loaded.dtype == array.dtype and np.array_equal(loaded, array), name


def test_through_pytorch_and_back_outputs_are_equal(tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    need(".safetensors")
    from safetensors.torch import load_file, save_file

    def peer():
        return torch.nn.Sequential(
            torch.nn.Conv2d(1, 3, 3, padding=1), torch.nn.BatchNorm2d(3), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
            torch.nn.Flatten(), torch.nn.Linear(48, 7), torch.nn.BatchNorm1d(7), torch.nn.Tanh(),
            torch.nn.Linear(7, 4, bias=False),
        )  # fmt: skip

    def same(net, model):
        theirs = model.eval()(torch.from_numpy(images())).detach().numpy()
        np.testing.assert_allclose(net.forward(images()), theirs, rtol=0, atol=1e-6 * np.abs(theirs).max())

    net, model = trained(), peer()
    lfp.save_weights(net, tmp_path / "ours.safetensors")
    model.load_state_dict(load_file(tmp_path / "ours.safetensors"))  # strict: every name, every shape
    same(net, model)
    model = peer().train()
    model(torch.from_numpy(images()))
    state = model.state_dict()
    assert {name for name in state if name not in net.state_dict()} == {f"{n}.num_batches_tracked" for n in (1, 6)}
    save_file(state, tmp_path / "theirs.safetensors")
    other = network(2)
    lfp.load_weights(other, tmp_path / "theirs.safetensors")
    same(other, model)
    np.savez(tmp_path / "theirs.npz", **{name: tensor.numpy() for name, tensor in state.items()})
    other = network(3)
    lfp.load_weights(other, tmp_path / "theirs.npz")
    same(other, model)
    save_file({name: tensor.to(torch.bfloat16) for name, tensor in state.items()}, tmp_path / "short.safetensors")
    with pytest.raises(ValueError, match="save it as float32"):
        lfp.load_weights(other, tmp_path / "short.safetensors")


def test_a_count_of_batches_is_passed_over_for_batch_normalisation_alone():
    net = network(0)
    state = net.state_dict()
    net.load_state_dict({**state, "1.num_batches_tracked": np.int64(3)})
    assert state.keys() == net.state_dict().keys()
    for wrong in ("0.num_batches_tracked", "num_batches_tracked", "1.num_batches"):
        with pytest.raises(ValueError, match=f"{wrong}: unexpected"):
            net.load_state_dict({**state, wrong: np.int64(3)})


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_that_are_no_good_leave_the_network_alone(tmp_path, ending):
    need(ending)
    net, path = network(0), tmp_path / f"net{ending}"
    before = net.state_dict()
    with pytest.raises(FileNotFoundError, match="no weights at"):
        lfp.load_weights(net, path)
    lfp.save_weights(lfp.Sequential(lfp.Dense(2, 2)), path)
    with pytest.raises(ValueError, match=r"0\.weight: shape \(2, 2\), expected \(3, 1, 3, 3\)"):
        lfp.load_weights(net, path)
    whole = path.read_bytes()
    for content in (whole[:-3], b"", b"weights", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"is damaged or no {ending} file"):
            lfp.load_weights(net, path)
    for function in (lfp.save_weights, lfp.load_weights):
        with pytest.raises(ValueError, match=r"end in \.safetensors or \.npz, got .*net\.pt"):
            function(net, tmp_path / "net.pt")
    assert all(np.array_equal(array, before[name]) for name, array in net.state_dict().items())


def test_without_safetensors_it_says_what_to_install_and_what_works(tmp_path, monkeypatch):
    for module in ("safetensors", "safetensors.numpy"):
        monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "net.safetensors"
    with pytest.raises(ImportError, match=r"pip install safetensors .*extra \"interop\"\)\. Without it, \.npz files"):
        lfp.save_weights(network(0), path)
    path.write_bytes(b"something")
    with pytest.raises(ImportError, match="pip install safetensors"):
        lfp.load_weights(network(0), path)
    lfp.save_weights(network(0), tmp_path / "net.npz")


def test_threads_that_save_into_one_file_leave_one_that_is_whole(tmp_path):
    """300 saves by six threads, and as many reads at once."""
    path, nets = tmp_path / "net.npz", [lfp.Sequential(lfp.Dense(300, 30)) for _ in range(6)]
    for number, net in enumerate(nets):
        net[0].weight.value = np.full((30, 300), number)
    lfp.save_weights(nets[0], path)

    def save(net):
        for _ in range(50):
            lfp.save_weights(net, path)

    def read():
        for _ in range(300):
            other = lfp.Sequential(lfp.Dense(300, 30))
            lfp.load_weights(other, path)
            assert len(np.unique(other[0].weight.value)) == 1

    with ThreadPoolExecutor(7) as pool:
        for each in [pool.submit(read), *(pool.submit(save, net) for net in nets)]:
            each.result()
    assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]


def test_a_network_mapped_from_a_file_trains(tmp_path):
    """joblib.load(mmap_mode="r") makes arrays that cannot be written to."""
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    net = network(0)
    optimizer = lfp.optim.Adam(net.parameters())

    def step(net, optimizer):
        outputs = net.forward(images(), training=True)
        net.feedback(lfp.rewards.softmax(outputs, np.arange(9) % 4))
        optimizer.step()
        return net.state_dict()

    step(net, optimizer)
    joblib.dump((net, optimizer), tmp_path / "both")
    expected = step(net, optimizer)
    found = step(*joblib.load(tmp_path / "both", mmap_mode="r"))
    assert all(np.array_equal(array, found[name]) for name, array in expected.items())


def test_a_checkpoint_is_not_weights_and_it_is_said_how_to_take_them_from_it(tmp_path):
    net = lfp.Sequential(lfp.Dense(2, 3))
    path = tmp_path / "run.npz"
    lfp.train(net, (np.eye(2), np.array([0, 2])), epochs=1, checkpoint=path, log=None)
    other = lfp.Sequential(lfp.Dense(2, 3))
    with pytest.raises(ValueError, match=r"run\.npz is a checkpoint, .* net\.load_state_dict\(lfp\.checkpoints\.load"):
        lfp.load_weights(other, path)
    other.load_state_dict(lfp.checkpoints.load(path).net)
    assert np.array_equal(other[0].weight.value, net[0].weight.value)
