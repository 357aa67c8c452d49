"""Weights of others: torchvision's names, shapes and outputs, from its own models or from what they once put out."""

import json
import warnings

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Epsilon
from tests.torchvision_cases import CASES, CLASSES, FILE, draw, images, network, outputs, peer


def close(actual, expected):
    assert actual.dtype == np.float32 and np.abs(actual - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("name", CASES)
def test_outputs_are_those_that_torchvision_once_put_out(name):
    net = network(name)
    net.load_state_dict(draw({key: array.shape for key, array in net.state_dict().items()}))
    close(net.forward(images(name)), np.array(json.loads(FILE.read_text())[name]))


@pytest.mark.parametrize("name", CASES)
def test_torchvisions_file_is_taken_as_it_is(tmp_path, name):
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    pytest.importorskip("safetensors", reason="needs the extra interop")
    from safetensors.torch import save_file

    model, net = peer(name), network(name)
    theirs = {key: tuple(tensor.shape) for key, tensor in model.named_parameters()}
    assert theirs == {key: parameter.value.shape for key, parameter in net.named_parameters()}
    save_file(model.state_dict(), tmp_path / f"{name}.safetensors")
    lfp.load_weights(net, tmp_path / f"{name}.safetensors")
    close(net.forward(images(name)), outputs(model, images(name)))


@pytest.mark.parametrize("training", [False, True])
def test_lfprops_resnet_18_agrees_on_every_feedback(training):
    """The same weights, in float64; batch normalisation through the batch's statistics while training."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    lxt = pytest.importorskip("lfprop.propagation.propagator_lxt", reason="lfprop is not installed")
    resnets = pytest.importorskip("lfprop.model.custom_resnet")
    net = lfp.models.resnet18((3, 33, 40), CLASSES, dtype=np.float64)
    twin = resnets.custom_resnet18(num_classes=CLASSES).double().train(training)
    state = draw({key: array.shape for key, array in net.state_dict().items()})
    net.load_state_dict(state)
    twin.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()}, strict=False)
    x = np.random.default_rng(2).normal(size=(3, 3, 33, 40))
    reward = np.random.default_rng(3).normal(size=(3, CLASSES))
    z = net.forward(x, training)
    handed = net.feedback(reward, Epsilon(1e-6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with lxt.LFPEpsilonComposite(epsilon=1e-6).context(twin) as changed:
            given = torch.from_numpy(x).requires_grad_()
            out = changed(given)
            (theirs,) = torch.autograd.grad((out,), (given,), grad_outputs=(torch.from_numpy(reward),))
    agree(z, out)
    agree(handed, theirs)
    parameters = dict(twin.named_parameters())
    assert parameters.keys() == dict(net.named_parameters()).keys() and len(parameters) == 62
    for key, parameter in net.named_parameters():
        agree(parameter.feedback, parameters[key].feedback)


def agree(actual, expected):
    expected = expected.detach().numpy()
    assert np.abs(actual - expected).max() <= 1e-7 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["vgg", "resnet"])
@pytest.mark.filterwarnings("ignore")
def test_lfprops_deep_spiking_networks_agree_on_every_feedback(monkeypatch, name):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    spiking = pytest.importorskip("lfprop.model.spiking_networks", reason="lfprop is not installed")
    snn_rules = pytest.importorskip("lfprop.propagation.propagator_snn")
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)  # spikes are rounded to single precision by it
    steps, options = 4, {"beta": 0.875, "reset_mechanism": "subtract", "spike_grad": "step", "apply_noise": False}
    torch.manual_seed(0)
    twin = {"vgg": spiking.DeeperSNN, "resnet": spiking.ResNet}[name](3, CLASSES, **options).double()
    make = {"vgg": lfp.models.spiking_vgg, "resnet": lfp.models.spiking_resnet}[name]
    net = make((3, 32, 32), CLASSES, steps=steps, beta=0.875, threshold=1.0, dtype=np.float64)
    theirs = list(twin.parameters())
    if name == "resnet":  # theirs come in the order of its attributes: the shortcut after the last convolution
        theirs = [theirs[k] for k in (0, 1, 2, 4, 3, 5)]
    for parameter, other in zip(net.parameters(), theirs, strict=True):
        other.data *= 6  # enough for spikes in the last layer
        parameter.value = other.detach().numpy()
    twin.reset()
    x = np.random.default_rng(0).uniform(-9, 9, (2, 3, 32, 32))
    given = torch.from_numpy(x).requires_grad_()
    with snn_rules.LFPSNNEpsilonComposite(epsilon=1e-6).context(twin) as changed:
        out = torch.stack([changed(given)[0] for _ in range(steps)])
        spikes = net.forward(x)
        assert np.array_equal(spikes, out.detach().numpy()) and 0 < spikes.mean() < 1
        reward = np.random.default_rng(1).normal(size=spikes.shape)
        (handed,) = torch.autograd.grad((out,), (given,), grad_outputs=(torch.from_numpy(reward),))
    agree(net.feedback(reward, Epsilon(1e-6)), handed)
    for parameter, other in zip(net.parameters(), theirs, strict=True):
        agree(parameter.feedback, other.feedback)


def test_vgg_like_is_lfprops():
    """The same parameters in the same order."""
    definitions = pytest.importorskip("lfprop.model.model_definitions", reason="lfprop is not installed")
    net, twin = lfp.models.vgg_like((3, 32, 32), CLASSES), definitions.CifarVGGLike(3, CLASSES).eval()
    assert [p.value.shape for p in net.parameters()] == [tuple(p.shape) for p in twin.parameters()]
    for parameter, other in zip(net.parameters(), twin.parameters(), strict=True):
        parameter.value = other.detach().numpy()
    x = np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype(np.float32)
    close(net.forward(x), outputs(twin, x))
