"""What every data set looks like to the training loop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MOST_CLASSES = 1_000_000  # each is an output of the network


@dataclass(frozen=True)
class Dataset:
    """A training and a test part.

    x_train, x_test: (N, ...) float32. y_train, y_test: (N,) integer labels, or numbers for regression.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            if len(x) != len(y):
                raise ValueError(f"{self.name}: {len(x)} inputs but {len(y)} targets in the {part} part")
        if len(self.x_test) and self.x_test.shape[1:] != self.x_train.shape[1:]:
            raise ValueError(f"{self.name}: a sample has shape {self.x_train.shape[1:]} in the train part, "
                             f"{self.x_test.shape[1:]} in the test part")  # fmt: skip

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.x_train.shape[1:]

    @property
    def classes(self) -> int:
        """Number of classes; 1 + the largest label of both parts."""
        return 1 + max(int(y.max()) for y in (self.y_train, self.y_test) if len(y))

    def holdout(self, fraction: float = 0.1, seed: int = 0) -> Dataset:
        """The same data without its test part: a random part of the training samples takes its place.

        For choosing hyper-parameters, which must not see the test set. Raises ValueError unless both parts get samples.
        """
        count = round(len(self.x_train) * fraction)
        if not 0 < count < len(self.x_train):
            raise ValueError(f"holdout: a fraction {fraction} of {len(self.x_train)} samples leaves one part empty")
        order = np.random.default_rng(seed).permutation(len(self.x_train))
        return split(f"{self.name} (held-out part of the training set)", self.x_train, self.y_train, order, count)

    def subset(self, count: int) -> Dataset:
        """The same data with the first `count` training samples only."""
        return replace(self, x_train=self.x_train[:count], y_train=self.y_train[:count])


def check_classes(name: str, y: np.ndarray) -> None:
    """Raises ValueError, naming what y is, unless it is labels 0, 1, ... of two classes or more."""
    if y.min() < 0 or y.max() >= MOST_CLASSES:
        raise ValueError(f"{name} must be labels 0, 1, ... below {MOST_CLASSES}, got {y.min()} to {y.max()}")
    if y.min() == y.max():
        raise ValueError(f"{name} has one class only, {y.min()}: there is nothing to tell apart")


def split(name: str, x: np.ndarray, y: np.ndarray, order: np.ndarray, test: int) -> Dataset:
    """Samples in this order, the first `test` of them as the test part."""
    first, rest = order[:test], order[test:]
    return Dataset(name, x[rest], y[rest], x[first], y[first])
