"""Step activation.

    a   = 1 if z > 0 else 0
    r_z = r_a

It has no derivative to train by: gradient descent gets exactly 0 through it. LFP needs none. A silent unit's reward is
0 already, because the next layer shares by contribution and a = 0 contributed nothing.
"""

from __future__ import annotations

from numba import njit, prange

from lfp_ref.layers.activations import Activation
from lfp_ref.layers.base import PARALLEL


@njit(**PARALLEL)
def forward(z, _, out):
    """out = 1 where z > 0, else 0.  Flat arrays."""
    for k in prange(z.size):
        out[k] = 1 if z[k] > 0 else (0 if z[k] <= 0 else z[k])  # NaN stays NaN, and is seen


@njit(**PARALLEL)
def feedback(z, _, reward):
    """reward <- reward * 0, the derivative wherever there is one: gradient descent only."""
    for k in prange(z.size):
        reward[k] = 0


class Step(Activation):
    """a = 1 if z > 0 else 0; any shape in, the same shape out. Source: the paper's experiments without derivatives."""

    _forward = staticmethod(forward)
    _feedback = staticmethod(feedback)
