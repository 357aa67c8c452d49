"""Two-dimensional toy problems: seeded, balanced, a fifth of the samples held out as the test part.

x: (samples, 2) float32, roughly in -1.5..1.5. y: (samples,) labels.
"""

from __future__ import annotations

import numpy as np

from lfp_ref.datasets.base import Dataset, check_samples, split


def blobs(samples: int = 1000, classes: int = 3, noise: float = 0.2, seed: int = 0) -> Dataset:
    """One Gaussian of standard deviation `noise` per class, their centres evenly spaced on the unit circle."""
    y = np.arange(samples) % classes
    angle = 2 * np.pi * y / classes
    return _toy("blobs", samples, noise, seed, _direction(angle), y)


def circles(samples: int = 1000, noise: float = 0.08, seed: int = 0) -> Dataset:
    """Two circles around each other, of radius 0.5 and 1."""
    y = np.arange(samples) % 2
    angle = 2 * np.pi * np.random.default_rng([seed, 1]).random(samples)
    return _toy("circles", samples, noise, seed, (0.5 + 0.5 * y[:, None]) * _direction(angle), y)


def swirls(samples: int = 1000, classes: int = 2, turns: float = 1.0, noise: float = 0.04, seed: int = 0) -> Dataset:
    """Spiral arms that wind around each other, one per class."""
    y = np.arange(samples) % classes
    radius = np.sqrt(np.random.default_rng([seed, 1]).random(samples))
    angle = 2 * np.pi * (y / classes + turns * radius)
    return _toy("swirls", samples, noise, seed, radius[:, None] * _direction(angle), y)


def _direction(angle: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _toy(name: str, samples: int, noise: float, seed: int, points: np.ndarray, y: np.ndarray) -> Dataset:
    check_samples(name, samples, noise)
    rng = np.random.default_rng([seed, 0])
    x = (points + noise * rng.standard_normal(points.shape)).astype(np.float32)
    return split(name, x, y, rng.permutation(samples), samples // 5)
