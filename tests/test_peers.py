"""Other people's packages as witnesses, in float64, to 1e-9: zennit for relevance, lfprop for LFP. Where installed."""

import warnings

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, ZBox, ZPlus

torch = pytest.importorskip("torch", reason="torch is not installed")
KIND = {"dtype": np.float64}


def agree(actual, expected):
    expected = expected.detach().numpy()
    assert np.abs(actual - expected).max() <= 1e-9 * np.abs(expected).max()


def as_torch(net):
    """The same network in torch."""
    layers = []
    for layer in net:
        if isinstance(layer, lfp.Dense):
            layers.append(torch.nn.Linear(layer.in_features, layer.out_features))
        elif isinstance(layer, lfp.Conv2d):
            sizes = (layer.in_channels, layer.out_channels, layer.kernel_size)
            layers.append(torch.nn.Conv2d(*sizes, layer.stride, layer.padding, layer.dilation))
        elif isinstance(layer, lfp.MaxPool2d | lfp.AvgPool2d):
            layers.append(getattr(torch.nn, type(layer).__name__)(layer.kernel_size, layer.stride))
        elif isinstance(layer, lfp.BatchNorm):
            layers.append(torch.nn.BatchNorm2d(layer.num_features, momentum=None))
        else:
            layers.append(getattr(torch.nn, type(layer).__name__)())
    twin = torch.nn.Sequential(*layers).double().eval()
    state = {name: torch.from_numpy(array) for name, array in net.state_dict().items()}
    twin.load_state_dict(state, strict=False)
    return twin


def dense():
    return lfp.Sequential(lfp.Dense(12, 7, rng=np.random.default_rng(0), **KIND)), (12,)


def conv():
    layer = lfp.Conv2d(2, 5, (3, 2), stride=(2, 1), padding=(1, 2), rng=np.random.default_rng(0), **KIND)
    return lfp.Sequential(layer), (2, 7, 6)


def lenet(pool=lfp.MaxPool2d, norm=False):
    rng = np.random.default_rng(0)
    return lfp.Sequential(
        lfp.Conv2d(1, 4, 5, rng=rng, **KIND), *([lfp.BatchNorm(4, rng=rng, **KIND)] if norm else []),
        lfp.ReLU(), pool(2),
        lfp.Conv2d(4, 6, 3, padding=1, rng=rng, **KIND), lfp.ReLU(), pool(2), lfp.Flatten(),
        lfp.Dense(54, 20, rng=rng, **KIND), lfp.ReLU(), lfp.Dense(20, 10, rng=rng, **KIND),
    )  # fmt: skip


def samples(*shape):
    rng = np.random.default_rng(1)
    return rng.uniform(-1, 1, shape)


ZENNIT = {
    "Epsilon": (Epsilon(0.01), {"epsilon": 0.01}),
    "Gamma": (Gamma(0.25), {"gamma": 0.25}),
    "AlphaBeta": (AlphaBeta(2.0, 1.0), {"alpha": 2.0, "beta": 1.0}),
    "ZPlus": (ZPlus(), {}),
    "WSquare": (WSquare(), {}),
    "Flat": (Flat(), {}),
    "ZBox": (ZBox(-1.0, 1.0), {"low": -1.0, "high": 1.0}),
}


@pytest.mark.parametrize("name", ZENNIT)
@pytest.mark.parametrize("make", [dense, conv])
def test_zennit_agrees_on_relevance(make, name):
    rules = pytest.importorskip("zennit.rules", reason="zennit is not installed")
    rule, options = ZENNIT[name]
    net, shape = make()
    x, twin = samples(6, *shape), as_torch(net)
    z = net.forward(x)
    reward = np.random.default_rng(2).normal(size=z.shape)
    hook = getattr(rules, name)(**{k: torch.tensor(v).double() if name == "ZBox" else v for k, v in options.items()})
    handles = hook.register(twin[0])
    given = torch.from_numpy(x).requires_grad_()
    out = twin(given)
    agree(z, out)
    (relevance,) = torch.autograd.grad(out, given, torch.from_numpy(reward))
    handles.remove()
    agree(net.feedback(reward, rule), relevance)


@pytest.mark.parametrize("name", ["epsilon-plus", "epsilon-gamma-box", "epsilon-alpha2-beta1-flat"])
def test_zennit_agrees_on_composites(name):
    composites = pytest.importorskip("zennit.composites", reason="zennit is not installed")
    make = {
        "epsilon-plus": lambda: composites.EpsilonPlus(),
        "epsilon-gamma-box": lambda: composites.EpsilonGammaBox(low=torch.tensor(-1.0), high=torch.tensor(1.0)),
        "epsilon-alpha2-beta1-flat": lambda: composites.EpsilonAlpha2Beta1Flat(),
    }[name]
    net = lenet()
    x, twin = samples(4, 1, 16, 16), as_torch(net)
    given = torch.from_numpy(x).requires_grad_()
    with make().context(twin) as changed:
        out = changed(given)
        start = torch.zeros_like(out)
        start[:, 3] = out[:, 3].detach()
        (relevance,) = torch.autograd.grad(out, given, start)
    agree(lfp.explain(net, x, 3, lfp.names.COMPOSITES[name](net)), relevance)


