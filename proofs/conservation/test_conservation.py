"""Conservation: exactly, for every rule and every kind of layer; then on the kernels, within rounding."""

from fractions import Fraction

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Epsilon
from proofs import exact
from tests import oracle
from tests.test_lrp_rules import RULES as GROUPED

RULES = {
    "epsilon 0": (Epsilon(0.0), Fraction(0)),
    "epsilon 1e-6": (Epsilon(1e-6), oracle.STABILISER),
    "epsilon 1/4": (Epsilon(0.25), Fraction(1, 4)),
    **GROUPED,
}
names = pytest.mark.parametrize("name", RULES)


def network(draw):
    """Every kind of layer that conserves: input (N, 1, 3, 5), output (N, 2)."""
    return oracle.Sequential(
        oracle.Conv(draw(2, 1, 2, 2), draw(2), padding=(1, 1)), oracle.relu(), oracle.AvgPool((2, 2), (2, 2)),
        oracle.Residual(oracle.Sequential(oracle.Conv(draw(2, 2, 1, 1), draw(2)), oracle.leaky_relu(Fraction(1, 4)))),
        oracle.MaxPool((2, 2), (1, 1)), oracle.Residual(oracle.Conv(draw(1, 2, 1, 1)), oracle.Conv(draw(1, 2, 1, 1))),
        oracle.softsign(), oracle.Flatten(), oracle.Dense(draw(2, 2), draw(2)),
    )  # fmt: skip


@names
def test_every_neuron_hands_on_its_reward_less_its_own_shares(name):
    draw = exact.Draw(f"neuron {name}")
    layer, x, reward = oracle.Dense(draw(3, 4), draw(3)), draw(1, 4), draw(1, 3)
    layer.forward(x)
    for j in range(3):  # one neuron's reward alone
        alone = oracle.zeros((1, 3))
        alone[0, j] = reward[0, j]
        handed, kept = exact.hand_back(layer, alone, RULES[name][1])
        exact.identical(f"one neuron, {name}", handed.sum() + kept[0], reward[0, j])


@names
def test_input_reward_and_all_shares_make_up_the_output_reward(name):
    draw = exact.Draw(f"network {name}")
    net, x = network(draw), draw(1, 1, 3, 5)
    z = net.forward(x)
    reward = draw(*z.shape)
    handed, kept = exact.hand_back(net, reward, RULES[name][1])
    exact.identical(f"network, {name}", handed.sum() + kept[0], reward.sum())


@pytest.mark.parametrize("of_batch", [False, True])
@pytest.mark.parametrize("epsilon", [Fraction(0), Fraction(1, 4)])
def test_batch_normalisation_keeps_the_shares_of_bias_stabiliser_and_statistics(epsilon, of_batch):
    """Sample by sample, whatever mean and scale are: only in training a part stays with the batch's statistics."""
    draw = exact.Draw(f"norm {of_batch}")
    layer, x = oracle.Affine(draw(2), draw(2), draw(2), draw(2), of_batch), draw(3, 2, 1, 2)
    layer.forward(x)
    reward = draw(*x.shape)
    handed, kept = exact.hand_back(layer, reward, epsilon)
    for n in range(3):
        exact.identical("batch normalisation", handed[n].sum() + kept[n], reward[n].sum())
    assert any(layer.kept["batch statistics"]) == of_batch


@pytest.mark.parametrize("epsilon", [Fraction(0), Fraction(1, 4)])
def test_shares_of_bias_and_stabiliser_in_plain_letters(epsilon):
    """sum_i a_i w_ji s_j + b_j s_j + e sgn(z_j) s_j = r_j"""
    draw = exact.Draw(1)
    w, b, a, r = draw(5), draw(1)[0], draw(5), draw(1)[0]
    z = sum(w * a) + b
    s = r / (z + epsilon * oracle.sgn(z))
    exact.identical("plain letters", sum(a * w * s) + b * s + epsilon * oracle.sgn(z) * s, r)


