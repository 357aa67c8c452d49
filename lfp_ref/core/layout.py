"""Array layouts: users' arrays have the batch first, (N, I) or (N, C, H, W); inside a pass it is last, (I, N).

With the batch last every scalar of an equation is one contiguous vector over the samples: z = W a is written as in a
book, and pooling, activations and convolution run at the processor's vector width without tricks.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import DTypeLike

from lfp_ref.kernels.compile import elementwise


@elementwise
def transpose(x, out):
    """out[i, n] = x[n, i].  x (N, I) -> out (I, N). Returns the sum, which is NaN or infinite where an entry is."""
    total = x.dtype.type(0)
    for i in prange(x.shape[1]):
        for n in range(x.shape[0]):
            total += x[n, i]
            out[i, n] = x[n, i]
    return total


def to_batch_last(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """A copy of (N, ...) as (..., N), into `out` if given."""
    out = np.empty(batch_last_shape(x.shape), x.dtype) if out is None else out
    transpose(np.ascontiguousarray(x).reshape(len(x), -1), out.reshape(-1, len(x)))
    return out


def to_batch_first(x: np.ndarray) -> np.ndarray:
    """A copy of (..., N) as (N, ...)."""
    out = np.empty(batch_first_shape(x.shape), x.dtype)
    transpose(np.ascontiguousarray(x).reshape(-1, x.shape[-1]), out.reshape(x.shape[-1], -1))
    return out


def batch_last_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(N, ...) as (..., N)."""
    return (*shape[1:], shape[0])


def batch_first_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(..., N) as (N, ...)."""
    return (shape[-1], *shape[:-1])


def per_sample(x: np.ndarray) -> np.ndarray:
    """Sums of (..., N) to a number for each sample, (N,), in double precision."""
    return x.reshape(-1, x.shape[-1]).sum(axis=0, dtype=np.float64)


def cast(array: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """The array in this dtype, infinite where it overflows."""
    with np.errstate(over="ignore"):
        return array.astype(dtype, copy=False)
