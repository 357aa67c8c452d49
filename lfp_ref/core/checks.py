"""Checks of arguments: every refusal reads "name must be what is expected, got what was given"."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection
from contextlib import suppress
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike


def refuse(name: str, expected: str, value: Any, kind: type[Exception] = ValueError) -> Exception:
    """The exception, to raise, for an argument that is not what is expected."""
    return kind(f"{name} must be {expected}, got {shown(value)}")


def shown(value: Any) -> str:
    """A value in an error message: an array by shape and dtype, anything long cut short."""
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"an array of shape {value.shape}, dtype {value.dtype}"
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:110]}... ({type(value).__name__})"


def check_int(name: str, value: Any, least: int = 1) -> int:
    """An integer of at least `least`, below 2**63. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value < 2**63:
        raise refuse(name, f"an integer >= {least}", value)
    return int(value)


def check_number(
    name: str, value: Any, low: float = -math.inf, high: float = math.inf, above: bool = False, below: bool = False
) -> float:
    """A finite real number in low..high; above, below: without the limit itself. Raises ValueError."""
    right = isinstance(value, Real | np.number) and not isinstance(value, bool | np.bool_ | np.complexfloating)
    if right:
        number = _as_float(value)
        right = math.isfinite(number) and (low < number if above else low <= number)
        right = right and (number < high if below else number <= high)
    if not right:
        limits = [f"{'>' if above else '>='} {low:g}"] if math.isfinite(low) else []
        limits += [f"{'<' if below else '<='} {high:g}"] if math.isfinite(high) else []
        raise refuse(name, " ".join(["a finite number", " and ".join(limits)]).strip(), value)
    return number


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of 400 digits
        return math.inf


def check_sizes(name: str, value: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """A size along each axis: one integer for all, or a tuple. Raises ValueError."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(values) != axes:
        raise refuse(name, "one integer" if axes == 1 else "one integer or a pair (height, width)", value)
    return tuple(check_int(name, each, least) for each in values)


def check_pair(name: str, value: Any, least: int = 1) -> tuple[int, int]:
    """A size along height and width: one integer for both, or two. Raises ValueError."""
    height, width = check_sizes(name, value, 2, least)
    return height, width


def check_dtype(dtype: DTypeLike) -> np.dtype:
    """float32 or float64. Raises TypeError for others, None included."""
    try:
        found = np.dtype(dtype) if dtype is not None else None
    except (TypeError, ValueError, SyntaxError):
        found = None
    if found is None or found not in (np.dtype(np.float32), np.dtype(np.float64)):  # None == np.dtype(float)
        raise refuse("dtype", "float32 or float64", dtype, TypeError)
    return found


def check_bool(name: str, value: Any) -> bool:
    """True or False. Raises TypeError for anything else."""
    if not isinstance(value, bool | np.bool_):
        raise refuse(name, "True or False", value, TypeError)
    return bool(value)


def check_one_of(name: str, value: Any, known: Collection[str]) -> str:
    """One of these names. Raises ValueError."""
    if not isinstance(value, str) or value not in known:
        raise refuse(name, f"one of {', '.join(known)}", value)
    return value


def check_callable(name: str, value: Any, takes: str, optional: bool = False) -> None:
    """A function of these arguments, named with commas between; None too, if optional. Raises TypeError."""
    if optional and value is None:
        return
    right = callable(value)
    if right:
        with suppress(ValueError):  # a function in C that does not say what it takes
            try:
                inspect.signature(value).bind(*takes.split(", ") if takes else ())
            except TypeError:
                right = False
    if not right:
        raise refuse(name, f"a function ({takes}){' or None' if optional else ''}", value, TypeError)


def check_rng(rng: np.random.Generator | None) -> np.random.Generator:
    """The generator given, or a new one for None. Raises TypeError for anything else."""
    if not isinstance(rng, np.random.Generator | None):
        raise refuse("rng", "a numpy Generator, as from numpy.random.default_rng(0)", rng, TypeError)
    return np.random.default_rng() if rng is None else rng


def check_real(name: str, x: ArrayLike) -> np.ndarray:
    """An array of real numbers. Raises TypeError for others, for nested lists of unequal length, and for a mask."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, whose mask would be lost; fill it first")
    try:
        array = np.asarray(x)
    except ValueError:
        raise refuse(name, "an array of real numbers", x, TypeError) from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of real numbers, got {_content(array)}")
    return array


def _content(array: np.ndarray) -> str:
    return shown(array.item()) if array.ndim == 0 else f"dtype {array.dtype} of shape {array.shape}"


def check_eps(name: str, value: Any, dtype: DTypeLike) -> float:
    """A number > 0 that stays so in the dtype: added to a denominator, it keeps 0 out. Raises ValueError."""
    number = check_number(name, value, 0, 1, above=True)
    least = np.finfo(dtype).tiny
    if number < least:
        raise refuse(name, f">= {least:.3g}, the least normal number of {np.dtype(dtype)}", value)
    return number


def check_finite(name: str, x: np.ndarray) -> np.ndarray:
    """The array, if nothing in it is NaN or infinite. Raises ValueError that says where the first is."""
    if not np.isfinite(x).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise ValueError(f"{name} has NaN or infinity (as {x.dtype}), first at index {index}")
    return x
