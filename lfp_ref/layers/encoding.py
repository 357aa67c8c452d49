"""Encodings: numbers as spike trains, for the input of a spiking network.

    rate      spike[t] = 1 with probability p, drawn anew at every step
    latency   spike[t] = 1 once, at t = round((1 - p) (T - 1)): the larger, the earlier; p = 0 never spikes

p = (x - low) / (high - low) is the number's place between the limits, 0..1. The input's reward is the sum over time of
its spikes' rewards: nothing is kept.
"""

from __future__ import annotations

import numpy as np

from lfp_ref.core.checks import check_number, check_rng
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.layers.lif import steps_of


class Encoding(Layer):
    """Base of encodings: input (N, ...), output (T, N, ...) of 0 and 1.

    low, high: the numbers that become 0 and 1. Raises ValueError unless low < high, both finite; and, in forward, for
    inputs beyond them.
    """

    batch_first = False

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        name = type(self).__name__
        self.low = check_number(f"{name}: low", low)
        self.high = check_number(f"{name}: high", high)
        if self.low >= self.high:
            raise ValueError(f"{name} needs low < high, got {low!r} and {high!r}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.low}, {self.high})"

    @property
    def account_name(self) -> str:
        return ""

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        steps = steps_of(node)
        node.expect(a.shape[-1] == node.samples, a, f"({node.samples}, ...), not yet over time")
        if a.min() < self.low or a.max() > self.high:
            raise ValueError(f"{node.label}: input must be in {self.low}..{self.high}, got {a.min()}..{a.max()}")
        spikes = node.scratch("spikes", (*a.shape[:-1], steps, node.samples), a.dtype)
        self.encode((a - a.dtype.type(self.low)) / a.dtype.type(self.high - self.low), np.moveaxis(spikes, -2, 0))
        return spikes.reshape(*a.shape[:-1], -1)

    def encode(self, p: np.ndarray, spikes: np.ndarray) -> None:
        """Fills spikes (T, ..., N) for p (..., N)."""
        raise NotImplementedError

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        return reward.reshape(*reward.shape[:-1], -1, node.samples).sum(axis=-2)


class RateCode(Encoding):
    """A spike with probability p at every step. rng: a numpy Generator; its state is part of a checkpoint.

    Other arguments as Encoding. Source: Bernoulli rate coding, the discrete form of Poisson spike trains.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0, rng: np.random.Generator | None = None) -> None:
        super().__init__(low, high)
        self.rng = check_rng(rng)

    def encode(self, p: np.ndarray, spikes: np.ndarray) -> None:
        for now in spikes:
            now[...] = self.rng.random(p.shape, dtype=np.float32) < p


class LatencyCode(Encoding):
    """One spike at t = round((1 - p) (T - 1)), none for p = 0. Arguments as Encoding. Source: time-to-first-spike."""

    def encode(self, p: np.ndarray, spikes: np.ndarray) -> None:
        when = np.where(p > 0, np.rint((1 - p) * (len(spikes) - 1)), -1)
        for t, now in enumerate(spikes):
            now[...] = when == t
