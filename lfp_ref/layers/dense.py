"""Dense layer.

    z_j   = sum_i w_ji a_i + b_j
    s_j   = r_j / stab(z_j, epsilon)
    r_i   = a_i * sum_j w_ji s_j
    d_w_ji = |w_ji| * sum_n a_i s_j        d_b_j = |b_j| * sum_n s_j

With the batch last the three sums are z = W a + b, g = W^T s and G = s a^T, for each part of the batch. They are BLAS
products of blocks of rows, as many blocks of each part as it takes to give every thread one. A thin matrix, of few
outputs and many inputs, is not worth what BLAS does before it multiplies; there the sums are those of products.py, and
spikes stay bytes. Division and multiplication around them are in sharing.py.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import DTypeLike

from lfp_ref.layers.base import initial, whole
from lfp_ref.layers.kernels import KERNEL, PARALLEL
from lfp_ref.layers.linear import Linear
from lfp_ref.layers.products import add_products, dot_products, store, two_rows

TILE = 256  # samples: vectors that stay in the processor's cache


@njit(**KERNEL)
def block_of(number, blocks, rows):
    """First row of a block, and first behind it."""
    return rows * number // blocks, rows * (number + 1) // blocks


@njit(**PARALLEL)
def forward(w, a, b, z, blocks):
    """z = W a + b.  w (O, I), a (P, I, N), b (O,) -> z (P, O, N)"""
    for number in prange(len(z) * blocks):
        p, (low, high) = number // blocks, block_of(number % blocks, blocks, z.shape[1])
        if low < high:
            np.dot(w[low:high], a[p], z[p, low:high])
        for j in range(low, high):
            for n in range(z.shape[2]):
                z[p, j, n] += b[j]


@njit(**PARALLEL)
def feedback_input(w, s, g, blocks):
    """g = W^T s.  w (O, I), s (P, O, N) -> g (P, I, N)"""
    for number in prange(len(g) * blocks):
        p, (low, high) = number // blocks, block_of(number % blocks, blocks, g.shape[1])
        if blocks == 1:  # BLAS takes all of W turned round, but not some of its columns
            np.dot(w.T, s[p], g[p])
        elif low < high:
            np.dot(w[:, low:high].copy().T, s[p], g[p, low:high])


@njit(**PARALLEL)
def feedback_parameters(s, a, g_w, g_b, blocks):
    """G = s a^T, and s summed over the batch.  s (P, O, N), a (P, I, N) -> g_w (P, O, I), g_b (P, O)"""
    for number in prange(len(s) * blocks):
        p, (low, high) = number // blocks, block_of(number % blocks, blocks, s.shape[1])
        if low < high:
            np.dot(s[p, low:high], a[p].T, g_w[p, low:high])
        for j in range(low, high):
            total = s.dtype.type(0)
            for n in range(s.shape[2]):
                total += s[p, j, n]
            g_b[p, j] = total


@njit(**PARALLEL)
def forward_thin(w, a, b, z):
    """forward for few outputs and many inputs, where BLAS would spend its time on arranging a."""
    (outputs, inputs), batch = w.shape, a.shape[2]
    tiles = (batch + TILE - 1) // TILE
    for number in prange(len(a) * tiles):
        p, tile = number // tiles, number % tiles
        flat_z, flat_a, length = z[p].reshape(-1), a[p].reshape(-1), np.uint64(min(TILE, batch - tile * TILE))
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
    """feedback_parameters for few outputs and many inputs, with blocks of inputs."""
    (parts, outputs, inputs), batch = g_w.shape, a.shape[2]
    for number in prange(parts * blocks):
        p, (low, high) = number // blocks, block_of(number % blocks, blocks, inputs)
        flat_s, flat_a = s[p].reshape(-1), a[p].reshape(-1)
        begins = np.empty(high - low, np.uint64)
        beside = np.empty(high - low, s.dtype)  # takes what an odd number of outputs leaves over
        for o in range(outputs):
            g_w[p, o, low:high] = 0
        for first in range(0, batch, TILE):  # of which all outputs take their part while it is in the cache
            length = np.uint64(min(TILE, batch - first))
            for i in range(low, high):
                begins[i - low] = np.uint64(i * batch + first)
            for o in range(0, outputs, 2):
                o2 = min(o + 1, outputs - 1)
                out, out2 = g_w[p, o, low:high], (g_w[p, o2, low:high] if o2 > o else beside)
                at, at2 = np.uint64(o * batch + first), np.uint64(o2 * batch + first)
                dot_products(out, out2, flat_s, at, at2, flat_a, begins, high - low, length)
    for p in range(parts):
        for o in range(outputs):
            g_b[p, o] = s[p, o].sum()


def blocks_for(a: np.ndarray) -> int:
    """Of each of its parts, for a block for every thread: parts are as many as threads, or one."""
    return 1 if len(a) > 1 else get_num_threads()


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
        hint = "; put Flatten() before it" if a.ndim > 3 else ""
        self.expect(a.ndim == 3 and a.shape[1] == self.in_features, a, f"(N, {self.in_features}){hint}")

    def reads_bytes(self, a: np.ndarray) -> bool:
        return self._is_thin()

    def total(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, out: str) -> np.ndarray:
        z = self.buffer(out, (len(a), self.out_features, a.shape[2]), w.dtype)
        if self._is_thin():
            forward_thin(w, a, b, z)
        else:
            forward(w, a, b, z, blocks_for(a))
        return z

    def to_input(self, s: np.ndarray, w: np.ndarray, out: str) -> np.ndarray:
        g = self.buffer(out, (len(s), self.in_features, s.shape[2]), s.dtype)
        feedback_input(w, s, g, blocks_for(s))
        return g

    def to_parameters(self, s: np.ndarray, a: np.ndarray, g_w: np.ndarray, g_b: np.ndarray) -> None:
        by_block = feedback_parameters_thin if self._is_thin() else feedback_parameters
        by_block(s, a, g_w, g_b, blocks_for(s))

    def _is_thin(self) -> bool:
        """Whether there are so few outputs for so many inputs that BLAS is slow."""
        return self.out_features <= 16 and self.in_features >= 256
