"""LFP-0 climbs in homogeneous networks: exactly; the step size and its rate; and where that ends."""

from fractions import Fraction

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from proofs import exact
from proofs.equivalence.test_equivalence import SLOPES, both_passes, cnn, mlp, silent, two_slopes
from tests import oracle


@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize("make", [mlp, cnn])
def test_the_slope_along_lfp_is_a_sum_of_squares(make, name):
    """<d, dJ/dw> = sum |w| (dJ/dw)^2, any depth, any batch; 0 only where every weight or its gradient is 0."""
    draw = exact.Draw(f"ascent {make.__name__} {name}")
    net = make(draw, lambda: two_slopes(*SLOPES[name]))
    x = draw(2, 3) if make is mlp else draw(1, 1, 3, 5)
    x, slope = exact.strip(x), exact.strip(draw(len(x), 2))
    for layer in exact.linears(net):
        layer.weight, layer.bias = exact.strip(layer.weight), None if layer.bias is None else exact.strip(layer.bias)
    passes, _ = both_passes(net, x, slope)
    assert not silent(net)
    rise = sum((d * g).sum() for _, d, g in passes)
    squares = sum((abs(w) * g**2).sum() for w, _, g in passes)
    assert rise == squares and (rise > 0) == any(w[k] * g[k] != 0 for w, _, g in passes for k in np.ndindex(w.shape))


def regression(seed, samples=4, inputs=3, outputs=2):
    """One linear layer, J = -sum (t - z)^2 / 2: quadratic, so L-smooth with L = sum |x_n|^2 (and 1 for the bias)."""
    draw = exact.Draw(seed)
    layer = oracle.Dense(exact.strip(draw(outputs, inputs)), exact.strip(draw(outputs)))
    x, t = exact.strip(draw(samples, inputs)), exact.strip(draw(samples, outputs))
    return layer, x, t, (x**2).sum() + samples


def step_of(layer, x, t):
    """J and (value, d, dJ/dw) of weight and bias."""
    z = layer.forward(x)
    layer.feedback(t - z, oracle.GRADIENT)
    gradients = layer.d_weight, layer.d_bias
    layer.feedback(z * (t - z), Fraction(0))
    feedback = layer.d_weight, layer.d_bias
    return -((t - z) ** 2).sum() / 2, list(zip((layer.weight, layer.bias), feedback, gradients, strict=True))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("part", [Fraction(1, 10), Fraction(1, 2), Fraction(1), Fraction(3, 2), Fraction(2)])
def test_every_step_below_2_over_lm_rises_as_much_as_proved(seed, part):
    layer, x, t, smooth = regression(seed)
    before, passes = step_of(layer, x, t)
    largest = max(abs(w).max() for w, _, _ in passes)
    lr = part / (smooth * largest)
    squares = sum((abs(w) * g**2).sum() for w, _, g in passes)
    moved = oracle.Dense(layer.weight + lr * passes[0][1], layer.bias + lr * passes[1][1])
    after, _ = step_of(moved, x, t)
    assert after - before >= lr * (1 - lr * smooth * largest / 2) * squares >= 0


def test_the_rate_of_the_best_step():
    """min_k sum |w| g^2 <= 2 L M (J* - J_0) / K at lr = 1/(L M): J* <= 0, M bounds all weights on the way."""
    layer, x, t, smooth = regression(7)
    layer.weight, layer.bias = (np.vectorize(lambda v: v.limit_denominator(64))(a) for a in (layer.weight, layer.bias))
    x, t = (np.vectorize(lambda v: v.limit_denominator(8))(a) for a in (x, t))
    smooth, bound = (x**2).sum() + len(x), 4
    start, least = None, []
    for steps in range(1, 7):
        objective, passes = step_of(layer, x, t)
        start = objective if start is None else start
        assert max(abs(w).max() for w, _, _ in passes) <= bound
        least.append(sum((abs(w) * g**2).sum() for w, _, g in passes))
        assert min(least) <= 2 * smooth * bound * (0 - start) / steps
        layer.weight = layer.weight + passes[0][1] / (smooth * bound)
        layer.bias = layer.bias + passes[1][1] / (smooth * bound)


