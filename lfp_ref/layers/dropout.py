"""Dropout.

    training:   a_out = a * keep / (1 - p), keep = 1 with probability 1 - p, else 0
    otherwise:  a_out = a
    reward:     unchanged where kept, 0 where dropped: it is conserved. Gradient multiplies by keep / (1 - p).

The package lfprop multiplies the reward by 1 / (1 - p) too, which creates reward from nothing; this layer does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import prange

from lfp_ref.layers.base import Layer, generator
from lfp_ref.layers.kernels import elementwise
from lfp_ref.layers.sharing import per_sample
from lfp_ref.rules import Rule, is_number


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

    def __init__(self, p: float = 0.5, rng: np.random.Generator | None = None) -> None:
        if not (is_number(p) and p < 1):
            raise ValueError(f"Dropout: p must be a probability 0 <= p < 1, got {p!r}")
        self.p = float(p)
        self.rng = generator(rng)

    def __repr__(self) -> str:
        return f"Dropout({self.p})"

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        if not training:
            return self.remember(a, None)
        uniform = self._drawn(a.shape)
        out = self.buffer("a", a.shape, a.dtype)
        self._mask(a, uniform, 1 / (1 - self.p), out)
        return self.remember(out, uniform)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        (uniform,) = self.seen
        if uniform is not None:
            self._mask(reward, uniform, 1 if rules[self].shares else 1 / (1 - self.p), reward)
        return reward

    def kept(self, reward: np.ndarray, rules: Mapping[Any, Rule]) -> dict[str, np.ndarray]:
        (uniform,) = self.seen
        dropped = (
            np.zeros_like(reward) if uniform is None else np.where(uniform.reshape(reward.shape) < self.p, reward, 0)
        )
        return {"dropout": per_sample(dropped)}

    def _drawn(self, shape: tuple[int, ...]) -> np.ndarray:
        """A flat array of random numbers for one of shape (P, ..., N); each unit's own does not depend on P."""
        drawn = self.buffer("drawn", (math.prod(shape),), np.float32)
        self.rng.random(out=drawn, dtype=np.float32)
        if shape[0] == 1:
            return drawn
        uniform = self.buffer("uniform", (shape[0], drawn.size // (shape[0] * shape[-1]), shape[-1]), np.float32)
        uniform[...] = drawn.reshape(-1, shape[0], shape[-1]).transpose(1, 0, 2)
        return uniform.reshape(-1)

    def _mask(self, x: np.ndarray, uniform: np.ndarray, scale: float, out: np.ndarray) -> None:
        mask(x.reshape(-1), uniform, np.float32(self.p), x.dtype.type(scale), out.reshape(-1))
