"""Dense layer.

    z_j    = sum_i w_ji a_i + b_j
    s_j    = r_j / stab(z_j, epsilon)
    r_i    = a_i * sum_j w_ji s_j
    d_w_ji = |w_ji| * sum_n a_i s_j        d_b_j = |b_j| * sum_n s_j

With the batch last the three sums are matrix products: z = W a + b, g = W^T s and G = s a^T. Each is split among the
threads, in blocks of rows of its result. The division and the multiplications around them are in weighted.py.

Tokens share the weights as a convolution's positions do: each of T tokens has its own three products, and G is summed.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, prange
from numpy.typing import DTypeLike

from lfp_ref.core.checks import check_bool, check_int
from lfp_ref.core.node import Node
from lfp_ref.core.state import uniform_init
from lfp_ref.kernels.blas import product
from lfp_ref.kernels.compile import parallel
from lfp_ref.kernels.tokens import sum_products
from lfp_ref.layers.weighted import WeightedLayer


@parallel
def forward(w, a, b, z, blocks):
    """z[t] = W a[t] + b.  w (O, I), a (T, I, N), b (O,) -> z (T, O, N)"""
    for task in prange(len(z) * blocks):
        t, block = np.int64(task) // blocks, np.int64(task) % blocks
        low, high = z.shape[1] * block // blocks, z.shape[1] * (block + 1) // blocks
        product(w[low:high], a[t], z[t, low:high])
        for j in range(low, high):
            for n in range(z.shape[2]):
                z[t, j, n] += b[j]


@parallel
def backward_input(w, s, g, blocks):
    """g[t] = W^T s[t].  w (O, I), s (T, O, N) -> g (T, I, N)"""
    for task in prange(len(g) * blocks):
        t, block = np.int64(task) // blocks, np.int64(task) % blocks
        low, high = g.shape[1] * block // blocks, g.shape[1] * (block + 1) // blocks
        product(w[:, low:high].T, s[t], g[t, low:high])


@parallel
def backward_parameters(s, a, g_w, g_b, blocks):
    """g_w = sum over t of s[t] a[t]^T, g_b = s summed over t and batch.  s (T, O, N), a (T, I, N) -> (O, I), (O,)"""
    for block in prange(blocks):
        low, high = g_b.size * block // blocks, g_b.size * (block + 1) // blocks
        sum_products(s, a, low, high, g_w)
        for j in range(low, high):
            total = s.dtype.type(0)
            for t in range(len(s)):
                for n in range(s.shape[2]):
                    total += s[t, j, n]
            g_b[j] = total


class Dense(WeightedLayer):
    """Fully connected layer: input (N, in_features), output (N, out_features); of tokens, (N, T, in_features), each.

    weight: (out_features, in_features), bias: (out_features,), both U(-k, k) with k = 1/sqrt(in_features).
    dtype: float32 or float64. rng: a numpy Generator for the initial values.
    Source: the paper's section on LFP for linear layers (the LRP-epsilon rule with rewards).
    """

    output_axis = -2

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_features = check_int("in_features", in_features)
        self.out_features = check_int("out_features", out_features)
        self.weight = uniform_init((self.out_features, self.in_features), self.in_features, dtype, rng)
        self.bias = None
        if check_bool("bias", bias):
            self.bias = uniform_init((self.out_features,), self.in_features, dtype, rng)

    def __repr__(self) -> str:
        return f"Dense({self.in_features}, {self.out_features}{'' if self.bias else ', bias=False'})"

    def check_input(self, a: np.ndarray, node: Node) -> None:
        hint = "; put Flatten() before it" if a.ndim > 2 else ""
        right = a.ndim in (2, 3) and a.shape[-2] == self.in_features
        node.expect(right, a, f"(N[, T], {self.in_features}){hint}")

    def forward_sum(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, node: Node, name: str) -> np.ndarray:
        z = node.scratch(name, (*a.shape[:-2], self.out_features, a.shape[-1]), w.dtype)
        forward(w, _by_token(a), b, _by_token(z), _blocks(a))
        return z

    def backward_input(self, s: np.ndarray, w: np.ndarray, node: Node, name: str) -> np.ndarray:
        g = node.scratch(name, (*s.shape[:-2], self.in_features, s.shape[-1]), s.dtype)
        backward_input(w, _by_token(s), _by_token(g), _blocks(s))
        return g

    def backward_parameters(self, s: np.ndarray, a: np.ndarray, node: Node, g_w: np.ndarray, g_b: np.ndarray) -> None:
        backward_parameters(_by_token(s), _by_token(a), g_w, g_b, get_num_threads())


def _by_token(x: np.ndarray) -> np.ndarray:
    """(I, N) as one token, (1, I, N); (T, I, N) as it is."""
    return x.reshape(-1, *x.shape[-2:])


def _blocks(x: np.ndarray) -> int:
    """Blocks of rows that each token's result is split into: many tokens are enough for all threads."""
    return get_num_threads() if x.ndim == 2 else 1
