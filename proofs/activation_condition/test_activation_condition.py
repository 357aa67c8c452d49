"""The condition sgn(phi') = sgn(phi/z): who satisfies it, what it gives, where it ends, and what helps beyond."""

import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from proofs.activation_condition import ratio
from proofs.witnesses import passes

GRID = np.linspace(-8, 8, 400)  # an even number of points: without 0
# name: (layer, where the condition fails); SiLU and GELU fall left of their minima, sigmoid and softplus are positive
CONDITION = {
    "step": (lfp.Step, None), "relu": (lfp.ReLU, None), "leaky relu": (lfp.LeakyReLU, None),
    "elu": (lfp.ELU, None), "tanh": (lfp.Tanh, None), "softsign": (lfp.Softsign, None),
    "sigmoid": (lfp.Sigmoid, lambda z: z < 0), "softplus": (lfp.Softplus, lambda z: z < 0),
    "silu": (lfp.SiLU, lambda z: 1 + z * (1 - expit(z)) < 0), "gelu": (lfp.GELU, lambda z: z < -0.7517915),
}  # fmt: skip


def signs(layer, z):
    """sgn(phi'(z) phi(z)/z): -1 violates the condition; 0, a unit that is silent or flat, does not (the weak sense)."""
    z = z.reshape(-1, 1)
    value = layer.forward(z)
    slope = layer.feedback(np.ones_like(z), Gradient())
    return (np.sign(slope) * np.sign(value) * np.sign(z)).reshape(-1)


@pytest.mark.parametrize("wrap", [lambda act: act, lfp.Negated, lfp.Reflected])
@pytest.mark.parametrize("name", CONDITION)
def test_the_table_of_activations(name, wrap):
    """On a grid and at random points. Far out, values and slopes round to 0: that is silence, not a violation."""
    make, fails = CONDITION[name]
    points = np.concatenate([GRID, np.random.default_rng(0).normal(scale=3, size=2000)])
    found = signs(wrap(make()), points)
    expected = np.zeros(points.shape, bool) if fails is None else fails(-points if wrap is lfp.Reflected else points)
    assert np.array_equal(found < 0, expected & (found != 0))
    assert np.mean(found != 0) > 0.9 or make is lfp.Step or make is lfp.ReLU


def network(seed, widths, samples):
    """A softsign network without biases, at random rational numbers."""
    draw = random.Random(seed)

    def number():
        return Fraction(draw.randint(1, 4 * 10**6), 10**6) * draw.choice((1, -1))

    weights = [[[number() for _ in range(i)] for _ in range(o)] for i, o in pairwise(widths)]
    x = [[number() for _ in range(widths[0])] for _ in range(samples)]
    return weights, x, [[number() for _ in range(widths[-1])] for _ in range(samples)]


@pytest.mark.parametrize("seed", range(50))
def test_one_hidden_layer_and_one_sample_ascend(seed):
    """Weight by weight: no d_w points against dJ/dw. Any number of outputs, any dJ/dz."""
    weights, x, slope = network(seed, (3, 4, 3), 1)
    d, g = passes.feedback_and_gradient(weights, x, passes.softsign, slope)
    flat = [
        (a, b) for m, n in zip(d, g, strict=True) for r, q in zip(m, n, strict=True) for a, b in zip(r, q, strict=True)
    ]
    assert all(a * b >= 0 for a, b in flat) and any(a * b > 0 for a, b in flat)


@pytest.mark.parametrize("seed", range(20))
def test_chains_ascend_at_any_depth(seed):
    """One neuron in every layer above the first hidden one: all paths of a weight have one sign."""
    weights, x, slope = network(seed, (3, 4, 1, 1, 1, 1), 1)
    d, g = passes.feedback_and_gradient(weights, x, passes.softsign, slope)
    flat = [
        (a, b) for m, n in zip(d, g, strict=True) for r, q in zip(m, n, strict=True) for a, b in zip(r, q, strict=True)
    ]
    assert all(a * b >= 0 for a, b in flat)


