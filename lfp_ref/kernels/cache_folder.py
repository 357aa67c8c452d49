"""The folder of the kernel cache: numba's own choices, else a private temporary folder, else none, with one warning."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import warnings
from contextlib import suppress
from functools import cache

from numba import config
from numba.misc.appdirs import AppDirs

_problems: list[str] = []


def warn_once(problem: str) -> None:
    """Warn of the first problem that a process has with the cache."""
    if not _problems:
        warnings.warn(f"lfp_ref: {problem}; set NUMBA_CACHE_DIR to a writable folder with free space", stacklevel=2)
    _problems.append(problem)


def make_writable(folder: str) -> str:
    """The folder, created if it is missing. Raises OSError if no file can be created in it."""
    os.makedirs(folder, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    return folder


def private_folder() -> str:
    """The user's own temporary folder. Raises OSError if others can write to it: unpickling their files runs code."""
    folder = os.path.join(tempfile.gettempdir(), f"lfp_ref-{os.getuid()}")
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    if (found.st_uid, found.st_mode) != (os.getuid(), stat.S_IFDIR | 0o700):
        raise PermissionError(f"{folder} is not a folder that only this user can open")
    return folder


@cache
def cache_folder(source_folder: str) -> str | None:
    """The folder for kernels whose source is in `source_folder`; None if no folder is writable."""
    name = "lfp_ref-" + hashlib.sha256(os.fsencode(source_folder)).hexdigest()[:16]
    if config.CACHE_DIR:  # type: ignore[attr-defined]
        folders = [os.path.join(config.CACHE_DIR, name)]  # type: ignore[attr-defined]
    else:
        user_folder = AppDirs("numba", False).user_cache_dir
        folders = [os.path.join(source_folder, "__pycache__"), os.path.join(user_folder, name)]
    for folder in folders:
        with suppress(OSError):
            return make_writable(folder)
    problem = f"cannot write compiled kernels to {' or '.join(folders)}"
    with suppress(OSError, AttributeError):  # AttributeError: Windows has no user numbers
        folder = make_writable(os.path.join(private_folder(), name))
        warn_once(f"{problem}, so they are kept in {folder}")
        return folder
    warn_once(f"{problem}, so each process compiles its own")
    return None
