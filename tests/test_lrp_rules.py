"""The LRP rules beside epsilon: against the oracle, each other, and the dense layer that a convolution unrolls to."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.core.assignment import resolve
from lfp_ref.rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, ZBox, ZPlus, ZPlusMinus
from tests import oracle
from tests.common import assert_close, batches, compare, dtypes, fill, numbers, seeds

# name: (rule, restated)
RULES = {
    "gamma": (Gamma(0.25), oracle.gamma(Fraction(1, 4))),
    "gamma 0": (Gamma(0.0), oracle.gamma(0)),
    "alpha-beta": (AlphaBeta(2.0, 1.0), oracle.alpha_beta(2, 1)),
    "alpha-beta 3/2": (AlphaBeta(1.5, 0.5), oracle.alpha_beta(Fraction(3, 2), Fraction(1, 2))),
    "z-plus": (ZPlus(), oracle.alpha_beta(1, 0)),
    "w-square": (WSquare(), oracle.w_square()),
    "flat": (Flat(), oracle.flat()),
    "z-box": (ZBox(-2.0, 2.0), oracle.z_box(-2, 2)),
    "z-plus-minus": (ZPlusMinus(epsilon=1e-6), oracle.z_plus_minus()),
}
names = pytest.mark.parametrize("name", RULES)


@names
@given(n=batches, inputs=st.integers(1, 7), outputs=st.integers(1, 5), bias=st.booleans(), dtype=dtypes, seed=seeds)
def test_dense_equals_the_oracle(name, n, inputs, outputs, bias, dtype, seed):
    layer = fill(lfp.Dense(inputs, outputs, bias=bias, dtype=dtype), seed)
    restated = oracle.Dense(*map(oracle.exact, [p.value for p in layer.parameters()]))
    compare(layer, restated, numbers([seed, 9], n, inputs, dtype=dtype), [seed, 10], *RULES[name])


@names
@given(n=st.integers(1, 3), tokens=st.integers(1, 3), bias=st.booleans(), dtype=dtypes, seed=seeds)
def test_dense_on_tokens_equals_the_oracle(name, n, tokens, bias, dtype, seed):
    layer = fill(lfp.Dense(4, 3, bias=bias, dtype=dtype), seed)
    restated = oracle.Dense(*map(oracle.exact, [p.value for p in layer.parameters()]))
    compare(layer, restated, numbers([seed, 9], n, tokens, 4, dtype=dtype), [seed, 10], *RULES[name])


@names
@given(
    n=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.integers(0, 2),
    bias=st.booleans(),
    dtype=dtypes,
    seed=seeds,
)
def test_conv_equals_the_oracle(name, n, stride, padding, bias, dtype, seed):
    layer = fill(lfp.Conv2d(2, 3, (2, 3), stride, padding, bias=bias, dtype=dtype), seed)
    parameters = [oracle.exact(p.value) for p in layer.parameters()]
    restated = oracle.Conv(
        *parameters, **({} if bias else {"bias": None}), stride=(stride,) * 2, padding=(padding,) * 2
    )
    compare(layer, restated, numbers([seed, 9], n, 2, 4, 5, dtype=dtype), [seed, 10], *RULES[name])


@names
@given(
    n=st.integers(1, 3), groups=st.integers(1, 3), each=st.integers(1, 2), outputs=st.integers(1, 2), dtype=dtypes,
    seed=seeds,
)  # fmt: skip
def test_conv_in_groups_equals_the_oracle(name, n, groups, each, outputs, dtype, seed):
    layer = fill(lfp.Conv2d(groups * each, groups * outputs, 2, padding=1, groups=groups, dtype=dtype), seed)
    parameters = [oracle.exact(p.value) for p in layer.parameters()]
    restated = oracle.Conv(*parameters, padding=(1, 1), groups=groups)
    compare(layer, restated, numbers([seed, 9], n, groups * each, 3, 3, dtype=dtype), [seed, 10], *RULES[name])


@names
@given(
    n=st.integers(1, 3), kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)), stride=st.integers(1, 2),
    dtype=dtypes, seed=seeds,
)  # fmt: skip
def test_average_pooling_equals_the_oracle(name, n, kernel, stride, dtype, seed):
    """A weighted sum with weights 1/n: every rule has a form of it."""
    layer, restated = lfp.AvgPool2d(kernel, stride), oracle.AvgPool(kernel, (stride, stride))
    compare(layer, restated, numbers([seed, 9], n, 2, 4, 3, dtype=dtype), [seed, 10], *RULES[name])


@names
@given(outputs=st.tuples(st.integers(1, 5), st.integers(1, 5)), dtype=dtypes, seed=seeds)
def test_adaptive_average_pooling_equals_the_oracle(name, outputs, dtype, seed):
    layer, restated = lfp.AdaptiveAvgPool2d(outputs), oracle.AdaptiveAvgPool(outputs)
    compare(layer, restated, numbers([seed, 9], 2, 2, 4, 3, dtype=dtype), [seed, 10], *RULES[name])


@names
@given(
    kernel=st.tuples(st.integers(2, 3), st.integers(2, 3)), stride=st.integers(1, 3), padding=st.integers(0, 1),
    ceil_mode=st.booleans(), with_padding=st.booleans(), dtype=dtypes, seed=seeds,
)  # fmt: skip
def test_padded_average_pooling_equals_the_oracle(name, kernel, stride, padding, ceil_mode, with_padding, dtype, seed):
    layer = lfp.AvgPool2d(kernel, stride, padding, ceil_mode, with_padding)
    restated = oracle.AvgPool(kernel, (stride,) * 2, Fraction, (padding,) * 2, ceil_mode, with_padding)
    compare(layer, restated, numbers([seed, 9], 2, 1, 4, 3, dtype=dtype), [seed, 10], *RULES[name])


@names
@given(n=st.integers(1, 3), dtype=dtypes, seed=seeds)
def test_a_sum_of_branches_equals_the_oracle(name, n, dtype, seed):
    """A weighted sum with weights 1, here of branches whose signs differ where x < 0."""
    layer = lfp.Residual(lfp.Reflected(lfp.ReLU()), lfp.LeakyReLU(0.25))
    reflected = oracle.Pointwise(lambda z: oracle.plus(-z), None)
    restated = oracle.Residual(reflected, oracle.leaky_relu(Fraction(1, 4)))
    compare(layer, restated, numbers([seed, 9], n, 5, dtype=dtype), [seed, 10], *RULES[name])


@pytest.mark.parametrize("name", lfp.names.COMPOSITES)
def test_a_composite_of_a_part_of_a_network_leaves_that_of_the_whole_as_it_was(name):
    net, composite = lfp.models.lenet((1, 16, 16), 3, rng=np.random.default_rng(0)), lfp.names.COMPOSITES[name]
    x = np.random.default_rng(1).uniform(-1, 1, (4, 1, 16, 16))
    tape, rule = net.record(x), composite(net)
    expected = tape.feedback(tape.outputs, rule)
    part = lfp.Sequential(*net.layers[3:])
    z = part.forward(tape.output("2"))
    assert np.array_equal(z, tape.outputs)
    part.feedback(z, composite(part))
    assert list(composite(net)) == list(rule)
    assert np.array_equal(tape.feedback(tape.outputs, composite(net)), expected)


def twin_layers(seed, *shape, low=-2):
    layer = fill(lfp.Dense(6, 5, dtype=np.float64), seed)
    x = np.maximum(numbers([seed, 1], 7, 6), low)
    return layer, x, numbers([seed, 2], 7, 5)


def outcome(layer, x, reward, rule):
    layer.forward(x)
    return [layer.feedback(reward, rule), *(p.feedback.copy() for p in layer.parameters())]


@given(seeds)
def test_alpha_beta_1_0_is_z_plus(seed):
    layer, x, reward = twin_layers(seed)
    for one, other in zip(*(outcome(layer, x, reward, rule) for rule in (AlphaBeta(1.0, 0.0), ZPlus())), strict=True):
        assert np.array_equal(one, other)


@given(seeds)
def test_gamma_0_is_epsilon_where_z_is_not_0(seed):
    layer, x, reward = twin_layers(seed)
    reward[layer.forward(x) == 0] = 0  # there gamma hands on nothing
    for one, other in zip(*(outcome(layer, x, reward, rule) for rule in (Gamma(0.0), Epsilon())), strict=True):
        # at |z| >= 1/64 the terms are at most 64 * 4 * 2; they are added up in another order
        assert np.abs(one - other).max() <= 1e-11


def test_gamma_tends_to_z_plus_for_inputs_that_are_not_negative():
    layer, x, reward = twin_layers(3, low=0)
    reward[layer.forward(x) <= 0] = 0
    limit = outcome(layer, x, reward, ZPlus())[0]
    distances = [np.abs(outcome(layer, x, reward, Gamma(g))[0] - limit).max() for g in (1e1, 1e3, 1e5)]
    # the difference is of order 1/g
    assert distances[1] < distances[0] / 50 and distances[2] < distances[1] / 50


@names
def test_conv_equals_the_dense_layer_it_unrolls_to(name):
    """Flat spreads over all inputs of a dense layer: its kernel here is as large as the image."""
    kernel, stride = ((5, 4), 1) if name == "flat" else ((2, 3), 2)
    conv = fill(lfp.Conv2d(2, 3, kernel, stride, dtype=np.float64), 1)
    x = numbers(2, 4, 2, 5, 4)
    z = conv.forward(x)
    unrolled = np.zeros((*z.shape[1:], *x.shape[1:]))
    for o, y, u in np.ndindex(z.shape[1:]):
        unrolled[o, y, u, :, y * stride : y * stride + kernel[0], u * stride : u * stride + kernel[1]] = (
            conv.weight.value[o]
        )
    outputs = z[0].size
    dense = lfp.Dense(40, outputs, dtype=np.float64)
    bias = np.repeat(conv.bias.value, outputs // 3)
    dense.load_state_dict({"weight": unrolled.reshape(outputs, 40), "bias": bias})
    reward = numbers(3, *z.shape)
    rule = RULES[name][0]
    assert_close(dense.forward(x.reshape(4, 40)), z.reshape(4, outputs))
    # sums of the same terms in another order; terms are at most 4 * 2 / 1e-6 at z = 0
    difference = conv.feedback(reward, rule).reshape(4, 40) - dense.feedback(reward.reshape(4, outputs), rule)
    assert np.abs(difference).max() <= 1e-12 * 8e6


@given(seeds)
def test_local_learning_leaves_the_propagation_alone(seed):
    layer, x, reward = twin_layers(seed)
    share, hebbian, oja = (
        outcome(layer, x, reward, Epsilon(0.25, learning=kind)) for kind in ("share", "hebbian", "oja")
    )
    assert np.array_equal(share[0], hebbian[0]) and np.array_equal(share[0], oja[0])
    z, w, b = layer.forward(x), layer.weight.value, layer.bias.value
    d_hebbian, d_oja = np.zeros((2, 5, 6))
    d_b = np.zeros((2, 5))
    for n, j in np.ndindex(7, 5):
        for i in range(6):
            d_hebbian[j, i] += abs(w[j, i]) * x[n, i] * z[n, j] * reward[n, j]
            d_oja[j, i] += abs(w[j, i]) * z[n, j] * (x[n, i] - z[n, j] * w[j, i]) * reward[n, j]
        d_b[0, j] += abs(b[j]) * z[n, j] * reward[n, j]
        d_b[1, j] += abs(b[j]) * z[n, j] * (1 - z[n, j] * b[j]) * reward[n, j]
    for actual, expected in ((hebbian[1], d_hebbian), (oja[1], d_oja), (hebbian[2], d_b[0]), (oja[2], d_b[1])):
        # |z| <= 26: terms of at most 2 * 26 * 26 * 2 * 2 * 2, 7 of them
        np.testing.assert_allclose(actual, expected, atol=1e-10)


@pytest.mark.parametrize("kind", ["hebbian", "oja"])
def test_local_learning_in_a_convolution_is_that_of_the_kernel_at_every_place(kind):
    conv = fill(lfp.Conv2d(2, 3, 2, dtype=np.float64), 1)
    x = numbers(2, 4, 2, 3, 4)
    reward = numbers(3, *conv.forward(x).shape)
    conv.feedback(reward, Epsilon(learning=kind))
    dense = lfp.Dense(8, 3, dtype=np.float64)
    dense.load_state_dict({"weight": conv.weight.value.reshape(3, 8), "bias": conv.bias.value})
    patches = [x[:, :, y : y + 2, u : u + 2].reshape(4, 8) for y in range(2) for u in range(3)]
    dense.forward(np.concatenate(patches))
    dense.feedback(np.concatenate([reward[:, :, y, u] for y in range(2) for u in range(3)]), Epsilon(learning=kind))
    np.testing.assert_allclose(conv.weight.feedback, dense.weight.feedback.reshape(3, 2, 2, 2), atol=1e-10)
    np.testing.assert_allclose(conv.bias.feedback, dense.bias.feedback, atol=1e-10)


def test_parameters_that_are_not_allowed():
    for make, says in (
        (lambda: AlphaBeta(2.0, 2.0), "needs alpha - beta = 1"),
        (lambda: AlphaBeta(0.0, -1.0), "beta must be a finite number >= 0"),
        (lambda: Gamma(-0.1), "gamma must be a finite number >= 0"),
        (lambda: ZBox(1.0, 1.0), "needs low < high"),
        (lambda: ZBox(np.zeros(3), np.array([1.0, 0.0, 1.0])), "needs low < high"),
        (lambda: Epsilon(learning="hebb"), "share, hebbian, oja"),
    ):
        with pytest.raises(ValueError, match=says):
            make()


def test_z_box_belongs_where_the_input_is_seen():
    net = lfp.models.small_cnn((1, 8, 8), 10)
    z = net.forward(np.zeros((1, 1, 8, 8)))
    for rule in (ZBox(-1, 1), {"3": ZBox(-1, 1), lfp.Layer: Epsilon()}):
        with pytest.raises(
            ValueError, match=r"layer 3, Conv2d.*sees the network's input, here 0; .*lfp\.Layer: Epsilon"
        ):
            net.feedback(z, rule)
    net.feedback(z, {"0": ZBox(-1, 1), lfp.Layer: Epsilon()})
    both = lfp.Sequential(lfp.Residual(lfp.Dense(3, 3), lfp.Dense(3, 3)))
    both.forward(np.ones((1, 3)))
    both.feedback(np.ones((1, 3)), ZBox(-1, 1))  # both branches see it


def test_bounds_of_z_box_may_differ_by_pixel():
    layer = fill(lfp.Conv2d(2, 3, 2, dtype=np.float64), 1)
    x, reward = numbers(2, 4, 2, 3, 3), numbers(3, 4, 3, 2, 2)
    plain = outcome(layer, x, reward, ZBox(-2.0, 2.0))
    by_channel = outcome(layer, x, reward, ZBox(np.full((2, 1, 1), -2.0), np.full((2, 3, 3), 2.0)))
    assert all(np.array_equal(one, other) for one, other in zip(plain, by_channel, strict=True))


def test_composites():
    cnn, mlp = lfp.models.lenet((1, 28, 28), 10), lfp.models.mlp((1, 8, 8), 10)
    convolutions = {
        "epsilon-plus": [ZPlus(), ZPlus()],
        "epsilon-gamma-box": [ZBox(-1.0, 1.0), Gamma()],
        "epsilon-alpha2-beta1-flat": [Flat(), AlphaBeta(2.0, 1.0)],
    }
    assert {*convolutions, "gamma-attn-lrp", "conserving-transformer"} == set(lfp.names.COMPOSITES)
    for name, expected in convolutions.items():
        for net, rules in ((cnn, [*expected, *[Epsilon()] * 3]), (mlp, [Epsilon()] * 3)):
            chosen = resolve(lfp.names.COMPOSITES[name](net), net)
            wanted = [Flat(), *rules[1:]] if name.endswith("flat") else rules
            assert [chosen[path] for path, layer in net.named_layers() if layer.own_parameters()] == wanted
