"""Optimisers: updates of parameters by their feedback.

Feedback d points uphill (it strengthens what was rewarded), so parameters move along +d; a gradient optimiser's formula
with -d in place of the gradient. All of them keep the sign convention, names and defaults of PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numba import prange

from lfp_ref.core.checks import check_eps, check_int, check_number, refuse
from lfp_ref.core.layout import cast
from lfp_ref.core.state import Parameter, writable
from lfp_ref.kernels.compile import elementwise
from lfp_ref.kernels.threads import check_process


@elementwise
def sgd(value, feedback, velocity, lr, momentum, weight_decay):
    """v <- momentum v + d - weight_decay w;  w <- w + lr v.  Flat arrays. Returns how many w did not change."""
    untouched = 0
    for k in prange(value.size):
        velocity[k] = momentum * velocity[k] + feedback[k] - weight_decay * value[k]
        moved = value[k] + lr * velocity[k]
        untouched += moved == value[k]
        value[k] = moved
    return untouched


@elementwise
def adam(value, feedback, mean, square, lr, beta1, beta2, eps, decay, correct1, correct2):
    """m <- beta1 m + (1 - beta1) d;  v <- beta2 v + (1 - beta2) d^2;
    w <- w - decay w + lr (m / correct1) / (sqrt(v / correct2) + eps).  Flat arrays. Returns how many w did not change.
    """
    untouched = 0
    for k in prange(value.size):
        mean[k] = beta1 * mean[k] + (1 - beta1) * feedback[k]
        square[k] = beta2 * square[k] + (1 - beta2) * feedback[k] ** 2
        step = lr * (mean[k] / correct1) / (math.sqrt(square[k] / correct2) + eps)
        moved = value[k] - decay * value[k] + step
        untouched += moved == value[k]
        value[k] = moved
    return untouched


class Optimizer:
    """Base of optimisers over a list of parameters (net.parameters()); lr may be changed between steps.

    untouched: how many weights the last step left exactly as they were.
    Raises ValueError for no parameters, or for numbers out of range.
    """

    slots: tuple[str, ...] = ()  # names of the arrays kept for each parameter

    def __init__(self, parameters: Iterable[Parameter], lr: float, weight_decay: float) -> None:
        self.parameters = check_parameters(parameters)
        largest = min(float(np.finfo(parameter.value.dtype).max) for parameter in self.parameters)
        self.lr = check_number("lr", lr, 0, largest)
        self.weight_decay = check_number("weight_decay", weight_decay, 0, largest)
        self.steps = 0
        self.untouched = 0
        self.kept = {slot: [np.zeros_like(p.value) for p in self.parameters] for slot in self.slots}

    def step(self) -> None:
        """Moves every parameter by its feedback. Raises RuntimeError in a process that no kernel can run in."""
        check_process()
        self.steps += 1
        self.untouched = 0
        for number, parameter in enumerate(self.parameters):
            kept = [self.kept[slot][number].reshape(-1) for slot in self.slots]
            flat = parameter.value.reshape(-1)
            self.untouched += self.move(flat, parameter.feedback.reshape(-1), *kept)
            parameter.touch()

    def move(self, value: np.ndarray, feedback: np.ndarray, *kept: np.ndarray) -> int:
        """One parameter's step; returns how many weights did not change."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of the arrays and the step count, for a checkpoint."""
        state = {f"{slot}.{i}": a.copy() for slot, arrays in self.kept.items() for i, a in enumerate(arrays)}
        return state | {"steps": np.array(self.steps)}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Takes what state_dict gave. Raises ValueError, unchanged, where names, shapes or numbers are others."""
        mine = self.state_dict()
        if {k: np.shape(v) for k, v in state.items()} != {k: v.shape for k, v in mine.items()}:
            raise ValueError(f"this state is not of {type(self).__name__} over these parameters")
        arrays = {name: np.asarray(value) for name, value in state.items()}
        steps = arrays.pop("steps")
        if steps.dtype.kind not in "iu" or not 0 <= steps < 2**63:
            raise ValueError(f"{type(self).__name__}: steps must be an integer >= 0, got {steps}")
        for name, array in arrays.items():
            if array.dtype.kind not in "fiu" or not np.isfinite(cast(array, mine[name].dtype)).all():
                raise ValueError(f"{type(self).__name__}: {name} must be finite real numbers in {mine[name].dtype}")
            if name.startswith("square") and array.min(initial=0) < 0:
                raise ValueError(f"{type(self).__name__}: {name} is a mean of squares and has numbers below 0")
        for slot, kept in self.kept.items():
            for i, array in enumerate(kept):
                array[...] = arrays[f"{slot}.{i}"]
        self.steps = int(steps)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrays that cannot be written to, as joblib maps them from a file, are copied."""
        kept = {slot: [writable(array) for array in arrays] for slot, arrays in state["kept"].items()}
        self.__dict__.update(state, kept=kept)


