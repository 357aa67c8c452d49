"""The cache of compiled kernels: one file per kernel and signature.

numba's own cache compares a kernel with its source file only, and raises where it cannot read or write. This one

- compares everything compiled into a kernel: all files of the package that hold kernels, and the code and constants of
  each jitted function that it calls. Otherwise an edited helper would leave its callers as they were.
- replaces files with a wrong checksum: stale, truncated or foreign.
- never stops a computation: a file that cannot be read is compiled again, one that cannot be written is a warning.
- has no index. Two processes that save at once can leave numba's index of one and the data of the other: machine code
  for another signature, or of older source.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import sys
import types
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from lfp_ref.files import written_whole
from lfp_ref.kernels.cache_folder import cache_folder, warn_once

KERNEL_FILES = ("core/*.py", "kernels/*.py", "layers/*.py", "optim.py")
CONSTANTS = (int, float, complex, str, bytes, tuple, np.generic, np.ndarray)  # numba compiles their values in
CHECKSUM_SIZE = 32  # bytes, at the start of each file


@cache
def file_digest(file: str) -> bytes:
    """Digest of a source file at the first call: during its import, before edits that this process does not run."""
    return hashlib.sha256(Path(file).read_bytes()).digest()


_files = [str(file) for pattern in KERNEL_FILES for file in sorted(Path(__file__).parents[1].glob(pattern))]
PACKAGE_DIGEST = numba.__version__.encode() + b"".join(map(file_digest, _files))  # 1 ms
rebuild: Any = CompileResult._rebuild


def code_digest(function: Any) -> bytes:
    """Digest of the code and constants of a function and of all jitted functions that it calls, in any file."""
    digest = hashlib.sha256()
    functions = [function]
    for function in functions:
        code = function.__code__
        literals = [x for x in code.co_consts if not isinstance(x, types.CodeType)]
        digest.update(repr((code.co_code, code.co_names, literals)).encode())
        variables = [function.__globals__.get(name) for name in code.co_names]
        variables += [cell.cell_contents for cell in function.__closure__ or ()]
        for value in variables:
            if isinstance(value, CONSTANTS):
                digest.update(pickle.dumps(value))
            elif hasattr(value, "py_func") and value.py_func not in functions:
                functions.append(value.py_func)
    return digest.digest()


class KernelCache(NullCache):
    """The files of one function: numba calls `load_overload` before it compiles, `save_overload` afterwards."""

    def __init__(self, compiled: Any, folder: str) -> None:
        self.function = compiled.__wrapped__
        self.is_parallel = bool(getattr(compiled, "targetoptions", {}).get("parallel"))
        self.source_digest = PACKAGE_DIGEST + file_digest(self.function.__code__.co_filename)
        self.folder = folder

    @property
    def cache_path(self) -> str:
        return self.folder

    def path(self, signature: Any, target: Any) -> Path:
        name = f"{Path(self.function.__code__.co_filename).stem}.{self.function.__qualname__}"
        key = repr((name, self.is_parallel, signature, target.codegen().magic_tuple()))  # the last: the processor
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        readable = re.sub("[^A-Za-z0-9.]", "_", name)[:100]
        return Path(self.folder, f"{readable}-{digest}.{sys.implementation.cache_tag}.nbc")

    def checksum(self, payload: bytes) -> bytes:
        return hashlib.sha256(self.source_digest + code_digest(self.function) + payload).digest()

    def load_overload(self, signature: Any, target: Any) -> Any:
        target.refresh()
        with suppress(Exception):  # whatever is wrong with a file, compiling is right
            content = self.path(signature, target).read_bytes()
            payload = content[CHECKSUM_SIZE:]
            if content[:CHECKSUM_SIZE] == self.checksum(payload):
                return rebuild(target, *pickle.loads(payload))
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        try:
            if compiled.library.has_dynamic_globals:
                name = self.function.__qualname__
                warnings.warn(f"{name} contains an address, which differs between processes: not cached", stacklevel=2)
                return
            payload = dumps(compiled._reduce())
            # not durable: a file that a power cut damages is compiled again
            with written_whole(self.path(signature, compiled.target_context), is_durable=False) as file:
                file.write(self.checksum(payload) + payload)
        except Exception as error:
            warn_once(f"cannot write a compiled kernel to {self.folder} ({error})")


def use_cache(compiled: Any) -> Any:
    """Give a function of numba's njit or CFunc this cache. A function without a source file gets none."""
    if not hasattr(compiled, "_cache"):
        return compiled  # a Python function: NUMBA_DISABLE_JIT is set
    file = compiled.__wrapped__.__code__.co_filename
    folder = cache_folder(os.path.dirname(os.path.abspath(file))) if os.access(file, os.R_OK) else None
    if folder:
        compiled._cache = KernelCache(compiled, folder)
    return compiled