@pytest.mark.parametrize("widths", [(2, 3, 1), (2, 3, 2, 1), (2, 2, 2, 2, 2)])
@pytest.mark.parametrize("seed", range(20))
def test_the_ratio_bounds_how_far_lfp_is_from_the_gradient(seed, widths):
    """|S - mu G| <= radius A for every weight, at any depth and batch, exactly."""
    weights, x, slope = network(seed, widths, 3)
    d, g = passes.feedback_and_gradient(weights, x, passes.softsign, slope)
    secant, gradient, absolute, (m, largest) = ratio.sums(weights, x, passes.softsign, slope)
    assert g == gradient and m >= 1
    for number, w in enumerate(weights):
        mu, radius, theta = ratio.spread(m, largest, len(weights) - 1 - number)
        for j, row in enumerate(w):
            for i, w_ji in enumerate(row):
                s, g_w, a = secant[number][j][i], gradient[number][j][i], absolute[number][j][i]
                assert d[number][j][i] == abs(w_ji) * s and abs(s - mu * g_w) <= radius * a
                assert theta * a > abs(g_w) or s * g_w >= 0  # this weight goes the gradient's way


def test_where_the_ratio_guarantees_ascent_there_is_ascent():
    """Inputs so small that ratios are near 1: the guarantee holds for most networks; larger ones lose it."""
    held = {}
    for scale in (Fraction(1, 1000), Fraction(1, 30), Fraction(1)):
        held[scale] = 0
        for seed in range(40):
            weights, x, slope = network(seed, (2, 3, 3, 1), 3)
            x = [[scale * v for v in sample] for sample in x]
            if ratio.guaranteed(weights, x, passes.softsign, slope):
                held[scale] += 1
                assert passes.slopes(weights, x, passes.softsign, slope) > 0
    assert held[Fraction(1, 1000)] > 30 > held[Fraction(1)]


def test_the_ratio_condition_is_sharp():
    """Two terms that cancel exactly as far as theta allows: S = 0; a little more and S G < 0."""
    m, largest = Fraction(1), Fraction(3)
    theta = (largest - m) / (largest + m)
    for more, sign in ((Fraction(0), 0), (Fraction(1, 100), -1)):
        g = (1 + theta - more, -(1 - theta + more))
        product = (m * g[0] + largest * g[1]) * (g[0] + g[1])
        assert (product > 0) - (product < 0) == sign


def descent(weights, x, act, slope, rule=Epsilon(0.0)):  # noqa: B008 (frozen)
    """<d, dJ/dw> of the kernels."""
    layers = []
    for w in weights:
        dense = lfp.Dense(len(w[0]), len(w), bias=False, dtype=np.float64)
        dense.weight.value = w
        layers += [dense, act()]
    net = lfp.Sequential(*layers[:-1])
    net.feedback(net.forward(x) * slope, rule)
    feedback = [p.feedback.copy() for p in net.parameters()]
    net.feedback(np.array(slope, float), Gradient())
    return sum((d * p.feedback).sum() for d, p in zip(feedback, net.parameters(), strict=True))


@pytest.mark.parametrize("act", [lfp.Softsign, lfp.Tanh])
def test_depth_and_batches_break_it_on_the_kernels(act):
    """The witnesses of softsign in floats; their relatives for tanh, whose ratio is sinh(2z)/(2z)."""
    deep = ([[[0.1]], [[1.0], [10.0]], [[7.0, -4.0]]], [[5.0]], [[1.0]])
    wide = ([[[1.0]], [[3.0]]], [[2.0], [-3.0]], [[1.0], [1.0]])
    if act is lfp.Softsign:
        # rounding: fewer than 30 operations, no number above 100: far below 1e-12
        assert descent(*deep[:2], act, deep[2]) == pytest.approx(-1345 / 140608, abs=1e-12)
        assert descent(*wide[:2], act, wide[2]) == pytest.approx(-1 / 192, abs=1e-12)
    else:
        assert descent([[[0.25]], [[5.0], [1.0]], [[4.0, -2.0]]], [[3.0]], act, [[1.0]]) < -0.6
        assert descent([[[1.0]], [[1.0]]], [[2.0], [-1.0]], act, [[1.0], [1.0]]) < -0.01


@pytest.mark.parametrize("act", [lfp.Sigmoid, lfp.Softplus])
def test_a_violated_condition_breaks_it_on_the_kernels(act):
    assert descent([[[-0.5]], [[8.0]]], [[1.0]], act, [[1.0]]) < -0.1
