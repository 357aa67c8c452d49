"""The rewards of lfp_ref/rewards.py are z dJ/dz; J is differentiated by a complex step."""

import numpy as np
import pytest

import lfp_ref as lfp

STEP = 1e-100  # Im J(z + i h) / h = dJ/dz - h^2/6 J''' + ...: no difference is taken, so nothing cancels


def softmax(z, label):
    return z[label] - np.log(np.exp(z).sum())


def sigmoid(z, label):
    yes = np.arange(len(z)) == label
    return (np.log(1 / (1 + np.exp(-z))) * yes + np.log(1 / (1 + np.exp(z))) * ~yes).sum()


def squared_error(z, target):
    return (-((target - z) ** 2) / 2).sum()


def gradient(objective, z, target):
    found = np.empty_like(z)
    for j in range(len(z)):
        moved = z.astype(complex)
        moved[j] += 1j * STEP
        found[j] = objective(moved, target).imag / STEP
    return found


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", ["softmax", "sigmoid", "squared_error"])
def test_the_reward_is_the_output_times_the_gradient(name, seed):
    """To 50 roundings of 2^-53 of numbers of at most 4: below 1e-13."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=5)
    target = rng.normal(size=5) if name == "squared_error" else seed % 5
    reward = getattr(lfp.rewards, name)
    told = np.array([target])
    assert np.allclose(reward(z[None], told)[0], z * gradient(globals()[name], z, target), rtol=0, atol=1e-13)
    assert np.array_equal(reward(z[None], told), z * reward.gradient(z[None], told))
