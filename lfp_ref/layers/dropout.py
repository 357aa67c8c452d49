"""Dropout.

    training:   a_out = a * keep / (1 - p), keep = 1 with probability 1 - p, else 0
    otherwise:  a_out = a
    reward:     unchanged where kept, 0 where dropped: it is conserved. Gradient multiplies by keep / (1 - p).

The package lfprop multiplies the reward by 1 / (1 - p) too, which creates reward from nothing; this layer does not.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from lfp_ref.core.checks import check_number, check_rng
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.kernels.compile import elementwise


@elementwise
def mask(x, uniform, p, scale, out):
    """out = x * scale where kept (uniform >= p), else 0.  Flat arrays; out may be x."""
    for k in prange(x.size):
        out[k] = x[k] * scale if uniform[k] >= p else 0


class Dropout(Layer):
    """Drops units at random while training; input of any shape (N, ...), output of the same shape.

    p: the probability to drop, 0 <= p < 1. rng: a numpy Generator; its state is part of a checkpoint.
    Raises ValueError for another p, TypeError for another rng.
    Source: LRP practice; the scaling in training as usual.
    """

    batch_first = False

    def __init__(self, p: float = 0.5, rng: np.random.Generator | None = None) -> None:
        self.p = check_number("Dropout: p", p, 0, 1, below=True)
        self.rng = check_rng(rng)

    def __repr__(self) -> str:
        return f"Dropout({self.p})"

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        if not node.training:
            return a
        uniform = node.scratch("uniform", a.shape, np.float32)
        self.rng.random(out=uniform, dtype=np.float32)
        node.saved = uniform
        out = node.scratch("a", a.shape, a.dtype)
        self._mask(a, uniform, 1 / (1 - self.p), out)
        return out

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        uniform = node.saved
        if uniform is not None:
            node.absorb("dropout", lambda: np.where(uniform < np.float32(self.p), reward, 0))
            self._mask(reward, uniform, 1 / (1 - self.p) if node.rule.is_gradient else 1, reward)
        return reward

    def _mask(self, x: np.ndarray, uniform: np.ndarray, scale: float, out: np.ndarray) -> None:
        mask(x.reshape(-1), uniform.reshape(-1), np.float32(self.p), x.dtype.type(scale), out.reshape(-1))
