"""Dense layer.

    z_j   = sum_i w_ji a_i + b_j
    s_j   = r_j / stab(z_j, epsilon)
    r_i   = a_i * sum_j w_ji s_j
    d_w_ji = |w_ji| * sum_n a_i s_j        d_b_j = |b_j| * sum_n s_j

With the batch last the three sums are z = W a + b, g = W^T s and G = s a^T. Each thread computes a block of rows with
one BLAS product (blocks: how many). A thin matrix, of few outputs and many inputs, is not worth what BLAS does before
it multiplies; there the sums are those of products.py. Division and multiplication around them are in sharing.py.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import DTypeLike

from lfp_ref.layers.base import initial, whole
from lfp_ref.layers.kernels import PARALLEL
from lfp_ref.layers.linear import Linear
from lfp_ref.layers.products import add_products, dot_products, store, two_rows

TILE = 256  # samples: vectors that stay in the processor's cache


@njit(**PARALLEL)
def forward(w, a, b, z, blocks):
    """z = W a + b.  w (O, I), a (I, N), b (O,) -> z (O, N)"""
    for block in prange(blocks):
        low, high = z.shape[0] * block // blocks, z.shape[0] * (block + 1) // blocks
        if low < high:
            np.dot(w[low:high], a, z[low:high])
        for j in range(low, high):
            for n in range(z.shape[1]):
                z[j, n] += b[j]


@njit(**PARALLEL)
def feedback_input(w, s, g, blocks):
    """g = W^T s.  w (O, I), s (O, N) -> g (I, N)"""
    for block in prange(blocks):
        low, high = g.shape[0] * block // blocks, g.shape[0] * (block + 1) // blocks
        if low < high:
            np.dot(w[:, low:high].copy().T, s, g[low:high])


@njit(**PARALLEL)
def feedback_parameters(s, a, g_w, g_b, blocks):
    """G = s a^T and its sum over the batch.  s (O, N), a (I, N) -> g_w (O, I), g_b (O,)"""
    for block in prange(blocks):
        low, high = g_w.shape[0] * block // blocks, g_w.shape[0] * (block + 1) // blocks
        if low < high:
            np.dot(s[low:high], a.T, g_w[low:high])
        for j in range(low, high):
            total = s.dtype.type(0)
            for n in range(s.shape[1]):
                total += s[j, n]
            g_b[j] = total


@njit(**PARALLEL)
def forward_thin(w, a, b, z):
    """forward for few outputs and many inputs, where BLAS would spend its time on arranging a."""
    outputs, inputs = w.shape
    batch, flat_z, flat_a = a.shape[1], z.reshape(-1), a.reshape(-1)
    for tile in prange((batch + TILE - 1) // TILE):
        length = np.uint64(min(TILE, batch - tile * TILE))
        begins, (sums, second), none = np.empty(inputs, np.uint64), two_rows(TILE, z), np.uint64(0)
        for i in range(inputs):
            begins[i] = np.uint64(i * batch + tile * TILE)
        for o in range(0, outputs, 2):
            o2 = min(o + 1, outputs - 1)  # as in conv.py
            for k in range(length):
                sums[k], sums[second + k] = b[o], b[o2]
            add_products(sums, none, second, flat_a, begins, w[o], w[o2], inputs, length)
            store(sums, second, flat_z, np.uint64(o * batch + tile * TILE), np.uint64(o2 * batch + tile * TILE), length)


@njit(**PARALLEL)
def feedback_parameters_thin(s, a, g_w, g_b, blocks):
    """feedback_parameters for few outputs and many inputs, with a block of inputs for each thread."""
    outputs, inputs = g_w.shape
    batch, flat_s, flat_a = a.shape[1], s.reshape(-1), a.reshape(-1)
    for block in prange(blocks):
        low, high = inputs * block // blocks, inputs * (block + 1) // blocks
        begins = np.empty(high - low, np.uint64)
        beside = np.empty(high - low, s.dtype)  # takes what an odd number of outputs leaves over
        for o in range(0, outputs, 2):
            o2 = min(o + 1, outputs - 1)
            out, out2 = g_w[o, low:high], (g_w[o2, low:high] if o2 > o else beside)
            out[:] = 0
            out2[:] = 0
            for first in range(0, batch, TILE):
                for i in range(low, high):
                    begins[i - low] = np.uint64(i * batch + first)
                at, at2, length = o * batch + first, o2 * batch + first, min(TILE, batch - first)
                dot_products(
                    out, out2, flat_s, np.uint64(at), np.uint64(at2), flat_a, begins, high - low, np.uint64(length)
                )
    for o in range(outputs):
        g_b[o] = s[o].sum()


class Dense(Linear):
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
        self.in_features, self.out_features = whole("in_features", in_features), whole("out_features", out_features)
        self.weight = initial((self.out_features, self.in_features), self.in_features, dtype, rng)
        self.bias = initial((self.out_features,), self.in_features, dtype, rng) if bias else None
        self.dtype = np.dtype(dtype)

    def __repr__(self) -> str:
        return f"Dense({self.in_features}, {self.out_features}{'' if self.bias else ', bias=False'})"

    def check_input(self, a: np.ndarray) -> None:
        hint = "; put Flatten() before it" if a.ndim > 2 else ""
        self.expect(a.ndim == 2 and a.shape[0] == self.in_features, a, f"(N, {self.in_features}){hint}")

    def total(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, out: str) -> np.ndarray:
        z = self.buffer(out, (self.out_features, a.shape[1]), a.dtype)
        if self._is_thin():
            forward_thin(w, a, b, z)
        else:
            forward(w, a, b, z, get_num_threads())
        return z

    def to_input(self, s: np.ndarray, w: np.ndarray, out: str) -> np.ndarray:
        g = self.buffer(out, (self.in_features, s.shape[1]), s.dtype)
        feedback_input(w, s, g, get_num_threads())
        return g

    def to_parameters(self, s: np.ndarray, a: np.ndarray, g_w: np.ndarray, g_b: np.ndarray) -> None:
        by_block = feedback_parameters_thin if self._is_thin() else feedback_parameters
        by_block(s, a, g_w, g_b, get_num_threads())

    def _is_thin(self) -> bool:
        """Whether there are so few outputs for so many inputs that BLAS is slow."""
        return self.out_features <= 16 and self.in_features >= 256
