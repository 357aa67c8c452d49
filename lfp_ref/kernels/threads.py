"""One set of threads: numba's.

Kernels split their work over numba's threads, and each thread calls BLAS on its own block. BLAS must not start threads
of its own inside: two pools that wait for each other by spinning, on the same cores, made a training step twenty times
slower. So BLAS gets one thread while a network works, and its own number back afterwards.

Waiting threads spin a little, then sleep (GOMP_SPINCOUNT, unless the environment says otherwise). OpenMP's own default
spins fifteen times as long: beside two busy programs on two cores, epochs of 0.03 s took up to 6 s. Not to spin at all
costs short steps a factor of three.

A child that is forked after OpenMP's threads have started cannot use them: GNU OpenMP ends it at the first kernel, and
whoever waits for its answer waits for ever. `check_process` raises instead.

numba.set_num_threads(n), or NUMBA_NUM_THREADS in the environment, is the one setting.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
import scipy.linalg.cython_blas

if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")  # read when numba starts its threads, at the first kernel


def _openblas_threads() -> tuple[Any, ...]:
    """The functions that read and set the thread number of the OpenBLAS behind numba; () for another BLAS."""
    library = ctypes.CDLL(scipy.linalg.cython_blas.__file__)  # finds symbols of the libraries it links, too
    for prefix in ("scipy_openblas", "openblas"):
        if hasattr(library, f"{prefix}_set_num_threads"):
            return getattr(library, f"{prefix}_get_num_threads"), getattr(library, f"{prefix}_set_num_threads")
    return ()


_OPENBLAS = _openblas_threads()
_LOCK = threading.Lock()
_users, _before = 0, 1
_is_cut_off = False  # True in a child that has lost the threads of its parent


def check_process() -> None:
    """Raises RuntimeError in a process whose threads stayed behind in a fork."""
    if _is_cut_off:
        raise RuntimeError(
            "this process was forked after its parent had started the threads of the kernels, which a fork leaves "
            'behind: start workers by spawning them, multiprocessing.get_context("spawn").Pool(...), or fork before '
            "the first forward pass; NUMBA_THREADING_LAYER=workqueue in the environment survives a fork, too"
        )


def _after_fork_in_child() -> None:
    global _LOCK, _users, _is_cut_off
    _LOCK = threading.Lock()  # another thread of the parent may hold the old one
    _users = 0
    try:
        layer = numba.threading_layer()  # type: ignore[attr-defined]
    except ValueError:  # no thread was started: the child starts its own
        return
    _is_cut_off = layer == "omp" and sys.platform == "linux"  # OpenMP elsewhere survives a fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keeps BLAS to one thread per caller inside the block. Does nothing for a BLAS other than OpenBLAS.

    The setting is the process's: the first thread to come in makes it, the last one to leave takes it back.
    Raises RuntimeError where no kernel can run (check_process).
    """
    global _users, _before
    check_process()
    if not _OPENBLAS:
        yield
        return
    get, set_ = _OPENBLAS
    with _LOCK:
        if _users == 0:
            _before = get()
            set_(1)
        _users += 1
    try:
        yield
    finally:
        with _LOCK:
            _users -= 1
            if _users == 0:
                set_(_before)
