"""Windows of pooling along one axis: tables of where each begins and ends."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class AxisWindows(NamedTuple):
    """Windows along one axis. inside (n, 2): begin and end within the image; counts (n,): pixels with padding."""

    inside: np.ndarray
    counts: np.ndarray

    def without_padding(self) -> AxisWindows:
        """The same windows, whose padding does not count."""
        return AxisWindows(self.inside, self.inside[:, 1] - self.inside[:, 0])


@lru_cache(maxsize=256)
def sliding_windows(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> AxisWindows:
    """Windows of an axis of this size. ceil_mode: also a last one that the end of the padded axis cuts off.

    A window that would begin behind the image is left out. As in PyTorch.
    """
    room = size + 2 * padding - kernel
    count = (-(-room // stride) if ceil_mode else room // stride) + 1
    if (count - 1) * stride >= size + padding:
        count -= 1
    begin = np.arange(count) * stride - padding
    end = np.minimum(begin + kernel, size + padding)
    return AxisWindows(np.stack([begin.clip(0), end.clip(max=size)], axis=1), end - begin)


@lru_cache(maxsize=256)
def adaptive_windows(size: int, outputs: int) -> AxisWindows:
    """As many windows as outputs, from floor(j size / outputs) to ceil((j + 1) size / outputs). As in PyTorch."""
    j = np.arange(outputs)
    inside = np.stack([j * size // outputs, -(-(j + 1) * size // outputs)], axis=1)
    return AxisWindows(inside, inside[:, 1] - inside[:, 0])
