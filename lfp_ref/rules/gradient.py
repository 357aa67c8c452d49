"""Gradient ascent as one more rule on the same pass: exact, by surrogates, or by fixed random matrices.

Source: backpropagation (Rumelhart et al. 1986) with reward for error; the others name theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from lfp_ref.core.checks import check_int, check_number, check_one_of
from lfp_ref.rules.rule import (
    ATAN,
    FAST_SIGMOID,
    NO_SURROGATE,
    STRAIGHT_THROUGH,
    Rule,
)


@dataclass(frozen=True)
class Gradient(Rule):
    """Gradient ascent on an objective J, as one more rule: s_j = r_j, no multiplication by a, none by |w|.

    What goes in at the output is dJ/dz, not a reward (lfp.rewards: softmax.gradient and its siblings give it);
    activations multiply it by their derivative; parameters' feedback is dJ/dw. It is for a whole network or not at all.
    Steps and spikes have no derivative to multiply by: nothing passes them, unless by a surrogate (the rules below).
    """

    epsilon: float = field(default=0.0, init=False, repr=False)
    is_gradient: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_one_of(f"{type(self).__name__}: learning", self.learning, ("share",))


@lru_cache(maxsize=512)
def fixed_matrix(seed: int, path: str, shape: tuple[int, ...], bound: float, dtype: np.dtype) -> np.ndarray:
    """U(-bound, bound) for the layer at that path, the same whenever asked."""
    return np.random.default_rng([seed, *path.encode()]).uniform(-bound, bound, shape).astype(dtype)


@dataclass(frozen=True)
class FeedbackAlignment(Gradient):
    """Gradient ascent whose way back through a layer is a fixed random B in place of its weight W, of W's shape.

    B is U(-k, k), k = 1/sqrt(fan_in), drawn apart from W from the seed and the layer's path, and never trained. All
    else is Gradient's: activations' derivatives, pools, norms, what a layer itself learns.
    seed: an integer >= 0. Raises ValueError for another.
    Source: Lillicrap et al. 2016; the range is that of the LFP authors' comparison.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        seed: Any = self.seed
        if isinstance(seed, float) and seed.is_integer():  # as it comes from text: "feedback-alignment:3"
            seed = int(seed)
        check_int(f"{type(self).__name__}: seed", seed, 0)

    def backward_weight(self, w: np.ndarray, path: str) -> np.ndarray:
        fan_in = w[0].size
        return fixed_matrix(int(self.seed), path, w.shape, 1 / np.sqrt(fan_in), w.dtype)


@dataclass(frozen=True)
class DirectFeedbackAlignment(FeedbackAlignment):
    """Feedback alignment straight from the output: a layer's input gets B^T dJ/dz_o, whatever came to the layer.

    B (outputs, numbers of the input) is U(-k, k), k = 1/sqrt(numbers of the input). What is between two layers with
    weights (pools, dropout, activations, norms) passes that on as in Gradient; the last layer gets dJ/dz_o itself.
    Source: Noekland 2016; place and range of B after its published code.
    """

    sees_outputs: ClassVar[bool] = True

    def from_outputs(self, reward: np.ndarray, shape: tuple[int, ...], path: str) -> np.ndarray:
        """B^T dJ/dz_o, of an input's shape (..., N), for the gradient (..., N) of the network's outputs."""
        inputs, outputs = math.prod(shape[:-1]), math.prod(reward.shape[:-1])
        b = fixed_matrix(int(self.seed), path, (outputs, inputs), 1 / np.sqrt(inputs), reward.dtype)
        return (b.T @ reward.reshape(outputs, -1)).reshape(shape)


@dataclass(frozen=True)
class Surrogate(Gradient):
    """Base of gradient rules with a stand-in for the derivative of steps (at z) and spikes (at u - threshold).

    slope: the curve's parameter. Raises ValueError unless it is finite and > 0.
    """

    slope: float = 1.0
    surrogate: ClassVar[int] = NO_SURROGATE

    def surrogate_and_slope(self) -> tuple[int, float]:
        return self.surrogate, self.slope

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number(f"{type(self).__name__}: slope", self.slope, 0, above=True)


@dataclass(frozen=True)
class AtanSurrogate(Surrogate):
    """slope / 2 / (1 + (pi / 2 * slope * x)^2). Source: Fang et al. 2021; the default slope is snntorch's."""

    surrogate: ClassVar[int] = ATAN
    slope: float = 2.0


@dataclass(frozen=True)
class FastSigmoidSurrogate(Surrogate):
    """1 / (1 + slope * |x|)^2. Source: Zenke and Ganguli 2018; the default slope is snntorch's."""

    surrogate: ClassVar[int] = FAST_SIGMOID
    slope: float = 25.0


@dataclass(frozen=True)
class StraightThrough(Surrogate):
    """1 where |x| <= slope, else 0. Source: Bengio et al. 2013, cut off as by Hubara et al. 2016."""

    surrogate: ClassVar[int] = STRAIGHT_THROUGH
    slope: float = 1.0
