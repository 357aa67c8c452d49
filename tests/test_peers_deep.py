"""Other people's packages as witnesses of the layers of deep networks, in float64, to 1e-9. Where installed."""

import math
import warnings

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import AttnLRP, AutogradAttention, Epsilon, Gradient

torch = pytest.importorskip("torch", reason="torch is not installed")
KIND = {"dtype": np.float64}


def agree(actual, expected, least=0.0):
    """least: of the scale, for what is exactly 0 in theory."""
    expected = expected.detach().numpy()
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= 1e-9 * max(np.abs(expected).max(), least)


def samples(*shape, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def lfprop_feedback(module, x, reward, epsilon):
    """The input's reward by lfprop's composite for vision transformers; parameters have theirs in `feedback`.

    Without its rules for functions, which never act: they are given to a traced copy that is thrown away.
    """
    vit = pytest.importorskip("lfprop.propagation.propagator_vit", reason="lfprop's composite is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        composite = vit.LFPEpsilonComposite(epsilon=epsilon)
        composite.layer_map = {kind: rule for kind, rule in composite.layer_map.items() if isinstance(kind, type)}
        with composite.context(module) as changed:
            given = torch.from_numpy(x).requires_grad_()
            (handed,) = torch.autograd.grad((changed(given),), (given,), grad_outputs=(torch.from_numpy(reward),))
    return handed


@pytest.mark.parametrize("epsilon", [1.0, 1e-3, 1e-6])
def test_lfprop_agrees_on_layer_normalisation(epsilon):
    layer = lfp.LayerNorm(6, rng=np.random.default_rng(0), **KIND)
    layer.weight.value = samples(6, seed=2)
    twin = torch.nn.Sequential(torch.nn.LayerNorm(6).double())
    twin.load_state_dict({f"0.{name}": torch.from_numpy(value) for name, value in layer.state_dict().items()})
    x, reward = samples(3, 4, 6), samples(3, 4, 6, seed=3)
    agree(layer.forward(x), twin(torch.from_numpy(x)))
    agree(layer.feedback(reward, Epsilon(epsilon)), lfprop_feedback(twin, x, reward, epsilon))
    for ours, theirs in zip(layer.parameters(), twin.parameters(), strict=True):
        agree(ours.feedback, theirs.feedback)


class Block(torch.nn.Module):
    """A transformer block as torch users write it, of modules that lfprop has rules for."""

    def __init__(self, features, heads, hidden):
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mlp = (torch.nn.LayerNorm(features) for _ in "ab")
        self.query, self.key, self.value, self.out = (torch.nn.Linear(features, features) for _ in "qkvo")
        self.mlp = torch.nn.Sequential(
            torch.nn.Linear(features, hidden), torch.nn.GELU(), torch.nn.Linear(hidden, features)
        )

    def forward(self, x):
        a = self.before_attention(x)
        q, k, v = (p(a).unflatten(2, (self.heads, -1)).transpose(1, 2) for p in (self.query, self.key, self.value))
        p = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[3]), dim=3)
        h = self.out((p @ v).transpose(1, 2).flatten(2)) + x
        return self.mlp(self.before_mlp(h)) + h


