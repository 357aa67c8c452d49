"""The authors' z+z- rule: one group of sizes is their two groups with coefficients that depend on the data."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.rules import ZPlusMinus
from tests import oracle
from tests.common import assert_close, dtypes, fill, numbers, seeds

layers = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 4))


def two_groups(x, w, b, reward):
    """(input's reward, d_w, d_b) as the package has it, in fractions: positive and negative contributions apart.

    Its feedback of the second group is turned over, so that a positive reward raises z; a side with nothing in it has
    the coefficient 0.
    """
    handed, d_w, d_b = oracle.zeros(x.shape), oracle.zeros(w.shape), oracle.zeros(b.shape)
    for n, j in np.ndindex(reward.shape):
        shares = {i: w[j, i] * x[n, i] for i in range(x.shape[1])} | {None: b[j]}
        for sign in (1, -1):
            side = {i: share for i, share in shares.items() if sign * share > 0}
            both = sum(map(abs, shares.values()))
            if not side:
                continue
            z = sum(side.values())
            s = abs(z) / both * reward[n, j] / z
            for i, share in side.items():
                if i is None:
                    d_b[j] += sign * abs(b[j]) * s
                else:
                    handed[n, i] += share * s
                    d_w[j, i] += sign * oracle.sgn(w[j, i]) * share * s
    return handed, d_w, d_b


@given(layers, dtypes, seeds)
def test_one_group_of_sizes_is_the_two_groups(sizes, dtype, seed):
    n, inputs, outputs = sizes
    layer = fill(lfp.Dense(inputs, outputs, dtype=dtype), seed)
    x, reward = numbers([seed, 1], n, inputs, dtype=dtype), numbers([seed, 2], n, outputs, dtype=dtype)
    layer.forward(x)
    handed = layer.feedback(reward, ZPlusMinus())
    exact = [oracle.exact(a) for a in (x, layer.weight.value, layer.bias.value, reward)]
    expected, d_w, d_b = two_groups(*exact)
    term = 2 * 128.0  # |r a w / D| is at most |r|, and |r / D| at most 2 / (1/64)
    assert_close(handed, expected, "input's reward", term)
    assert_close(layer.weight.feedback, d_w, "feedback of the weight", term)
    assert_close(layer.bias.feedback, d_b, "feedback of the bias", term)


@given(layers, seeds)
def test_every_share_has_the_rewards_sign_and_all_of_it_is_accounted_for(sizes, seed):
    n, inputs, outputs = sizes
    layer = fill(lfp.Dense(inputs, outputs, dtype=np.float64), seed)
    layer.forward(numbers([seed, 1], n, inputs))
    reward = np.abs(numbers([seed, 2], n, outputs))
    handed = layer.feedback(reward, ZPlusMinus())
    sheet = lfp.balance(layer)
    assert (handed >= 0).all() and set(sheet.causes) <= {"bias", "empty group"}
    np.testing.assert_allclose(handed.sum(axis=1) + sheet.kept("bias") + sheet.kept("empty group"), reward.sum(axis=1),
                               rtol=1e-12, atol=1e-12)  # fmt: skip


def test_a_positive_reward_raises_an_output_whatever_its_sign():
    """Epsilon drives an output away from 0."""
    rng = np.random.default_rng(0)
    layer, x = lfp.Dense(6, 40, rng=rng, dtype=np.float64), rng.normal(size=(1, 6))
    z = layer.forward(x)
    layer.feedback(np.ones_like(z), ZPlusMinus())
    lfp.optim.SGD(layer.parameters(), lr=1e-3).step()
    assert (z < 0).any() and (layer.forward(x) > z).all()


def test_where_nothing_contributes_the_neuron_keeps_its_reward():
    layer = lfp.Dense(2, 1, bias=False, dtype=np.float64)
    layer.forward(np.zeros((1, 2)))
    assert not layer.feedback(np.ones((1, 1)), ZPlusMinus()).any()
    assert lfp.balance(layer).kept("empty group") == 1 and Fraction(1) == 1


def test_it_learns_the_digits():
    data = lfp.datasets.load_digits()
    net = lfp.models.mlp((64,), 10, rng=np.random.default_rng(0))
    optimizer = lfp.optim.Adam(net.parameters(), lr=0.01)
    lfp.train(net, data, optimizer=optimizer, rule=ZPlusMinus(), reward=raises_the_right_one, epochs=30, log=None)
    assert lfp.evaluate(net, data) > 0.95


def raises_the_right_one(outputs, labels):
    """1 - p for the label, -p for the others: under this rule a reward is the direction of an output."""
    return lfp.rewards.softmax.gradient(outputs, labels)
