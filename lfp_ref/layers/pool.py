"""Max pooling.

    z[c, y, x] = max of the window; the winner, the first maximum in row-major order, gets all the reward

A window is its part inside of the image: padding never wins. Windows along an axis are a table of where each begins and
ends (kernels/axis_windows.py).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from lfp_ref.core.checks import check_bool, check_pair
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.kernels.axis_windows import AxisWindows, sliding_windows
from lfp_ref.kernels.compile import kernel, parallel


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
def clear(x, begin, length):
    """x = 0, from begin on"""
    for n in range(length):
        x[begin + n] = 0


@kernel
def place(shape, c, y, x):
    """Where pixel (c, y, x) begins in a flat (C, H, W, N); unsigned: an index that may be negative costs a test."""
    return np.uint64(((c * shape[1] + y) * shape[2] + x) * shape[3])


@parallel
def max_forward(a, rows, columns, z, winner):
    """z = window maxima, winner = tap (row-major) that gave each.  a (C, H, W, N) -> z, winner (C, HO, WO, N)

    rows (HO, 2), columns (WO, 2): where windows begin and end
    """
    flat_a, flat_z, flat_winner, batch = a.reshape(-1), z.reshape(-1), winner.reshape(-1), np.uint64(a.shape[3])
    for row in prange(z.shape[0] * z.shape[1]):
        c, y = np.int64(row) // z.shape[1], np.int64(row) % z.shape[1]
        for x in range(z.shape[2]):
            at, tap = place(z.shape, c, y, x), 0
            for v in range(rows[y, 0], rows[y, 1]):
                for u in range(columns[x, 0], columns[x, 1]):
                    begin = place(a.shape, c, v, u)
                    if tap == 0:
                        start_max(flat_z, flat_winner, at, flat_a, begin, batch)
                    else:
                        update_max(flat_z, flat_winner, at, flat_a, begin, winner.dtype.type(tap), batch)
                    tap += 1


@parallel
def max_backward(reward, winner, rows, columns, r):
    """r = each reward at its winner, 0 elsewhere.  reward, winner (C, HO, WO, N) -> r (C, H, W, N)"""
    flat_reward, flat_winner, flat_r = reward.reshape(-1), winner.reshape(-1), r.reshape(-1)
    batch = np.uint64(r.shape[3])
    for channel in prange(r.shape[0]):
        c = np.int64(channel)
        clear(flat_r, place(r.shape, c, 0, 0), place(r.shape, 1, 0, 0))
        for y in range(reward.shape[1]):
            for v in range(rows[y, 0], rows[y, 1]):  # row by row of r, so that memory is written as it follows
                for x in range(reward.shape[2]):
                    first = (v - rows[y, 0]) * (columns[x, 1] - columns[x, 0])
                    for u in range(columns[x, 0], columns[x, 1]):
                        begin = place(r.shape, c, v, u)
                        tap = winner.dtype.type(first + u - columns[x, 0])
                        scatter(flat_reward, flat_winner, place(reward.shape, c, y, x), tap, flat_r, begin, batch)


class Pool2d(Layer):
    """Base of pooling layers: input (N, C, H, W), output (N, C, HO, WO).

    HO = (H + 2 * padding - kernel_size) // stride + 1, rounded up with ceil_mode.
    kernel_size: one integer or a pair (height, width). stride: the same; None means kernel_size. padding: the same, at
    most half the kernel. ceil_mode: also the windows that the image's end cuts off, but none that begins behind it.
    Rows and columns that no window covers are left out and get no reward.
    Raises ValueError for other sizes, and for an image smaller than a window.
    """

    batch_first = False

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size = check_pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else check_pair("stride", stride)
        self.padding = check_pair("padding", padding, 0)
        self.ceil_mode = check_bool("ceil_mode", ceil_mode)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(f"padding must be at most half of kernel_size, {self.kernel_size}, got {padding!r}")

    def __repr__(self) -> str:
        options = "" if self.stride == self.kernel_size else f", stride={self.stride}"
        options += f", padding={self.padding}" if any(self.padding) else ""
        options += ", ceil_mode=True" if self.ceil_mode else ""
        return f"{type(self).__name__}({self.kernel_size}{options})"

    def check_input(self, a: np.ndarray, node: Node) -> None:
        least = [max(1, k - 2 * p) for k, p in zip(self.kernel_size, self.padding, strict=True)]
        node.expect(a.ndim == 4, a, "(N, C, H, W)")
        fits = a.shape[1] >= least[0] and a.shape[2] >= least[1]
        node.expect(fits, a, f"(N, C, H, W) with H x W at least {least[0]} x {least[1]}")

    def windows(self, shape: tuple[int, ...]) -> tuple[AxisWindows, AxisWindows]:
        """Along height and width of an input (C, H, W, N)."""
        options = zip(shape[1:3], self.kernel_size, self.stride, self.padding, strict=True)
        rows, columns = (sliding_windows(*each, self.ceil_mode) for each in options)
        return rows, columns


class MaxPool2d(Pool2d):
    """The maximum of each window; the first one, in row-major order, gets all of its reward.

    Arguments as Pool2d. Source: LRP's winner-take-all rule, as in the paper's networks.
    """

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        self.check_input(a, node)
        rows, columns = (each.inside for each in self.windows(a.shape))
        shape = (len(a), len(rows), len(columns), a.shape[3])
        z = node.scratch("z", shape, a.dtype)
        taps = self.kernel_size[0] * self.kernel_size[1]
        winner = node.scratch("winner", shape, np.uint8 if taps <= 256 else np.int64)
        max_forward(a, rows, columns, z, winner)
        node.saved = winner, rows, columns
        return z

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        r = node.scratch("r", node.input_shape, reward.dtype)
        max_backward(reward, *node.saved, r)
        return r
