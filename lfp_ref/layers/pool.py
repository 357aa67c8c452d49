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
def exceeds(value, best):
    """True if a value wins against the largest so far. NaN wins, and is seen."""
    return not value <= best and best == best


@kernel
def update_max(best, winner, values, tap):
    """best = max(best, values), winner = tap where values are larger; tap 0 always.  Vectors over n."""
    for n in range(np.uint64(best.size)):
        wins = tap == 0 or exceeds(values[n], best[n])
        best[n] = values[n] if wins else best[n]
        winner[n] = tap if wins else winner[n]


@kernel
def scatter_reward(to, reward, winner, tap, is_first):
    """to += reward where tap is the winner; is_first: to = that.  Vectors over n."""
    none = to.dtype.type(0)
    for n in range(np.uint64(to.size)):
        won = reward[n] if winner[n] == tap else none
        to[n] = won if is_first else to[n] + won


@parallel
def max_forward(a, size, stride, z, winner):
    """z = window maxima, winner = tap (row-major) that gave each.  a (C, H, W, N) -> z, winner (C, HO, WO, N)"""
    for row in prange(z.shape[0] * z.shape[1]):
        c, y = row // z.shape[1], row % z.shape[1]
        for x in range(z.shape[2]):
            for tap in range(size[0] * size[1]):
                values = a[c, y * stride[0] + tap // size[1], x * stride[1] + tap % size[1]]
                update_max(z[c, y, x], winner[c, y, x], values, winner.dtype.type(tap))


@parallel
def max_backward(reward, winner, size, stride, r):
    """r = each reward at its winner, 0 elsewhere.  reward, winner (C, HO, WO, N) -> r (C, H, W, N)"""
    covered = reward.shape[1] * stride[0] == r.shape[1] and reward.shape[2] * stride[1] == r.shape[2]
    tiled = covered and size == stride  # every input is in exactly one window
    for c in prange(r.shape[0]):
        if not tiled:
            r[c] = 0
        for y in range(reward.shape[1]):
            for i in range(size[0]):  # row by row of r, so that memory is written as it follows
                for x in range(reward.shape[2]):
                    for j in range(size[1]):
                        to, tap = r[c, y * stride[0] + i, x * stride[1] + j], winner.dtype.type(i * size[1] + j)
                        scatter_reward(to, reward[c, y, x], winner[c, y, x], tap, tiled)


@parallel
def sum_forward(a, size, stride, weight, z):
    """z = weight * window sums.  a (C, H, W, N) -> z (C, HO, WO, N)"""
    for row in prange(z.shape[0] * z.shape[1]):
        c, y = row // z.shape[1], row % z.shape[1]
        for x in range(z.shape[2]):
            total = z[c, y, x]
            total[:] = 0
            for tap in range(size[0] * size[1]):
                values = a[c, y * stride[0] + tap // size[1], x * stride[1] + tap % size[1]]
                for n in range(np.uint64(total.size)):
                    total[n] += values[n]
            for n in range(np.uint64(total.size)):
                total[n] *= weight  # after the sum: what cancels exactly leaves exactly 0


@parallel
def sum_backward(s, size, stride, weight, g):
    """g = weight * sum of s over the windows an input is in.  s (C, HO, WO, N) -> g (C, H, W, N)"""
    for c in prange(g.shape[0]):
        g[c] = 0
        for y in range(s.shape[1]):
            for x in range(s.shape[2]):
                for tap in range(size[0] * size[1]):
                    to, values = g[c, y * stride[0] + tap // size[1], x * stride[1] + tap % size[1]], s[c, y, x]
                    for n in range(np.uint64(to.size)):
                        to[n] += weight * values[n]


class Pool2d(Layer):
    """Base of pooling layers: input (N, C, H, W), output (N, C, HO, WO) with HO = (H - kernel_size) // stride + 1.

    kernel_size: one integer or a pair (height, width). stride: the same; None means kernel_size.
    Rows and columns that no window covers are left out and get no reward.
    """

    batch_first = False

    def __init__(
        self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None
    ) -> None:
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
