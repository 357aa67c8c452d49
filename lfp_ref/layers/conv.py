"""Convolution: a dense layer's sums with shared weights.

    z[o, y, x]      = b[o] + sum over c, i, j of w[o, c, i, j] a[c, y*sy + i*dy - py, x*sx + j*dx - px]
    s               = r / stab(z, epsilon)
    r[c, v, u]      = a[c, v, u] * sum over all (o, y, x, i, j) that used it of w[o, c, i, j] s[o, y, x]
    d_w[o, c, i, j] = |w[o, c, i, j]| * sum over n, y, x of a[c, y*sy + i*dy - py, x*sx + j*dx - px] s[o, y, x]
    d_b[o]          = |b[o]| * sum over n, y, x of s[o, y, x]

(sy, sx) is the stride, (py, px) the padding, (dy, dx) the dilation; outside, a is zero, or the padding value, and what
it contributes there gets no reward. With groups, outputs and channels come in as many groups, and each output sums over
the channels of its own.

With the batch last a pixel is a vector over n, and where sx = 1 a whole row of outputs is one vector: neighbouring
pixels follow each other in memory, and a tap (c, i, j) only shifts where the input's row begins. So every sum is one of
rows of numbers times a weight each (kernels/products.py), a piece of a row at a time (kernels/windows.py says where it
lies). The division and the multiplications are in weighted.py.
"""

from __future__ import annotations

import math

import numpy as np
from numba import get_num_threads, prange
from numpy.typing import DTypeLike

from lfp_ref.core.checks import check_bool, check_int, check_number, check_sizes
from lfp_ref.core.node import Node
from lfp_ref.core.state import uniform_init
from lfp_ref.kernels.compile import kernel, parallel
from lfp_ref.kernels.products import add_products, dot_products
from lfp_ref.kernels.windows import AT, COUNT, FIRST, HIGH, LENGTH, LOW, START, Windows
from lfp_ref.layers.weighted import WeightedLayer

PIECE = 192  # numbers of a row of outputs at a time
LONG_PIECE = 960  # where each tap's sum goes over the numbers


@kernel
def set_rows(rows, low, high, at, length, values):
    """rows[o, at : at + length] = values[o] for low <= o < high"""
    for o in range(low, high):
        row = rows[o, at : at + length]
        for n in range(np.uint64(length)):
            row[n] = values[o]


@parallel
def forward(a, w, b, z, begins, pieces):
    """z[o, n] = b[o] + sum over taps k of w[o, k] a[start + begins[k] + n], n over a piece.

    a: flat, with its padding. w (O, taps), b (O,) -> z (O, HO*WO*N). begins (taps,), pieces: kernels/windows.py
    """
    for number in prange(len(pieces)):
        piece = pieces[number]
        low, high, at, length, start = piece[LOW], piece[HIGH], piece[AT], piece[LENGTH], piece[START]
        set_rows(z, low, high, at, length, b)
        add_products(z[low:high, at : at + length], w[low:high], a[start:], begins)


@parallel
def backward_input(w, s, g, begins, pieces):
    """g[c, n] = sum over columns k of w[c, k] s[start + begins[k] + n], n over a piece of a row of inputs.

    w (C, KH*KW * outputs of a group), s: flat -> g (C, H*W*N). begins (KW * outputs of a group,): where the outputs
    begin that see an input by a row of the kernel. pieces (H, n, 7): kernels/windows.py
    """
    row, zeros = g.shape[1] // len(pieces), np.zeros(len(g), g.dtype)
    for v in prange(len(pieces)):
        set_rows(g, 0, len(g), v * row, row, zeros)
        for number in range(pieces.shape[1]):
            piece = pieces[v, number]
            low, high, at, length, start = piece[LOW], piece[HIGH], piece[AT], piece[LENGTH], piece[START]
            first, count = piece[FIRST], piece[COUNT]
            if length > 0:
                columns = w[low:high, first : first + count]
                add_products(g[low:high, at : at + length], columns, s[start:], begins[:count])


