"""The compiler of kernels: four decorators and their options.

    @kernel                  one thread, and helpers that kernels call
    @parallel                numba.prange loops run on all threads
    @elementwise             flat arrays: all threads if they are long, one thread otherwise
    @c_function(signature)   for callers that have only its address

With NUMBA_DISABLE_JIT=1 the first three leave a function in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

import numpy as np
from numba import config, njit
from numba.core.ccallback import CFunc
from numba.core.codegen import get_host_cpu_features

try:
    from lfp_ref.kernels.cache import use_cache
except (AttributeError, ImportError):  # the cache needs private names of numba, which another version may lack

    def use_cache(compiled: Any) -> Any:
        """Give a function of numba's njit or CFunc numba's own cache, where that finds a folder."""
        with suppress(AttributeError, RuntimeError):
            compiled.enable_caching()
        return compiled


# LLVM uses 256 of the 512 bits of AVX-512 on Intel's processors, since the first of them lowered their clock for more.
# Kernels are sums of products, and faster with 512. The setting holds for the process and is read at numba's first
# njit: an njit before the import of lfp_ref keeps LLVM's choice, as does NUMBA_CPU_FEATURES in the environment.
if config.CPU_FEATURES is None:  # type: ignore[attr-defined]
    _features: list[str] = get_host_cpu_features().split(",")
    if "+avx512f" in _features:
        config.CPU_FEATURES = ",".join([*_features, "-prefer-256-bit"])  # type: ignore[attr-defined]

JIT = not getattr(config, "DISABLE_JIT", False)  # False under NUMBA_DISABLE_JIT=1: kernels are then plain Python
KERNEL: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc"},  # fused multiply-add, sums in any order; NaN and infinity keep their meaning
    "no_cfunc_wrapper": True,  # no wrapper for callers in C: saves 7 % of compile time
}
# Only prange loops run in parallel: the search for other candidates doubles the compile time.
NOT_PARALLEL = ("comprehension", "reduction", "inplace_binop", "setitem", "numpy", "stencil", "fusion")
PARALLEL: dict[str, Any] = {**KERNEL, "parallel": {"prange": True} | dict.fromkeys(NOT_PARALLEL, False)}
WORTH_THREADS = 65536  # elements: waking a thread takes as long as simple sums on about as many


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function for one thread, at its first call with each type, and cache it."""
    return use_cache(njit(**KERNEL)(function))


def parallel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function whose prange loops run on all threads, at its first call with each type, and cache it."""
    return use_cache(njit(**PARALLEL)(function))


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of flat arrays as `parallel` and as `kernel`, each when first needed.

    The size of the first array decides which one runs. The second compiles in a third of the time, and small networks
    need no other.
    """
    all_threads = parallel(function)
    one_thread = kernel(function)

    @wraps(function)
    def run(first: np.ndarray, *rest: Any) -> Any:
        if first.size >= WORTH_THREADS:
            return all_threads(first, *rest)
        return one_thread(first, *rest)

    return run


def c_function(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function for one signature, such as numba.void(numba.float32), and cache it; it has an `address`."""

    def compile_function(function: Callable[..., Any]) -> Any:
        compiled: Any = CFunc(function, (signature.args, signature.return_type), locals={}, options={})
        use_cache(compiled).compile()
        return compiled

    return compile_function
