"""Scaling of inputs and of numeric targets to mean 0 and standard deviation 1, measured on a training part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lfp_ref.core.checks import refuse

WIDEST, RATIO = 30, 100  # deviations beyond which, or so many times apart, training with usual rates goes wrong


@dataclass(frozen=True)
class Scaling:
    """(x - mean) / deviation, for each column of points and each channel of images; the same for the targets.

    x, y: (mean, deviation), or None for what stays as it is; x: arrays (I,) or (C,).
    """

    x: tuple[np.ndarray, np.ndarray] | None = None
    y: tuple[float, float] | None = None

    @classmethod
    def of(cls, x: np.ndarray | None = None, y: np.ndarray | None = None) -> Scaling:
        """The scaling that gives these inputs, these targets, mean 0 and deviation 1; a constant becomes 0."""
        of_x = None if x is None else moments(x)
        of_y = None if y is None else (float(y.mean(dtype=np.float64)), float(y.std(dtype=np.float64)) or 1.0)
        return cls(None if of_x is None else (of_x[0], np.where(of_x[1] > 0, of_x[1], 1.0)), of_y)

    def scale_x(self, x: np.ndarray) -> np.ndarray:
        """Inputs (N, I) or (N, C, H, W), scaled; of x's dtype."""
        if self.x is None:
            return x
        mean, deviation = (each.reshape(-1, *[1] * (x.ndim - 2)) for each in self.x)
        return ((x - mean) / deviation).astype(x.dtype)

    def scale_y(self, y: np.ndarray) -> np.ndarray:
        """Targets (N,), scaled; of y's dtype."""
        if self.y is None:
            return y
        mean, deviation = self.y
        return ((y - mean) / deviation).astype(y.dtype)

    def unscale_y(self, y: float) -> float:
        """A target, or a prediction, in the targets' own unit."""
        return y if self.y is None else y * self.y[1] + self.y[0]

    def as_json(self) -> dict[str, Any]:
        """For a checkpoint."""
        x = None if self.x is None else [each.tolist() for each in self.x]
        return {"x": x, "y": None if self.y is None else list(self.y)}

    @classmethod
    def from_json(cls, stored: Any) -> Scaling:
        """As as_json gave it. Raises ValueError for anything else."""
        try:
            x = y = None
            if stored["x"] is not None:
                means, deviations = (np.array(each, np.float64) for each in stored["x"])
                x = means, deviations
            if stored["y"] is not None:
                mean, deviation = map(float, stored["y"])
                y = mean, deviation
            for each in (x, y):
                if each is not None and not (np.isfinite(each).all() and np.all(np.asarray(each[1]) > 0)):
                    raise ValueError("not a scaling")
        except (TypeError, KeyError, ValueError):
            raise refuse("a scaling", "means and deviations of x and y", stored) from None
        return cls(x, y)


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (I,) of the columns of points (N, I), (C,) of the channels of images (N, C, H, W)."""
    axes = (0, *range(2, x.ndim))
    return x.mean(axis=axes, dtype=np.float64), x.std(axis=axes, dtype=np.float64)


def uneven(x: np.ndarray) -> str:
    """A note about columns (or channels) on very different scales, or far from 1; empty where there is none."""
    deviations = moments(x)[1]
    deviations = deviations[deviations > 0]
    if not deviations.size or (deviations.max() <= RATIO * deviations.min() and deviations.max() <= WIDEST):
        return ""
    what = "columns" if x.ndim == 2 else "channels"
    return (f"the {what} of x have standard deviations from {deviations.min():.3g} to {deviations.max():.3g}; networks "
            "train best on about 1: --standardise scales them")  # fmt: skip