@parallel
def backward_parameters(s, a, g_w, g_b, begins, pieces):
    """g_w[o, k] = sum over n of s[o, n] a[start + begins[k] + n], over all pieces; g_b[o] = sum over n of s[o, n].

    s (O, HO*WO*N), a: flat, with its padding -> g_w (O, taps), g_b (O,). pieces (blocks of outputs, n, 7)
    """
    for block in prange(len(pieces)):
        low, high = pieces[block, 0, LOW], pieces[block, 0, HIGH]
        for o in range(low, high):
            total = s.dtype.type(0)
            for n in range(s.shape[1]):
                total += s[o, n]
            g_b[o] = total
            for k in range(begins.size):
                g_w[o, k] = 0
        for number in range(pieces.shape[1]):
            piece = pieces[block, number]
            at, length, start = piece[AT], piece[LENGTH], piece[START]
            dot_products(g_w[low:high], s[low:high, at : at + length], a[start:], begins)


class Convolution(WeightedLayer):
    """Base of convolutions, of images (Conv2d) and of rows (Conv1d): to the sums, a row is an image of height 1."""

    axes: int  # along which windows move

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str = 0,
        dilation: int | tuple[int, ...] = 1,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
        groups: int = 1,
        padding_value: float = 0.0,
    ) -> None:
        self.in_channels = check_int("in_channels", in_channels)
        self.out_channels = check_int("out_channels", out_channels)
        self.kernel_size = check_sizes("kernel_size", kernel_size, self.axes)
        self.stride = check_sizes("stride", stride, self.axes)
        self.dilation = check_sizes("dilation", dilation, self.axes)
        same = isinstance(padding, str) and padding == "same"
        if same and set(self.stride) != {1}:
            raise ValueError(f'padding="same" needs a stride of 1, got {stride!r}')
        extents = tuple(d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True))
        before = tuple(extent // 2 for extent in extents) if same else padding
        self.padding = check_sizes("padding", before, self.axes, 0)
        self.more_behind = tuple(extent % 2 for extent in extents) if same else (0,) * self.axes
        self.padding_value = check_number("padding_value", padding_value)
        self.groups = check_int("groups", groups)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups must divide in_channels and out_channels, {in_channels} and {out_channels}, got {groups}"
            )
        shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        fan_in = math.prod(shape[1:])
        self.weight = uniform_init(shape, fan_in, dtype, rng)
        self.bias = uniform_init(shape[:1], fan_in, dtype, rng) if check_bool("bias", bias) else None

    def __repr__(self) -> str:
        usual = {"stride": 1, "padding": 0, "dilation": 1} if not any(self.more_behind) else {"dilation": 1}
        options = "".join(f", {k}={getattr(self, k)}" for k, v in usual.items() if set(getattr(self, k)) != {v})
        options += ", padding='same'" if any(self.more_behind) else ""
        options += f", groups={self.groups}" if self.groups > 1 else ""
        options += f", padding_value={self.padding_value:g}" if self.padding_value else ""
        options += "" if self.bias else ", bias=False"
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels}, {self.kernel_size}{options})"

    @property
    def windows(self) -> Windows:
        """The windows along height and width."""
        sizes, steps = (_pair(x, 1) for x in (self.kernel_size, self.stride))
        return Windows(
            sizes, steps, _pair(self.padding, 0), _pair(self.dilation, 1), self.groups, _pair(self.more_behind, 0)
        )

    def check_rule(self, node: Node) -> None:
        if self.padding_value:
            node.expect_plain_rule()

    def check_input(self, a: np.ndarray, node: Node) -> None:
        axes = "H, W" if self.axes == 2 else "L"
        right = a.ndim == self.axes + 2 and len(a) == self.in_channels
        node.expect(right, a, f"(N, {self.in_channels}, {axes})")
        least = [self.windows.least(axis) for axis in range(2 - self.axes, 2)]
        fits = all(size >= smallest for size, smallest in zip(a.shape[1:], least, strict=False))
        at_least = f"with {axes.replace(', ', ' x ')} at least {' x '.join(map(str, least))}"
        node.expect(fits, a, f"(N, {self.in_channels}, {axes}) {at_least}")

    def forward_sum(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, node: Node, name: str) -> np.ndarray:
        windows, padded = self.windows, self.pad(a, node)
        shape = (self.out_channels, *windows.outputs(_image(a).shape), a.shape[-1])
        z = node.scratch(name, shape, w.dtype)
        pieces = windows.pieces(padded.shape, shape, PIECE).reshape(-1, 7)
        forward(padded.reshape(-1), _rows(w), b, _rows(z), windows.tap_begins(padded.shape), pieces)
        return z if self.axes == 2 else z[:, 0]

    def backward_input(self, s: np.ndarray, w: np.ndarray, node: Node, name: str) -> np.ndarray:
        windows, s = self.windows, _image(s)
        g = node.scratch(name, node.input_shape, s.dtype)
        pieces = windows.pieces_back(_image(g).shape, s.shape, PIECE)
        columns = windows.columns(w if self.axes == 2 else w[:, :, None])
        backward_input(columns, s.reshape(-1), _rows(g), windows.column_begins(s.shape), pieces)
        return g

    def backward_parameters(self, s: np.ndarray, a: np.ndarray, node: Node, g_w: np.ndarray, g_b: np.ndarray) -> None:
        windows, padded = self.windows, self.pad(a, node)
        blocks = get_num_threads() if self.groups == 1 else 1
        pieces = windows.pieces(padded.shape, _image(s).shape, LONG_PIECE, blocks)
        begins = windows.tap_begins(padded.shape)
        backward_parameters(_rows(s), padded.reshape(-1), _rows(g_w), g_b, begins, pieces)

    def share_out(
        self, s: np.ndarray, a_: np.ndarray, w_: np.ndarray, b_: np.ndarray, node: Node, r: np.ndarray | None = None
    ) -> np.ndarray | None:
        if self.padding_value:  # what the padding contributed is the reward of nobody
            none, zeros = np.zeros_like(a_), np.zeros_like(b_)
            node.absorb("padding", lambda: s * self.forward_sum(none, w_, zeros, node, "of padding"))
        return super().share_out(s, a_, w_, b_, node, r)

    def pad(self, a: np.ndarray, node: Node) -> np.ndarray:
        """The input as an image with its padding around it; that of the forward pass is kept for the way back."""
        of_forward = node.saved is None or a is node.saved[0]
        (py, px), (more_y, more_x) = self.windows.padding, self.windows.more_behind
        channels, height, width, batch = _image(a).shape
        shape = (channels, height + 2 * py + more_y, width + 2 * px + more_x, batch)
        if shape == _image(a).shape:
            return _image(a)
        padded = node.scratch("padded" if of_forward else "padded operand", shape, a.dtype)
        if node.saved is None or not of_forward:
            padded[...] = self.padding_value
            padded[:, py : py + height, px : px + width] = _image(a)
        return padded