def test_the_step_is_sharp_on_the_kernels():
    """w = 1, x = 2, t = 1: at lr = 2/(L M) J stays where it was, above it falls; every number here is a float's."""
    for lr, rise in ((0.25, 0.5), (0.5, 0.0), (1.0, -4.0)):
        net = lfp.Dense(1, 1, bias=False, dtype=np.float64)
        net.weight.value = [[1.0]]
        z = net.forward([[2.0]])
        net.feedback(lfp.rewards.squared_error(z, np.array([[1.0]])), Epsilon(0.0))
        lfp.optim.SGD(net.parameters(), lr).step()
        assert -((1 - net.forward([[2.0]])) ** 2) / 2 + (1 - z) ** 2 / 2 == rise


def test_a_step_out_of_its_linear_region_may_fall():
    net = lfp.Sequential(lfp.Dense(1, 1, bias=False, dtype=np.float64), lfp.ReLU())
    net[0].weight.value = [[1.0]]
    x, t = np.array([[1.0], [-2.0]]), np.array([[-1.0], [-1.0]])
    z = net.forward(x)
    net.feedback(z * (t - z), Epsilon(0.0))
    lfp.optim.SGD(net.parameters(), 1.0).step()
    assert net[0].weight.value == -1
    assert (-((t - net.forward(x)) ** 2) + (t - z) ** 2).sum() / 2 == -2.5


def test_at_rest_though_the_gradient_is_not():
    """z = 0 with weights (1, -1): nothing to share; a rest of LFP, with any epsilon, that the gradient leaves."""
    net = lfp.Dense(2, 1, bias=False, dtype=np.float64)
    net.weight.value = [[1.0, -1.0]]
    for epsilon in (0.0, 1e-6, 0.25):
        net.feedback(net.forward([[1.0, 1.0]]) * 1.0, Epsilon(epsilon))
        assert not net.weight.feedback.any()
    net.feedback([[1.0]], Gradient())
    assert net.weight.feedback.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("act", [lfp.ReLU, lambda: lfp.LeakyReLU(0.25)])
def test_the_kernels_climb(act):
    """<d, dJ/dw> of the two kernel passes is positive beyond what rounding explains, and sum |w| g^2 within it.

    One hidden layer: the bound multiplies with every division. Deeper: tests/test_convergence.py, where nothing rounds.
    """
    kind = {"dtype": np.float64}
    checked = 0
    for seed in range(20):  # the first three at which rounding changes no sign and some reward arrives
        if checked == 3:
            break
        net = exact.randomise(lfp.Sequential(lfp.Dense(4, 5, **kind), act(), lfp.Dense(5, 2, **kind)), seed)
        x, slope = exact.uniform([seed, 9], 3, 4), exact.uniform([seed, 8], 3, 2)
        try:
            restated = exact.restate(net, exact.rounded)
            z = restated.forward(exact.rounded(x))
            exact.hand_back(restated, exact.rounded(slope), oracle.GRADIENT)
            gradients = [g for _, g in exact.parameters(restated)]
            exact.hand_back(restated, z * exact.rounded(slope), Fraction(0))
        except exact.UndecidedError:
            continue
        expected = sum((d * g).sum() for (_, d), g in zip(exact.parameters(restated), gradients, strict=True))
        squares = sum((abs(w) * g * g).sum() for (w, _), g in zip(exact.parameters(restated), gradients, strict=True))
        net.feedback(net.forward(x) * slope, Epsilon(0.0))
        feedback = [p.feedback.copy() for p in net.parameters()]
        net.feedback(slope, Gradient())
        rise = sum((d * p.feedback).sum() for d, p in zip(feedback, net.parameters(), strict=True))
        assert expected.value == squares.value and abs(Fraction(float(rise)) - expected.value) <= expected.error
        assert expected.value > expected.error
        checked += bool(np.any(net[0].weight.feedback))
    assert checked == 3
