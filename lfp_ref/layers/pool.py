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

from lfp_ref.layers.base import KERNEL, PARALLEL, Layer, pair
from lfp_ref.layers.sharing import after, before, lost
from lfp_ref.rules import Rule


@njit(**KERNEL)
def challenge(best, winner, value, tap):
    """best = max(best, value), winner = tap where value is larger.  Vectors over the batch"""
    for n in range(best.size):
        larger = value[n] > best[n] or (value[n] != value[n] and best[n] == best[n])  # NaN wins, and is seen
        best[n] = value[n] if larger else best[n]
        winner[n] = tap if larger else winner[n]


@njit(**KERNEL)
def pay(to, reward, winner, tap):
    """to += reward where tap is the winner.  Vectors over the batch"""
    zero = to.dtype.type(0)
    for n in range(to.size):
        to[n] += reward[n] if winner[n] == tap else zero


@njit(**KERNEL)
def add(to, values, weight):
    """to += weight * values.  Vectors over the batch"""
    for n in range(to.size):
        to[n] += weight * values[n]


@njit(**PARALLEL)
def max_forward(a, kernel, stride, out, winner):
    """out = window maxima, winner = tap (row-major) that gave each.  a (C, H, W, N), out and winner (C, HO, WO, N)"""
    for c in prange(a.shape[0]):
        out[c] = -np.inf
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        value = a[c, y * stride[0] + i, x * stride[1] + j]
                        challenge(out[c, y, x], winner[c, y, x], value, i * kernel[1] + j)


@njit(**PARALLEL)
def max_feedback(reward, winner, kernel, stride, out):
    """out = each reward at its winner, 0 elsewhere.  reward (C, HO, WO, N), out (C, H, W, N)"""
    for c in prange(out.shape[0]):
        out[c] = 0
        for y in range(reward.shape[1]):
            for x in range(reward.shape[2]):
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        to = out[c, y * stride[0] + i, x * stride[1] + j]
                        pay(to, reward[c, y, x], winner[c, y, x], i * kernel[1] + j)


@njit(**PARALLEL)
def average_forward(a, kernel, stride, out):
    """out = window means.  a (C, H, W, N), out (C, HO, WO, N)"""
    one, share = a.dtype.type(1), a.dtype.type(1 / (kernel[0] * kernel[1]))
    for c in prange(a.shape[0]):
        out[c] = 0
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        add(out[c, y, x], a[c, y * stride[0] + i, x * stride[1] + j], one)
                for n in range(out.shape[3]):
                    out[c, y, x, n] *= share  # after the sum: what cancels exactly leaves exactly 0


@njit(**PARALLEL)
def average_feedback(s, kernel, stride, g):
    """g = sum of s / window over the windows an input is in.  s (C, HO, WO, N), g (C, H, W, N)"""
    share = s.dtype.type(1 / (kernel[0] * kernel[1]))
    for c in prange(g.shape[0]):
        g[c] = 0
        for y in range(s.shape[1]):
            for x in range(s.shape[2]):
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        add(g[c, y * stride[0] + i, x * stride[1] + j], s[c, y, x], share)


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
        fits = a.ndim == 4 and a.shape[1] >= self.kernel_size[0] and a.shape[2] >= self.kernel_size[1]
        self.expect(fits, a, "(N, C, H, W) with H x W at least {} x {}".format(*self.kernel_size))
        return self.kernel_size, self.stride

    def pooled(self, a: np.ndarray, kernel: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
        """An uninitialised output for this input."""
        size = [(a.shape[1 + i] - kernel[i]) // stride[i] + 1 for i in (0, 1)]
        return self.buffer("a", (a.shape[0], *size, a.shape[3]), a.dtype)


class MaxPool2d(Pool2d):
    """The largest of each window; the first maximum in row-major order gets all of its reward.

    Arguments as Pool2d. Source: the paper and LRP practice (winner takes all).
    """

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        kernel, stride = self.window(a)
        out = self.pooled(a, kernel, stride)
        winner = self.buffer("winner", out.shape, np.int32)
        max_forward(a, kernel, stride, out, winner)
        return self.remember(out, a.shape, winner)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        shape, winner = self.seen
        out = self.buffer("reward", shape, reward.dtype)
        max_feedback(reward, winner, self.kernel_size, self.stride, out)
        return out


class AvgPool2d(Pool2d):
    """The mean of each window; its reward is shared by the epsilon rule.

    Arguments as Pool2d. Source: LRP practice for linear maps without parameters.
    """

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        kernel, stride = self.window(a)
        out = self.pooled(a, kernel, stride)
        average_forward(a, kernel, stride, out)
        return self.remember(out, a, out, kernel, stride)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        a, mean, kernel, stride = self.seen
        s = before(rules[self], reward, mean)
        g = self.buffer("g", a.shape, a.dtype)
        average_feedback(s, kernel, stride, g)
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
        self.expect(a.ndim == 4, a, "(N, C, H, W)")
        return a.shape[1:3], a.shape[1:3]
