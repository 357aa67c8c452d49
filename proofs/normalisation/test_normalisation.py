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


class InTraining(oracle.Affine):
    """Batch normalisation by the statistics of what comes: each channel's mean, and the scale that was drawn or, given
    eps, 1 / sqrt(var + eps)."""

    def __init__(self, weight, bias, scale=None, eps=None):
        super().__init__(weight, bias, None, scale, of_batch=True)
        self.eps = eps

    def forward(self, x):
        w, b, _, scale = self.norm
        channels = [x[:, c].ravel() for c in range(x.shape[1])]
        mean = np.array([sum(values) / len(values) for values in channels], object)
        if self.eps is not None:
            squares = [
                sum((v - m) ** 2 for v in values) / len(values) for values, m in zip(channels, mean, strict=True)
            ]
            scale = np.array([1 / (var + self.eps).sqrt() for var in squares], object)
        self.norm = w, b, mean, scale
        return super().forward(x)


def network(draw, dense):
    """A batch of three through normalisation in training between layers that run sample by sample."""
    if dense:
        below, above = [oracle.Dense(draw(2, 2), draw(2))], []
    else:
        below, above = [oracle.Conv(draw(2, 1, 1, 2), draw(2))], [oracle.MaxPool((1, 2), (1, 2)), oracle.Flatten()]
    norm = InTraining(draw(2), draw(2), draw(2, positive=True))
    net = oracle.Sequential(*below, norm, oracle.leaky_relu(Fraction(1, 4)), *above, oracle.Dense(draw(1, 2), draw(1)))
    return net, norm, draw(3, 2) if dense else draw(3, 1, 1, 3)


dense_or_convolution = pytest.mark.parametrize("dense", [True, False], ids=["dense", "convolution"])


@dense_or_convolution
@pytest.mark.parametrize("epsilon", [Fraction(0), Fraction(1, 4)])
def test_a_network_in_training_keeps_by_name(epsilon, dense):
    """Over the batch: input's reward and all that is kept, the statistics' share among it, make up the reward."""
    draw = exact.Draw(f"network in training {dense}")
    net, norm, x = network(draw, dense)
    reward = draw(*net.forward(x).shape)
    handed, kept = exact.hand_back(net, reward, epsilon)
    exact.identical("network in training", handed.sum() + kept.sum(), reward.sum())
    assert all(norm.kept["batch statistics"])


@dense_or_convolution
def test_lfp_0_is_absolute_weight_times_the_gradient_in_a_network_in_training(dense):
    """Every parameter below, of, and above the normalisation; every input of the batch."""
    draw = exact.Draw(f"equivalence in training {dense}")
    net, norm, x = network(draw, dense)
    slope = draw(*net.forward(x).shape)
    gradient, _ = exact.hand_back(net, slope, oracle.GRADIENT)

    def learned():
        return [*exact.parameters(net), (norm.norm[0], norm.d_weight), (norm.norm[1], norm.d_bias)]

    gradients = [g.copy() for _, g in learned()]
    handed, _ = exact.hand_back(net, net.forward(x) * slope, Fraction(0))
    for (w, d), g in zip(learned(), gradients, strict=True):
        for k in np.ndindex(w.shape):
            exact.identical("network in training, |w| dJ/dw", d[k], abs(w[k]) * g[k])
    for k in np.ndindex(x.shape):
        exact.identical("network in training, input times gradient", handed[k], x[k] * gradient[k])


def test_the_gradient_in_training_is_the_derivative():
    """dJ/dw of the dense layer below the normalisation against a central difference of the whole batch's output."""
    rng = np.random.default_rng(0)
    dtype = {"dtype": np.float64, "rng": rng}
    net = lfp.Sequential(lfp.Dense(3, 4, **dtype), lfp.BatchNorm(4, **dtype), lfp.ReLU(), lfp.Dense(4, 2, **dtype))
    x, slope, h = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), 1e-5
    net.forward(x, training=True)
    net.feedback(slope, Gradient())
    weight, before = net[0].weight, net[0].weight.value.copy()
    for k in np.ndindex(before.shape):
        moved = []
        for step in (h, -h):
            value = before.copy()
            value[k] += step
            weight.value = value
            moved.append((net.forward(x, training=True) * slope).sum())
        assert abs((moved[0] - moved[1]) / (2 * h) - weight.feedback[k]) < 1e-7


