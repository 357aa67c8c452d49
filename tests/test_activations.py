import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from scipy import special, stats

import lfp_ref as lfp
from lfp_ref.kernels.erf import erf_single
from tests import oracle
from tests.common import batches, compare, dtypes, numbers, rules, seeds

# name: (layer, formula restated with scipy); the first five are exact in the oracle as well
FORMULAS = {
    "relu": (lfp.ReLU, lambda z: np.where(z > 0, z, 0)),
    "leaky": (lambda: lfp.LeakyReLU(0.25), lambda z: np.where(z > 0, z, z / 4)),
    "step from -1": (lambda: lfp.Step(-1), lambda z: np.where(z > 0, 1.0, -1.0)),
    "step": (lfp.Step, lambda z: np.where(z > 0, 1.0, 0.0)),
    "softsign": (lfp.Softsign, lambda z: z / (1 + np.abs(z))),
    "elu": (lambda: lfp.ELU(2.0), lambda z: np.where(z > 0, z, 2 * np.expm1(np.minimum(z, 0)))),
    "silu": (lfp.SiLU, lambda z: z * special.expit(z)),
    "gelu": (lfp.GELU, lambda z: z * stats.norm.cdf(z)),
    "tanh": (lfp.Tanh, np.tanh),
    "sigmoid": (lfp.Sigmoid, special.expit),
    "softplus": (lfp.Softplus, lambda z: np.logaddexp(0, z)),
}
EXACT = {
    "relu": oracle.relu,
    "leaky": lambda: oracle.leaky_relu(Fraction(1, 4)),
    "step from -1": lambda: oracle.step(-1),
    "step": lambda: oracle.step(0),
    "softsign": oracle.softsign,
}


@pytest.mark.parametrize("name", EXACT)
@given(n=batches, dtype=dtypes, rule=rules, seed=seeds)
def test_equals_the_oracle(name, n, dtype, rule, seed):
    x = numbers([seed, 1], n, 3, dtype=dtype)
    compare(FORMULAS[name][0](), EXACT[name](), x, [seed, 2], rule)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("wrap", ["plain", "negated", "reflected"])
