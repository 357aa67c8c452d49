"""Pooling.

Max:      a[c, y, x] = max of the window; the winner, the first maximum in row-major order, gets all the reward.
Average:  a[c, y, x] = mean of the window, a linear map: s = r / stab(a, epsilon), each input of the window gets
          a_i s / window, overlapping windows add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit, prange

from lfp_ref.layers.base import Layer, pair
from lfp_ref.layers.kernels import KERNEL, PARALLEL
from lfp_ref.layers.sharing import after, before, lost
from lfp_ref.rules import Rule


@njit(**KERNEL)
def beats(value, held):
    """Whether value wins against what is held. NaN wins, and is seen."""
    return not value <= held and held == held


@njit(**KERNEL)
def challenge(best, winner, at, a, begin, begin2, tap, tap2, batch):
    """best = max(best, a), winner = tap where a is larger, for two taps; the first two always.

    Vectors of n, in best and winner from at on, in a from begin and from begin2.
    """
    for n in range(batch):
        first, second = a[begin + n], a[begin2 + n]
        value, number = (second, tap2) if beats(second, first) else (first, tap)
        held, by = best[at + n], winner[at + n]
        wins = tap == 0 or beats(value, held)
        best[at + n] = value if wins else held
        winner[at + n] = number if wins else by


@njit(**KERNEL)
def pay(to, begin, reward, winner, at, tap, batch, alone):
    """to += reward where tap is the winner; alone: to = that, no other window pays.  Vectors from begin, from at"""
    zero = to.dtype.type(0)
    for n in range(batch):
        paid = reward[at + n] if winner[at + n] == tap else zero
        to[begin + n] = paid if alone else to[begin + n] + paid


@njit(**KERNEL)
def add(to, begin, values, at, weight, batch):
    """to += weight * values.  Vectors from begin, from at"""
    for n in range(batch):
        to[begin + n] += weight * values[at + n]


@njit(**KERNEL)
def place(shape, c, y, x):
    """Where the vector of (c, y, x) begins in a flat (C, H, W, N); positions are unsigned, as in products.py."""
    return np.uint64(((c * shape[1] + y) * shape[2] + x) * shape[3])


@njit(**KERNEL)
def tap_steps(shape, kernel):
    """How far behind a window's first vector that of each tap (row-major) begins in a flat (C, H, W, N)."""
    steps = np.empty(kernel[0] * kernel[1], np.uint64)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            steps[i * kernel[1] + j] = place(shape, 0, i, j)
    return steps


@njit(**PARALLEL)
def max_forward(a, kernel, stride, out, winner):
    """out = window maxima, winner = tap (row-major) that gave each.  a (C, H, W, N), out and winner (C, HO, WO, N)"""
    flat_a, flat_out, flat_winner, batch = a.reshape(-1), out.reshape(-1), winner.reshape(-1), np.uint64(a.shape[3])
    steps = tap_steps(a.shape, kernel)
    for c in prange(a.shape[0]):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                at, first = place(out.shape, c, y, x), place(a.shape, c, y * stride[0], x * stride[1])
                for tap in range(0, steps.size, 2):
                    begin, begin2 = first + steps[tap], first + steps[min(tap + 1, steps.size - 1)]
                    number, number2 = winner.dtype.type(tap), winner.dtype.type(tap + 1)
                    challenge(flat_out, flat_winner, at, flat_a, begin, begin2, number, number2, batch)


@njit(**PARALLEL)
def max_feedback(reward, winner, kernel, stride, out):
    """out = each reward at its winner, 0 elsewhere.  reward (C, HO, WO, N), out (C, H, W, N)"""
    flat_reward, flat_winner, flat_out = reward.reshape(-1), winner.reshape(-1), out.reshape(-1)
    batch = np.uint64(out.shape[3])
    covered = reward.shape[1] * stride[0] == out.shape[1] and reward.shape[2] * stride[1] == out.shape[2]
    tiled = covered and kernel == stride  # every input is in one window
    steps = tap_steps(out.shape, kernel)
    for c in prange(out.shape[0]):
        if not tiled:
            out[c] = 0
        for y in range(reward.shape[1]):
            for i in range(kernel[0]):  # row by row of out, so that memory is written as it follows
                for x in range(reward.shape[2]):
                    at, first = place(reward.shape, c, y, x), place(out.shape, c, y * stride[0], x * stride[1])
                    for tap in range(i * kernel[1], (i + 1) * kernel[1]):
                        number = winner.dtype.type(tap)
                        pay(flat_out, first + steps[tap], flat_reward, flat_winner, at, number, batch, tiled)