@pytest.mark.parametrize(("kind", "alone"), [(np.float64, True), (np.float32, True), (np.float64, False)])
def test_the_kernels_in_training_within_rounding(kind, alone):
    """Alone, and between dense layers: outputs, input's reward, every feedback within the derived bound."""
    checked = 0
    for seed in range(40):  # the first three at which rounding changes no sign
        if checked == 3:
            break
        layers = [
            lfp.Dense(3, 2, dtype=kind),
            lfp.BatchNorm(2, dtype=kind),
            lfp.LeakyReLU(0.25),
            lfp.Dense(2, 2, dtype=kind),
        ]
        norm, layers = layers[1], layers[1:2] if alone else layers
        net = exact.randomise(lfp.Sequential(*layers), seed)
        weight, bias = exact.rounded(norm.weight.value), exact.rounded(norm.bias.value)
        in_training = InTraining(weight, bias, eps=Fraction(float(kind(norm.eps))))
        parts = [in_training if layer is norm else exact.restate(layer, exact.rounded) for layer in layers]
        restated = oracle.Sequential(*parts)
        x = exact.uniform([seed, 9], 8, 2 if alone else 3, dtype=kind)
        reward = exact.uniform([seed, 8], 8, 2, dtype=kind)
        try:
            expected = restated.forward(exact.rounded(x))
            wanted, _ = exact.hand_back(restated, exact.rounded(reward), Fraction(1, 4))
        except exact.UndecidedError:
            continue
        exact.assert_within_rounding(net.forward(x, training=True), expected, "forward")
        exact.assert_within_rounding(net.feedback(reward, Epsilon(0.25)), wanted, "reward of the input")
        learned = [array for part in parts if hasattr(part, "d_weight") for array in (part.d_weight, part.d_bias)]
        for (name, parameter), feedback in zip(net.named_parameters(), learned, strict=True):
            exact.assert_within_rounding(parameter.feedback, feedback, f"feedback of {name}")
        checked += 1
    assert checked == 3


@pytest.mark.parametrize("seed", range(5))
def test_the_kernels_of_a_network_in_training(seed):
    """Both passes in double precision, 16 values a channel: fewer than 1e5 roundings of 1e-16 of numbers up to 100."""
    rng = np.random.default_rng(seed)
    dtype = {"dtype": np.float64, "rng": rng}
    net = lfp.Sequential(
        lfp.Conv2d(1, 3, 2, **dtype), lfp.BatchNorm(3, **dtype), lfp.ReLU(), lfp.MaxPool2d(2), lfp.Flatten(),
        lfp.Dense(3, 4, **dtype), lfp.BatchNorm(4, **dtype), lfp.LeakyReLU(0.25), lfp.Dense(4, 2, **dtype),
    )  # fmt: skip
    for parameter in net.parameters():
        parameter.value = rng.normal(size=parameter.value.shape)
    x, slope = rng.normal(size=(16, 1, 3, 3)), rng.normal(size=(16, 2))
    handed = net.feedback(net.forward(x, training=True) * slope, Epsilon(0.0))
    learned = [parameter.feedback.copy() for parameter in net.parameters()]
    sheet = lfp.balance(net)
    assert "batch statistics" in sheet.causes and np.allclose(sheet.residue.sum(), 0, rtol=0, atol=1e-9)
    gradient = net.feedback(slope, Gradient())
    assert np.allclose(handed, x * gradient, rtol=0, atol=1e-9)
    for d, parameter in zip(learned, net.parameters(), strict=True):
        assert np.allclose(d, np.abs(parameter.value) * parameter.feedback, rtol=0, atol=1e-9)


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
