"""One set of threads: numba's.

Kernels split their work over numba's threads, and each thread calls BLAS on its own block. BLAS must not start threads
of its own inside: two pools that wait for each other by spinning, on the same cores, made a training step twenty times
slower. So BLAS gets one thread while a network works, and its own number back afterwards.

numba.set_num_threads(n), or NUMBA_NUM_THREADS in the environment, is the one setting.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import scipy.linalg.cython_blas


def _openblas_threads() -> tuple:
    """The functions that read and set the thread number of the OpenBLAS behind numba; () for another BLAS."""
    library = ctypes.CDLL(scipy.linalg.cython_blas.__file__)  # finds symbols of the libraries it links, too
    for prefix in ("scipy_openblas", "openblas"):
        if hasattr(library, f"{prefix}_set_num_threads"):
            return getattr(library, f"{prefix}_get_num_threads"), getattr(library, f"{prefix}_set_num_threads")
    return ()


_OPENBLAS = _openblas_threads()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keeps BLAS to one thread per caller inside the block. Does nothing for a BLAS other than OpenBLAS."""
    if not _OPENBLAS:
        yield
        return
    get, set_ = _OPENBLAS
    before = get()
    set_(1)
    try:
        yield
    finally:
        set_(before)
