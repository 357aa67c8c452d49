"""Windows of a convolution in flat memory: tables of what its sums run over.

With the batch last, a pixel of an array (C, H, W, N) is a run of N numbers, and where the stride along x is 1 a whole row
of outputs is one run: its neighbouring numbers see neighbouring numbers of each tap. A piece is a part of such a run,
short enough that what all its taps read stays in the processor's cache. A table has a row for each piece, of columns

    LOW, HIGH     the rows of the result: outputs of one group, or channels of one group
    AT, LENGTH    the numbers of those rows that the piece is
    START         where in the other array, flat, they begin to see
    FIRST, COUNT  on the way back: the columns of the weights that use the piece
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np

LOW, HIGH, AT, LENGTH, START, FIRST, COUNT = range(7)
Pair = tuple[int, int]


@lru_cache(maxsize=256)
def tap_begins(channels: int, shape: tuple[int, ...], kernel_size: Pair, dilation: Pair) -> np.ndarray:
    """Where in a flat array of that shape (C, H, W, N) each tap (c, i, j) of the first window begins, (C*KH*KW,)."""
    _, height, width, batch = shape
    c, i, j = np.ogrid[:channels, : kernel_size[0], : kernel_size[1]]
    return (((c * height + i * dilation[0]) * width + j * dilation[1]) * batch).reshape(-1)


@lru_cache(maxsize=256)
def pieces(inputs: tuple[int, ...], outputs: tuple[int, ...], stride: Pair, groups: int, longest: int) -> np.ndarray:
    """The pieces of an output (O, HO, WO, N), seeing an input (C, H, W, N) with its padding: a table (groups, n, 7)."""
    (channels, height_a, width_a, batch), (count, height, width, _) = inputs, outputs
    run = width * batch if stride[1] == 1 else batch
    group, y, x, first = np.ogrid[:groups, :height, : width * batch // run, 0:run:longest]
    table = np.zeros((*np.broadcast_shapes(group.shape, y.shape, x.shape, first.shape), 7), np.int64)
    table[..., LOW] = group * (count // groups)
    table[..., HIGH] = (group + 1) * (count // groups)
    table[..., AT] = (y * width + x) * batch + first
    table[..., LENGTH] = np.minimum(longest, run - first)
    c = group * (channels // groups)
    table[..., START] = ((c * height_a + y * stride[0]) * width_a + x * stride[1]) * batch + first
    return table.reshape(groups, -1, 7)


@lru_cache(maxsize=256)
def pieces_back(
    inputs: tuple[int, ...], outputs: tuple[int, ...], kernel_size: Pair, geometry: tuple[Pair, Pair, Pair],
    groups: int, longest: int,
) -> np.ndarray:  # fmt: skip
    """The pieces of each row of an input (C, H, W, N), without its padding, seeing outputs (O, HO, WO, N): (H, n, 7).

    geometry: (stride, padding, dilation). Columns of the weights are in order of (row of the kernel, its taps from last
    to first, outputs of a group), so that those that use a piece are next to each other. A piece of length 0 is none.
    """
    (channels, rows, columns, batch), (count, height, width, _) = inputs, outputs
    (sy, sx), (py, px), (dy, dx) = geometry
    each = count // groups
    found: list[list[tuple[int, ...]]] = [[] for _ in range(rows)]
    runs = _runs(columns, width, kernel_size[1], (sx, px, dx))
    for v, ((low, high), taps), i in itertools.product(range(rows), runs, range(kernel_size[0])):
        y, between = divmod(v + py - i * dy, sy)
        if between or not 0 <= y < height:
            continue  # no output used row v by row i of the kernel
        x = (low + px - taps[0] * dx) // sx
        column = (i * kernel_size[1] + kernel_size[1] - 1 - taps[0]) * each
        for first in range(0, (high - low) * batch, longest):
            length = min(longest, (high - low) * batch - first)
            at = (v * columns + low) * batch + first
            found[v].append((at, length, (y * width + x) * batch + first, column, len(taps) * each))
    table = np.zeros((rows, groups, max(map(len, found)), 7), np.int64)
    for v, entries in enumerate(found):
        if entries:
            table[v, :, : len(entries), AT:] = sorted(entries)  # all rows of the kernel that use a piece one by one
    group = np.arange(groups)[:, None]
    table[..., LOW] = group * (channels // groups)
    table[..., HIGH] = (group + 1) * (channels // groups)
    table[..., START] += group * each * height * width * batch
    return table.reshape(rows, -1, 7)


def _runs(columns: int, width: int, kernel: int, geometry: tuple[int, int, int]) -> list[tuple[Pair, list[int]]]:
    """Runs of columns of an input that the same taps use, the last tap first: ((low, high), taps)."""
    sx, px, dx = geometry
    if sx > 1:  # the outputs that see neighbouring columns are no neighbours: each column and tap by itself
        return [((u, u + 1), [j]) for u in range(columns) for j in range(kernel)
                if (u + px - j * dx) % sx == 0 and 0 <= (u + px - j * dx) // sx < width]  # fmt: skip
    users = [[j for j in reversed(range(kernel)) if 0 <= u + px - j * dx < width] for u in range(columns)]
    bounds = [u for u in range(columns + 1) if u in (0, columns) or users[u] != users[u - 1]]
    return [((low, high), users[low]) for low, high in itertools.pairwise(bounds) if users[low]]
