"""Files that are whole at any time, and folders that one process at a time writes to."""

from __future__ import annotations

import os
import sys
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LOCK = ".lock"  # in a locked folder, with the number of the process that holds it
TEMPORARY = ".lfp_ref-*.tmp"


class FolderInUse(OSError):
    """Another process writes to a folder."""


@contextmanager
def written_whole(path: Path, is_durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write into that takes its place, folders included, at the end of the block, or not at all.

    Each call writes beside the place under a name of its own, so threads and processes may write one file at once: the
    last one counts. is_durable: waits for the disk, so that a power cut leaves the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(TEMPORARY.replace("*", uuid.uuid4().hex))
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            if is_durable:
                os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a folder, made where it is missing, to this process for the block. The lock dies with its process.

    Removes what killed processes left half-written, and at the end the folder itself if it was made here and is empty.
    Raises FolderInUse where another process, or another block of this one, has it.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK
    try:
        with _locked_file(lock) as file:
            for left_over in folder.glob(TEMPORARY):
                left_over.unlink(missing_ok=True)
            file.truncate(0)
            file.write(str(os.getpid()).encode())
            file.flush()
            try:
                yield
            finally:
                with suppress(OSError):  # Windows removes no open file: it stays, unlocked
                    lock.unlink()
    finally:
        with suppress(OSError):  # not empty
            for each in made:
                each.rmdir()


def _locked_file(path: Path) -> BinaryIO:
    """A file, open and locked. Raises FolderInUse."""
    while True:
        file = path.open("a+b")
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            file.close()
            try:
                owner = f"process {int(path.read_bytes())}"
            except (OSError, ValueError):  # Windows, or a lock taken a moment ago
                owner = "another process"
            raise FolderInUse(
                f"{path.parent} is in use by {owner}: wait for it, or choose another folder (--out)"
            ) from None
        except OSError as error:
            warnings.warn(f"{path.parent} cannot be locked ({error}): start nothing else into it", stacklevel=4)
            return file
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # whoever held the lock has just removed the file: it keeps nobody out


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
