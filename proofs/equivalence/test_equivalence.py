"""LFP-0 is |w| times the gradient where activations are homogeneous: exactly, then on the kernels."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from proofs import exact
from tests import oracle

SLOPES = {  # a = p z for z > 0, q z below: identity, ReLU, leaky ReLU, their negatives and reflections
    "identity": (1, 1), "relu": (1, 0), "leaky": (1, Fraction(1, 4)), "negated relu": (-1, 0),
    "reflected relu": (0, -1), "negated leaky": (-1, Fraction(-1, 4)), "absolute value": (1, -1),
}  # fmt: skip


def two_slopes(p, q):
    return oracle.Pointwise(lambda z: p * z if z > 0 else q * z, lambda z: Fraction(p) if z > 0 else Fraction(q))


def mlp(draw, act, widths=(3, 3, 2, 2)):
    layers = [layer for i, o in pairwise(widths) for layer in (oracle.Dense(draw(o, i), draw(o)), act())]
    return oracle.Sequential(*layers[:-1])


def cnn(draw, act):
    """Convolutions, both poolings, both kinds of residual sums: input (N, 1, 3, 5), output (N, 2)."""
    return oracle.Sequential(
        oracle.Conv(draw(2, 1, 2, 2), draw(2), padding=(1, 1)), act(), oracle.AvgPool((2, 2), (2, 2)),
        oracle.Residual(oracle.Sequential(oracle.Conv(draw(2, 2, 1, 1), draw(2)), act())),
        oracle.MaxPool((2, 2), (1, 1)), oracle.Residual(oracle.Conv(draw(1, 2, 1, 1)), oracle.Conv(draw(1, 2, 1, 1))),
        act(), oracle.Flatten(), oracle.Dense(draw(2, 2), draw(2)),
    )  # fmt: skip


def both_passes(net, x, slope):
    """(w, d_w of LFP-0, dJ/dw) for every parameter array, and the same for the input: (x, its reward, its gradient)."""
    z = net.forward(x)
    gradient, _ = exact.hand_back(net, slope, oracle.GRADIENT)
    gradients = [g for _, g in exact.parameters(net)]
    handed, _ = exact.hand_back(net, z * slope, Fraction(0))
    return [(w, d, g) for (w, d), g in zip(exact.parameters(net), gradients, strict=True)], (x, handed, gradient)


def silent(net):
    """Whether a neuron that is not fed zeros alone has z = 0: the line where the theorem ends."""
    return any(z == 0 for layer in exact.linears(net) for z in layer.z.flat)


@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize("make", [mlp, cnn])
def test_feedback_is_absolute_weight_times_gradient(make, name):
    draw = exact.Draw(f"{make.__name__} {name}")
    net = make(draw, lambda: two_slopes(*SLOPES[name]))
    x = draw(2, 3) if make is mlp else draw(1, 1, 3, 5)
    slope = draw(len(x), 2)
    passes, (_, handed, gradient) = both_passes(net, x, slope)
    assert not silent(net)
    for w, d, g in passes:
        for k in np.ndindex(w.shape):
            exact.identical(f"|w| dJ/dw, {make.__name__}, {name}", d[k], abs(w[k]) * g[k])
    for k in np.ndindex(x.shape):
        exact.identical(f"input times gradient, {make.__name__}, {name}", handed[k], x[k] * gradient[k])


@pytest.mark.parametrize("make", [mlp, cnn])
def test_feedback_is_absolute_weight_times_backpropagation_with_secants(make):
    """Softsign, whose secant 1 / (1 + |z|) is not its derivative: backpropagation told the secant gives LFP-0."""
    draw = exact.Draw(f"{make.__name__} secants")
    net = make(draw, lambda: oracle.Pointwise(lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z))))
    x = draw(1, 3) if make is mlp else draw(1, 1, 3, 5)
    passes, (_, handed, gradient) = both_passes(net, x, draw(1, 2))
    for w, d, g in passes:
        for k in np.ndindex(w.shape):
            exact.identical(f"secants, {make.__name__}", d[k], abs(w[k]) * g[k])
    for k in np.ndindex(x.shape):
        exact.identical(f"secants, input, {make.__name__}", handed[k], x[k] * gradient[k])


@pytest.mark.parametrize("make", [mlp, cnn])
def test_the_gradient_recursion_is_the_derivative(make):
    """Inside a linear region the output is affine in any one weight: difference quotients are derivatives, exactly."""

    def draw(*shape):
        return exact.strip(plain(*shape))

    plain = exact.Draw(make.__name__)
    net = make(draw, oracle.relu)
    x = draw(1, 3) if make is mlp else draw(1, 1, 3, 5)
    slope, h = draw(1, 2), Fraction(1, 2**200)  # smaller than any distance to the next region
    before = (net.forward(x) * slope).sum()
    exact.hand_back(net, slope, oracle.GRADIENT)
    gradients = [(w, g.copy()) for w, g in exact.parameters(net)]
    for w, g in gradients:
        for k in np.ndindex(w.shape):
            w[k] += h
            assert (net.forward(x) * slope).sum() - before == h * g[k]
            w[k] -= h


def test_the_gradient_is_the_derivative_where_windows_are_silent():
    """Max pooling behind ReLU: windows of silent units tie at 0; difference quotients are the gradient there, too."""
    silent_windows = 0
    for seed in range(5):
        plain = exact.Draw(f"silent windows {seed}")

        def draw(*shape, plain=plain):
            return exact.strip(plain(*shape))

        net = oracle.Sequential(
            oracle.Conv(draw(2, 1, 2, 2), draw(2)), oracle.relu(), oracle.MaxPool((2, 2), (1, 1)), oracle.Flatten(),
            oracle.Dense(draw(1, 8), draw(1)),
        )  # fmt: skip
        x, h = draw(1, 1, 4, 4), Fraction(1, 2**200)
        before = net.forward(x)[0, 0]
        exact.hand_back(net, np.array([[Fraction(1)]], object), oracle.GRADIENT)
        silent_windows += sum(a == 0 for a in net.layers[4].x.flat)
        for w, g in [(w, g.copy()) for w, g in exact.parameters(net)]:
            for k in np.ndindex(w.shape):
                w[k] += h
                assert net.forward(x)[0, 0] - before == h * g[k]
                w[k] -= h
    assert silent_windows >= 3


def kernels(kind, act):
    dtype = {"dtype": kind}
    return lfp.Sequential(
        lfp.Conv2d(1, 2, 2, padding=1, **dtype), act(), lfp.AvgPool2d(2),
        lfp.Residual(lfp.Sequential(lfp.Conv2d(2, 2, 1, **dtype), act())),
        lfp.MaxPool2d(2, 1), lfp.Residual(lfp.Conv2d(2, 1, 1, **dtype), lfp.Conv2d(2, 1, 1, bias=False, **dtype)),
        act(), lfp.Flatten(), lfp.Dense(2, 2, **dtype),
    )  # fmt: skip


@pytest.mark.parametrize("act", [lfp.ReLU, lambda: lfp.LeakyReLU(0.25)])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_the_kernels_of_lfp_0_and_of_gradient_descent_agree(kind, act):
    """d_w of one kernel pass against |w| dJ/dw of the exact gradient; and the gradient pass against the exact one."""
    checked = 0
    for seed in range(20):  # the first three at which rounding changes no sign and some reward arrives
        if checked == 3:
            break
        net = exact.randomise(kernels(kind, act), seed)
        x, slope = exact.uniform([seed, 9], 1, 1, 3, 5, dtype=kind), exact.uniform([seed, 8], 1, 2, dtype=kind)
        try:
            restated = exact.check_kernels(net, x, slope, Gradient(), oracle.GRADIENT)
            gradients = [(w, g.copy()) for w, g in exact.parameters(restated)]
            z = restated.forward(exact.rounded(x))
            exact.hand_back(restated, z * exact.rounded(slope), Fraction(0))
        except exact.UndecidedError:
            continue
        net.feedback(net.forward(x) * slope, Epsilon(0.0))
        for parameter, (w, g), (_, d) in zip(net.parameters(), gradients, exact.parameters(restated), strict=True):
            for k in np.ndindex(w.shape):
                wanted = abs(w[k].value) * (g[k].value if isinstance(g[k], exact.Rounded) else g[k])
                bound = d[k].error if isinstance(d[k], exact.Rounded) else 0
                assert abs(Fraction(parameter.feedback[k].item()) - wanted) <= bound
        checked += any(np.any(p.feedback) for p in net.parameters()[:1])
    assert checked == 3
