"""Where results go: folders of runs, checkpoints in them, pictures."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lfp_ref.files import FolderInUse, locked


@contextmanager
def new_folder(chosen: Path | None, usual: str) -> Iterator[Path]:
    """A folder for the results of a run, kept to this process for the block: the chosen one, or a new one below runs/.

    Raises ValueError where the chosen one is a file or holds a run already, FolderInUse where another process has it.
    """
    usual = re.sub(r"[^\w.-]+", "-", usual)
    for number in itertools.count(1):
        folder = chosen or Path("runs", usual if number == 1 else f"{usual}-{number}")
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} is a file; --out takes a folder")
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(folder))
            except FolderInUse:
                if chosen:
                    raise
                continue
            if not any(folder.glob("*.npz")):
                yield folder
                return
        if chosen:
            raise ValueError(
                f"{folder} holds a run already: choose another --out, or go on with train --resume {folder}"
            )


def checkpoint_file(path: str) -> Path:
    """The checkpoint that a file, or the folder of a run, means. Raises ValueError for a folder with several others."""
    file = Path(path, "checkpoint.npz") if Path(path).is_dir() else Path(path)
    others = sorted(other.name for other in file.parent.glob("*.npz"))
    if not file.exists() and Path(path).is_dir() and others:
        raise ValueError(f"{path} holds {', '.join(others)}: name one of them")
    return file


def draw(path: Path, figure: Callable[..., None], *arguments: Any) -> str:
    """Draws a figure into a file; returns its name for the closing message, or a hint if matplotlib is missing."""
    try:
        figure(path, *arguments)
    except ImportError:
        return "\n(the picture of this needs matplotlib: pip install matplotlib)"
    return f", {path.name}"


def draw_if_possible(path: Path, figure: Callable[..., None], *arguments: Any) -> str:
    """As draw, for a picture that comes on top of results: one that fails is a line of the closing message."""
    try:
        return draw(path, figure, *arguments)
    except Exception as error:  # whatever it is, the results are there
        return f"\n(no picture: {type(error).__name__}: {error})"
