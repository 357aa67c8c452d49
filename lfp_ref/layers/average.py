"""Average pooling.

    z[c, y, x] = sum of the window times 1/n

A weighted sum whose weights are all 1/n, so the reward is handed back by the rule (weighted.py), for epsilon
s = r / stab(z, epsilon), r_i = a_i sum of s/n over i's windows. n is the number of pixels in the window, with the
padding it covers or without; padding adds nothing and gets nothing.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from lfp_ref.core.checks import check_bool, check_pair
from lfp_ref.core.node import Node
from lfp_ref.kernels.axis_windows import AxisWindows, adaptive_windows
from lfp_ref.kernels.compile import kernel, parallel
from lfp_ref.layers.pool import Pool2d, clear, place
from lfp_ref.layers.weighted import WeightedLayer


@kernel
def add(weight, x, at, out, begin, batch):
    """out += weight * x.  Vectors over n, from begin and from at"""
    for n in range(batch):
        out[begin + n] += weight * x[at + n]


@parallel
def sum_forward(a, rows, columns, weight, z):
    """z = weight * window sums.  a (C, H, W, N), weight (HO, WO) -> z (C, HO, WO, N)"""
    flat_a, flat_z, batch = a.reshape(-1), z.reshape(-1), np.uint64(a.shape[3])
    for row in prange(z.shape[0] * z.shape[1]):
        c, y = np.int64(row) // z.shape[1], np.int64(row) % z.shape[1]
        for x in range(z.shape[2]):
            at = place(z.shape, c, y, x)
            clear(flat_z, at, batch)
            for v in range(rows[y, 0], rows[y, 1]):
                for u in range(columns[x, 0], columns[x, 1]):
                    add(a.dtype.type(1), flat_a, place(a.shape, c, v, u), flat_z, at, batch)
            for n in range(batch):
                flat_z[at + n] *= weight[y, x]  # after the sum: what cancels exactly leaves exactly 0


@parallel
def sum_backward(s, rows, columns, weight, g):
    """g = sum of weight * s over the windows an input is in.  s (C, HO, WO, N), weight (HO, WO) -> g (C, H, W, N)"""
    flat_s, flat_g, batch = s.reshape(-1), g.reshape(-1), np.uint64(g.shape[3])
    for channel in prange(g.shape[0]):
        c = np.int64(channel)
        clear(flat_g, place(g.shape, c, 0, 0), place(g.shape, 1, 0, 0))
        for y in range(s.shape[1]):
            for x in range(s.shape[2]):
                at = place(s.shape, c, y, x)
                for v in range(rows[y, 0], rows[y, 1]):
                    for u in range(columns[x, 0], columns[x, 1]):
                        add(weight[y, x], flat_s, at, flat_g, place(g.shape, c, v, u), batch)


class Average(WeightedLayer):
    """Base of layers that take the mean of windows: a weighted sum of weights 1/n, (HO, WO), without a bias."""

    def windows(self, shape: tuple[int, ...]) -> tuple[AxisWindows, AxisWindows]:
        """Along height and width of an input (C, H, W, N)."""
        raise NotImplementedError

    def weight_value(self, node: Node) -> np.ndarray:
        rows, columns = self.windows(node.input_shape)
        return 1 / np.outer(rows.counts, columns.counts)

    def bias_value(self, node: Node) -> np.ndarray:
        return np.zeros(1)

    def forward_sum(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, node: Node, name: str) -> np.ndarray:
        rows, columns = self.windows(a.shape)
        z = node.scratch(name, (len(a), *w.shape, a.shape[3]), a.dtype)
        sum_forward(a, rows.inside, columns.inside, w.astype(a.dtype), z)
        return z

    def backward_input(self, s: np.ndarray, w: np.ndarray, node: Node, name: str) -> np.ndarray:
        rows, columns = self.windows(node.input_shape)
        g = node.scratch(name, node.input_shape, s.dtype)
        sum_backward(s, rows.inside, columns.inside, w.astype(s.dtype), g)
        return g


class AvgPool2d(Pool2d, Average):
    """The mean of each window; its reward is handed back by the rule, as a weighted sum's.

    count_include_pad: padding counts as pixels of 0; without it the mean is of the image's pixels alone. What ceil_mode
    adds behind the padding never counts. Other arguments as Pool2d.
    Source: LRP practice for linear maps without parameters.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = check_bool("count_include_pad", count_include_pad)

    def __repr__(self) -> str:
        option = "" if self.count_include_pad else ", count_include_pad=False"
        return super().__repr__().removesuffix(")") + option + ")"

    def windows(self, shape: tuple[int, ...]) -> tuple[AxisWindows, AxisWindows]:
        rows, columns = super().windows(shape)
        if self.count_include_pad:
            return rows, columns
        return rows.without_padding(), columns.without_padding()


class AdaptiveAvgPool2d(Average):
    """The mean of windows whose number is given: input (N, C, H, W), output (N, C, *output_size).

    output_size: one integer or a pair; windows overlap where it does not divide the image, and repeat pixels where it
    is larger. The reward is handed back as AvgPool2d's. Raises ValueError for a size below 1.
    Source: as in PyTorch; the rule as AvgPool2d's.
    """

    def __init__(self, output_size: int | tuple[int, int]) -> None:
        self.output_size = check_pair("output_size", output_size)

    def __repr__(self) -> str:
        return f"AdaptiveAvgPool2d({self.output_size})"

    def check_input(self, a: np.ndarray, node: Node) -> None:
        node.expect(a.ndim == 4, a, "(N, C, H, W)")

    def windows(self, shape: tuple[int, ...]) -> tuple[AxisWindows, AxisWindows]:
        rows, columns = (adaptive_windows(*each) for each in zip(shape[1:3], self.output_size, strict=True))
        return rows, columns


class GlobalAvgPool2d(AdaptiveAvgPool2d):
    """The mean of each channel: input (N, C, H, W), output (N, C, 1, 1). Hands its reward back as AvgPool2d does."""

    def __init__(self) -> None:
        super().__init__(1)

    def __repr__(self) -> str:
        return "GlobalAvgPool2d()"
