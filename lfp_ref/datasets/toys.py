"""Two-dimensional toy problems: seeded, balanced, a fifth of the samples held out as the test part.

x: (samples, 2) float32, roughly in -1.5..1.5. y: (samples,) labels.
"""

from __future__ import annotations

import numpy as np

from lfp_ref.core.checks import check_int, check_number
from lfp_ref.datasets.base import Dataset, split


def blobs(samples: int = 1000, classes: int = 3, noise: float = 0.2, seed: int = 0) -> Dataset:
    """One Gaussian of standard deviation `noise` per class, their centres evenly spaced on the unit circle."""
    y = _labels("blobs", samples, classes, noise, seed)
    angle = 2 * np.pi * y / classes
    return _toy("blobs", noise, seed, _direction(angle), y)


def circles(samples: int = 1000, noise: float = 0.08, seed: int = 0) -> Dataset:
    """Two circles around each other, of radius 0.5 and 1."""
    y = _labels("circles", samples, 2, noise, seed)
    angle = 2 * np.pi * np.random.default_rng([seed, 1]).random(samples)
    return _toy("circles", noise, seed, (0.5 + 0.5 * y[:, None]) * _direction(angle), y)


def swirls(samples: int = 1000, classes: int = 2, turns: float = 1.0, noise: float = 0.04, seed: int = 0) -> Dataset:
    """Spiral arms that wind around each other, one per class."""
    y = _labels("swirls", samples, classes, noise, seed)
    check_number("swirls: turns", turns)
    radius = np.sqrt(np.random.default_rng([seed, 1]).random(samples))
    angle = 2 * np.pi * (y / classes + turns * radius)
    return _toy("swirls", noise, seed, radius[:, None] * _direction(angle), y)


def _labels(name: str, samples: int, classes: int, noise: float, seed: int) -> np.ndarray:
    """Balanced labels. ValueError for fewer than 10 samples or 2 classes, noise < 0, and a seed that is none."""
    check_number(f"{name}: noise", noise, 0)
    check_int(f"{name}: seed", seed, 0)
    return np.arange(check_int(f"{name}: samples", samples, 10)) % check_int(f"{name}: classes", classes, 2)


def _direction(angle: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _toy(name: str, noise: float, seed: int, points: np.ndarray, y: np.ndarray) -> Dataset:
    rng = np.random.default_rng([seed, 0])
    x = (points + noise * rng.standard_normal(points.shape)).astype(np.float32)
    return split(name, x, y, rng.permutation(len(x)), len(x) // 5)
