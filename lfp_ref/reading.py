"""Files of others: .npz, gzip and JSON, read with bounds. What is wrong with one is a ValueError that names it."""

from __future__ import annotations

import gzip
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any

import numpy as np

# A compressed file may unpack to so many bytes, or to so many times its size: MNIST's do to 5 times, a bomb to 1000.
LARGEST, RATIO = 2**30, 100

DAMAGE = (ValueError, TypeError, EOFError, NotImplementedError, RuntimeError, struct.error, SyntaxError,
          zipfile.BadZipFile, zlib.error, gzip.BadGzipFile)  # fmt: skip


def check_unpacked(path: Path, size: int) -> None:
    """Raises ValueError for a file that would unpack to far more than its size, before anything is unpacked."""
    stored = path.stat().st_size
    if size > max(LARGEST, RATIO * stored):
        raise ValueError(f"{path} has {stored:,} bytes and would unpack to {size:,}: not unpacked, for it is damaged, "
                         "or made to fill the memory; store it uncompressed if it is neither")  # fmt: skip


# ---- .npz


def read_npz(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name, or those of these names that it has. Nothing is unpickled.

    Raises ValueError for another or a damaged file, saying which array is wrong, and for one that unpacks to far more
    than its size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members: dict[str, zipfile.ZipInfo] = {}
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name in members:
                    raise ValueError(f"it holds two arrays called {name!r}")
                if names is None or name in names:
                    members[name] = info
            check_unpacked(path, sum(info.file_size for info in members.values()))
            return {name: _array(archive, name, info) for name, info in members.items()}
    except DAMAGE as error:
        with path.open("rb") as file:
            is_single = file.read(6) == b"\x93NUMPY"
        reason = "it is one array, an .npy file: numpy.savez(path, x=x, ...) writes .npz" if is_single else error
        raise ValueError(f"{path} is damaged or no .npz file of numbers: {reason}") from None


def _array(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> np.ndarray:
    """One array, read once its header agrees with the number of bytes there are."""
    if info.flag_bits & 1:
        raise ValueError(f"{name!r} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name!r} is compressed in a way that NumPy does not use, number {info.compress_type}")
    with archive.open(info) as file:
        try:
            shape, dtype = _header(file)
        except DAMAGE as error:
            raise ValueError(f"{name!r} is not an array ({error})") from None
        if dtype.hasobject:
            raise ValueError(f"{name!r} holds Python objects, which are not read")
        size, held = math.prod(shape) * dtype.itemsize, info.file_size - file.tell()
        if size != held or min(shape, default=0) < 0:
            raise ValueError(f"{name!r} has {held:,} bytes, its header says {dtype} of shape {shape}, {size:,} bytes")
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype that the header of an .npy file gives, up to version 2: later ones are for names in Unicode."""
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"version {version[0]}.{version[1]} of .npy")
    shape, _, dtype = read(file)
    return shape, dtype


# ---- gzip


@contextmanager
def opened(path: Path) -> Iterator[BufferedIOBase]:
    """A file to read from, unpacked if its first bytes are gzip's, whatever its name."""
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not is_packed:
            yield file
            return
        with gzip.GzipFile(fileobj=file) as unpacked:
            try:
                yield unpacked
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise ValueError(f"{path} is damaged: {error}; fetch it again") from None


# ---- JSON


def read_json(text: str | bytes) -> Any:
    """What a JSON text means. Raises ValueError for another text, for one nested too deep, and for equal keys."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{max(keys, key=keys.count)!r} stands twice in one place")
    return found
