"""What every data set looks like to the training loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lfp_ref.datasets.scaling import Scaling

PARTS = ("name", "x_train", "y_train", "x_test", "y_test")
MOST_CLASSES = 1_000_000  # each is an output of the network


@dataclass(frozen=True)
class Dataset:
    """A training and a test part.

    x_train, x_test: (N, ...) float32. y_train, y_test: (N,) integer labels, or numbers for regression.
    class_names: of labels 0, 1, ...; without, they are their own names. columns: names of x's, then of y's.
    scaling: that x, y have been through. notes: sentences about how a file was read, for its owner.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    scaling: Scaling | None = None
    notes: tuple[str, ...] = ()

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
    def is_regression(self) -> bool:
        """True where the targets are numbers, not labels."""
        return self.y_train.dtype.kind == "f"

    @property
    def classes(self) -> int:
        """Number of classes; without names, 1 + the largest label of both parts."""
        return len(self.class_names) or 1 + max(int(y.max()) for y in (self.y_train, self.y_test) if len(y))

    @property
    def outputs(self) -> int:
        """Number of outputs of a network for these data: one for each class, or one number."""
        return 1 if self.is_regression else self.classes

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.class_names or tuple(str(label) for label in range(self.classes))

    def holdout(self, fraction: float = 0.1, seed: int = 0) -> Dataset:
        """The same data without its test part: a random part of the training samples takes its place.

        For choosing hyper-parameters, which must not see the test set. Raises ValueError unless both parts get samples.
        """
        count = round(len(self.x_train) * fraction)
        if not 0 < count < len(self.x_train):
            raise ValueError(f"holdout: a fraction {fraction} of {len(self.x_train)} samples leaves one part empty")
        order = np.random.default_rng(seed).permutation(len(self.x_train))
        held = split(f"{self.name} (held-out part of the training set)", self.x_train, self.y_train, order, count)
        return replace(self, **{name: getattr(held, name) for name in PARTS})

    def subset(self, count: int) -> Dataset:
        """The same data with the first `count` training samples only."""
        return replace(self, x_train=self.x_train[:count], y_train=self.y_train[:count])

    def scaled(self, scaling: Scaling) -> Dataset:
        """The same data through a scaling, which Scaling.of makes of a training part."""
        x_train, x_test = map(scaling.scale_x, (self.x_train, self.x_test))
        y_train, y_test = map(scaling.scale_y, (self.y_train, self.y_test))
        return replace(self, x_train=x_train, x_test=x_test, y_train=y_train, y_test=y_test, scaling=scaling)

    def relabelled(self, class_names: tuple[str, ...]) -> Dataset:
        """The same data with the labels of other data's classes, by name. Raises ValueError for a class not in them."""
        if unknown := [name for name in self.names if name not in class_names]:
            raise ValueError(f"{self.name} has a class {unknown[0]!r}, which is not one of {listed(class_names)}")
        label = np.array([class_names.index(name) for name in self.names])
        return replace(self, y_train=label[self.y_train], y_test=label[self.y_test], class_names=class_names)


def listed(names: Sequence[str], most: int = 10) -> str:
    """Names with commas between them, no more than fit a line."""
    return ", ".join([*names[:most], *(["..."] if len(names) > most else [])])


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
