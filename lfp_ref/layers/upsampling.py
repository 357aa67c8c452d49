"""Larger images from smaller ones, for decoders: transposed convolution, and pixels repeated.

Transposed convolution, p = i * stride - padding + k * dilation the output that input i reaches by kernel position k:

    z[o, p]    = b[o] + sum over c, i, k of w[c, o, k] a[c, i]
    s          = r / stab(z, epsilon)
    r[c, i]    = a[c, i] * sum over o, k of w[c, o, k] s[o, p]
    d_w[c,o,k] = |w[c, o, k]| * sum over n, i of a[c, i] s[o, p]          d_b[o] = |b[o]| * sum over n, p of s[o, p]

It is the adjoint of a convolution from z's image to a's: its forward sum is that convolution's adjoint to the input,
its adjoint that convolution's forward sum, by the same kernels (conv.py).

Upsample: each pixel is copied into a block, and gets the sum of the block's rewards. It conserves, under any rule.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads
from numpy.typing import DTypeLike

from lfp_ref.core.checks import check_bool, check_int, check_pair
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.core.state import uniform_init
from lfp_ref.kernels.windows import Windows
from lfp_ref.layers import conv
from lfp_ref.layers.weighted import WeightedLayer


class ConvTranspose2d(WeightedLayer):
    """Transposed convolution of images: input (N, in_channels, H, W), output (N, out_channels, HO, WO).

    HO = (H - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1, and likewise the width.
    kernel_size, stride, padding, output_padding, dilation: one integer, or a pair (height, width). groups: divides
    in_channels and out_channels.
    weight: (in_channels, out_channels / groups, KH, KW), bias: (out_channels,), both U(-k, k) with
    k = 1/sqrt(out_channels / groups * KH * KW), as in PyTorch. dtype: float32 or float64. rng: a numpy Generator.
    Raises ValueError for other sizes, an output_padding that is not below stride or dilation, and an empty output.
    Source: the rule for linear layers; a weight's feedback is summed over the positions it serves.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        output_padding: int | tuple[int, int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | tuple[int, int] = 1,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_channels = check_int("in_channels", in_channels)
        self.out_channels = check_int("out_channels", out_channels)
        self.kernel_size = check_pair("kernel_size", kernel_size)
        self.stride = check_pair("stride", stride)
        self.padding = check_pair("padding", padding, 0)
        self.output_padding = check_pair("output_padding", output_padding, 0)
        self.dilation = check_pair("dilation", dilation)
        self.groups = check_int("groups", groups)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups must divide in_channels and out_channels, {self.in_channels} and {self.out_channels}, "
                f"got {groups}"
            )
        if any(more >= max(s, d) for more, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True)):
            raise ValueError(f"output_padding must be below stride or dilation, got {output_padding!r}")
        shape = (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        fan_in = shape[1] * shape[2] * shape[3]
        self.weight = uniform_init(shape, fan_in, dtype, rng)
        self.bias = uniform_init((self.out_channels,), fan_in, dtype, rng) if check_bool("bias", bias) else None

    def __repr__(self) -> str:
        usual = {"stride": (1, 1), "padding": (0, 0), "output_padding": (0, 0), "groups": 1, "dilation": (1, 1)}
        options = "".join(f", {k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v)
        options += "" if self.bias else ", bias=False"
        return f"ConvTranspose2d({self.in_channels}, {self.out_channels}, {self.kernel_size}{options})"

    @property
    def windows(self) -> Windows:
        """Those of the convolution from the output's image to the input's."""
        return Windows(self.kernel_size, self.stride, self.padding, self.dilation, self.groups)

    def output_size(self, inputs: tuple[int, ...]) -> list[int]:
        """[HO, WO] for an input (C, H, W, N)."""
        return [
            (inputs[1 + i] - 1) * self.stride[i] - 2 * self.padding[i]
            + self.dilation[i] * (self.kernel_size[i] - 1) + self.output_padding[i] + 1
            for i in (0, 1)
        ]  # fmt: skip

    def check_input(self, a: np.ndarray, node: Node) -> None:
        node.expect(a.ndim == 4 and len(a) == self.in_channels, a, f"(N, {self.in_channels}, H, W)")
        fits = min(self.output_size(a.shape)) > 0
        node.expect(fits, a, f"(N, {self.in_channels}, H, W) so large that padding leaves an output")

    def bias_value(self, node: Node) -> np.ndarray:
        w = self.weight_value(node)
        return self.bias.value if self.bias else np.zeros(self.out_channels, w.dtype)

    def forward_sum(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, node: Node, name: str) -> np.ndarray:
        windows = self.windows
        z = node.scratch(name, (self.out_channels, *self.output_size(a.shape), a.shape[-1]), w.dtype)
        pieces = windows.pieces_back(z.shape, a.shape, conv.PIECE)
        begins = windows.column_begins(a.shape)
        conv.backward_input(windows.columns(w), a.reshape(-1), z.reshape(len(z), -1), begins, pieces)
        z += b[:, None, None, None]
        return z

    def backward_input(self, s: np.ndarray, w: np.ndarray, node: Node, name: str) -> np.ndarray:
        windows, padded = self.windows, self.pad(s, node)
        g = node.scratch(name, node.input_shape, s.dtype)
        pieces = windows.pieces(padded.shape, g.shape, conv.PIECE).reshape(-1, 7)
        begins, none = windows.tap_begins(padded.shape), np.zeros(len(g), g.dtype)
        conv.forward(padded.reshape(-1), w.reshape(len(w), -1), none, g.reshape(len(g), -1), begins, pieces)
        return g

    def backward_parameters(self, s: np.ndarray, a: np.ndarray, node: Node, g_w: np.ndarray, g_b: np.ndarray) -> None:
        windows, padded = self.windows, self.pad(s, node)
        blocks = get_num_threads() if self.groups == 1 else 1
        pieces = windows.pieces(padded.shape, a.shape, conv.LONG_PIECE, blocks)
        begins, unused = windows.tap_begins(padded.shape), np.empty(len(a), a.dtype)
        a_rows, g_rows = a.reshape(len(a), -1), g_w.reshape(len(g_w), -1)
        conv.backward_parameters(a_rows, padded.reshape(-1), g_rows, unused, begins, pieces)
        g_b[...] = s.reshape(len(s), -1).sum(axis=1)

    def pad(self, s: np.ndarray, node: Node) -> np.ndarray:
        """s as the convolution sees it, with zeros around."""
        (py, px), (channels, height, width, batch) = self.padding, s.shape
        if py == px == 0:
            return s
        padded = node.scratch("padded", (channels, height + 2 * py, width + 2 * px, batch), s.dtype)
        padded[...] = 0
        padded[:, py : py + height, px : px + width] = s
        return padded


class Upsample(Layer):
    """Each pixel repeated in a block: input (N, C, H, W), output (N, C, H * scale, W * scale).

    scale: one integer or a pair (height, width). Raises ValueError for another.
    Source: nearest-neighbour upsampling, as in PyTorch; a copy's reward is its original's, as in lfprop (autograd).
    """

    batch_first = False

    def __init__(self, scale: int | tuple[int, int] = 2) -> None:
        self.scale = check_pair("scale", scale)

    def __repr__(self) -> str:
        return f"Upsample({self.scale})"

    @property
    def account_name(self) -> str:
        return ""

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        node.expect(a.ndim == 4, a, "(N, C, H, W)")
        return a.repeat(self.scale[0], axis=1).repeat(self.scale[1], axis=2)

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        channels, height, width, batch = node.input_shape
        blocks = reward.reshape(channels, height, self.scale[0], width, self.scale[1], batch)
        return blocks.sum(axis=(2, 4))
