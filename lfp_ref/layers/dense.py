"""Dense layer.

    z_j   = sum_i w_ji a_i + b_j
    s_j   = r_j / stab(z_j, epsilon)
    r_i   = a_i * sum_j w_ji s_j
    d_w_ji = |w_ji| * sum_n a_i s_j        d_b_j = |b_j| * sum_n s_j

With the batch last the three sums are z = W a + b, g = W^T s and G = s a^T. Each thread computes a block of rows with
one BLAS product (blocks: how many), a block of outputs or, where there are more of them, a block of inputs: no thread
then reads more of the input than its own part. Division and multiplication around them are in sharing.py.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import DTypeLike

from lfp_ref.layers.base import initial, whole
from lfp_ref.layers.kernels import PARALLEL
from lfp_ref.layers.linear import Linear


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
def forward_by_inputs(w, a, b, z, parts):
    """The same, with a block of inputs and a sum of its own for each thread.  parts (blocks, O, N)"""
    blocks = len(parts)
    for block in prange(blocks):
        low, high = a.shape[0] * block // blocks, a.shape[0] * (block + 1) // blocks
        np.dot(w[:, low:high].copy(), a[low:high], parts[block])
    for j in prange(z.shape[0]):
        for n in range(z.shape[1]):
            total = b[j]
            for block in range(blocks):
                total += parts[block, j, n]
            z[j, n] = total


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
def feedback_parameters_by_inputs(s, a, g_w, g_b, blocks):
    """The same, with a block of inputs for each thread."""
    for block in prange(blocks):
        low, high = g_w.shape[1] * block // blocks, g_w.shape[1] * (block + 1) // blocks
        g_w[:, low:high] = np.dot(s, a[low:high].T)
    for j in prange(s.shape[0]):
        total = s.dtype.type(0)
        for n in range(s.shape[1]):
            total += s[j, n]
        g_b[j] = total


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
        threads = get_num_threads()
        if self._more_inputs(threads):
            forward_by_inputs(w, a, b, z, self.buffer(f"parts of {out}", (threads, *z.shape), a.dtype))
        else:
            forward(w, a, b, z, threads)
        return z

    def to_input(self, s: np.ndarray, w: np.ndarray, out: str) -> np.ndarray:
        g = self.buffer(out, (self.in_features, s.shape[1]), s.dtype)
        feedback_input(w, s, g, get_num_threads())
        return g

    def to_parameters(self, s: np.ndarray, a: np.ndarray, g_w: np.ndarray, g_b: np.ndarray) -> None:
        threads = get_num_threads()
        by_block = feedback_parameters_by_inputs if self._more_inputs(threads) else feedback_parameters
        by_block(s, a, g_w, g_b, threads)

    def _more_inputs(self, threads: int) -> bool:
        """Whether there are so many more inputs than outputs that dividing them pays."""
        return self.in_features > max(4 * self.out_features, threads)
