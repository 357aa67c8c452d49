"""Parameters, their initial values, and state dicts with PyTorch's names and shapes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from lfp_ref.core.checks import check_dtype, check_finite, check_real, check_rng, refuse
from lfp_ref.core.layout import cast

Layer = Any  # core/layer.py imports this module
_CLOCK = itertools.count(1)  # one tick for each change of a parameter
_last_change = 0


class Parameter:
    """A trained array and its feedback.

    value: the array, changed in place by optimisers; assigning to it copies. ValueError where the shape differs, and
        for NaN or infinity; TypeError for what is not real numbers.
    feedback: same shape; summed over the batch; the last pass's, overwritten by the next.
    changed_at: when the value was last set, in changes of any parameter: a pass from before can no longer be handed
    a reward. Whoever writes into `value` in place calls `touch`.
    """

    __slots__ = ("_value", "changed_at", "feedback")

    def __init__(self, value: ArrayLike) -> None:
        value = check_real("value", value)
        if value.dtype not in (np.float32, np.float64):
            raise refuse("value", "of dtype float32 or float64", value, TypeError)
        self._value = np.array(value, order="C")
        check_finite("value", self._value)
        self.feedback = np.zeros_like(self._value)
        self.touch()

    @property
    def value(self) -> np.ndarray:
        return self._value

    @value.setter
    def value(self, value: ArrayLike) -> None:
        value = cast(check_real("value", value), self._value.dtype)
        if value.shape != self._value.shape:
            raise ValueError(f"value: this parameter has shape {self._value.shape}, got {value.shape}")
        self._value[...] = check_finite("value", value)
        self.touch()

    def astype(self, dtype: DTypeLike) -> None:
        """Takes another dtype, float32 or float64, value and feedback rounded to it."""
        self._value = self._value.astype(check_dtype(dtype))
        self.feedback = self.feedback.astype(dtype)
        self.touch()

    def touch(self) -> None:
        """Notes that the value has changed."""
        global _last_change
        self.changed_at = _last_change = next(_CLOCK)

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        """Arrays that cannot be written to, as joblib maps them from a file, are copied."""
        for name, value in state[1].items():
            setattr(self, name, writable(value))

    def __repr__(self) -> str:
        return f"Parameter{self.value.shape}"


def writable(value: Any) -> Any:
    """A copy of an array that cannot be written to; all else as it is."""
    return np.array(value) if isinstance(value, np.ndarray) and not value.flags.writeable else value


def now() -> int:
    """The time of the last change of any parameter."""
    return _last_change


def uniform_init(shape: tuple[int, ...], fan_in: int, dtype: DTypeLike, rng: np.random.Generator | None) -> Parameter:
    """U(-k, k) with k = 1/sqrt(fan_in), weights and biases alike, as in PyTorch and the paper's networks.

    LFP multiplies by |w|: what starts at exactly zero never moves, biases included.
    Raises TypeError for a dtype other than float32 and float64, or a generator that is none.
    """
    dtype = check_dtype(dtype)
    rng = check_rng(rng)
    k = 1 / math.sqrt(fan_in)
    return Parameter(rng.uniform(-k, k, shape).astype(dtype))


def join(path: str, name: str) -> str:
    """The path of `name` inside `path`; either may be empty."""
    return f"{path}.{name}" if path and name else path or name


def state_of(layer: Layer) -> dict[str, np.ndarray]:
    """The arrays themselves: parameters, then buffers, by name. A shared layer's appear under each of its names."""
    places = list(layer.named_layers())
    parameters = {join(path, n): p.value for path, each in places for n, p in each.own_parameters().items()}
    buffers = {join(path, n): array for path, each in places for n, array in each.buffers().items()}
    return parameters | buffers


def load_state(layer: Layer, mapping: Mapping[str, ArrayLike]) -> None:
    """Sets all parameters and buffers; all or nothing (Layer.load_state_dict)."""
    state = state_of(layer)
    ignored = {join(path, name) for path, each in layer.named_layers() for name in each.ignored_state}
    problems = [f"{name}: missing, expected shape {state[name].shape}" for name in state if name not in mapping]
    problems += [f"{name}: unexpected" for name in mapping if name not in state and name not in ignored]
    arrays = {name: np.asarray(mapping[name]) for name in state if name in mapping}
    names: dict[int, str] = {}
    for name, array in arrays.items():
        problem = _problem(name, array, state[name])
        twin = names.setdefault(id(state[name]), name)
        if not problem and twin != name and not np.array_equal(arrays[twin], array):
            problem = f"differs from {twin}, the same shared array"
        problems += [f"{name}: {problem}"] if problem else []
    if problems:
        raise ValueError(f"{layer.label}: state does not fit:\n  " + "\n  ".join(problems))
    for name, array in arrays.items():
        state[name][...] = array
    for parameter in layer.parameters():
        parameter.touch()


def _problem(name: str, array: np.ndarray, own: np.ndarray) -> str:
    """Why an array cannot take the place of the layer's own; "" if it can."""
    if array.shape != own.shape:
        return f"shape {array.shape}, expected {own.shape}"
    if array.dtype.kind not in "fiu" or not np.isfinite(cast(array, own.dtype)).all():
        return f"not finite real numbers in {own.dtype}"
    if name.endswith("running_var") and array.min() < 0:
        return "a variance below 0"
    return ""