class Conv2d(Convolution):
    """Convolution of images: input (N, in_channels, H, W), output (N, out_channels, HO, WO).

    HO = (H + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1, and the same along the width.
    padding: around the image; "same" (with stride 1) for outputs as large as the image, one more behind it than before
    where it must be odd. padding_value: what is outside; if not 0 it contributes, and keeps its reward.
    kernel_size, stride, padding, dilation: one integer, or a pair (height, width). groups: divides in_channels and
    out_channels; as many as channels is a depthwise convolution. With a padding value rules other than epsilon and
    gradient descent are refused.
    weight: (out_channels, in_channels / groups, KH, KW), bias: (out_channels,), both U(-k, k) with
    k = 1/sqrt(in_channels / groups * KH * KW). dtype: float32 or float64. rng: a numpy Generator for initial values.
    Source: the paper's section on LFP for linear layers; a weight's feedback is summed over the positions it serves.
    """

    axes = 2


class Conv1d(Convolution):
    """Convolution of rows: input (N, in_channels, L), output (N, out_channels, LO), LO as HO of Conv2d.

    weight: (out_channels, in_channels / groups, K). Arguments as Conv2d, with one size each. Source: as Conv2d.
    """

    axes = 1


def _pair(sizes: tuple[int, ...], height: int) -> tuple[int, int]:
    """(size along a row,) as (height, size); a pair as it is."""
    return (height, sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])


def _image(x: np.ndarray) -> np.ndarray:
    """(C, L, N) as (C, 1, L, N); (C, H, W, N) as it is."""
    return x if x.ndim == 4 else x[:, None]


def _rows(x: np.ndarray) -> np.ndarray:
    """(O, ...) as (O, rest)."""
    return x.reshape(len(x), -1)
