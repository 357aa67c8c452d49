"""Checks of arguments: what was given, what was expected."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike


def is_number(x: Any) -> bool:
    """True for a finite real number >= 0."""
    return isinstance(x, Real) and not isinstance(x, bool | np.bool_) and 0 <= float(x) < np.inf


def check_int(name: str, value: Any, least: int = 1) -> int:
    """An integer of at least `least`. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be an integer >= {least}, got {value!r}")
    return int(value)


def check_sizes(name: str, value: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """A size along each axis: one integer for all, or a tuple. Raises ValueError."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(values) != axes:
        expected = "one integer" if axes == 1 else "one integer or a pair (height, width)"
        raise ValueError(f"{name} must be {expected}, got {value!r}")
    return tuple(check_int(name, each, least) for each in values)


def check_pair(name: str, value: Any, least: int = 1) -> tuple[int, int]:
    """A size along height and width: one integer for both, or two. Raises ValueError."""
    height, width = check_sizes(name, value, 2, least)
    return height, width


def check_dtype(dtype: DTypeLike) -> np.dtype:
    """float32 or float64. Raises TypeError for others, None included."""
    try:
        found = np.dtype(dtype) if dtype is not None else None
    except TypeError:
        found = None
    if found not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"dtype must be float32 or float64, got {dtype!r}")
    return found


def check_bool(name: str, value: Any) -> bool:
    """True or False. Raises TypeError for anything else."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def check_rng(rng: np.random.Generator | None) -> np.random.Generator:
    """The generator given, or a new one for None. Raises TypeError for anything else."""
    if not isinstance(rng, np.random.Generator | None):
        raise TypeError(f"rng must be a numpy Generator, as from numpy.random.default_rng(0), got {rng!r}")
    return np.random.default_rng() if rng is None else rng
