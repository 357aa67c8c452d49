"""An update multiplies: signs survive small steps, zero absorbs, silence stays silent; and for which rules."""

from fractions import Fraction

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import Epsilon
from proofs import exact
from tests import oracle
from tests.test_lrp_rules import RULES as GROUPED

RULES = {"epsilon 0": (Epsilon(0.0), Fraction(0)), "epsilon 1/4": (Epsilon(0.25), Fraction(1, 4)), **GROUPED}
SEES_SILENT_INPUTS = {"w-square", "flat", "z-box"}  # A(0) is not 0
MOVES_ZERO_WEIGHTS = {"flat"}  # W(0) is not 0


@pytest.mark.parametrize("name", RULES)
def test_exactly(name):
    draw = exact.Draw(name)
    layer, x, reward = oracle.Dense(exact.strip(draw(3, 4)), exact.strip(draw(3))), draw(5, 4), draw(5, 3)
    x, reward = exact.strip(x), exact.strip(reward)
    layer.weight[0, 0], layer.bias[1] = Fraction(0), Fraction(0)
    x[:, 2], reward[:, 2] = Fraction(0), Fraction(0)
    layer.forward(x)
    exact.hand_back(layer, reward, RULES[name][1])
    w, d, b, d_b = layer.weight, layer.d_weight, layer.bias, layer.d_bias
    assert (d[0, 0] == 0) == (name not in MOVES_ZERO_WEIGHTS) and d_b[1] == 0  # flat gives biases nothing
    assert all(d[:2, 2] == 0) == (name not in SEES_SILENT_INPUTS)
    assert all(d[2] == 0) and d_b[2] == 0  # an output without a reward
    for value, feedback in [*zip(w.flat, d.flat, strict=True), *zip(b, d_b, strict=True)]:
        if value == 0 or feedback == 0:
            continue
        h = feedback / abs(value)
        # lr |h| < 1 keeps the sign; at 1, where h points to 0, the weight dies; above it flips
        for part, sign in ((Fraction(999, 1000), 1), (Fraction(1), 0), (Fraction(1001, 1000), -1)):
            lr = part / abs(h)
            moved = value + lr * feedback
            assert moved == value * (1 + lr * oracle.sgn(value) * h)
            if feedback * value < 0:
                assert (moved * value > 0) - (moved * value < 0) == sign
            else:
                assert moved * value > 0


def dyadic(seed, *shape, zeros=True):
    """Eighths: every product and sum of them below is exact in double precision."""
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 17, shape) / 8 * rng.choice((-1, 1), shape)
    return np.where(rng.random(shape) < 0.3, 0, values) if zeros else values


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("seed", range(5))
def test_the_kernels(name, seed):
    """Zeros and silence are exact in floats, too: 0 times anything finite is 0. So no tolerance at all."""
    rule = RULES[name][0]
    for make, shape in ((lambda: lfp.Dense(4, 3, dtype=np.float64), (4,)),
                        (lambda: lfp.Conv2d(4, 3, 2, padding=1, dtype=np.float64), (4, 3, 3))):  # fmt: skip
        layer = make()
        for number, parameter in enumerate(layer.parameters()):
            parameter.value = dyadic([seed, number], *parameter.value.shape)
        layer.weight.value[0, 0] = 0
        x = dyadic([seed, 7], 5, *shape)
        x[:, 2] = 0
        z = layer.forward(x)
        reward = dyadic([seed, 8], *z.shape, zeros=False)
        reward[:, 2] = 0
        layer.feedback(reward, rule)
        d, w = layer.weight.feedback, layer.weight.value
        if name not in MOVES_ZERO_WEIGHTS:
            assert np.all(d[w == 0] == 0)
        else:
            assert np.any(d[w == 0] != 0)
        assert np.all(layer.bias.feedback[layer.bias.value == 0] == 0)
        if name not in SEES_SILENT_INPUTS:
            assert np.all(d[:, 2] == 0)
        else:
            assert np.any(d[:, 2] != 0)
        assert np.all(d[2] == 0) and layer.bias.feedback[2] == 0
        if name in MOVES_ZERO_WEIGHTS:
            continue
        before = [p.value.copy() for p in layer.parameters()]
        largest = max(
            np.abs(p.feedback[p.value != 0] / p.value[p.value != 0]).max(initial=0) for p in layer.parameters()
        )
        # lr |h| <= 1/2 up to a few roundings: 1 + lr sgn(w) h stays above 1/3
        lfp.optim.SGD(layer.parameters(), lr=0.5 / largest).step()
        assert all(
            np.array_equal(np.sign(p.value), np.sign(b)) for p, b in zip(layer.parameters(), before, strict=True)
        )


def test_the_bound_is_sharp_on_the_kernels():
    """lr |g| = 1 ends at exactly 0, and stays there although the gradient is not 0; lr |g| = 2 flips the sign."""
    for lr, ends in ((1.0, [[0.0]]), (2.0, [[-1.0]])):
        layer = lfp.Dense(1, 1, bias=False, dtype=np.float64)
        layer.weight.value = [[1.0]]
        z = layer.forward([[1.0]])
        layer.feedback(-z, Epsilon(0.0))  # J = -z
        lfp.optim.SGD(layer.parameters(), lr).step()
        assert layer.weight.value.tolist() == ends
    layer.weight.value = [[0.0]]
    layer.feedback(-layer.forward([[1.0]]), Epsilon(0.0))
    assert layer.weight.feedback == 0
    layer.feedback([[-1.0]], lfp.rules.Gradient())
    assert layer.weight.feedback == -1