@pytest.mark.parametrize("epsilon", [1.0, 1e-3])
@pytest.mark.parametrize("tokens", [1, 5])
def test_lfprop_agrees_on_a_transformer_block(tokens, epsilon):
    """As its composite runs: rewards pass attention as gradients do, and a sum copies its reward to both branches."""
    features, heads, hidden = 6, 3, 8
    torch.manual_seed(0)
    twin = Block(features, heads, hidden).double()
    rng = np.random.default_rng(0)
    attention = lfp.Sequential(lfp.LayerNorm(features, **KIND), lfp.MultiHeadAttention(features, heads, **KIND))
    mlp = lfp.Sequential(
        lfp.LayerNorm(features, **KIND), lfp.Dense(features, hidden, **KIND), lfp.GELU(),
        lfp.Dense(hidden, features, **KIND),
    )  # fmt: skip
    state = {name: value.numpy() for name, value in twin.state_dict().items()}
    for kind in ("weight", "bias"):
        projections = [state[f"{name}.{kind}"] for name in ("query", "key", "value")]
        getattr(attention[1].in_proj, kind).value = np.concatenate(projections)
        getattr(attention[1].out_proj, kind).value = state[f"out.{kind}"]
        for ours, theirs in ((mlp[1], "mlp.0"), (mlp[3], "mlp.2")):
            getattr(ours, kind).value = state[f"{theirs}.{kind}"]
        for ours, theirs in ((attention[0], "before_attention"), (mlp[0], "before_mlp")):
            parameter = getattr(ours, kind)
            parameter.value = rng.uniform(0.5, 1, features)
            twin.get_parameter(f"{theirs}.{kind}").data = torch.from_numpy(parameter.value.copy())
    x, reward, rule = samples(3, tokens, features), samples(3, tokens, features, seed=3), AutogradAttention(epsilon)
    h = attention.forward(x) + x
    y = mlp.forward(h) + h
    agree(y, twin(torch.from_numpy(x)))
    r_h = reward + mlp.feedback(reward, rule)
    handed = r_h + attention.feedback(r_h, rule)
    agree(handed, lfprop_feedback(twin, x, reward, epsilon))
    in_proj = attention[1].in_proj
    for kind in ("weight", "bias"):
        parts = np.split(getattr(in_proj, kind).feedback, 3)
        scale = np.abs(parts[2]).max()  # with one token queries and keys have no feedback, a key's bias never has
        pairs = [(part, f"{name}.{kind}") for part, name in zip(parts, ("query", "key", "value"), strict=True)]
        pairs += [(getattr(attention[1].out_proj, kind).feedback, f"out.{kind}")]
        pairs += [(getattr(mlp[1], kind).feedback, f"mlp.0.{kind}"), (getattr(mlp[3], kind).feedback, f"mlp.2.{kind}")]
        pairs += [(getattr(attention[0], kind).feedback, f"before_attention.{kind}")]
        pairs += [(getattr(mlp[0], kind).feedback, f"before_mlp.{kind}")]
        for ours, theirs in pairs:
            agree(ours, twin.get_parameter(theirs).feedback, scale)


def test_lxt_agrees_on_attn_lrp():
    """Its matrix products and its softmax, called by hand; its stabiliser has no sign, so it is next to 0 here."""
    functional = pytest.importorskip("lxt.functional", reason="lxt is not installed")
    layer = lfp.MultiHeadAttention(6, 3, rng=np.random.default_rng(0), **KIND)
    x, epsilon, rule = samples(2, 4, 6), 1e-13, AttnLRP(1e-13)
    layer.out_proj.weight.value, layer.out_proj.bias.value = np.eye(6), np.full(6, 1e-300)  # C itself is the output
    tape = layer.record(x)
    z = torch.from_numpy(x @ layer.in_proj.weight.value.T + layer.in_proj.bias.value).requires_grad_()
    q, k, v = (part.unflatten(2, (3, -1)).transpose(1, 2) for part in z.split(6, dim=2))
    scores = functional.matmul(q, k.transpose(2, 3), False, epsilon)
    p = functional.softmax(functional.mul2(scores, 1 / math.sqrt(2)), -1)
    c = functional.matmul(p, v, False, epsilon).transpose(1, 2).flatten(2)
    agree(tape.outputs, c)
    reward = samples(2, 4, 6, seed=3)
    (r_z,) = torch.autograd.grad((c,), (z,), grad_outputs=(torch.from_numpy(reward),))
    handed = tape.feedback(reward, rule)
    s = r_z.numpy() / z.detach().numpy()
    expected = x * (s @ layer.in_proj.weight.value)
    assert np.abs(handed - expected).max() <= 1e-9 * np.abs(expected).max()


