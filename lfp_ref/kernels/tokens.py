"""A sum of matrix products over tokens: some tokens are copied into one matrix each, and multiplied at once."""

from __future__ import annotations

import numpy as np

from lfp_ref.kernels.blas import product
from lfp_ref.kernels.compile import kernel

CHUNK = 8  # tokens in one product: a fifth faster than one at a time


@kernel
def gather(x, first, low, packed):
    """packed[i, t N + n] = x[first + t, low + i, n]: some tokens as one matrix, of so many rows as `packed` has."""
    batch = x.shape[2]
    for t in range(packed.shape[1] // batch):
        for i in range(len(packed)):
            row, part = x[first + t, low + i], packed[i, t * batch : (t + 1) * batch]
            for n in range(np.uint64(batch)):
                part[n] = row[n]


@kernel
def sum_products(s, a, low, high, total):
    """total[j] = sum over t of s[t, j] a[t]^T for low <= j < high.  s (T, O, N), a (T, I, N) -> total (O, I)"""
    tokens, inputs, batch = a.shape
    some = np.empty((high - low if tokens > 1 else 0, inputs), total.dtype)
    if tokens == 1:
        product(s[0, low:high], a[0].T, total[low:high])
    for first in range(0, tokens if tokens > 1 else 0, CHUNK):
        columns = min(CHUNK, tokens - first) * batch
        s_some, a_some = np.empty((high - low, columns), s.dtype), np.empty((inputs, columns), a.dtype)
        gather(s, first, low, s_some)
        gather(a, first, 0, a_some)
        product(s_some, a_some.T, some)
        for j in range(high - low):
            for i in range(inputs):
                total[low + j, i] = some[j, i] + (total[low + j, i] if first else 0)