@pytest.mark.parametrize("pool", [lfp.MaxPool2d, lfp.AvgPool2d])
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("epsilon", [1e-6, 0.1])
def test_lfprop_agrees_on_lfp(epsilon, norm, pool):
    lxt = pytest.importorskip("lfprop.propagation.propagator_lxt", reason="lfprop is not installed")
    rewards = pytest.importorskip("lfprop.rewards.reward_functions")
    net = lenet(pool, norm)
    x, labels, twin = samples(8, 1, 16, 16), np.arange(8) % 10, as_torch(net)
    z = net.forward(x)
    reward = lfp.rewards.softmax(z, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with lxt.LFPEpsilonComposite(epsilon=epsilon).context(twin) as changed:
            given = torch.from_numpy(x).requires_grad_()
            out = changed(given)
            told = rewards.SoftmaxLossReward("cpu")(out, torch.from_numpy(labels)).detach()
            agree(reward, told)
            (handed,) = torch.autograd.grad((out,), (given,), grad_outputs=(told,))
    agree(net.feedback(reward, Epsilon(epsilon)), handed)
    theirs = dict(twin.named_parameters())
    for name, parameter in net.named_parameters():
        agree(parameter.feedback, theirs[name].feedback)


def test_lfprop_agrees_on_rewards():
    functions = pytest.importorskip("lfprop.rewards.reward_functions", reason="lfprop is not installed")
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(9, 5)), rng.integers(0, 5, 9)
    spikes = rng.integers(0, 2, (7, 9, 5)).astype(float)
    one, bits = rng.normal(size=(9, 1)), rng.integers(0, 2, 9)
    bounds = {"low": 0.1, "high": 0.6, "sign_only": True}
    theirs = {"lower_bound": 0.1, "higher_bound": 0.6, "logit_sign_only": True}
    for name, ours, inputs in (
        ("SoftmaxLossReward", lfp.rewards.softmax, (z, labels)),
        ("SigmoidLossReward", lfp.rewards.sigmoid, (z, labels)),
        ("BinarySigmoidLossReward", lfp.rewards.binary_sigmoid, (one, bits)),
        ("BoundedSoftmaxReward", lambda *a: lfp.rewards.bounded_softmax(*a, **bounds), (z, labels)),
        ("CorrectclassificationReward", lfp.rewards.correct_class, (z, labels)),
        ("MisclassificationReward", lfp.rewards.misclassification, (z, labels)),
        ("MaximizeSingleNeuron", lambda z, _: lfp.rewards.maximise(z), (one, bits)),
        ("MinimizeSingleNeuron", lambda z, _: lfp.rewards.minimise(z), (one, bits)),
        ("SnnCorrectClassRewardSpikesRateCoded", lfp.rewards.rate_coded, (spikes, labels)),
    ):
        function = getattr(functions, name)(device="cpu", **(theirs if name.startswith("Bounded") else {}))
        if name.startswith("Snn"):  # lfprop's one-hot labels are float32, ours follow the spikes
            agree(ours(*inputs), function(*map(torch.from_numpy, inputs)).double())
        else:
            agree(ours(*inputs), function(*map(torch.from_numpy, inputs)).double())


@pytest.mark.parametrize("name", ["torch", "zennit", "lfprop", "snntorch"])
@pytest.mark.filterwarnings("ignore")
def test_witnesses_agree_on_the_vectors(monkeypatch, name):
    pytest.importorskip(name, reason=f"{name} is not installed")
    from tests import witnesses

    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)  # as below
    said = list(witnesses.testimony(name))
    assert len(said) > 40 and not [each for each in said if not each[2] <= witnesses.RELATIVE]


