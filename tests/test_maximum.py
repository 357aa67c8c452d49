"""Branches that meet by their maximum: winner takes all, half each if equal."""

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from tests.common import fill, numbers


def branches(seed=0):
    return fill(lfp.Dense(6, 5, dtype=np.float64), seed), fill(lfp.Dense(6, 5, dtype=np.float64), seed + 1)


@pytest.mark.parametrize("rule", [Epsilon(0.0), Epsilon(0.25), Gradient()])
def test_the_larger_output_gets_the_reward_and_equal_ones_half_each(rule):
    body, shortcut = branches()
    shortcut.weight.value[:2] = body.weight.value[:2]  # two outputs are always equal
    shortcut.bias.value[:2] = body.bias.value[:2]
    shortcut.weight.touch()
    x, reward = numbers(2, 9, 6), numbers(3, 9, 5)
    u, v = body.forward(x), shortcut.forward(x)
    net = lfp.Maximum(body, shortcut)
    assert np.array_equal(net.forward(x), np.where(u > v, u, v)) and (u[:, :2] == v[:, :2]).all() and (u > v).any()
    handed = net.feedback(reward, rule)
    feedback = {name: p.feedback.copy() for name, p in net.named_parameters()}
    claim = np.where(u == v, 0.5, u > v)
    expected = body.record(x).feedback(reward * claim, rule) + shortcut.record(x).feedback(reward * (1 - claim), rule)
    np.testing.assert_array_equal(handed, expected)
    for name, layer in (("body", body), ("shortcut", shortcut)):
        assert np.array_equal(feedback[f"{name}.weight"], layer.weight.feedback)


def test_every_reward_is_handed_on_and_the_layer_keeps_the_contract():
    net = lfp.Maximum(lfp.Sequential(lfp.ReLU()))
    x, reward = numbers(0, 9, 6), numbers(1, 9, 6)
    net.forward(x)
    handed = net.feedback(reward)
    assert np.array_equal(handed, reward)  # of u = max(x, 0) and v = x the one that is larger, or both, handed it on
    np.testing.assert_array_equal(handed.sum(axis=1), reward.sum(axis=1))
    sheet = lfp.balance(net)
    assert np.array_equal(sheet.residue, np.zeros(9)) and sheet.causes == []
    lfp.testing.check_layer(lfp.Maximum(*branches()), np.random.default_rng(0).normal(size=(7, 6)))


def test_mistakes_are_named():
    with pytest.raises(TypeError, match="Maximum: body and shortcut must be layers"):
        lfp.Maximum(lfp.ReLU(), 3)
    with pytest.raises(ValueError, match=r"both branches agree \(body: \(4, 3\), shortcut: \(4, 6\)\)"):
        lfp.Maximum(lfp.Dense(6, 3)).forward(np.ones((4, 6)))