def kernels(kind):
    """The same network in lfp_ref, with parameters of all digits."""
    dtype = {"dtype": kind}
    return lfp.Sequential(
        lfp.Conv2d(1, 2, 2, padding=1, **dtype), lfp.ReLU(), lfp.AvgPool2d(2),
        lfp.Residual(lfp.Sequential(lfp.Conv2d(2, 2, 1, **dtype), lfp.LeakyReLU(0.25))),
        lfp.MaxPool2d(2, 1), lfp.Residual(lfp.Conv2d(2, 1, 1, bias=False, **dtype), lfp.Conv2d(2, 1, 1, **dtype)),
        lfp.Softsign(), lfp.Flatten(), lfp.Dense(2, 3, **dtype),
    )  # fmt: skip


# in single precision epsilon alone: the restated stabiliser of the other rules is the double 1e-6
PRECISIONS = [(n, np.float64) for n in RULES] + [(n, np.float32) for n in RULES if n not in GROUPED]


@pytest.mark.parametrize(("name", "kind"), PRECISIONS)
def test_the_kernels_hand_on_what_the_restatement_hands_on(name, kind):
    """Input's reward and feedback of each parameter, within the derived bound of rounding (../README.md)."""
    rule, restated_rule = RULES[name]
    if isinstance(restated_rule, Fraction):
        restated_rule = Fraction(float(kind(float(restated_rule))))
    checked = 0
    for seed in range(8):  # the first two at which rounding changes no sign
        if checked == 2:
            return
        net = exact.randomise(kernels(kind), seed)
        x = exact.uniform([seed, 9], 1, 1, 3, 5, dtype=kind)
        if name == "z-box":  # for the layer that sees the input
            net, x = exact.randomise(lfp.Dense(7, 5, dtype=kind), seed), exact.uniform([seed, 9], 3, 7, dtype=kind)
        reward = exact.uniform([seed, 8], *net.forward(x).shape, dtype=kind)
        try:
            exact.check_kernels(net, x, reward, rule, restated_rule)
            checked += 1
        except exact.UndecidedError:
            continue
    assert checked == 2


ALONE = {
    "dense": (lambda kind: lfp.Dense(5, 3, dtype=kind), (5,)),
    "convolution": (lambda kind: lfp.Conv2d(2, 2, 2, stride=(1, 2), padding=1, dtype=kind), (2, 3, 3)),
    "grouped convolution": (lambda kind: lfp.Conv2d(4, 2, 2, padding=1, groups=2, dtype=kind), (4, 2, 3)),
    "depthwise convolution": (lambda kind: lfp.Conv2d(3, 3, 2, dilation=(1, 2), groups=3, dtype=kind), (3, 3, 4)),
    "average pooling": (lambda kind: lfp.Sequential(lfp.AvgPool2d(2, 1)), (2, 3, 3)),
    "max pooling": (lambda kind: lfp.Sequential(lfp.MaxPool2d(2, 1)), (2, 3, 3)),
    "sum": (lambda kind: lfp.Residual(lfp.Dense(4, 4, dtype=kind)), (4,)),
}


@pytest.mark.parametrize("layer", ALONE)
@pytest.mark.parametrize(("name", "kind"), PRECISIONS)
def test_each_layer_alone(name, kind, layer):
    """One layer at a time the bound is tight; through a network it multiplies with every division."""
    rule, restated_rule = RULES[name]
    if isinstance(restated_rule, Fraction):
        restated_rule = Fraction(float(kind(float(restated_rule))))
    make, shape = ALONE[layer]
    checked = 0
    for seed in range(8):
        if checked == 2:
            return
        net = exact.randomise(make(kind), seed)
        x = exact.uniform([seed, 9], 3, *shape, dtype=kind)
        try:
            exact.check_kernels(
                net, x, lambda z, s=seed: exact.uniform([s, 8], *z.shape, dtype=kind), rule, restated_rule
            )
            checked += 1
        except exact.UndecidedError:
            continue
    assert checked == 2
