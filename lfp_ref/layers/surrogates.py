"""Surrogates: stand-ins for the derivative of steps and spikes. For gradient descent only: LFP needs none.

A step jumps from 0 to 1 at x = 0; wherever it has a derivative, it is 0. A surrogate is a curve around x = 0 instead:

    atan              slope / 2 / (1 + (pi / 2 * slope * x)^2)      the derivative of atan(pi / 2 * slope * x) / pi
    fast sigmoid      1 / (1 + slope * |x|)^2                       the derivative of x / (1 + slope * |x|)
    straight-through  1 where |x| <= slope, else 0                  the derivative of x, cut off
    none              0

Which one, and its slope, is the rule's to say (rules/gradient.py).
"""

from __future__ import annotations

import math

from lfp_ref.kernels.compile import kernel
from lfp_ref.rules.rule import ATAN, FAST_SIGMOID, STRAIGHT_THROUGH


@kernel
def derivative(surrogate, slope, x):
    """The stand-in at x."""
    if surrogate == ATAN:
        return slope / 2 / (1 + (math.pi / 2 * slope * x) ** 2)
    if surrogate == FAST_SIGMOID:
        return 1 / (1 + slope * abs(x)) ** 2
    if surrogate == STRAIGHT_THROUGH:
        return 1.0 if abs(x) <= slope else 0.0
    return 0.0
