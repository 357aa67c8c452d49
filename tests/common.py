"""What the tests share: numbers that floats hold exactly, and comparison with the oracle."""

from contextlib import contextmanager

import numba
import numpy as np
from hypothesis import strategies as st

from lfp_ref.rules import Epsilon, Gradient
from tests import oracle

TOLERANCE = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-5}  # relative to the largest entry

seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from([np.float32, np.float64])
epsilons = st.sampled_from([0.0, 1e-6, 0.25])
batches = st.sampled_from([1, 2, 7, 8, 9])


def numbers(seed, *shape, dtype=np.float64, largest=2):
    """Eighths in -largest..largest, a fifth of them 0: sums of their products are exact in either precision."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-8 * largest, 8 * largest + 1, shape) / 8
    return np.where(rng.random(shape) < 0.2, 0, values).astype(dtype)


@contextmanager
def threads(number):
    """Kernels run on so many threads, or on as many as there are."""
    usual = numba.get_num_threads()
    numba.set_num_threads(min(number, usual))
    try:
        yield
    finally:
        numba.set_num_threads(usual)


def fill(layer, seed):
    """Exactly representable parameters for a layer; returns the layer."""
    for number, parameter in enumerate(layer.parameters()):
        parameter.value = numbers([seed, number], *parameter.value.shape)
    return layer


def assert_close(actual, expected, what="", term=0.0):
    """Equal to an array of Fractions (or floats) up to the dtype's tolerance.

    Relative to the largest entry, or to the largest term where the entries are sums whose terms may cancel.
    """
    wanted = np.array(expected, dtype=np.float64)
    assert actual.shape == wanted.shape, what
    error = np.abs(actual - wanted).max(initial=0)
    assert error <= TOLERANCE[actual.dtype] * max(np.abs(wanted).max(initial=0), term), f"{what}: off by {error}"


def compare(layer, restated, x, reward_seed, rule, exact_rule=None, training=False):
    """Forward, input's reward and parameters' feedback of a layer against its restatement.

    exact_rule: the rule restated; found by itself for epsilon and gradient.
    """
    layer.feedback(layer.forward(-x, training), rule)  # a pass before, so that memory is used for the second time
    z = layer.forward(x, training)
    assert z.dtype == x.dtype
    assert_close(z, restated.forward(oracle.exact(x)), "forward")
    reward = numbers(reward_seed, *z.shape, dtype=x.dtype)
    handed = layer.feedback(reward, rule)
    if exact_rule is None:
        exact_rule = (
            oracle.GRADIENT if isinstance(rule, Gradient) else oracle.Fraction(float(x.dtype.type(rule.epsilon)))
        )
    expected = restated.feedback(oracle.exact(reward), exact_rule)
    term = 4 * float(getattr(restated, "largest_s", 0))  # numbers() are at most 2: |a w s| <= 4 |s|
    assert_close(handed, expected, "input's reward", term)
    for name, parameter in layer.named_parameters():
        assert_close(parameter.feedback, getattr(restated, f"d_{name}"), f"feedback of {name}", term)


RULES = [Gradient(), Epsilon(0.0), Epsilon(1e-6), Epsilon(0.25)]
rules = st.sampled_from(RULES)
