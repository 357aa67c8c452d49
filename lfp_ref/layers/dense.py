"""Dense layer.

    z_j    = sum_i w_ji a_i + b_j
    s_j    = r_j / stab(z_j, epsilon)
    r_i    = a_i * sum_j w_ji s_j
    d_w_ji = |w_ji| * sum_n a_i s_j        d_b_j = |b_j| * sum_n s_j

With the batch last the three sums are matrix products: z = W a + b, g = W^T s and G = s a^T. Each is split among the
threads, in blocks of rows of its result. The division and the multiplications around them are in weighted.py.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, prange
from numpy.typing import DTypeLike

from lfp_ref.core.checks import check_bool, check_int
from lfp_ref.core.state import uniform_init
from lfp_ref.core.tape import Node
from lfp_ref.kernels.blas import product
from lfp_ref.kernels.compile import parallel
from lfp_ref.layers.weighted import WeightedLayer


@parallel
def forward(w, a, b, z, blocks):
    """z = W a + b.  w (O, I), a (I, N), b (O,) -> z (O, N)"""
    for block in prange(blocks):
        low, high = len(z) * block // blocks, len(z) * (block + 1) // blocks
        product(w[low:high], a, z[low:high])
        for j in range(low, high):
            for n in range(z.shape[1]):
                z[j, n] += b[j]


@parallel
def backward_input(w, s, g, blocks):
    """g = W^T s.  w (O, I), s (O, N) -> g (I, N)"""
    for block in prange(blocks):
        low, high = len(g) * block // blocks, len(g) * (block + 1) // blocks
        product(w[:, low:high].T, s, g[low:high])


@parallel
def backward_parameters(s, a, g_w, g_b, blocks):
    """g_w = s a^T, g_b = s summed over the batch.  s (O, N), a (I, N) -> g_w (O, I), g_b (O,)"""
    for block in prange(blocks):
        low, high = len(s) * block // blocks, len(s) * (block + 1) // blocks
        product(s[low:high], a.T, g_w[low:high])
        for j in range(low, high):
            total = s.dtype.type(0)
            for n in range(s.shape[1]):
                total += s[j, n]
            g_b[j] = total


class Dense(WeightedLayer):
    """Fully connected layer: input (N, in_features), output (N, out_features).

    weight: (out_features, in_features), bias: (out_features,), both U(-k, k) with k = 1/sqrt(in_features).
    dtype: float32 or float64. rng: a numpy Generator for the initial values.
    Source: the paper's section on LFP for linear layers (the LRP-epsilon rule with rewards).
    """

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
        node.expect(a.ndim == 2 and len(a) == self.in_features, a, f"(N, {self.in_features}){hint}")

    def forward_sum(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, node: Node, name: str) -> np.ndarray:
        z = node.scratch(name, (self.out_features, a.shape[1]), w.dtype)
        forward(w, a, b, z, get_num_threads())
        return z

    def backward_input(self, s: np.ndarray, w: np.ndarray, node: Node, name: str) -> np.ndarray:
        g = node.scratch(name, (self.in_features, s.shape[1]), s.dtype)
        backward_input(w, s, g, get_num_threads())
        return g

    def backward_parameters(self, s: np.ndarray, a: np.ndarray, node: Node, g_w: np.ndarray, g_b: np.ndarray) -> None:
        backward_parameters(s, a, g_w, g_b, get_num_threads())
