"""Scratch memory: the arrays of one pass, reused by the next pass in the same thread.

Fresh memory costs more than the sums on it: the system hands it out page by page, each cleared first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

PAGE = 4096  # bytes


def aligned(size: int, dtype: DTypeLike) -> np.ndarray:
    """An uninitialised array that begins at a page: no vector lies across two cache lines, and whether vectors of two
    arrays get into each other's way is no matter of chance."""
    raw = np.empty(size * np.dtype(dtype).itemsize + PAGE, np.uint8)
    begin = -raw.ctypes.data % PAGE
    return raw[begin : begin + size * np.dtype(dtype).itemsize].view(dtype)


class Memory:
    """Uninitialised arrays by name, each reused as long as it is large enough."""

    def __init__(self) -> None:
        self.arrays: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # name -> (all of it, what was last asked of it)

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        flat, array = self.arrays.get(name, (None, None))
        if flat is None or array is None or array.shape != shape or array.dtype != dtype:
            size = math.prod(shape)
            if flat is None or flat.size < size or flat.dtype != dtype:
                flat = aligned(size, dtype)
            array = flat[:size].reshape(shape)
            self.arrays[name] = flat, array
        return array
