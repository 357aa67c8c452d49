"""Step activation.

    a   = 1 if z > 0, low if z < 0, |low| if z = 0
    r_z = r_a

low = 0 is the step of the paper's experiments; low = -1 is sgn(z) with sgn(0) = +1, as in the stabiliser.

It has no derivative to train by: gradient descent gets exactly 0 through it, or whatever a surrogate puts in its place.
LFP needs none, but low decides what a unit gets to hear. The next layer hands it r_a = a g with g = sum_k w_k s_k, and
the layer before divides that by z. As a has the sign of z wherever it is not 0,

    low = -1:   s = g / (|z| + epsilon)                    what is told depends on how near the threshold z is
    low = 0:    the same where z > 0, and 0 where z <= 0   a silent unit is never told that it should have fired

(With -1 at z = 0, s would be -g / epsilon: the unit would be driven away from what it is rewarded for.)

But for z = 0, both are the same functions of a network's input: w' = w / 2, b' = b + sum w' in the layer after turns 0
into -1. With 0, units that are punished fall silent, hear nothing any more, and stay so. And epsilon belongs to it:
whatever s is, its size is at most |g| / epsilon, while with epsilon near 0 the few samples that happen to lie nearest
the threshold drown all others. An epsilon of about the size of the initial z suits (0.5, for weights as initialised
here and inputs in -1..1). examples/11_step_networks.py measures all of that.
"""

from __future__ import annotations

from numbers import Real

import numpy as np
from numba import prange

from lfp_ref.core.checks import refuse
from lfp_ref.core.node import Node
from lfp_ref.kernels.compile import elementwise
from lfp_ref.layers.activations import Activation
from lfp_ref.layers.surrogates import derivative


@elementwise
def forward(z, low, a):
    """a = 1 where z > 0, low where z < 0, |low| where z = 0.  Flat arrays."""
    for k in prange(z.size):
        if z[k] == 0:
            a[k] = abs(low)
        else:
            a[k] = 1 if z[k] > 0 else (low if z[k] < 0 else z[k])  # NaN stays NaN, and is seen


@elementwise
def times_derivative(z, surrogate, slope, reward):
    """reward <- reward * the surrogate's stand-in for the derivative (0 for none): gradient descent only."""
    for k in prange(z.size):
        reward[k] *= derivative(surrogate, slope, z[k])


class Step(Activation):
    """a = 1 if z > 0, low if z < 0, |low| if z = 0; any shape in, the same shape out.

    low: 0, as in the paper, or -1, which lets every unit hear a reward. Raises ValueError for another number.
    Source: the paper's experiments without derivatives; low = -1, the perceptron's sign, is this project's addition,
    and what `lfp-ref train --activation step` takes.
    """

    def __init__(self, low: float = 0.0) -> None:
        super().__init__()
        if not isinstance(low, Real) or low not in (-1, 0):
            raise refuse("Step: low", "-1 or 0", low)
        self.low: float = float(low)

    def __repr__(self) -> str:
        return f"Step({self.low:g})"

    def activate(self, z: np.ndarray, a: np.ndarray) -> None:
        forward(z, z.dtype.type(self.low), a)

    def times_derivative(self, z: np.ndarray, reward: np.ndarray, node: Node) -> None:
        surrogate, slope = node.rule.surrogate_and_slope()
        times_derivative(z, surrogate, z.dtype.type(slope), reward)
