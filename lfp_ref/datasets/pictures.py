"""A folder of pictures by class, read by the package Pillow (extra `images`)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.datasets.base import listed
from lfp_ref.datasets.images import as_pixels
from lfp_ref.extras import MissingExtra

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
GREY, COLOUR = (
    ("1", "L"),
    ("RGB", "P", "RGBA", "LA", "PA", "CMYK", "YCbCr"),
)  # Pillow's names of what has 8 bits or less
LARGEST = 2**32  # bytes that all pictures may have as float32


def is_divided(path: Path) -> bool:
    """True for a folder of folders train and test, and no others, that hold the classes."""
    return (
        path.is_dir()
        and [folder.name for folder in _folders(path)] == ["test", "train"]
        and bool(_folders(path / "train"))
    )


def read_pictures(path: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """x (N, C, H, W) float32 in -1..1, y (N,) names of folders, and notes; in the order of folders and files.

    C is 1 where all pictures are grey, else 3. Raises ValueError for a folder without classes, for a file that is not a
    picture of 8 bits, and for pictures of several sizes; MissingExtra without Pillow.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra(
            "A folder of pictures", "Pillow", "images", "Without it, .npz and .csv files work."
        ) from None
    folders = _folders(path)
    if not folders:
        raise ValueError(f"{path} must be a folder with a folder of pictures for each class, got no folder in it")
    files, others = [], [file.name for file in _files(path)]
    for folder in folders:
        if inner := _folders(folder):
            raise ValueError(f"{folder} must hold pictures of one class, got a folder {inner[0].name} in it; two "
                             "folders train and test hold the classes of either part")  # fmt: skip
        found = [file for file in _files(folder) if file.suffix.lower() in ENDINGS]
        others += [_short(file) for file in _files(folder) if file not in found]
        if not found:
            raise ValueError(f"{folder} must hold pictures ({', '.join(ENDINGS)}), got none")
        files += found
    headers = [_header(Image, file) for file in files]
    sizes: dict[tuple[int, int], Path] = {}
    for header, file in zip(headers, files, strict=True):
        sizes.setdefault(header.size, file)
    if len(sizes) > 1:
        (one, first), (other, second) = list(sizes.items())[:2]
        raise ValueError(f"{path}: pictures must have one size, got {one[0]} x {one[1]} ({_short(first)}) and "
                         f"{other[0]} x {other[1]} ({_short(second)}): resize them first")  # fmt: skip
    width, height = headers[0].size
    is_grey = all(header.mode in GREY for header in headers)
    size = 4 * len(files) * width * height * (1 if is_grey else 3)
    if size > LARGEST:
        raise ValueError(f"{path}: {len(files)} pictures of {width} x {height} take {size:,} bytes of memory, more "
                         f"than {LARGEST:,}: make them smaller first")  # fmt: skip
    pixels = np.stack([_pixels(Image, file, "L" if is_grey else "RGB") for file in files])
    notes = [f"{'grey' if is_grey else 'colour'} pictures of {width} x {height}, scaled to -1..1"]
    if any(header.is_transparent for header in headers):
        notes.append("transparency is left out")
    if others:
        notes.append(f"not pictures, left out: {listed(others, 3)}")
    return as_pixels(pixels), np.array([file.parent.name for file in files]), notes


@dataclass(frozen=True)
class Header:
    """What is known of a picture before its pixels are read. size: (width, height). mode: Pillow's name of the kind."""

    size: tuple[int, int]
    mode: str
    is_transparent: bool


@contextmanager
def _opened(image_module: Any, file: Path) -> Iterator[Any]:
    """A picture of 8 bits a channel. Raises ValueError for another file, and for what would fill the memory."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", image_module.DecompressionBombWarning)
            with image_module.open(file, formats=FORMATS) as image:
                yield image
    except Exception as error:  # Pillow's readers raise what they meet
        raise ValueError(f"{file} is damaged or not a picture: {error}") from None


def _header(image_module: Any, file: Path) -> Header:
    with _opened(image_module, file) as image:
        header = Header(image.size, image.mode, "A" in image.mode or "transparency" in image.info)
    if header.mode not in (*GREY, *COLOUR):
        raise ValueError(f"{file} must be a picture of 8 bits a channel, got mode {header.mode}: convert it first")
    return header


def _pixels(image_module: Any, file: Path, mode: str) -> np.ndarray:
    """(C, H, W) bytes."""
    with _opened(image_module, file) as image:
        pixels = np.asarray(image.convert(mode))
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))


def _files(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))


def _short(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"