def spiking_pair(reset, spike_grad, beta=0.75, threshold=0.5):
    """Dense 6-8-4 of LIF neurons, ours and snntorch's with the same weights; inputs (T, N, 6) over 7 steps.

    beta and threshold are exact in single precision, in which snntorch keeps them.
    """
    snn = pytest.importorskip("snntorch", reason="snntorch is not installed")
    rng = np.random.default_rng(0)
    lifs = [lfp.LIF(lfp.Dense(*size, rng=rng, **KIND), beta, threshold, reset) for size in ((6, 8), (8, 4))]
    net = lfp.Spiking(*lifs, steps=7, inputs="given")
    linears, neurons = [], []
    for lif in lifs:
        linears.append(torch.nn.Linear(lif.layer.in_features, lif.layer.out_features).double())
        linears[-1].load_state_dict({k: torch.from_numpy(v) for k, v in lif.layer.state_dict().items()})
        leaky = snn.Leaky(beta=beta, threshold=threshold, reset_mechanism=reset, spike_grad=spike_grad(snn.surrogate))
        neurons.append(leaky.double())
    return net, linears, neurons, rng.normal(size=(7, 5, 6)) * 2


def run_snntorch(linears, neurons, x):
    """Spikes and membranes of the last layer, (T, N, 4)."""
    states = [neuron.reset_mem().double() for neuron in neurons]
    spikes, membranes = [], []
    for now in x:
        for k, (linear, neuron) in enumerate(zip(linears, neurons, strict=True)):
            now, states[k] = neuron(linear(now.double()), states[k])
        spikes.append(now)
        membranes.append(states[-1])
    return torch.stack(spikes), torch.stack(membranes)


SURROGATES = {
    "atan": (lfp.rules.AtanSurrogate(1.5), lambda surrogate: surrogate.atan(alpha=1.5)),
    "fast sigmoid": (lfp.rules.FastSigmoidSurrogate(5.0), lambda surrogate: surrogate.fast_sigmoid(slope=5.0)),
}


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize("name", SURROGATES)
def test_snntorch_agrees_on_spikes_membranes_and_surrogate_gradients(monkeypatch, reset, name):
    # snntorch calls float() on spikes, which rounds what comes back to single precision
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    rule, spike_grad = SURROGATES[name]
    net, linears, neurons, x = spiking_pair(reset, spike_grad)
    spikes, given = net.forward(x), torch.from_numpy(x).requires_grad_()
    out, membranes = run_snntorch(linears, neurons, given)
    assert np.array_equal(spikes, out.detach().numpy()) and 0 < spikes.mean() < 1
    agree(net[1].membrane, membranes)
    direction = np.random.default_rng(1).normal(size=spikes.shape)
    (out * torch.from_numpy(direction)).sum().backward()
    agree(net.feedback(direction, rule), given.grad)
    theirs = [p.grad for linear in linears for p in (linear.weight, linear.bias)]
    for parameter, expected in zip(net.parameters(), theirs, strict=True):
        agree(parameter.feedback, expected)


@pytest.mark.parametrize("epsilon", [1e-6, 0.1])
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_lfprop_agrees_on_spiking_lfp(kind, epsilon):
    """A constant input, the rate-coded reward, reset by subtraction (it has no feedback for another)."""
    spiking = pytest.importorskip("lfprop.model.spiking_networks", reason="lfprop is not installed")
    snn_rules = pytest.importorskip("lfprop.propagation.propagator_snn")
    rng, steps = np.random.default_rng(0), 6
    options = {"beta": 0.875, "reset_mechanism": "subtract", "surrogate_disable": False, "spike_grad": "step"}
    make = {"mlp": lambda: spiking.SmallLifMLP(30, 10, apply_noise=False, **options),
            "cnn": lambda: spiking.LifCNN(1, 10, apply_noise=False, **options)}[kind]  # fmt: skip
    torch.manual_seed(0)
    twin = make().double()
    if kind == "mlp":
        net, x = lfp.models.spiking_mlp((30,), 10, steps=steps, beta=0.875, **KIND), rng.uniform(-9, 9, (5, 30))
    else:
        net, x = (
            lfp.models.spiking_cnn((1, 28, 28), 10, steps=steps, beta=0.875, **KIND),
            rng.uniform(-9, 9, (5, 1, 28, 28)),
        )
    theirs = list(twin.parameters())
    for parameter, other in zip(net.parameters(), theirs, strict=True):
        parameter.value = other.detach().numpy()
    twin.reset()
    labels, given = np.arange(5), torch.from_numpy(x).requires_grad_()
    with snn_rules.LFPSNNEpsilonComposite(epsilon=epsilon).context(twin) as changed:
        out = torch.stack([changed(given)[0] for _ in range(steps)])
        spikes = net.forward(x)
        assert np.array_equal(spikes, out.detach().numpy()) and 0 < spikes.mean() < 1
        reward = lfp.rewards.rate_coded(spikes, labels)
        told = torch.from_numpy(reward)
        (handed,) = torch.autograd.grad((out,), (given,), grad_outputs=(told,))
    agree(net.feedback(reward, Epsilon(epsilon)), handed)
    for parameter, other in zip(net.parameters(), theirs, strict=True):
        agree(parameter.feedback, other.feedback)
