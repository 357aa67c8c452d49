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


@pytest.mark.parametrize("name", lfp.presets.PRESETS)
def test_zennit_agrees_on_presets(name):
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
    agree(lfp.explain(net, x, 3, lfp.presets.PRESETS[name](net)), relevance)


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
