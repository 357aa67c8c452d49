"""A rule's two steps around a layer's sums: the division before, the multiplications after.

    s_j = r_j / stab(z_j, e)          stab(z, e) = z + e * sgn(z), sgn(0) = +1
    r_i = a_i * g_i                   g the adjoint sum of s to the input
    d_w = sgn(w) * k(w) * g_w         g_w the adjoint sum of s to the weight

In the epsilon rule k(w) = w, so that d_w = |w| g_w. Gradient leaves all three out. Flat arrays; each result may be
written over its first argument.
"""

from __future__ import annotations

from numba import prange

from lfp_ref.kernels.compile import elementwise


@elementwise
def divide_by_output(reward, z, epsilon, least, s):
    """s = reward / stab(z, epsilon); 0 where that denominator is below the least normal number: nothing flowed."""
    for k in prange(z.size):
        denominator = z[k] + epsilon if z[k] >= 0 else z[k] - epsilon
        s[k] = reward[k] / denominator if abs(denominator) >= least else z.dtype.type(0)


@elementwise
def times_input(g, a, r):
    """r = a * g"""
    for k in prange(g.size):
        r[k] = a[k] * g[k]


@elementwise
def times_weight(g, w, k_of_w, d):
    """d = sgn(w) * k(w) * g"""
    for k in prange(g.size):
        d[k] = g[k] * (k_of_w[k] if w[k] >= 0 else -k_of_w[k])
