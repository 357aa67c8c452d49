"""Windows of a convolution in flat memory: tables of what its sums run over.

With the batch last, a pixel of an array (C, H, W, N) is a run of N numbers, and where the stride along x is 1 a whole
row of outputs is one run: its neighbouring numbers see neighbouring numbers of each tap. A piece is a part of such a
run, short enough that what all its taps read stays in the processor's cache. A table has a row for each piece, with

    LOW, HIGH     the rows of the result: outputs of one group, or channels of one group
    AT, LENGTH    the numbers of those rows that the piece is
    START         where in the other array, flat, they begin to see
    FIRST, COUNT  on the way back: the columns of the weights that use the piece
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

LOW, HIGH, AT, LENGTH, START, FIRST, COUNT = range(7)
Pair = tuple[int, int]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """Sizes and steps of a convolution's windows along (height, width), and its groups."""

    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    more_behind: Pair = (0, 0)  # padding behind the image that there is not before it

    def least(self, axis: int) -> int:
        """The least height (axis 0) or width (1) of an input without padding."""
        padding = 2 * self.padding[axis] + self.more_behind[axis]
        return max(1, self.dilation[axis] * (self.kernel_size[axis] - 1) + 1 - padding)

    def outputs(self, inputs: Shape) -> Pair:
        """(HO, WO) for an input (C, H, W, N) without padding."""
        padded = [inputs[1 + i] + 2 * self.padding[i] + self.more_behind[i] for i in (0, 1)]
        extents = [self.dilation[i] * (self.kernel_size[i] - 1) + 1 for i in (0, 1)]
        height, width = ((padded[i] - extents[i]) // self.stride[i] + 1 for i in (0, 1))
        return height, width

    @lru_cache(maxsize=256)  # noqa: B019 (of few and small objects)
    def tap_begins(self, padded: Shape) -> np.ndarray:
        """Where in a flat array (C, H, W, N) each tap (c, i, j) of the first window of a group begins: (taps,)."""
        channels, height, width, batch = padded
        c, i, j = np.ogrid[: channels // self.groups, : self.kernel_size[0], : self.kernel_size[1]]
        return (((c * height + i * self.dilation[0]) * width + j * self.dilation[1]) * batch).reshape(-1)

    @lru_cache(maxsize=256)  # noqa: B019
    def pieces(self, padded: Shape, outputs: Shape, longest: int, blocks: int = 1) -> np.ndarray:
        """The pieces of an output (O, HO, WO, N), seeing an input (C, H, W, N) with its padding.

        blocks: of the outputs of a group, each with a table of its own. Returns (groups * blocks, n, 7).
        """
        (channels, height_a, width_a, batch), (count, height, width, _) = padded, outputs
        run = width * batch if self.stride[1] == 1 else batch
        group, block, y, x, first = np.ogrid[: self.groups, :blocks, :height, : width * batch // run, 0:run:longest]
        each = count // self.groups
        shape = np.broadcast_shapes(group.shape, block.shape, y.shape, x.shape, first.shape)
        table = np.zeros((*shape, 7), np.int64)
        table[..., LOW] = group * each + each * block // blocks
        table[..., HIGH] = group * each + each * (block + 1) // blocks
        table[..., AT] = (y * width + x) * batch + first
        table[..., LENGTH] = np.minimum(longest, run - first)
        c = group * (channels // self.groups)
        table[..., START] = ((c * height_a + y * self.stride[0]) * width_a + x * self.stride[1]) * batch + first
        return table.reshape(self.groups * blocks, -1, 7)

    # ---- the way back: columns of weights are in order of (row of the kernel, its taps from last to first, outputs)

    def columns(self, w: np.ndarray) -> np.ndarray:
        """A weight (O, C / groups, KH, KW) as (C, KH * KW * outputs of a group)."""
        outputs, channels, rows, columns = w.shape
        by_group = w.reshape(self.groups, outputs // self.groups, channels, rows, columns)[..., ::-1]
        return np.ascontiguousarray(by_group.transpose(0, 2, 3, 4, 1)).reshape(self.groups * channels, -1)

    @lru_cache(maxsize=256)  # noqa: B019
    def column_begins(self, outputs: Shape) -> np.ndarray:
        """Where in a flat (O, HO, WO, N) the outputs begin that a row of the kernel belongs to: (KW * outputs,)."""
        count, height, width, batch = outputs
        tap, o = np.ogrid[: self.kernel_size[1], : count // self.groups]
        return (tap * self.dilation[1] * batch + o * height * width * batch).reshape(-1)

    @lru_cache(maxsize=256)  # noqa: B019
    def pieces_back(self, inputs: Shape, outputs: Shape, longest: int) -> np.ndarray:
        """The pieces of each row of an input (C, H, W, N), without padding, seeing outputs (O, HO, WO, N): (H, n, 7).

        Of a piece, the columns of the weights that use it are next to each other. A piece of length 0 is none.
        """
        (channels, rows, columns, batch), (count, height, width, _) = inputs, outputs
        (sy, sx), (py, px), (dy, dx) = self.stride, self.padding, self.dilation
        each = count // self.groups
        found: list[list[tuple[int, ...]]] = [[] for _ in range(rows)]
        runs = self._runs_back(columns, width)
        for v, ((low, high), taps), i in itertools.product(range(rows), runs, range(self.kernel_size[0])):
            y, between = divmod(v + py - i * dy, sy)
            if between or not 0 <= y < height:
                continue  # no output used row v by row i of the kernel
            x = (low + px - taps[0] * dx) // sx
            column = (i * self.kernel_size[1] + self.kernel_size[1] - 1 - taps[0]) * each
            for first in range(0, (high - low) * batch, longest):
                length = min(longest, (high - low) * batch - first)
                at = (v * columns + low) * batch + first
                found[v].append((at, length, (y * width + x) * batch + first, column, len(taps) * each))
        table = np.zeros((rows, self.groups, max(map(len, found)), 7), np.int64)
        for v, entries in enumerate(found):
            if entries:
                table[v, :, : len(entries), AT:] = sorted(entries)  # all that use a piece one after the other
        group = np.arange(self.groups)[:, None]
        table[..., LOW] = group * (channels // self.groups)
        table[..., HIGH] = (group + 1) * (channels // self.groups)
        table[..., START] += group * each * height * width * batch
        return table.reshape(rows, -1, 7)

    def _runs_back(self, columns: int, width: int) -> list[tuple[Pair, list[int]]]:
        """Runs of columns of an input that the same taps use, the last tap first: ((low, high), taps)."""
        sx, px, dx = self.stride[1], self.padding[1], self.dilation[1]
        taps = range(self.kernel_size[1])
        if sx > 1:  # the outputs that see neighbouring columns are no neighbours: each column and tap by itself
            return [((u, u + 1), [j]) for u in range(columns) for j in taps
                    if (u + px - j * dx) % sx == 0 and 0 <= (u + px - j * dx) // sx < width]  # fmt: skip
        users = [[j for j in reversed(taps) if 0 <= u + px - j * dx < width] for u in range(columns)]
        bounds = [u for u in range(columns + 1) if u in (0, columns) or users[u] != users[u - 1]]
        return [((low, high), users[low]) for low, high in itertools.pairwise(bounds) if users[low]]
