"""CIFAR-10 and CIFAR-100, in the binary version: rows of label bytes and pixels, nothing to unpickle."""

from __future__ import annotations

import os
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lfp_ref.datasets.base import Dataset
from lfp_ref.datasets.images import as_pixels

SHAPE = (3, 32, 32)


@dataclass(frozen=True)
class Format:
    """One of the two data sets. labels: bytes before the pixels of an image, the last of which is its class."""

    archive: str
    folder: str
    train: tuple[str, ...]
    test: str
    labels: int
    classes: int


FORMATS = {
    "cifar10": Format(
        "cifar-10-binary.tar.gz", "cifar-10-batches-bin", tuple(f"data_batch_{k}.bin" for k in range(1, 6)),
        "test_batch.bin", 1, 10,
    ),
    "cifar100": Format("cifar-100-binary.tar.gz", "cifar-100-binary", ("train.bin",), "test.bin", 2, 100),
}  # fmt: skip


def load_cifar(root: str | os.PathLike[str], name: str | None = None) -> Dataset:
    """CIFAR-10 or CIFAR-100 from the files of the binary version.

    root: the folder that holds the archive as it comes (cifar-10-binary.tar.gz), or what is in it (data_batch_1.bin
    ..., or the folder of them). name: "cifar10" or "cifar100"; None is the one that is there.
    x: (N, 3, 32, 32) float32 in -1..1. y: (N,) labels, the fine ones of CIFAR-100.
    Raises FileNotFoundError that says which files to put where; ValueError for another name, for a truncated or
    foreign file, and where name is None and both are there.
    Source: Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    if name is not None and name not in FORMATS:
        raise ValueError(f"load_cifar reads {' and '.join(FORMATS)}, got {name!r}")
    found = [each for each in (FORMATS if name is None else (name,)) if _place(Path(root), FORMATS[each])]
    if len(found) > 1:
        raise ValueError(f"{Path(root).absolute()} holds {' and '.join(found)}: name one of them")
    if not found:
        wanted = " or ".join(FORMATS[each].archive for each in (FORMATS if name is None else (name,)))
        raise FileNotFoundError(f"{Path(root).absolute()} has no {wanted}, nor the .bin files that are in it")
    form = FORMATS[found[0]]
    parts = [_read_images(*each, form) for each in _read_files(Path(root), form)]
    x, y = (np.concatenate(arrays) for arrays in zip(*parts[:-1], strict=True))
    x_test, y_test = parts[-1]
    return Dataset(found[0], as_pixels(x), y.astype(np.int64), as_pixels(x_test), y_test.astype(np.int64))


def _place(root: Path, form: Format) -> Path | None:
    """The archive, or the folder of its files; None without either."""
    folders = [folder for folder in (root, root / form.folder) if (folder / form.test).is_file()]
    archive = root / form.archive
    return folders[0] if folders else archive if archive.is_file() else None


def _read_files(root: Path, form: Format) -> list[tuple[str, bytes]]:
    """(where it is, content) of the training files, and of the test file as the last."""
    place = _place(root, form)
    assert place is not None, "asked for what is there"
    names = [*form.train, form.test]
    if place.is_dir():
        missing = [name for name in names if not (place / name).is_file()]
        if missing:
            raise FileNotFoundError(f"{place.absolute()} has no {', '.join(missing)}")
        return [(str(place / name), (place / name).read_bytes()) for name in names]
    try:
        with tarfile.open(place) as archive:  # read where it is: nothing is unpacked
            contents = [archive.extractfile(f"{form.folder}/{name}") for name in names]
            return [
                (f"{name} in {place}", file.read() if file else b"") for name, file in zip(names, contents, strict=True)
            ]
    except (tarfile.TarError, EOFError, KeyError, zlib.error, OSError) as error:
        raise ValueError(f"{place} is damaged or not {form.archive}: {error}; fetch it again") from None


def _read_images(where: str, content: bytes, form: Format) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 3, 32, 32) and classes (N,), bytes. Raises ValueError where the file is something else."""
    length = form.labels + int(np.prod(SHAPE))
    if not content or len(content) % length:
        raise ValueError(f"{where}: {len(content)} bytes are not whole images of {length} bytes; fetch it again")
    rows = np.frombuffer(content, np.uint8).reshape(-1, length)
    labels = rows[:, form.labels - 1]
    if labels.max() >= form.classes:
        raise ValueError(f"{where}: label {labels.max()}, expected 0..{form.classes - 1}; is this another file?")
    return rows[:, form.labels :].reshape(-1, *SHAPE), labels