@njit(**PARALLEL)
def average_forward(a, kernel, stride, out):
    """out = window means.  a (C, H, W, N), out (C, HO, WO, N)"""
    one, share = a.dtype.type(1), a.dtype.type(1 / (kernel[0] * kernel[1]))
    flat_a, flat_out, batch = a.reshape(-1), out.reshape(-1), np.uint64(a.shape[3])
    steps = tap_steps(a.shape, kernel)
    for c in prange(a.shape[0]):
        out[c] = 0
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                at, first = place(out.shape, c, y, x), place(a.shape, c, y * stride[0], x * stride[1])
                for tap in range(steps.size):
                    add(flat_out, at, flat_a, first + steps[tap], one, batch)
                for n in range(batch):
                    flat_out[at + n] *= share  # after the sum: what cancels exactly leaves exactly 0


@njit(**PARALLEL)
def average_feedback(s, kernel, stride, g):
    """g = sum of s / window over the windows an input is in.  s (C, HO, WO, N), g (C, H, W, N)"""
    share = s.dtype.type(1 / (kernel[0] * kernel[1]))
    flat_s, flat_g, batch = s.reshape(-1), g.reshape(-1), np.uint64(g.shape[3])
    steps = tap_steps(g.shape, kernel)
    for c in prange(g.shape[0]):
        g[c] = 0
        for y in range(s.shape[1]):
            for x in range(s.shape[2]):
                at, first = place(s.shape, c, y, x), place(g.shape, c, y * stride[0], x * stride[1])
                for tap in range(steps.size):
                    add(flat_g, first + steps[tap], flat_s, at, share, batch)


def channels(x: np.ndarray) -> np.ndarray:
    """(P, C, H, W, N) as (P * C, H, W, N): to pooling, the channels of another part are more channels."""
    return x.reshape(-1, *x.shape[2:])


class Pool2d(Layer):
    """Base of pooling layers: input (N, C, H, W), output (N, C, HO, WO) with HO = (H - kernel_size) // stride + 1.

    kernel_size: one integer or a pair (height, width). stride: the same; None means kernel_size.
    Rows and columns that no window covers are left out and get no reward.
    """

    def __init__(self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None) -> None:
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair("stride", stride)

    def __repr__(self) -> str:
        stride = "" if self.stride == self.kernel_size else f", stride={self.stride}"
        return f"{type(self).__name__}({self.kernel_size}{stride})"

    def window(self, a: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
        """Kernel size and stride for this input; ValueError where the input is smaller than a window."""
        fits = a.ndim == 5 and all(a.shape[2 + i] >= self.kernel_size[i] for i in (0, 1))
        self.expect(fits, a, "(N, C, H, W) with H x W at least {} x {}".format(*self.kernel_size))
        return self.kernel_size, self.stride

    def pooled(self, a: np.ndarray, kernel: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
        """An uninitialised output for this input."""
        size = [(a.shape[2 + i] - kernel[i]) // stride[i] + 1 for i in (0, 1)]
        return self.buffer("a", (*a.shape[:2], *size, a.shape[4]), a.dtype)


class MaxPool2d(Pool2d):
    """The largest of each window; the first maximum in row-major order gets all of its reward.

    Arguments as Pool2d. Source: the paper and LRP practice (winner takes all).
    """

    takes_spikes = True

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        kernel, stride = self.window(a)
        out = self.pooled(a, kernel, stride)
        winner = self.buffer("winner", out.shape, np.uint8 if kernel[0] * kernel[1] <= 256 else np.int32)
        max_forward(channels(a), kernel, stride, channels(out), channels(winner))
        return self.remember(out, a.shape, winner)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        shape, winner = self.seen
        out = self.spare
        if out is None or out.dtype != reward.dtype:
            out = self.buffer("reward", shape, reward.dtype)
        max_feedback(channels(reward), channels(winner), self.kernel_size, self.stride, channels(out))
        return out


class AvgPool2d(Pool2d):
    """The mean of each window; its reward is shared by the epsilon rule.

    Arguments as Pool2d. Source: LRP practice for linear maps without parameters.
    """

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        kernel, stride = self.window(a)
        out = self.pooled(a, kernel, stride)
        average_forward(channels(a), kernel, stride, channels(out))
        return self.remember(out, a, out, kernel, stride)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        a, mean, kernel, stride = self.seen
        s = before(rules[self], reward, mean)
        g = self.buffer("g", a.shape, a.dtype)
        average_feedback(channels(s), kernel, stride, channels(g))
        return after(rules[self], g, a)

    def kept(self, reward: np.ndarray, rules: Mapping[Any, Rule]) -> dict[str, np.ndarray]:
        return lost(rules[self], reward, self.output)


class GlobalAvgPool2d(AvgPool2d):
    """The mean of each channel: input (N, C, H, W), output (N, C, 1, 1). Shares its reward as AvgPool2d does."""

    def __init__(self) -> None:
        super().__init__(1)

    def __repr__(self) -> str:
        return "GlobalAvgPool2d()"

    def window(self, a: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
        self.expect(a.ndim == 5, a, "(N, C, H, W)")
        return a.shape[2:4], a.shape[2:4]
