"""People's own data: an .npz file with arrays x and y."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from lfp_ref.datasets.base import Dataset, check_classes, split
from lfp_ref.reading import read_npz


def load_arrays(path: str | os.PathLike[str]) -> Dataset:
    """The samples of an .npz file (numpy.savez(path, x=x, y=y)); a fifth, drawn at random once and for all, is to test.

    In the file, x: (N, I) points or (N, C, H, W) images, real numbers, best about -1..1; y: (N,) labels 0, 1, ...
    In the data set, x is float32, y int64.
    Raises FileNotFoundError; ValueError for another file, shapes or numbers, saying which array is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no data at {path}")
    arrays = read_npz(path, ("x", "y"))
    if len(arrays) < 2:
        raise ValueError(f"{path} needs arrays x and y, as numpy.savez(path, x=x, y=y) writes them")
    x, y = arrays["x"], arrays["y"]
    if x.dtype.kind not in "fiub" or x.ndim not in (2, 4) or 0 in x.shape:
        raise ValueError(f"{path}: x must be numbers (N, I) or (N, C, H, W), got {x.dtype} of shape {x.shape}")
    if y.dtype.kind not in "iu" or y.shape != (len(x),) or len(y) < 10:
        raise ValueError(f"{path}: y must be labels 0, 1, ..., one for each of {len(x)} samples and ten at least, "
                         f"got {y.dtype} of shape {y.shape}")  # fmt: skip
    check_classes(f"{path}: y", y)
    with np.errstate(over="ignore"):
        x = x.astype(np.float32)
    if not np.isfinite(x).all():
        raise ValueError(f"{path}: x has NaN, or numbers that float32 cannot hold")
    return split(path.stem, x, y.astype(np.int64), np.random.default_rng(0).permutation(len(x)), len(x) // 5)
