"""What epsilon > 0 changes: a factor z/stab(z) in [0, 1) per neuron and sample. Where ascent survives it, where not."""

import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from proofs import exact
from proofs.activation_condition import ratio
from proofs.witnesses import passes
from tests import oracle

EPSILONS = [Fraction(1, 10**6), Fraction(1, 4), Fraction(7)]


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_each_neuron_passes_on_a_fraction_of_its_reward(epsilon):
    """r_j (1 - kept share) with factor z/stab(z) = |z|/(|z| + e) in [0, 1); the loss is e sgn(z) s = (1 - factor) r."""
    draw = exact.Draw("factor")
    layer, x, reward = oracle.Dense(draw(1, 4)), draw(1, 4), draw(1, 1)
    z = layer.forward(x)[0, 0]
    handed, kept = exact.hand_back(layer, reward, epsilon)
    factor = abs(z) / (abs(z) + epsilon)
    exact.identical("handed on", handed.sum(), factor * reward[0, 0])
    exact.identical("kept", kept[0], (1 - factor) * reward[0, 0])
    assert 0 <= factor < 1


def network(seed, widths, samples):
    draw = random.Random(seed)

    def number():
        return Fraction(draw.randint(1, 2 * 10**6), 10**6) * draw.choice((1, -1))

    weights = [[[number() for _ in range(i)] for _ in range(o)] for i, o in pairwise(widths)]
    x = [[number() for _ in range(widths[0])] for _ in range(samples)]
    return weights, x, [[number() for _ in range(widths[-1])] for _ in range(samples)]


def flat(matrices):
    return [value for matrix in matrices for row in matrix for value in row]


@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("act", [passes.softsign, passes.identity])
@pytest.mark.parametrize("seed", range(10))
def test_one_hidden_layer_one_sample_one_output_ascends(seed, act, epsilon):
    weights, x, slope = network(seed, (3, 4, 1), 1)
    d, g = passes.feedback_and_gradient(weights, x, act, slope, epsilon)
    assert all(a * b >= 0 for a, b in zip(flat(d), flat(g), strict=True)) and passes.inner(d, g) > 0


@pytest.mark.parametrize("seed", range(20))
def test_several_outputs_ascend_for_the_objective_they_are_reweighted_to(seed):
    """One hidden layer, one sample: d goes the way of the gradient of sum_o factor_o c_o z_o, weight by weight."""
    epsilon = Fraction(1, 4)
    weights, x, slope = network(seed, (3, 4, 3), 1)
    outputs = passes.forward(weights, x[0], passes.softsign)[1][-1]
    reweighted = [[c * abs(z) / (abs(z) + epsilon) for c, z in zip(slope[0], outputs, strict=True)]]
    d, _ = passes.feedback_and_gradient(weights, x, passes.softsign, slope, epsilon)
    _, g = passes.feedback_and_gradient(weights, x, passes.softsign, reweighted)
    assert all(a * b >= 0 for a, b in zip(flat(d), flat(g), strict=True)) and passes.inner(d, g) > 0


@pytest.mark.parametrize("act", [passes.identity, passes.absolute], ids=lambda act: act.name)
@pytest.mark.parametrize("widths", [(3, 1), (3, 3, 2), (2, 3, 3, 1)])
@pytest.mark.parametrize("seed", range(15))
def test_a_small_epsilon_ascends_at_any_depth_and_batch(seed, widths, act):
    """Homogeneous networks: h dividing layers multiply a path by factors in [k^h, 1], k = z_min/(z_min + e).

    So theta_h = (1 - k^h)/(1 + k^h), and a weight whose theta_h A <= |G| goes the gradient's way: exactly so for every
    epsilon below 2 z_min |G| / (h A), because theta_h <= h e / (2 z_min).
    """
    weights, x, slope = network(seed, widths, 3)
    runs = [passes.forward(weights, sample, act)[1] for sample in x]
    least = min(abs(z) for totals in runs for layer in totals for z in layer)
    _, gradient, absolute, _ = ratio.sums(weights, x, act, slope)
    cancellation = max(a / abs(g) for a, g in zip(flat(absolute), flat(gradient), strict=True))
    epsilon = 2 * least / (len(weights) * cancellation)
    factor = least / (least + epsilon)
    for hidden in range(1, len(weights) + 1):
        theta = (1 - factor**hidden) / (1 + factor**hidden)
        assert theta <= hidden * epsilon / (2 * least)
    d, g = passes.feedback_and_gradient(weights, x, act, slope, epsilon)
    assert all(a * b >= 0 for a, b in zip(flat(d), flat(g), strict=True)) and passes.inner(d, g) > 0


def slope_along(layers, x, slope, epsilon):
    """<d, dJ/dw> of the kernels."""
    net = lfp.Sequential(*layers)
    net.feedback(net.forward(x) * slope, Epsilon(epsilon))
    feedback = [p.feedback.copy() for p in net.parameters()]
    net.feedback(np.asarray(slope), Gradient())
    return sum((d * p.feedback).sum() for d, p in zip(feedback, net.parameters(), strict=True))


def dense(*weight):
    layer = lfp.Dense(len(weight[0]), len(weight), bias=False, dtype=np.float64)
    layer.weight.value = weight
    return layer


def test_where_it_ends_on_the_kernels():
    """The two witnesses: fewer than 30 operations, no number above 10: rounding stays below 1e-13."""
    batch = slope_along([dense([1.0])], [[1 / 3], [1.0]], [[2.0], [-0.5]], 1.0)
    assert batch == pytest.approx(-1 / 72, abs=1e-13)
    outputs = slope_along([dense([1 / 9]), lfp.ReLU(), dense([0.25], [9.0])], [[1.0]], [[7.0, -1 / 9]], 1 / 3)
    assert outputs == pytest.approx(-1 / 6318, abs=1e-13)
    # the scale of z decides, not epsilon: the usual 1e-6 does the same where outputs are that small
    tiny = slope_along([dense([1.0])], [[1e-6 / 3], [1e-6]], [[2.0], [-0.5]], 1e-6)
    assert tiny == pytest.approx(-1e-12 / 72, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_kernels_share_of_the_stabiliser(seed):
    """What the balance sheet books as kept by the stabiliser is e sgn(z) s, within the derived bound of rounding."""
    layer = exact.randomise(lfp.Dense(4, 1, bias=False, dtype=np.float64), seed)
    x, reward = exact.uniform([seed, 9], 1, 4), exact.uniform([seed, 8], 1, 1)
    layer.feedback(layer.forward(x) * 0 + reward, Epsilon(0.25))
    restated = exact.restate(layer, exact.rounded)
    restated.forward(exact.rounded(x))
    restated.feedback(exact.rounded(reward), Fraction(1, 4))
    exact.assert_within_rounding(lfp.balance(layer).kept("stabiliser"), restated.kept, "kept by the stabiliser")
