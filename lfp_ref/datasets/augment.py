"""Augmentation: batches of images changed at random, as functions of the batch and a random generator.

Each takes x (N, C, H, W) and a generator and returns a new array of x's shape and dtype; x stays as it is. What is not
known (beyond an edge, in a cut-out square) is taken from the image itself, so that any range of pixels will do.
Training gives every step a generator of its own, made of seed, epoch and step (lfp_ref.train): a resumed run draws
what it would have drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Augmentation = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def shift(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image moved by up to an eighth of its size along both axes: a crop of the image with its edge repeated.

    Source: He et al. 2016, 4 of 32 pixels, zeros around; here the edge is repeated.
    """
    samples, _, height, width = _shape(x)
    rows = _moved(height, samples, rng)
    columns = _moved(width, samples, rng)
    n = np.arange(samples)[:, None, None]
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)[n, rows[:, :, None], columns[:, None, :]].transpose(0, 3, 1, 2))


def mirror(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every other image, at random, with left and right exchanged."""
    chosen = rng.random(_shape(x)[0]) < 0.5
    return np.where(chosen[:, None, None, None], x[..., ::-1], x)


def cutout(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In each image a rectangle of half its height and width set to the image's mean, channel by channel.

    The centre is anywhere in the image, so a part of the rectangle may be outside.
    Source: DeVries and Taylor 2017, arXiv:1708.04552, 16 of 32 pixels for CIFAR-10, set to the mean of all images.
    """
    samples, _, height, width = _shape(x)
    rows = _covered(height, samples, rng)
    columns = _covered(width, samples, rng)
    covered = rows[:, None, :, None] & columns[:, None, None, :]
    return np.where(covered, x.mean(axis=(2, 3), keepdims=True, dtype=x.dtype), x)


AUGMENTATIONS: dict[str, Augmentation] = {"shift": shift, "mirror": mirror, "cutout": cutout}


def in_turn(augmentations: Sequence[Augmentation]) -> Augmentation:
    """One augmentation after the other."""

    def all_of_them(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        for augmentation in augmentations:
            x = augmentation(x, rng)
        return x

    return all_of_them


def _shape(x: np.ndarray) -> tuple[int, ...]:
    if x.ndim != 4:
        raise ValueError(f"augmentation is for images (N, C, H, W), got samples of shape {x.shape[1:]}")
    return x.shape


def _moved(size: int, samples: int, rng: np.random.Generator) -> np.ndarray:
    """(N, size): the row (or column) of the image that each one of the result shows."""
    most = -(-size // 8)
    by = rng.integers(-most, most + 1, samples)
    return np.clip(np.arange(size) + by[:, None], 0, size - 1)


def _covered(size: int, samples: int, rng: np.random.Generator) -> np.ndarray:
    """(N, size): True where the rectangle is along one axis."""
    length = size // 2
    begin = rng.integers(0, size, samples) - length // 2
    at = np.arange(size) - begin[:, None]
    return (at >= 0) & (at < length)