POOLS = [
    (lfp.MaxPool2d, torch.nn.MaxPool2d, (3, 2, 1, 1, False, True)),
    (lfp.AvgPool2d, torch.nn.AvgPool2d, (3, 2, 1, True, False)),
    (lfp.AvgPool2d, torch.nn.AvgPool2d, ((2, 3), (3, 2), (1, 1), True, True)),
    (lfp.AdaptiveAvgPool2d, torch.nn.AdaptiveAvgPool2d, ((3, 2),)),
    (lfp.AdaptiveAvgPool2d, torch.nn.AdaptiveAvgPool2d, ((7, 9),)),
]


@pytest.mark.parametrize(("ours", "theirs", "arguments"), POOLS)
@pytest.mark.parametrize("size", [(7, 6), (5, 8), (4, 4)])
def test_torch_and_zennit_agree_on_pools(ours, theirs, arguments, size):
    module = theirs(*arguments)
    layer = ours(*arguments) if ours is not lfp.MaxPool2d else ours(3, 2, 1, ceil_mode=True)
    x = samples(2, 3, *size)
    given = torch.from_numpy(x).requires_grad_()
    out = module(given)
    z = layer.forward(x)
    agree(z, out)
    direction = samples(*z.shape, seed=3)
    (gradient,) = torch.autograd.grad(out, given, torch.from_numpy(direction))
    agree(layer.feedback(direction, Gradient()), gradient)
    if ours is lfp.MaxPool2d:
        return
    zennit = pytest.importorskip("zennit.rules", reason="zennit is not installed")
    handle = zennit.Epsilon(epsilon=0.01).register(module)
    out = module(given)
    (relevance,) = torch.autograd.grad(out, given, torch.from_numpy(direction))
    handle.remove()
    agree(layer.feedback(direction, Epsilon(0.01)), relevance)


@pytest.mark.parametrize("options", [{}, {"stride": 2, "output_padding": 1}, {"padding": (1, 0), "groups": 2}])
@pytest.mark.parametrize("epsilon", [1e-6, 0.1])
def test_lfprop_agrees_on_transposed_convolution(options, epsilon):
    layer = lfp.ConvTranspose2d(4, 6, (3, 2), rng=np.random.default_rng(0), **options, **KIND)
    twin = torch.nn.Sequential(torch.nn.ConvTranspose2d(4, 6, (3, 2), **options).double())
    twin.load_state_dict({f"0.{name}": torch.from_numpy(value) for name, value in layer.state_dict().items()})
    x = samples(2, 4, 3, 5)
    z = layer.forward(x)
    agree(z, twin(torch.from_numpy(x)))
    reward = samples(*z.shape, seed=3)
    agree(layer.feedback(reward, Epsilon(epsilon)), lfprop_feedback(twin, x, reward, epsilon))
    for ours, theirs in zip(layer.parameters(), twin.parameters(), strict=True):
        agree(ours.feedback, theirs.feedback)


@pytest.mark.parametrize("kernel", [(2, 3), (3, 3), (4, 1)])
def test_torch_and_zennit_agree_on_padding_same(kernel):
    layer = lfp.Conv2d(2, 3, kernel, padding="same", dilation=(1, 2), rng=np.random.default_rng(0), **KIND)
    module = torch.nn.Conv2d(2, 3, kernel, padding="same", dilation=(1, 2)).double()
    module.load_state_dict({name: torch.from_numpy(value) for name, value in layer.state_dict().items()})
    x, zennit = samples(2, 2, 5, 6), pytest.importorskip("zennit.rules", reason="zennit is not installed")
    given = torch.from_numpy(x).requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        handle = zennit.Epsilon(epsilon=0.01).register(module)
        out = module(given)
        agree(layer.forward(x), out)
        reward = samples(*out.shape, seed=3)
        (relevance,) = torch.autograd.grad(out, given, torch.from_numpy(reward))
        handle.remove()
    agree(layer.feedback(reward, Epsilon(0.01)), relevance)
