"""How an update moves the neurons it is about, at fixed inputs: exactly, then on the kernels."""

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Epsilon
from proofs import exact
from tests import oracle


def motion(layer, x, reward, epsilon, lr):
    """(z after - z before, s) for one update at fixed inputs."""
    before = layer.forward(x)
    layer.feedback(reward, epsilon)
    moved = oracle.Dense(layer.weight + layer.d_weight * lr, layer.bias + layer.d_bias * lr)
    s = oracle.zeros(reward.shape)
    for k in np.ndindex(reward.shape):
        s[k] = oracle.quotient(reward[k], before[k], epsilon)
    return moved.forward(x) - before, s


@pytest.mark.parametrize("epsilon", [oracle.ZERO, oracle.Fraction(1, 4)])
def test_one_sample_moves_by_lr_s_times_its_leverage(epsilon):
    draw = exact.Draw("one sample")
    layer, x, reward, lr = oracle.Dense(draw(2, 3), draw(2)), draw(1, 3), draw(1, 2), draw(1, positive=True)[0]
    moved, s = motion(layer, x, reward, epsilon, lr)
    for j in range(2):
        leverage = sum(abs(layer.weight[j]) * x[0] ** 2) + abs(layer.bias[j])
        exact.identical("motion of one neuron", moved[0, j], lr * s[0, j] * leverage)
        assert moved[0, j] * layer.z[0, j] * reward[0, j] > 0  # away from 0 for r > 0, towards it for r < 0


def test_a_batch_moves_uphill_on_the_whole():
    """sum_n s_n (z_n after - z_n before) = lr [sum_i |w_i| (sum_n a_ni s_n)^2 + |b| (sum_n s_n)^2] >= 0"""
    draw = exact.Draw("batch")
    layer, x, reward, lr = oracle.Dense(draw(2, 3), draw(2)), draw(3, 3), draw(3, 2), draw(1, positive=True)[0]
    moved, s = motion(layer, x, reward, oracle.ZERO, lr)
    for j in range(2):
        squares = sum(abs(layer.weight[j, i]) * sum(x[:, i] * s[:, j]) ** 2 for i in range(3))
        expected = lr * (squares + abs(layer.bias[j]) * sum(s[:, j]) ** 2)
        exact.identical("motion in a batch", sum(s[:, j] * moved[:, j]), expected)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(10))
def test_the_kernels_move_a_neuron_as_far(kind, seed):
    """forward, feedback, SGD, forward: four kernels, against the exact result, within the derived bound of rounding."""
    layer = exact.randomise(lfp.Dense(5, 3, dtype=kind), seed)
    x, reward = exact.uniform([seed, 9], 1, 5, dtype=kind), exact.uniform([seed, 8], 1, 3, dtype=kind)
    epsilon, lr = kind(1e-6), 0.125
    restated = exact.restate(layer, exact.rounded)
    moved, _ = motion(
        restated, exact.rounded(x), exact.rounded(reward), oracle.Fraction(float(epsilon)), oracle.Fraction(lr)
    )
    before = layer.forward(x)
    layer.feedback(reward, Epsilon(float(epsilon)))
    lfp.optim.SGD(layer.parameters(), lr).step()
    after = layer.forward(x)
    exact.assert_within_rounding((after.astype(np.longdouble) - before).astype(np.float64), moved, "motion")
    for j in range(3):
        if abs(moved[0, j].value) > moved[0, j].error:
            assert np.sign(after[0, j] - before[0, j]) == np.sign(reward[0, j]) * np.sign(before[0, j])
    assert abs(moved[0, 0].value) > moved[0, 0].error


def test_in_a_batch_one_sample_may_move_against_its_reward():
    layer = lfp.Dense(1, 1, bias=False, dtype=np.float64)
    layer.weight.value = [[1.0]]
    x, s = np.array([[0.5], [1.0]]), np.array([[1.0], [-1.0]])
    z = layer.forward(x)
    layer.feedback(s * z, Epsilon(0.0))
    lfp.optim.SGD(layer.parameters(), 1.0).step()
    assert (layer.forward(x) - z).tolist() == [[-0.25], [-0.5]]