def test_formula_derivative_and_reward(name, wrap):
    make, formula = FORMULAS[name]
    layer, phi = {
        "plain": (make(), formula),
        "negated": (lfp.Negated(make()), lambda z: -formula(z)),
        "reflected": (lfp.Reflected(make()), lambda z: formula(-z)),
    }[wrap]
    z = np.linspace(-6, 6, 50).reshape(10, 5)  # does not hit the kink at 0
    np.testing.assert_allclose(layer.forward(z), phi(z), rtol=1e-14, atol=1e-15)
    reward = numbers(1, 10, 5)
    assert np.array_equal(layer.feedback(reward), reward)  # LFP hands it on unchanged
    h = 1e-5  # central difference: error h^2/6 times the third derivative, and 2**-53/h of rounding
    slope = (phi(z + h) - phi(z - h)) / (2 * h)
    np.testing.assert_allclose(layer.feedback(np.ones((10, 5)), lfp.rules.Gradient()), slope, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", FORMULAS)
def test_extreme_values_do_not_overflow(name):
    layer = FORMULAS[name][0]()
    z = np.array([[-1e300, -800.0, -0.0, 0.0, 800.0, 1e300]])
    assert np.isfinite(layer.forward(z)).all()
    assert np.isfinite(layer.feedback(np.ones_like(z), lfp.rules.Gradient())).all()


def test_gradient_gets_nothing_through_a_step():
    layer = lfp.Step()
    layer.forward([[-1.0, 0.0, 2.0]])
    assert np.array_equal(layer.feedback([[1.0, 1, 1]], lfp.rules.Gradient()), [[0, 0, 0]])
    assert np.array_equal(layer.feedback([[1.0, 1, 1]]), [[1, 1, 1]])


def test_steps_of_either_kind_make_the_same_networks():
    """w' = w / 2, b' = b + sum w' behind the step; eighths, so the sums are exact."""
    rng = np.random.default_rng(0)
    low, sign = (
        lfp.Sequential(lfp.Dense(5, 8, dtype=np.float64), lfp.Step(at), lfp.Dense(8, 3, dtype=np.float64))
        for at in (0, -1)
    )
    state = {name: rng.integers(-16, 17, array.shape) / 8 for name, array in low.state_dict().items()}
    low.load_state_dict(state)
    half = state["2.weight"] / 2
    sign.load_state_dict(state | {"2.weight": half, "2.bias": state["2.bias"] + half.sum(axis=1)})
    x = numbers(1, 50, 5)
    assert np.array_equal(low.forward(x), sign.forward(x)) and len(np.unique(low.forward(x))) > 10


@pytest.mark.parametrize("low", [0, -1])
@given(seed=seeds)
def test_what_a_unit_in_front_of_a_step_is_told(low, seed):
    """s = g / (|z| + epsilon) where a is not 0; from 0, a silent unit hears nothing."""
    epsilon, x = 0.25, numbers([seed, 1], 1, 5)
    net = lfp.Sequential(lfp.Dense(5, 8, dtype=np.float64), lfp.Step(low), lfp.Dense(8, 3, dtype=np.float64))
    for number, parameter in enumerate(net.parameters()):
        parameter.value = numbers([seed, 2, number], *parameter.value.shape)
    net[0].bias.value = np.ones(8)  # |b| = 1: its feedback is s
    tape, reward = net.record(x), numbers([seed, 3], 1, 3)
    outputs = tape.outputs
    tape.feedback(reward, lfp.rules.Epsilon(epsilon))
    z = tape.output("0")[0]
    g = net[2].weight.value.T @ (reward / (outputs + epsilon * np.where(outputs >= 0, 1, -1)))[0]
    expected = np.where(z > 0, g, low * -g if low else 0) / (np.abs(z) + epsilon)
    expected = np.where((z == 0) & (low == -1), -expected, expected)  # at exactly 0, a = -1 and sgn(z) = +1
    np.testing.assert_allclose(net[0].bias.feedback, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_bad_parameters():
    for wrong in (1, -0.5, math.nan, "0"):
        with pytest.raises(ValueError, match="Step: low must be -1 or 0"):
            lfp.Step(wrong)
    with pytest.raises(ValueError, match="finite and >= 0"):
        lfp.LeakyReLU(-0.1)
    with pytest.raises(ValueError, match="finite and >= 0"):
        lfp.ELU(math.inf)
    with pytest.raises(TypeError, match="ReLU takes no parameter"):
        lfp.ReLU(0.1)
    with pytest.raises(TypeError, match="Negated takes an activation"):
        lfp.Negated(lfp.Dense(2, 2))


def test_usual_parameters_and_edges():
    assert lfp.LeakyReLU().parameter == 0.01 and lfp.ELU().parameter == 1.0
    assert lfp.LeakyReLU(0.0).forward([[-1.0]]) == 0 and lfp.ELU(np.float32(0.5)).parameter == 0.5
    elu = lfp.ELU(2.0)
    elu.forward([[0.0]])
    assert elu.feedback([[1.0]], lfp.rules.Gradient()) == 2  # at 0 the branch of the negative side


def test_gelu_in_single_precision_is_the_exact_form_to_seven_units_of_one():
    """Also beyond where erf is 1, and for NaN, which is seen."""
    z = np.concatenate([np.linspace(-9, 9, 100001), [0, 3.9 * np.sqrt(2), -30, 30]]).astype(np.float32)
    a = lfp.GELU().forward(z[:, None])[:, 0]
    exact = z.astype(float) * stats.norm.cdf(z.astype(float))
    assert a.dtype == np.float32 and np.all(np.abs(a - exact) <= 2.1e-7 * np.maximum(np.abs(z), 1))
    erf = np.array([erf_single(x) for x in z[::20]])
    assert np.abs(erf - (2 * stats.norm.cdf(np.sqrt(2) * z[::20].astype(float)) - 1)).max() <= 4.2e-7
    assert np.isnan(erf_single(np.float32("nan")))
