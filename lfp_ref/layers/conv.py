"""Convolutional layer: a dense layer's sums with shared weights.

    z[o, y, x]       = b[o] + sum over c, i, j of w[o, c, i, j] a[c, y*sy + i*dy - py, x*sx + j*dx - px]
    s                = r / stab(z, epsilon)
    r[c, v, u]       = a[c, v, u] * sum over all (o, y, x, i, j) that used it of w[o, c, i, j] s[o, y, x]
    d_w[o, c, i, j]  = |w[o, c, i, j]| * sum over n, y, x of a[c, y*sy + i*dy - py, x*sx + j*dx - px] s[o, y, x]
    d_b[o]           = |b[o]| * sum over n, y, x of s[o, y, x]

(sy, sx) is the stride, (py, px) the padding, (dy, dx) the dilation, all outside a is zero and gets no reward.

How it is computed. The batch is last, so a pixel is a vector over n and, where the stride along x is 1, a whole row of
outputs is one vector: neighbouring pixels follow each other in memory, and tap j only shifts where the input's row
begins. All three sums are then the same work, that of products.py: many rows times a weight each, added up. Where most
of the input is 0, sparse_conv.py does less of it.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import DTypeLike

from lfp_ref.layers import sparse_conv
from lfp_ref.layers.base import initial, pair, whole
from lfp_ref.layers.kernels import KERNEL, PARALLEL
from lfp_ref.layers.linear import Linear
from lfp_ref.layers.products import add_products, dot_products, store, two_rows
from lfp_ref.layers.sharing import after_parameter
from lfp_ref.rules import Rule

PIECE = 1024  # numbers: two such pieces of sums, and what they add up, stay in the processor's first-level cache


@njit(**KERNEL)
def tap_begins(a, kernel, dilation):
    """Where in a flat part of a (P, C, H, W, N) each tap (c, i, j) of the first window begins; others begin later."""
    _, channels, height, width, batch = a.shape
    begins = np.empty(channels * kernel[0] * kernel[1], np.uint64)
    t = 0
    for c in range(channels):
        for i in range(kernel[0]):
            for j in range(kernel[1]):
                begins[t] = np.uint64(((c * height + i * dilation[0]) * width + j * dilation[1]) * batch)
                t += 1
    return begins


@njit(**KERNEL)
def row_pieces(columns, batch, stride):
    """A row of outputs as (pieces, length of one, step in the outputs' row, step in the inputs' row)."""
    if stride[1] == 1:
        return 1, columns * batch, 0, 0
    return columns, batch, batch, stride[1] * batch


@njit(**PARALLEL)
def forward(a, w, b, stride, dilation, z):
    """z as above.  a (P, C, H, W, N) padded, w (O, C, KH, KW), b (O,) -> z (P, O, HO, WO, N)"""
    parts, outputs, height, columns, batch = z.shape
    row, row_a, none = columns * batch, stride[0] * a.shape[3] * batch, np.uint64(0)
    taps, begins = w.reshape(outputs, -1), tap_begins(a, w.shape[2:], dilation)
    most = PIECE if stride[1] == 1 else batch  # numbers of a row that are summed up together
    for number in prange(parts * height):
        p, y = number // height, number % height
        flat_z, flat_a = z[p].reshape(-1), a[p].reshape(-1)
        sums, second = two_rows(most, z)
        for first in range(0, row, most):
            length, seen = np.uint64(min(most, row - first)), flat_a[y * row_a + first * stride[1] :]
            for o in range(0, outputs, 2):
                o2 = min(o + 1, outputs - 1)  # an odd number's last is computed twice
                for k in range(length):
                    sums[k], sums[second + k] = b[o], b[o2]
                add_products(sums, none, second, seen, begins, taps[o], taps[o2], taps.shape[1], length)
                at, at2 = np.uint64((o * height + y) * row + first), np.uint64((o2 * height + y) * row + first)
                store(sums, second, flat_z, at, at2, length)


@njit(**PARALLEL)
def feedback_input(w, s, stride, dilation, g):
    """g[c, v, u] = sum of w s over all that used it.

    w (C, KH, KW, O), s (P, O, HO, WO, N) -> g (P, C, H, W, N), padded
    """
    parts, outputs, height, columns, batch = s.shape
    channels, rows = g.shape[1], g.shape[2]
    row_g, row_s = g.shape[3] * batch, columns * batch
    pieces, length, step_s, step_g = row_pieces(columns, batch, stride)
    begins = np.empty(outputs, np.uint64)  # of each output's s
    for o in range(outputs):
        begins[o] = np.uint64(o * height * row_s)
    for number in prange(parts * rows):
        p, v = number // rows, number % rows
        flat_g, flat_s = g[p].reshape(-1), s[p].reshape(-1)
        sums, second = two_rows(PIECE, g)
        for first in range(0, row_g, PIECE):  # numbers of a row that are summed up together
            last = min(first + PIECE, row_g)
            for c in range(0, channels, 2):
                c2 = min(c + 1, channels - 1)  # as in forward
                for k in range(np.uint64(last - first)):
                    sums[k] = sums[second + k] = 0
                for i in range(w.shape[1]):
                    y, between = divmod(v - i * dilation[0], stride[0])  # the row of s that used row v by w[:, i]
                    if between != 0 or not 0 <= y < height:
                        continue
                    for j in range(w.shape[2]):
                        for piece in range(pieces):
                            to = j * dilation[1] * batch + piece * step_g
                            low, high = max(first, to), min(last, to + length)
                            if low < high:  # some of them are summed up now
                                seen, on = flat_s[y * row_s + piece * step_s + low - to :], np.uint64(low - first)
                                both, long = (w[c, i, j], w[c2, i, j]), np.uint64(high - low)
                                add_products(sums, on, second + on, seen, begins, *both, outputs, long)
                at, at2 = np.uint64((c * rows + v) * row_g + first), np.uint64((c2 * rows + v) * row_g + first)
                store(sums, second, flat_g, at, at2, np.uint64(last - first))


@njit(**PARALLEL)
def feedback_parameters(s, a, stride, dilation, g_w, g_b):
    """Sums of a s and of s.  s (P, O, HO, WO, N), a (P, C, H, W, N) padded -> g_w (P, O, C, KH, KW), g_b (P, O)"""
    parts, outputs, height, columns, batch = s.shape
    row, row_a = np.uint64(columns * batch), stride[0] * a.shape[3] * batch
    begins = tap_begins(a, g_w.shape[3:], dilation)
    pieces, length, step_s, step_a = row_pieces(columns, batch, stride)
    pairs = (outputs + 1) // 2
    for number in prange(parts * pairs):
        p, o = number // pairs, number % pairs * 2
        o2 = min(o + 1, outputs - 1)
        flat_s, flat_a, taps = s[p].reshape(-1), a[p].reshape(-1), g_w[p].reshape(outputs, -1)
        beside = np.empty(taps.shape[1], s.dtype)  # takes what an odd number of outputs leaves over
        out, out2 = taps[o], (taps[o2] if o2 > o else beside)
        total, total2 = s.dtype.type(0), s.dtype.type(0)
        out[:] = 0
        out2[:] = 0
        for y in range(height):
            at, at2 = np.uint64(o * height + y) * row, np.uint64(o2 * height + y) * row
            for k in range(row):
                total += flat_s[at + k]
                total2 += flat_s[at2 + k]
            for piece in range(pieces):
                seen, on = flat_a[y * row_a + piece * step_a :], np.uint64(piece * step_s)
                dot_products(out, out2, flat_s, at + on, at2 + on, seen, begins, taps.shape[1], np.uint64(length))
        g_b[p, o], g_b[p, o2] = total, total2


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
        self.expect(a.ndim == 5 and a.shape[1] == self.in_channels, a, f"(N, {self.in_channels}, H, W)")
        high, wide = (max(1, self.dilation[i] * (self.kernel_size[i] - 1) + 1 - 2 * self.padding[i]) for i in (0, 1))
        fits = a.shape[2] >= high and a.shape[3] >= wide
        self.expect(fits, a, f"(N, {self.in_channels}, H, W) with H x W at least {high} x {wide}")

    def prepare(self, a: np.ndarray, out: str) -> np.ndarray:
        (py, px), (parts, channels, height, width, batch) = self.padding, a.shape
        if py == px == 0:
            return a
        padded = self.buffer(out, (parts, channels, height + 2 * py, width + 2 * px, batch), a.dtype)
        padded[...] = 0
        padded[:, :, py : py + height, px : px + width] = a
        return padded

    def reads_bytes(self, a: np.ndarray) -> bool:
        return self._few_events(a)

    def total(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, out: str) -> np.ndarray:
        z = self.buffer(out, (len(a), self.out_channels, *self._output_size(a), a.shape[-1]), w.dtype)
        if self._few_events(a):
            last, threads = self._outputs_last(w), get_num_threads()
            sparse_conv.forward(a, last, b, self.kernel_size, *self._orders(a, z), z, threads)
        else:
            forward(self.numbers(a, w.dtype), w, b, self.stride, self.dilation, z)
        return z

    def to_input(self, s: np.ndarray, w: np.ndarray, out: str) -> np.ndarray:
        g = self.buffer(out, self.seen[1].shape, s.dtype)
        feedback_input(np.ascontiguousarray(w.transpose(1, 2, 3, 0)), s, self.stride, self.dilation, g)
        return self._inside_of(g, out)

    def to_parameters(self, s: np.ndarray, a: np.ndarray, g_w: np.ndarray, g_b: np.ndarray) -> None:
        feedback_parameters(s, self.numbers(a, s.dtype), self.stride, self.dilation, g_w, g_b)

    def hand_out(self, s: np.ndarray, rule: Rule, wanted: bool) -> np.ndarray | None:
        """As for every linear layer; where the input has few events, both sums at once, by these."""
        _, a, _ = self.seen
        if not (rule.shares and self._few_events(a)):
            return super().hand_out(s, rule, wanted)
        w, b, threads, r = self.weight.value, self._bias(), get_num_threads(), self.buffer("g", a.shape, s.dtype)
        each_w, each_b = self.of_each(threads)
        last, to = self._outputs_last(w), self._orders(a, s)[1]
        sparse_conv.feedback(last, s, a, self.kernel_size, to, r, each_w, each_b, threads)
        after_parameter(rule, each_w, w, w, self.weight.feedback)
        if self.bias:
            after_parameter(rule, each_b, b, b, self.bias.feedback)
        return self._inside_of(r, "g") if wanted else None

    def _few_events(self, a: np.ndarray) -> bool:
        """Whether little of a prepared input is not 0, by every 31st row of it, and it pays to skip the zeros."""
        plain = self.stride == self.dilation == (1, 1)
        if not (plain and self.out_channels >= sparse_conv.LEAST and a.shape[-1] >= sparse_conv.BLOCK):
            return False
        some = a.reshape(-1, a.shape[-1])[::31]
        return bool(np.count_nonzero(some) < sparse_conv.FEW * some.size)

    def _outputs_last(self, w: np.ndarray) -> np.ndarray:
        """A copy of w as sparse_conv.py wants it, (KH, C, KW reversed, O)."""
        turned = w[..., ::-1].transpose(2, 1, 3, 0)
        last = self.buffer("outputs last", turned.shape, w.dtype)
        last[...] = turned
        return last

    def _orders(self, a: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those in which sparse_conv.py wants input and output."""
        rows = sparse_conv.in_order(z.shape[1:4], (1, 2, 0)).reshape(z.shape[2], -1)
        return sparse_conv.in_order(a.shape[1:4], (2, 1, 0)), rows

    def _inside_of(self, padded: np.ndarray, name: str) -> np.ndarray:
        """The buffer of that name without the padding."""
        (py, px), (a, *_) = self.padding, self.seen
        if py == px == 0:
            return padded
        inside = self.buffer(name + " inside", a.shape, padded.dtype)
        inside[...] = padded[:, :, py : py + a.shape[2], px : px + a.shape[3]]
        return inside

    def _output_size(self, padded: np.ndarray) -> list[int]:
        return [(padded.shape[2 + i] - self.dilation[i] * (self.kernel_size[i] - 1) - 1) // self.stride[i] + 1
                for i in (0, 1)]  # fmt: skip
