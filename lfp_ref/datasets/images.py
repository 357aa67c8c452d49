"""Images: the digits that ship with the package, and MNIST-format (IDX) files."""

from __future__ import annotations

import math
import os
from importlib.resources import files
from pathlib import Path

import numpy as np

from lfp_ref.datasets.base import Dataset, check_classes, split
from lfp_ref.reading import check_unpacked, opened

IDX = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def load_digits() -> Dataset:
    """1,797 handwritten digits of 8 x 8 pixels; a fifth of them, drawn at random once and for all, is the test part.

    x: (N, 1, 8, 8) float32 in -1..1. y: (N,) labels 0..9. Source and licence: DIGITS.md beside this file.
    """
    with (files(__package__) / "digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    x = (images[:, None] / 8 - 1).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(x))
    return split("digits", x, labels.astype(np.int64), order, len(x) // 5)


def load_mnist(root: str | os.PathLike[str] | None = None) -> Dataset:
    """MNIST, or any data set in its format, from the four IDX files in a folder, gzipped or not.

    root: the folder; None takes it from the environment variable LFP_REF_DATA. Files may be named as in
    train-images.idx3-ubyte, too, and without test samples there is no test part.
    x: (N, 1, H, W) float32 in -1..1. y: (N,) labels.
    Raises FileNotFoundError that says which files to put where; ValueError for a truncated or foreign file, for one
    without pixels, without training samples, or of one class.
    """
    root = root if root is not None else os.environ.get("LFP_REF_DATA")
    if not root:
        raise FileNotFoundError(f"no data folder: pass one, or set LFP_REF_DATA to a folder with {_wanted()}")
    arrays = {}
    for part, name in IDX.items():
        names = [each + ending for each in (name, name.replace("-idx", ".idx")) for ending in ("", ".gz")]
        found = [path for path in (Path(root, each) for each in names) if path.is_file()]
        if not found:
            raise FileNotFoundError(f"{Path(root).absolute()} has no {name}[.gz]; put there {_wanted()}")
        array = arrays[part] = read_idx(found[0], 3 if part.startswith("x") else 1)
        if 0 in array.shape[1:] or (part.endswith("train") and not len(array)):
            raise ValueError(f"{found[0]} is of shape {array.shape}: there is nothing in it to train on")
        if part == "y_train":
            check_classes(f"{found[0]}", array)
    x_train, x_test = (as_pixels(arrays[part][:, None]) for part in ("x_train", "x_test"))
    return Dataset("mnist", x_train, arrays["y_train"].astype(np.int64), x_test, arrays["y_test"].astype(np.int64))


def as_pixels(images: np.ndarray) -> np.ndarray:
    """Bytes 0..255 as float32 in -1..1: 2 x / 255 - 1."""
    pixels = images.astype(np.float32)
    pixels /= 127.5  # in place: a second array of this size would double the memory
    pixels -= 1
    return pixels


def read_idx(path: Path, rank: int) -> np.ndarray:
    """The array of unsigned bytes in an IDX file of that rank, gzipped or not, whatever its name.

    Raises ValueError where the file is something else, damaged, or would unpack to far more than its size.
    """
    with opened(path) as file:
        header = file.read(4 + 4 * rank)
        if len(header) < 4 + 4 * rank or header[:4] != bytes([0, 0, 8, rank]):
            raise ValueError(f"{path} is not an IDX file of rank {rank} with unsigned bytes, gzipped or not")
        shape = tuple(int(n) for n in np.frombuffer(header, ">u4", rank, 4))
        size = math.prod(shape)
        check_unpacked(path, size)
        data = file.read(size + 1)
    if len(data) != size:
        found = f"{len(data)} bytes: truncated" if len(data) < size else "more than there should be"
        raise ValueError(f"{path}: its header says {shape}, {size} bytes, and it holds {found}; fetch it again")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _wanted() -> str:
    return "the four MNIST files (" + ", ".join(IDX.values()) + "), gzipped or not"
