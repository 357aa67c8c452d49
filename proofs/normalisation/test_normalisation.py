"""What batch normalisation keeps of a reward, and that LFP-0 is |w| times the gradient there: exactly, then kernels."""

from fractions import Fraction

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from proofs import exact
from tests import oracle


def normalised(draw, values, of_batch):
    """One channel of that many values, restated; eta is what makes the drawn scale 1 / sqrt(var + eta)."""
    x, w, b, scale = draw(values, 1), draw(1), draw(1), draw(1, positive=True)
    mean = np.array([x.sum() / values], object)
    variance = sum((v - mean[0]) ** 2 for v in x[:, 0]) / values
    return oracle.Affine(w, b, mean, scale, of_batch), x, 1 / scale[0] ** 2 - variance


@pytest.mark.parametrize("epsilon", [Fraction(0), Fraction(1, 4)])
def test_the_statistics_keep_all_but_eta_scale_squared(epsilon):
    """sum of the input's reward = eta scale^2 sum x t, and with what is kept by name it is the reward."""
    draw = exact.Draw(f"normalisation {epsilon}")
    layer, x, eta = normalised(draw, 4, of_batch=True)
    z, reward = layer.forward(x), draw(4, 1)
    handed = layer.feedback(reward, epsilon)
    t = sum((layer.norm[0][0] * layer.normal[n, 0] * layer.s[n, 0] for n in range(4)), Fraction(0))
    exact.identical("through the statistics", handed.sum(), eta * layer.norm[3][0] ** 2 * t)
    exact.identical("normalisation conserves", handed.sum() + oracle.total(layer.kept).sum(), reward.sum())
    assert z.shape == x.shape


@pytest.mark.parametrize("of_batch", [False, True])
def test_lfp_0_is_absolute_weight_times_the_gradient(of_batch):
    """Input's reward, weight and bias: in training and at inference."""
    draw = exact.Draw(f"normalisation {of_batch}")
    layer, x, _ = normalised(draw, 4, of_batch)
    slope = draw(4, 1)
    z = layer.forward(x)
    gradient = layer.feedback(slope, oracle.GRADIENT)
    g_w, g_b = layer.d_weight[0], layer.d_bias[0]
    handed = layer.feedback(z * slope, Fraction(0))
    for n in range(4):
        exact.identical("normalisation, input", handed[n, 0], x[n, 0] * gradient[n, 0])
    exact.identical("normalisation, weight", layer.d_weight[0], abs(layer.norm[0][0]) * g_w)
    exact.identical("normalisation, bias", layer.d_bias[0], abs(layer.norm[1][0]) * g_b)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_kernels(seed, training):
    """Both passes in double precision: 8 values a channel of size 1, so far fewer than 1e4 roundings of 1e-16."""
    rng = np.random.default_rng(seed)
    layer = lfp.BatchNorm(3, dtype=np.float64, rng=rng)
    layer.weight.value = rng.normal(size=3)
    x, slope = rng.normal(size=(8, 3)), rng.normal(size=(8, 3))
    handed = layer.feedback(layer.forward(x, training=training) * slope, Epsilon(0.0))
    d_w, d_b = layer.weight.feedback.copy(), layer.bias.feedback.copy()
    gradient = layer.feedback(slope, Gradient())
    assert np.allclose(handed, x * gradient, rtol=0, atol=1e-12)
    assert np.allclose(d_w, np.abs(layer.weight.value) * layer.weight.feedback, rtol=0, atol=1e-12)
    assert np.allclose(d_b, np.abs(layer.bias.value) * layer.bias.feedback, rtol=0, atol=1e-12)
    if training:
        normal = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
        left = 1e-5 / (x.var(0) + 1e-5) * (normal * layer.weight.value * slope).sum(0)
        assert np.allclose(handed.sum(0), left, rtol=0, atol=1e-12)
