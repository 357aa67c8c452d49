"""Convolutional layer: a dense layer's sums with shared weights.

    z[o, y, x]       = b[o] + sum over c, i, j of w[o, c, i, j] a[c, y*sy + i*dy - py, x*sx + j*dx - px]
    s                = r / stab(z, epsilon)
    r[c, v, u]       = a[c, v, u] * sum over all (o, y, x, i, j) that used it of w[o, c, i, j] s[o, y, x]
    d_w[o, c, i, j]  = |w[o, c, i, j]| * sum over n, y, x of a[c, y*sy + i*dy - py, x*sx + j*dx - px] s[o, y, x]
    d_b[o]           = |b[o]| * sum over n, y, x of s[o, y, x]

(sy, sx) is the stride, (py, px) the padding, (dy, dx) the dilation, all outside a is zero and gets no reward.

How it is computed. The batch is last, so a pixel is a vector over n and, where the stride along x is 1, a whole row of
outputs is one vector: neighbouring pixels follow each other in memory, and tap j only shifts where the input's row
begins. All three sums are then the same work: many rows times a weight each, added up. `add_products` and
`dot_products` do it eight taps at a time, which keeps the processor multiplying rather than loading and storing.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import DTypeLike

from lfp_ref.layers.base import KERNEL, PARALLEL, initial, pair, whole
from lfp_ref.layers.linear import Linear


@njit(**KERNEL)
def add_products(out, at, rows, begins, weights, taps, length):
    """out[at + k] += sum over t < taps of weights[t] * rows[begins[t] + k], for k < length. Positions are unsigned."""
    t = 0
    while t + 8 <= taps:
        b0, b1, b2, b3 = begins[t], begins[t + 1], begins[t + 2], begins[t + 3]
        b4, b5, b6, b7 = begins[t + 4], begins[t + 5], begins[t + 6], begins[t + 7]
        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
        w4, w5, w6, w7 = weights[t + 4], weights[t + 5], weights[t + 6], weights[t + 7]
        for k in range(length):
            out[at + k] += (
                w0 * rows[b0 + k] + w1 * rows[b1 + k] + w2 * rows[b2 + k] + w3 * rows[b3 + k]
                + w4 * rows[b4 + k] + w5 * rows[b5 + k] + w6 * rows[b6 + k] + w7 * rows[b7 + k]
            )  # fmt: skip
        t += 8
    while t < taps:
        b0, w0 = begins[t], weights[t]
        for k in range(length):
            out[at + k] += w0 * rows[b0 + k]
        t += 1


@njit(**KERNEL)
def dot_products(out, row, at, rows, begins, taps, length):
    """out[t] += sum over k < length of row[at + k] * rows[begins[t] + k], for t < taps. Positions are unsigned."""
    t = 0
    zero = out.dtype.type(0)
    while t + 8 <= taps:
        b0, b1, b2, b3 = begins[t], begins[t + 1], begins[t + 2], begins[t + 3]
        b4, b5, b6, b7 = begins[t + 4], begins[t + 5], begins[t + 6], begins[t + 7]
        d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = zero
        for k in range(length):
            s = row[at + k]
            d0 += s * rows[b0 + k]
            d1 += s * rows[b1 + k]
            d2 += s * rows[b2 + k]
            d3 += s * rows[b3 + k]
            d4 += s * rows[b4 + k]
            d5 += s * rows[b5 + k]
            d6 += s * rows[b6 + k]
            d7 += s * rows[b7 + k]
        out[t] += d0
        out[t + 1] += d1
        out[t + 2] += d2
        out[t + 3] += d3
        out[t + 4] += d4
        out[t + 5] += d5
        out[t + 6] += d6
        out[t + 7] += d7
        t += 8
    while t < taps:
        b0, d0 = begins[t], zero
        for k in range(length):
            d0 += row[at + k] * rows[b0 + k]
        out[t] += d0
        t += 1


@njit(**KERNEL)
def tap_begins(a, y, kernel, stride, dilation):
    """Where in the flat a (C, H, W, N) each tap (c, i, j) begins to read for the output row y."""
    channels, height, width, batch = a.shape
    begins = np.empty(channels * kernel[0] * kernel[1], np.uint64)
    t = 0
    for c in range(channels):
        for i in range(kernel[0]):
            for j in range(kernel[1]):
                v = y * stride[0] + i * dilation[0]
                begins[t] = np.uint64(((c * height + v) * width + j * dilation[1]) * batch)
                t += 1
    return begins


@njit(**KERNEL)
def row_pieces(columns, batch, stride):
    """A row of outputs as (pieces, length of one, step in the outputs' row, step in the inputs' row)."""
    if stride[1] == 1:
        return 1, np.uint64(columns * batch), np.uint64(0), np.uint64(0)
    return columns, np.uint64(batch), np.uint64(batch), np.uint64(stride[1] * batch)


@njit(**PARALLEL)
def forward(a, w, b, stride, dilation, z):
    """z as above.  a (C, H, W, N) padded, w (O, C, KH, KW), b (O,) -> z (O, HO, WO, N)"""
    outputs, height, columns, batch = z.shape
    flat_z, flat_a, taps = z.reshape(-1), a.reshape(-1), w.reshape(outputs, -1)
    row = np.uint64(columns * batch)
    for y in prange(height):
        begins = tap_begins(a, y, w.shape[2:], stride, dilation)
        pieces, length, step_z, step_a = row_pieces(columns, batch, stride)
        for o in range(outputs):
            at = np.uint64(o * height + y) * row
            for k in range(row):
                flat_z[at + k] = b[o]
        for piece in range(pieces):
            for o in range(outputs):
                at = np.uint64(o * height + y) * row + np.uint64(piece) * step_z
                add_products(flat_z, at, flat_a, begins, taps[o], taps.shape[1], length)
            begins += step_a


@njit(**PARALLEL)
def feedback_input(w, s, stride, dilation, g):
    """g[c, v, u] = sum of w s over all that used it.  w (O, C, KH, KW), s (O, HO, WO, N) -> g (C, H, W, N), padded"""
    outputs, height, columns, batch = s.shape
    flat_g, flat_s = g.reshape(-1), s.reshape(-1)
    row_g, row_s = np.uint64(g.shape[2] * batch), np.uint64(columns * batch)
    for v in prange(g.shape[1]):
        begins = np.empty(outputs * w.shape[2], np.uint64)
        weights = np.empty(outputs * w.shape[2], w.dtype)
        pieces, length, step_s, step_g = row_pieces(columns, batch, stride)
        for c in range(g.shape[0]):
            at = np.uint64(c * g.shape[1] + v) * row_g
            for k in range(row_g):
                flat_g[at + k] = 0
            for j in range(w.shape[3]):  # taps of one j add to the same place of the row
                taps = 0
                for o in range(outputs):
                    for i in range(w.shape[2]):
                        y, beside = divmod(v - i * dilation[0], stride[0])
                        if beside == 0 and 0 <= y < height:
                            begins[taps] = np.uint64(o * height + y) * row_s
                            weights[taps] = w[o, c, i, j]
                            taps += 1
                shifted = at + np.uint64(j * dilation[1] * batch)
                for piece in range(pieces):
                    add_products(flat_g, shifted + np.uint64(piece) * step_g, flat_s, begins, weights, taps, length)
                    begins += step_s


@njit(**PARALLEL)
def feedback_parameters(s, a, stride, dilation, g_w, g_b):
    """Sums of a s and of s.  s (O, HO, WO, N), a (C, H, W, N) padded -> g_w (O, C, KH, KW), g_b (O,)"""
    outputs, height, columns, batch = s.shape
    flat_s, flat_a, taps = s.reshape(-1), a.reshape(-1), g_w.reshape(outputs, -1)
    row = np.uint64(columns * batch)
    for o in prange(outputs):
        total = s.dtype.type(0)
        taps[o] = 0
        for y in range(height):
            at = np.uint64(o * height + y) * row
            for k in range(row):
                total += flat_s[at + k]
            begins = tap_begins(a, y, g_w.shape[2:], stride, dilation)
            pieces, length, step_s, step_a = row_pieces(columns, batch, stride)
            for _ in range(pieces):
                dot_products(taps[o], flat_s, at, flat_a, begins, taps.shape[1], length)
                at += step_s
                begins += step_a
        g_b[o] = total


class Conv2d(Linear):
    """Convolution: input (N, in_channels, H, W), output (N, out_channels, HO, WO).

    HO = (H + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1, and the same along the width.
    kernel_size, stride, padding, dilation: one integer, or a pair (height, width).
    weight: (out_channels, in_channels, KH, KW), bias: (out_channels,), both U(-k, k), k = 1/sqrt(in_channels KH KW).
    dtype: float32 or float64. rng: a numpy Generator for the initial values.
    Source: the paper's section on LFP for linear layers; a weight's feedback is summed over the positions it serves.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_channels, self.out_channels = whole("in_channels", in_channels), whole("out_channels", out_channels)
        self.kernel_size, self.stride = pair("kernel_size", kernel_size), pair("stride", stride)
        self.padding, self.dilation = pair("padding", padding, 0), pair("dilation", dilation)
        fan_in = self.in_channels * self.kernel_size[0] * self.kernel_size[1]
        self.weight = initial((self.out_channels, self.in_channels, *self.kernel_size), fan_in, dtype, rng)
        self.bias = initial((self.out_channels,), fan_in, dtype, rng) if bias else None
        self.dtype = np.dtype(dtype)

    def __repr__(self) -> str:
        usual = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
        options = "".join(f", {k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v)
        options += "" if self.bias else ", bias=False"
        return f"Conv2d({self.in_channels}, {self.out_channels}, {self.kernel_size}{options})"

    def check_input(self, a: np.ndarray) -> None:
        self.expect(a.ndim == 4 and a.shape[0] == self.in_channels, a, f"(N, {self.in_channels}, H, W)")
        extent = [d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True)]
        fits = all(a.shape[1 + i] + 2 * self.padding[i] >= extent[i] for i in (0, 1))
        least = " x ".join(str(max(1, extent[i] - 2 * self.padding[i])) for i in (0, 1))
        self.expect(fits, a, f"(N, {self.in_channels}, H, W) with H x W at least {least}")

    def prepare(self, a: np.ndarray, out: str) -> np.ndarray:
        (py, px), (channels, height, width, batch) = self.padding, a.shape
        if py == px == 0:
            return a
        padded = self.buffer(out, (channels, height + 2 * py, width + 2 * px, batch), a.dtype)
        padded[...] = 0
        padded[:, py : py + height, px : px + width] = a
        return padded

    def total(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, out: str) -> np.ndarray:
        z = self.buffer(out, (self.out_channels, *self._output_size(a), a.shape[-1]), a.dtype)
        forward(a, w, b, self.stride, self.dilation, z)
        return z

    def to_input(self, s: np.ndarray, w: np.ndarray, out: str) -> np.ndarray:
        a, padded, _ = self.seen
        (py, px), (_, height, width, _) = self.padding, a.shape
        g = self.buffer(out, padded.shape, s.dtype)
        feedback_input(w, s, self.stride, self.dilation, g)
        if py == px == 0:
            return g
        inner = self.buffer(out + "_inner", a.shape, s.dtype)
        inner[...] = g[:, py : py + height, px : px + width]
        return inner

    def to_parameters(self, s: np.ndarray, a: np.ndarray, g_w: np.ndarray, g_b: np.ndarray) -> None:
        feedback_parameters(s, a, self.stride, self.dilation, g_w, g_b)

    def _output_size(self, padded: np.ndarray) -> list[int]:
        return [(padded.shape[1 + i] - self.dilation[i] * (self.kernel_size[i] - 1) - 1) // self.stride[i] + 1
                for i in (0, 1)]  # fmt: skip
