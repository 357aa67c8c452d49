"""Step activation.

    a   = 1 if z > 0 else 0
    r_z = r_a

It has no derivative to train by: gradient descent gets exactly 0 through it, or whatever a surrogate puts in its place.
LFP needs none. A silent unit's reward is 0 already, because the next layer shares by contribution and a = 0 contributed
nothing.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from lfp_ref.layers.activations import Activation
from lfp_ref.layers.kernels import elementwise
from lfp_ref.layers.surrogates import derivative
from lfp_ref.rules import Gradient


@elementwise
def forward(z, out):
    """out = 1 where z > 0, else 0.  Flat arrays."""
    for k in prange(z.size):
        out[k] = 1 if z[k] > 0 else (0 if z[k] <= 0 else z[k])  # NaN stays NaN, and is seen


@elementwise
def feedback(z, surrogate, slope, reward):
    """reward <- reward * the surrogate's stand-in for the derivative (0 for none): gradient descent only."""
    for k in prange(z.size):
        reward[k] *= derivative(surrogate, slope, z[k])


class Step(Activation):
    """a = 1 if z > 0 else 0; any shape in, the same shape out. Source: the paper's experiments without derivatives."""

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        out = self.buffer("a", a.shape, a.dtype)
        forward(a.reshape(-1), out.reshape(-1))
        return self.remember(out, a)

    def multiply_by_derivative(self, reward: np.ndarray, rule: Gradient) -> None:
        (z,) = self.seen
        feedback(z.reshape(-1), rule.surrogate, z.dtype.type(rule.slope), reward.reshape(-1))
