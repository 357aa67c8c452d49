"""docs/extending.md runs as it stands, and check_layer names what is wrong with a layer."""

import re
from pathlib import Path

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Gradient
from lfp_ref.testing import LayerError, check_layer

PAGE = Path(__file__).parent.parent / "docs" / "extending.md"
RNG = np.random.default_rng(1)
X = RNG.uniform(0.5, 2, (4, 6)) * RNG.choice([-1, 1], (4, 6))


def test_every_block_of_the_page_runs():
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)


KIND = {"dtype": np.float32, "rng": np.random.default_rng(0)}
IMAGES = RNG.standard_normal((3, 4, 6, 5))
OWN = {
    "dense": (lfp.Dense(6, 3, **KIND), X),
    "dense without bias": (lfp.Dense(6, 3, bias=False, **KIND), X),
    "convolution": (lfp.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, **KIND), IMAGES),
    "convolution of rows": (lfp.Conv1d(4, 2, 3, dilation=2, **KIND), IMAGES[:, :, 0]),
    "max pooling": (lfp.MaxPool2d(2), IMAGES),
    "average pooling": (lfp.AvgPool2d(2, 1), IMAGES),
    "global average": (lfp.GlobalAvgPool2d(), IMAGES),
    "padded pooling": (lfp.MaxPool2d(3, 2, 1, ceil_mode=True), IMAGES),
    "padded average": (lfp.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), IMAGES),
    "adaptive average": (lfp.AdaptiveAvgPool2d((4, 2)), IMAGES),
    "convolution of the same size": (lfp.Conv2d(4, 2, (2, 3), padding="same", **KIND), IMAGES),
    "padding that contributes": (lfp.Conv2d(4, 2, 3, padding=1, padding_value=0.5, **KIND), IMAGES),
    "transposed convolution": (lfp.ConvTranspose2d(4, 2, 3, 2, 1, 1, **KIND), IMAGES),
    "upsampling": (lfp.Upsample(2), IMAGES),
    "concatenation": (lfp.Concatenate(lfp.Dense(6, 2, **KIND), lfp.Identity()), X),
    "layer normalisation": (lfp.LayerNorm(5, **KIND), IMAGES[:, 0]),
    "group normalisation": (lfp.GroupNorm(2, 4, **KIND), IMAGES),
    "attention": (lfp.MultiHeadAttention(6, 2, **KIND), RNG.standard_normal((3, 4, 6))),
    "batch normalisation": (lfp.BatchNorm(4, **KIND), IMAGES),
    "dropout": (lfp.Dropout(0.5), X),
    "flatten": (lfp.Flatten(), IMAGES),
    "residual": (lfp.Residual(lfp.Dense(6, 6, **KIND), lfp.Dense(6, 6, **KIND)), X),
    "identity branch": (lfp.Residual(lfp.Dense(6, 6, **KIND)), X),
    "negated": (lfp.Negated(lfp.Tanh()), X),
    "reflected": (lfp.Reflected(lfp.ELU()), X),
    "network": (lfp.Sequential(lfp.Dense(6, 5, **KIND), lfp.ReLU(), lfp.Dense(5, 2, **KIND)), X),
    "spiking": (lfp.Spiking(lfp.LIF(lfp.Dense(6, 3, **KIND)), steps=4), X),
} | {
    kind.__name__: (kind(), X)
    for kind in (lfp.ReLU, lfp.LeakyReLU, lfp.ELU, lfp.SiLU, lfp.GELU, lfp.Tanh, lfp.Sigmoid, lfp.Softplus,
                 lfp.Softsign, lfp.Step)
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_the_packages_own_layers_are_right(name):
    check_layer(*OWN[name])


def test_batch_normalisation_is_right_in_training():
    check_layer(lfp.BatchNorm(4, **KIND), IMAGES, training=True)


class Right(lfp.Layer):
    """y = w * x, which the faults below break, each in one way."""

    def __init__(self):
        self.weight = lfp.Parameter(np.linspace(0.5, 1.5, 6))

    def propagate(self, x, node):
        node.saved = x, self.weight.value * x
        return node.saved[1]

    def hand_back(self, reward, node):
        x, y = node.saved
        s = node.divide_by_output(reward, y)
        node.learn(self.weight, node.times_weight((x * s).sum(axis=0), self.weight.value))
        return node.times_input(self.weight.value * s, x)


def test_a_right_layer_passes():
    check_layer(Right(), X)


class ChangesItsInput(Right):
    def propagate(self, x, node):
        x *= 2
        return super().propagate(x, node)


class ChangesTheSavedInput(Right):
    def hand_back(self, reward, node):
        result = super().hand_back(reward, node)
        node.saved[0][...] = 0
        return result


class ReturnsAnotherDtype(Right):
    def propagate(self, x, node):
        return super().propagate(x, node).astype(np.float32)


class ReturnsAnotherShape(Right):
    def hand_back(self, reward, node):
        return super().hand_back(reward, node)[:, :3]


class KeepsItsLastPass(Right):
    def propagate(self, x, node):
        self.last = x
        return super().propagate(x, node)

    def hand_back(self, reward, node):
        node.saved = self.last, self.weight.value * self.last
        return super().hand_back(reward, node)


class CountsItsPasses(Right):
    passes = 0

    def propagate(self, x, node):
        self.passes += 1
        return super().propagate(x, node) + self.passes


class MixesItsSamples(Right):
    def propagate(self, x, node):
        return super().propagate(x - x.mean(axis=0), node)


class IsNotLinear(Right):
    def hand_back(self, reward, node):
        return np.abs(super().hand_back(reward, node))


class LosesReward(Right):
    def hand_back(self, reward, node):
        r = super().hand_back(reward, node)
        return r if node.rule.is_gradient else r / 2


class HasAWrongDerivative(Right):
    def hand_back(self, reward, node):
        r = super().hand_back(reward, node)
        return r if not node.rule.is_gradient else r * 2


class ForgetsToLearn(Right):
    def hand_back(self, reward, node):
        x, y = node.saved
        s = node.divide_by_output(reward, y)
        return node.times_input(self.weight.value * s, x)


class HidesItsParameters(Right):
    def __init__(self):
        super().__init__()
        self.more = {"bias": lfp.Parameter(np.ones(6))}


FAULTS = {
    ChangesItsInput: "changes its input",
    ChangesTheSavedInput: "the input's reward is another|not linear",
    ReturnsAnotherDtype: "must return an array of dtype float64, returned dtype float32",
    ReturnsAnotherShape: "must return the input's shape",
    KeepsItsLastPass: "keeps something of its last pass",
    CountsItsPasses: "another output the second time",
    MixesItsSamples: "depends on the other samples",
    IsNotLinear: "the input's reward is not linear",
    LosesReward: "keeps .* of a sample's reward without naming why",
    HasAWrongDerivative: "the input's reward under Gradient",
    ForgetsToLearn: "the feedback of weight under Gradient is 0",
    HidesItsParameters: "more is a dict",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_named(kind):
    with pytest.raises((LayerError, TypeError, ValueError), match=FAULTS[kind]):
        check_layer(kind(), X)


def test_an_own_layer_may_return_views():
    """A layer that hands on what is not contiguous is divided like any other."""

    class Views(Right):
        def propagate(self, x, node):
            y = super().propagate(x, node)
            return np.asfortranarray(y)

        def hand_back(self, reward, node):
            return np.asfortranarray(super().hand_back(np.asfortranarray(reward), node))

    check_layer(lfp.Sequential(lfp.Dense(6, 6, dtype=np.float64, rng=np.random.default_rng(0)), Views()), X)


@pytest.mark.parametrize("writes", [False, True])
def test_the_order_of_an_own_layers_arrays_in_memory_does_not_matter(writes):
    """Columns first, or every other row: the rule's steps return, or write, what they return for ordinary arrays."""

    class InAnyOrder(Right):
        def propagate(self, x, node):
            y = self.weight.value * x
            node.saved = np.asfortranarray(x), np.asfortranarray(y)
            return y

        def hand_back(self, reward, node):
            x, y = node.saved
            out = np.empty((2 * len(y), *y.shape[1:]))[::2] if writes else None
            s = node.divide_by_output(np.asfortranarray(reward), y, out=out)
            node.learn(self.weight, node.times_weight((x * s).sum(axis=0), self.weight.value))
            return node.times_input(np.asfortranarray(self.weight.value * s), x)

    check_layer(InAnyOrder(), X)
    results = []
    for layer in (Right(), InAnyOrder()):
        layer.forward(X)
        results.append((layer.feedback(X), layer.weight.feedback))
    assert np.array_equal(results[0][0], results[1][0]) and np.array_equal(results[0][1], results[1][1])


def test_one_layer_twice_in_a_layer_needs_two_names():
    class Twice(lfp.Layer):
        def __init__(self, inner):
            self.inner = inner

        def propagate(self, x, node):
            return node.forward("inner", node.forward("inner", x))

    with pytest.raises(RuntimeError, match="'inner' runs twice in a pass"):
        Twice(lfp.ReLU()).forward(X)


def test_gradient_leaves_own_layers_undivided():
    layer = Right()
    layer.forward(X)
    assert np.array_equal(layer.feedback(np.ones((4, 6)), Gradient()), np.ones((4, 6)) * layer.weight.value)


@pytest.mark.parametrize("net, x", [
    (lfp.Sequential(lfp.Dense(6, 5), lfp.BatchNorm(5), lfp.Dense(5, 2)), X),
    (lfp.Spiking(lfp.LatencyCode(-2, 2), lfp.Flatten(), lfp.LIF(lfp.Dense(6, 3)), steps=3), X),
])  # fmt: skip
def test_a_layer_without_a_form_of_a_rule_says_what_to_write_and_that_works(net, x):
    z = net.forward(x)
    with pytest.raises(ValueError, match="give it a rule of its own, as in") as refused:
        net.feedback(z, lfp.rules.Gamma(0.5))
    rule = eval(str(refused.value).partition("as in ")[2])
    assert rule[lfp.Layer] == lfp.rules.Gamma(0.5) and net.feedback(z, rule).shape == x.shape
