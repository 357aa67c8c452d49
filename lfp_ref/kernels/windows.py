"""Windows of a convolution in flat memory: tables of what its sums run over.

With the batch last, a pixel of an array (C, H, W, N) is a run of N numbers, and where the stride along x is 1 a whole row
of outputs is one run: its neighbouring numbers see neighbouring numbers of each tap. A piece is a part of such a run,
short enough that what all its taps read stays in the processor's cache. A table has a row for each piece, of columns

    LOW, HIGH   the rows of the result: outputs of one group, or channels of one group
    AT, LENGTH  the numbers of those rows that the piece is
    START       where in the other array, flat, they begin to see
    TAP         the tap that sees, where a piece belongs to one tap alone
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LOW, HIGH, AT, LENGTH, START, TAP = range(6)
Pair = tuple[int, int]


@lru_cache(maxsize=256)
def tap_begins(channels: int, shape: tuple[int, ...], kernel_size: Pair, dilation: Pair) -> np.ndarray:
    """Where in a flat array of that shape (C, H, W, N) each tap (c, i, j) of the first window begins, (C*KH*KW,)."""
    _, height, width, batch = shape
    c, i, j = np.ogrid[:channels, : kernel_size[0], : kernel_size[1]]
    return (((c * height + i * dilation[0]) * width + j * dilation[1]) * batch).reshape(-1)


@lru_cache(maxsize=256)
def pieces(
    inputs: tuple[int, ...], outputs: tuple[int, ...], stride: Pair, groups: int, longest: int
) -> np.ndarray:
    """The pieces of an output (O, HO, WO, N), seeing an input (C, H, W, N) with its padding: a table (groups, n, 6)."""
    (channels, height_a, width_a, batch), (count, height, width, _) = inputs, outputs
    run = width * batch if stride[1] == 1 else batch
    group, y, x, first = np.ogrid[:groups, :height, : width * batch // run, 0:run:longest]
    table = np.zeros((*np.broadcast_shapes(group.shape, y.shape, x.shape, first.shape), 6), np.int64)
    table[..., LOW] = group * (count // groups)
    table[..., HIGH] = (group + 1) * (count // groups)
    table[..., AT] = (y * width + x) * batch + first
    table[..., LENGTH] = np.minimum(longest, run - first)
    c = group * (channels // groups)
    table[..., START] = ((c * height_a + y * stride[0]) * width_a + x * stride[1]) * batch + first
    return table.reshape(groups, -1, 6)


@lru_cache(maxsize=256)
def pieces_back(
    inputs: tuple[int, ...], outputs: tuple[int, ...], kernel_size: Pair, geometry: tuple[Pair, Pair, Pair], groups: int
) -> np.ndarray:
    """The pieces of each row of an input (C, H, W, N), seeing the outputs that used it: a table (H, n, 6).

    geometry: (stride, padding, dilation). The input is without its padding. A piece of length 0 is none.
    """
    (channels, height_a, width_a, batch), (count, height, width, _) = inputs, outputs
    (sy, sx), (py, px), (dy, dx) = geometry
    run = width * batch if sx == 1 else batch
    v, i, j, x, group = np.ogrid[:height_a, : kernel_size[0], : kernel_size[1], : width * batch // run, :groups]
    y, between = np.divmod(v + py - i * dy, sy)  # the row of outputs that used row v by tap i, if none lies between
    to = (x * sx + j * dx - px) * batch
    low, high = np.maximum(to, 0), np.minimum(to + run, width_a * batch)  # in the row, without the padding
    length = np.where((between == 0) & (y >= 0) & (y < height), np.maximum(high - low, 0), 0)
    table = np.zeros((*np.broadcast_shapes(length.shape, group.shape), 6), np.int64)
    table[..., LOW] = group * (channels // groups)
    table[..., HIGH] = (group + 1) * (channels // groups)
    table[..., AT] = v * width_a * batch + low
    table[..., LENGTH] = length
    o = group * (count // groups)
    table[..., START] = ((o * height + y) * width + x) * batch + low - to
    table[..., TAP] = i * kernel_size[1] + j
    return table.reshape(height_a, -1, 6)
