"""What a rule does before and after a layer's sums.

Before: s_j = r_j / stab(z_j, epsilon) with stab(z, epsilon) = z + epsilon * sgn(z), sgn(0) = +1.
After:  r_i = a_i * g_i for the input, d_w = sgn(w) * k(w) * g_w for a parameter (k(w) = w in the epsilon rule: |w|).
Under Gradient both are left out.

The kernels work on flat, contiguous arrays, in place where they can.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from lfp_ref.layers.kernels import elementwise
from lfp_ref.rules import Rule

BLOCK = 1024  # numbers that stay in the processor's first-level cache, with what they are made of


@elementwise
def divide(reward, z, epsilon):
    """reward <- reward / stab(z, epsilon); 0 where that denominator is exactly 0: nothing flowed, nothing is shared."""
    for k in prange(z.size):
        d = z[k] + epsilon if z[k] >= 0 else z[k] - epsilon
        reward[k] = reward[k] / d if d != 0 else d


@elementwise
def multiply(g, a):
    """g <- a * g.  a: numbers, or spikes in bytes"""
    number = g.dtype.type
    for k in prange(g.size):
        g[k] *= number(a[k])


@elementwise
def add_up(each, is_shared, w, k_of_w, d):
    """d <- sum over parts p of each[p]; where it is shared out, times sgn(w) * k(w), sgn(0) = +1.

    each (P, M); w, k_of_w, d (M,)
    """
    for block in prange((d.size + BLOCK - 1) // BLOCK):
        here = slice(block * BLOCK, (block + 1) * BLOCK)
        total, first, sign, k = d[here], each[0, here], w[here], k_of_w[here]
        for m in range(total.size):
            total[m] = first[m]
        for p in range(1, len(each)):
            part = each[p, here]
            for m in range(total.size):
                total[m] += part[m]
        if is_shared:
            for m in range(total.size):
                total[m] *= k[m] if sign[m] >= 0 else -k[m]


def before(rule: Rule, reward: np.ndarray, z: np.ndarray) -> np.ndarray:
    """s for the reward of outputs z, in the reward's own memory."""
    if rule.shares:
        divide(reward.reshape(-1), z.reshape(-1), z.dtype.type(rule.epsilon))
    return reward


def lost(rule: Rule, reward: np.ndarray, z: np.ndarray) -> dict[str, np.ndarray]:
    """What the stabiliser keeps of the reward of outputs z, epsilon sgn(z) s, and what has no z to be shared by."""
    s = before(rule, reward.copy(), z)
    return {
        "stabiliser": per_sample(np.where(z == 0, 0, rule.epsilon * np.where(z >= 0, s, -s))),
        "empty group": per_sample(np.where(z == 0, reward, 0)),
    }


def per_sample(reward: np.ndarray) -> np.ndarray:
    """Sums of a reward (P, ..., N), a number for each sample, in double precision."""
    return reward.reshape(len(reward), -1, reward.shape[-1]).sum(axis=1, dtype=np.float64).reshape(-1)


def after(rule: Rule, g: np.ndarray, a: np.ndarray) -> np.ndarray:
    """The input's reward from the adjoint sum g of s, in g's own memory."""
    if rule.shares:
        multiply(g.reshape(-1), a.reshape(-1))
    return g


def after_parameter(rule: Rule, each: np.ndarray, w: np.ndarray, k_of_w: np.ndarray, d: np.ndarray) -> None:
    """A parameter's feedback d from the adjoint sums g of s of each part of the batch, (P, as w).

    d may be the one part's own memory.
    """
    add_up(each.reshape(len(each), -1), rule.shares, w.reshape(-1), k_of_w.reshape(-1), d.reshape(-1))
