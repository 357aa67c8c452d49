"""Pooling.

Max:      a[c, y, x] = max of the window; the winner, the first maximum in row-major order, gets all the reward.
Average:  a[c, y, x] = sum of the window times 1/n: a weighted sum whose weights are all 1/n, so the reward is handed
          back by the rule (weighted.py), for epsilon s = r / stab(a, epsilon), r_i = a_i sum of s/n over i's windows.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from lfp_ref.core.checks import check_pair
from lfp_ref.core.layer import Layer
from lfp_ref.core.tape import Node
from lfp_ref.kernels.compile import kernel, parallel
from lfp_ref.layers.weighted import WeightedLayer


@kernel
def start_max(best, winner, at, a, begin, batch):
    """best = a, winner = 0: the first tap.  Vectors over n, from at and from begin"""
    for n in range(batch):
        best[at + n] = a[begin + n]
        winner[at + n] = 0


@kernel
def update_max(best, winner, at, a, begin, tap, batch):
    """best = max(best, a), winner = tap where a exceeds it.  Vectors over n, from at and from begin"""
    for n in range(batch):
        value, held, by = a[begin + n], best[at + n], winner[at + n]  # loaded before the choice: seven times as fast
        exceeds = not value <= held and held == held  # NaN exceeds, and is seen
        best[at + n] = value if exceeds else held
        winner[at + n] = tap if exceeds else by


@kernel
def scatter(reward, winner, at, tap, r, begin, batch):
    """r += reward where tap is the winner.  Vectors over n, from at and from begin"""
    none = r.dtype.type(0)
    for n in range(batch):
        won = reward[at + n]
        r[begin + n] += won if winner[at + n] == tap else none


@kernel
def add(weight, x, at, out, begin, batch):
    """out += weight * x.  Vectors over n, from begin and from at"""
    for n in range(batch):
        out[begin + n] += weight * x[at + n]


@kernel
def clear(x, begin, length):
    """x = 0, from begin on"""
    for n in range(length):
        x[begin + n] = 0


@kernel
def place(shape, c, y, x):
    """Where pixel (c, y, x) begins in a flat (C, H, W, N); unsigned: an index that may be negative costs a test."""
    return np.uint64(((c * shape[1] + y) * shape[2] + x) * shape[3])


@parallel
def max_forward(a, size, stride, z, winner):
    """z = window maxima, winner = tap (row-major) that gave each.  a (C, H, W, N) -> z, winner (C, HO, WO, N)"""
    flat_a, flat_z, flat_winner, batch = a.reshape(-1), z.reshape(-1), winner.reshape(-1), np.uint64(a.shape[3])
    for row in prange(z.shape[0] * z.shape[1]):
        c, y = np.int64(row) // z.shape[1], np.int64(row) % z.shape[1]
        for x in range(z.shape[2]):
            at = place(z.shape, c, y, x)
            start_max(flat_z, flat_winner, at, flat_a, place(a.shape, c, y * stride[0], x * stride[1]), batch)
            for tap in range(1, size[0] * size[1]):
                begin = place(a.shape, c, y * stride[0] + tap // size[1], x * stride[1] + tap % size[1])
                update_max(flat_z, flat_winner, at, flat_a, begin, winner.dtype.type(tap), batch)


@parallel
def max_backward(reward, winner, size, stride, r):
    """r = each reward at its winner, 0 elsewhere.  reward, winner (C, HO, WO, N) -> r (C, H, W, N)"""
    flat_reward, flat_winner, flat_r = reward.reshape(-1), winner.reshape(-1), r.reshape(-1)
    batch = np.uint64(r.shape[3])
    for channel in prange(r.shape[0]):
        c = np.int64(channel)
        clear(flat_r, place(r.shape, c, 0, 0), place(r.shape, 1, 0, 0))
        for y in range(reward.shape[1]):
            for i in range(size[0]):  # row by row of r, so that memory is written as it follows
                for x in range(reward.shape[2]):
                    for j in range(size[1]):
                        begin = place(r.shape, c, y * stride[0] + i, x * stride[1] + j)
                        tap = winner.dtype.type(i * size[1] + j)
                        scatter(flat_reward, flat_winner, place(reward.shape, c, y, x), tap, flat_r, begin, batch)


@parallel
def sum_forward(a, size, stride, weight, z):
    """z = weight * window sums.  a (C, H, W, N) -> z (C, HO, WO, N)"""
    flat_a, flat_z, batch = a.reshape(-1), z.reshape(-1), np.uint64(a.shape[3])
    for row in prange(z.shape[0] * z.shape[1]):
        c, y = np.int64(row) // z.shape[1], np.int64(row) % z.shape[1]
        for x in range(z.shape[2]):
            at = place(z.shape, c, y, x)
            clear(flat_z, at, batch)
            for tap in range(size[0] * size[1]):
                begin = place(a.shape, c, y * stride[0] + tap // size[1], x * stride[1] + tap % size[1])
                add(a.dtype.type(1), flat_a, begin, flat_z, at, batch)
            for n in range(batch):
                flat_z[at + n] *= weight  # after the sum: what cancels exactly leaves exactly 0


@parallel
def sum_backward(s, size, stride, weight, g):
    """g = weight * sum of s over the windows an input is in.  s (C, HO, WO, N) -> g (C, H, W, N)"""
    flat_s, flat_g, batch = s.reshape(-1), g.reshape(-1), np.uint64(g.shape[3])
    for channel in prange(g.shape[0]):
        c = np.int64(channel)
        clear(flat_g, place(g.shape, c, 0, 0), place(g.shape, 1, 0, 0))
        for y in range(s.shape[1]):
            for x in range(s.shape[2]):
                for tap in range(size[0] * size[1]):
                    begin = place(g.shape, c, y * stride[0] + tap // size[1], x * stride[1] + tap % size[1])
                    add(weight, flat_s, place(s.shape, c, y, x), flat_g, begin, batch)


class Pool2d(Layer):
    """Base of pooling layers: input (N, C, H, W), output (N, C, HO, WO) with HO = (H - kernel_size) // stride + 1.

    kernel_size: one integer or a pair (height, width). stride: the same; None means kernel_size.
    Rows and columns that no window covers are left out and get no reward.
    """

    batch_first = False

    def __init__(self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None) -> None:
        self.kernel_size = check_pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else check_pair("stride", stride)

    def __repr__(self) -> str:
        stride = "" if self.stride == self.kernel_size else f", stride={self.stride}"
        return f"{type(self).__name__}({self.kernel_size}{stride})"

    def window(self, a: np.ndarray, node: Node) -> tuple[tuple[int, int], tuple[int, int]]:
        """(kernel size, stride) for this input (C, H, W, N). Raises ValueError where it is too small."""
        high, wide = self.kernel_size
        node.expect(a.ndim == 4, a, "(N, C, H, W)")
        node.expect(a.shape[1] >= high and a.shape[2] >= wide, a, f"(N, C, H, W) with H x W at least {high} x {wide}")
        return self.kernel_size, self.stride


def pooled_shape(a: np.ndarray, size: tuple[int, int], stride: tuple[int, int]) -> tuple[int, ...]:
    """(C, HO, WO, N)"""
    return (len(a), (a.shape[1] - size[0]) // stride[0] + 1, (a.shape[2] - size[1]) // stride[1] + 1, a.shape[3])


class MaxPool2d(Pool2d):
    """The maximum of each window; the first one, in row-major order, gets all of its reward.

    Arguments as Pool2d. Source: LRP's winner-take-all rule, as in the paper's networks.
    """

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        size, stride = self.window(a, node)
        shape = pooled_shape(a, size, stride)
        z = node.scratch("z", shape, a.dtype)
        taps = size[0] * size[1]
        winner = node.scratch("winner", shape, np.uint8 if taps <= 256 else np.int64)
        max_forward(a, size, stride, z, winner)
        node.saved = winner, size, stride
        return z

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        winner, size, stride = node.saved
        r = node.scratch("r", node.input_shape, reward.dtype)
        max_backward(reward, winner, size, stride, r)
        return r


class AvgPool2d(Pool2d, WeightedLayer):
    """The mean of each window; its reward is handed back by the rule, as a weighted sum's.

    Arguments as Pool2d. Source: LRP practice for linear maps without parameters.
    """

    def check_input(self, a: np.ndarray, node: Node) -> None:
        self.window(a, node)

    def weight_value(self, node: Node) -> np.ndarray:
        height, width = self.kernel_size
        return np.full(1, 1 / (height * width))

    def forward_sum(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, node: Node, name: str) -> np.ndarray:
        size, stride = self.window(a, node)
        z = node.scratch(name, pooled_shape(a, size, stride), a.dtype)
        sum_forward(a, size, stride, a.dtype.type(w[0]), z)
        return z

    def backward_input(self, s: np.ndarray, w: np.ndarray, node: Node, name: str) -> np.ndarray:
        size, stride = self.window(node.saved[0], node)
        g = node.scratch(name, node.input_shape, s.dtype)
        sum_backward(s, size, stride, s.dtype.type(w[0]), g)
        return g


class GlobalAvgPool2d(AvgPool2d):
    """The mean of each channel: input (N, C, H, W), output (N, C, 1, 1). Hands its reward back as AvgPool2d does."""

    def __init__(self) -> None:
        super().__init__(1)

    def __repr__(self) -> str:
        return "GlobalAvgPool2d()"

    def window(self, a: np.ndarray, node: Node) -> tuple[tuple[int, int], tuple[int, int]]:
        node.expect(a.ndim == 4, a, "(N, C, H, W)")
        return a.shape[1:3], a.shape[1:3]

    def weight_value(self, node: Node) -> np.ndarray:
        height, width = node.input_shape[1:3]
        return np.full(1, 1 / (height * width))
