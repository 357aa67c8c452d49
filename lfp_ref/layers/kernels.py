"""How kernels are compiled."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from numba import config, njit
from numba.core.codegen import get_host_cpu_features

# Of vectors of 512 bits LLVM uses half on Intel's processors: the first ran at a lower clock with more. Kernels
# are sums of products, and faster with whole vectors. The setting is the process's, and read at numba's first njit: one
# that comes before lfp_ref is imported leaves it as it was. NUMBA_CPU_FEATURES in the environment goes first.
if config.CPU_FEATURES is None:  # type: ignore[attr-defined]
    _features: list[str] = get_host_cpu_features().split(",")  # type: ignore[no-untyped-call]
    if "+avx512f" in _features:
        config.CPU_FEATURES = ",".join([*_features, "-prefer-256-bit"])  # type: ignore[attr-defined]

# Kernels may fuse a product with a sum and add up a sum in another order. They may not assume numbers are finite.
# Nothing calls them from C: without what would let it, a first run is a fifteenth shorter.
KERNEL: dict[str, Any] = {
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc"},
    "no_cfunc_wrapper": True,
}
# Only prange loops run in parallel: looking for other candidates doubles the time to compile.
NOT_PARALLEL = ("comprehension", "reduction", "inplace_binop", "setitem", "numpy", "stencil", "fusion")
PARALLEL: dict[str, Any] = {**KERNEL, "parallel": {"prange": True} | dict.fromkeys(NOT_PARALLEL, False)}
WORTH_THREADS = 16384  # elements: waking a thread takes as long as simple sums on about as many


def elementwise(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles a kernel over flat arrays twice, each when first needed: for all threads, and for one where the first
    array is short. The second also compiles in a third of the time, and small networks need no other.
    """
    alone = types.FunctionType(kernel.__code__, kernel.__globals__)
    alone.__qualname__ = f"{kernel.__qualname__}.alone"  # numba's cache knows functions by their names
    alone.__module__ = kernel.__module__
    together, alone = njit(**PARALLEL)(kernel), njit(**KERNEL)(alone)

    @wraps(kernel)
    def run(first: np.ndarray, *rest: Any) -> Any:
        return (together if first.size >= WORTH_THREADS else alone)(first, *rest)

    return run