class SGD(Optimizer):
    """v <- momentum v + d - weight_decay w;  w <- w + lr v."""

    slots = ("velocity",)

    def __init__(
        self, parameters: Iterable[Parameter], lr: float, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum = check_number("momentum", momentum, 0, 1)

    def move(self, value: np.ndarray, feedback: np.ndarray, *kept: np.ndarray) -> int:
        number = value.dtype.type
        return sgd(value, feedback, *kept, number(self.lr), number(self.momentum), number(self.weight_decay))


class Adam(Optimizer):
    """Adam with bias correction; weight_decay is added to the feedback (as -weight_decay w) before its moments.

    betas: decay of the two moments. eps: added to the denominator.
    """

    slots = ("mean", "square")
    decoupled = False

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise refuse("betas", "a pair of numbers", betas)
        self.betas = tuple(check_number("each of betas", beta, 0, 1, below=True) for beta in betas)
        self.eps = max(check_eps("eps", eps, parameter.value.dtype) for parameter in self.parameters)

    def move(self, value: np.ndarray, feedback: np.ndarray, *kept: np.ndarray) -> int:
        decay = self.lr * self.weight_decay if self.decoupled else 0.0
        if self.weight_decay and not self.decoupled:
            feedback = feedback - value.dtype.type(self.weight_decay) * value
        corrections = [1 - beta**self.steps for beta in self.betas]
        return adam(
            value, feedback, *kept, *map(value.dtype.type, (self.lr, *self.betas, self.eps, decay, *corrections))
        )


class AdamW(Adam):
    """Adam whose weight decay acts on the weights alone: w <- w - lr weight_decay w + Adam's step."""

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)


@elementwise
def sum_of_squares(x):
    """sum of x^2, added up in double precision.  x flat"""
    total = 0.0
    for k in prange(x.size):
        total += np.float64(x[k]) ** 2
    return total


def clip_norm(parameters: Iterable[Parameter], max_norm: float) -> float:
    """Scales all feedback together so that its Euclidean norm is at most max_norm; returns the norm it had.

    By max_norm / norm exactly (PyTorch adds 1e-6 to the norm). Feedback of infinite norm is left as it is.
    """
    check_number("max_norm", max_norm, 0)
    parameters = check_parameters(parameters)
    norm = math.sqrt(sum(sum_of_squares(p.feedback.reshape(-1)) for p in parameters))
    if max_norm < norm < math.inf:
        for parameter in parameters:
            parameter.feedback *= parameter.feedback.dtype.type(max_norm / norm)
    return norm


def one_cycle(
    max_lr: float, steps: int, warm: float = 0.3, start: float = 25.0, end: float = 1e4
) -> Callable[..., Any]:
    """The one-cycle schedule: a function from step number (0, 1, ...) to learning rate.

    From max_lr/start up to max_lr over the first `warm` part of the steps, then down to max_lr/start/end, both along
    half a cosine, as PyTorch's OneCycleLR. Raises ValueError for steps < 1 or warm outside [0, 1].
    """
    check_number("max_lr", max_lr, 0)
    check_int("steps", steps)
    check_number("warm", warm, 0, 1)
    check_number("start", start, 0, above=True)
    check_number("end", end, 0, above=True)
    peak = max(warm * steps - 1, 0)

    def rate(step: int) -> float:
        low, high, part = max_lr / start, max_lr, step / peak if peak else 1
        if step > peak:
            low, high, part = max_lr / start / end, max_lr, (steps - 1 - step) / max(steps - 1 - peak, 1)
        return low + (high - low) * (1 - math.cos(math.pi * min(max(part, 0), 1))) / 2

    return rate


def check_parameters(parameters: Any) -> list[Parameter]:
    """Parameters as a list. Raises TypeError for anything else, ValueError for none."""
    found = list(parameters) if isinstance(parameters, Iterable) else [parameters]
    if not all(isinstance(each, Parameter) for each in found):
        raise refuse("parameters", "parameters, as net.parameters() gives them", parameters, TypeError)
    if not found:
        raise ValueError("parameters: no parameters to train")
    return found
