"""Rules: which share of a neuron's reward each of its connections gets.

Every rule is data: a list of groups, each a list of terms. A term (A, W, B) modifies the layer's input a, weight w and
bias b. A group hands out the reward r_j of neuron j in proportion to what its terms add up to:

    D_j   = sum over the group's terms of (sum_i W(w)_ji A(a)_i + B(b)_j)
    s_j   = c * mask(z)_j * r_j / stab(D_j, epsilon)            stab(D, epsilon) = D + epsilon * sgn(D), sgn(0) = +1
    r_i  += A(a)_i * sum_j W(w)_ji s_j                          the reward handed to the input
    d_w  += sgn(w) * W(w)_ji * sum over the batch of A(a)_i s_j     the feedback of the weight
    d_b  += sgn(b) * B(b)_j * sum over the batch of s_j             the feedback of the bias

The sums are the layer's own business (layers/weighted.py): no rule knows dense from convolutional. Gradient descent is
the rule that divides by nothing before the sums and multiplies by nothing after them.

Source: the paper on LFP (arXiv:2308.12053), where it turns LRP rules into LFP rules; the groups are this project's
notation for what LRP calls modified inputs and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lfp_ref.core.checks import check_number, check_one_of

# A modifier works number by number, on an array of any shape. That of an input may also return a number, or an array of
# one sample's shape: the same for every sample.
Modifier = Callable[[np.ndarray], Any]


def positive(x: np.ndarray) -> np.ndarray:
    """x+ = max(x, 0)"""
    return np.maximum(x, 0)


def negative(x: np.ndarray) -> np.ndarray:
    """x- = min(x, 0)"""
    return np.minimum(x, 0)


def zero(x: np.ndarray) -> np.ndarray:
    """0"""
    return np.zeros_like(x)


def ones(x: np.ndarray) -> np.ndarray:
    """1"""
    return np.ones_like(x)


class Term(NamedTuple):
    """Modifiers of input, weight and bias; None leaves them as they are."""

    input: Modifier | None = None
    weight: Modifier | None = None
    bias: Modifier | None = None


class Group(NamedTuple):
    """Terms that share one denominator; its coefficient c; and which neurons take part, by their pre-activation z."""

    terms: tuple[Term, ...] = (Term(),)
    coefficient: float = 1.0
    mask: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def is_plain(self) -> bool:
        """True for one term that modifies nothing: its denominator is z itself."""
        return self.terms == (Term(),)

    @property
    def takes_all(self) -> bool:
        """True if the group hands out all of every neuron's reward."""
        return self.coefficient == 1 and self.mask is None


# Stand-ins for the derivative of a step or spike; their formulas are in layers/surrogates.py.
NO_SURROGATE, ATAN, FAST_SIGMOID, STRAIGHT_THROUGH = range(4)
LEARNING = ("share", "hebbian", "oja")
# How attention hands back the reward of its softmax; the formulas are in layers/attention.py.
TIMES_INPUT, TAYLOR, CONSTANT, AUTOGRAD = "gradient times input", "taylor", "constant", "autograd"


@dataclass(frozen=True)
class Rule:
    """Base of all rules; an own one implements groups().

    epsilon: the stabiliser of every denominator, in pooling, normalisation and sums of branches too. A denominator
        below the least normal number of the dtype counts as 0: nothing flowed, and nothing is shared.
    learning: where weights take their feedback from; the reward handed to the input is the same in each case.
        "share": the shares of the reward, as above.
        "hebbian": |w_ji| * sum over the batch of a_i z_j r_j. "oja": |w_ji| * sum of z_j (a_i - z_j w_ji) r_j, which
        forgets in proportion to the output. A bias is the weight of an input of 1. After lfprop's Hebbian composite,
        whose code, unlike its comments, leaves r_j out of Oja's second term.
    Raises ValueError for an epsilon that is negative or not finite, and for another learning.
    """

    epsilon: float = field(default=1e-6, kw_only=True)
    learning: str = field(default="share", kw_only=True)
    is_gradient: ClassVar[bool] = False
    attention: ClassVar[str] = TIMES_INPUT
    constant_scale: ClassVar[bool] = False  # of a sample's normalisation (layers/layer_norm.py)
    sees_outputs: ClassVar[bool] = False  # the input of a layer with weights gets from_outputs(), not g
    learns_unmodified: ClassVar[bool] = False  # feedback |w| sum a s, |b| sum s, whatever the terms see

    def groups(self) -> tuple[Group, ...]:
        """The groups of terms; without an own method those of the epsilon rule."""
        return (Group(),)

    def backward_weight(self, w: np.ndarray, path: str) -> np.ndarray:
        """The weight by which the layer at that path hands s to its input: its own, but in feedback alignment."""
        return w

    def from_outputs(self, reward: np.ndarray, shape: tuple[int, ...], path: str) -> np.ndarray:
        """g for an input (..., N) of the layer at that path, of the reward (..., N) of the network's outputs alone."""
        raise NotImplementedError

    def surrogate_and_slope(self) -> tuple[int, float]:
        """The stand-in for the derivative of steps and spikes, and its parameter; only gradient rules have one."""
        return NO_SURROGATE, 0.0

    def __post_init__(self) -> None:
        check_number(f"{type(self).__name__}: epsilon", self.epsilon, 0)
        check_one_of(f"{type(self).__name__}: learning", self.learning, LEARNING)

    def check_dtype(self, dtype: np.dtype) -> None:
        """Raises ValueError for a number of the rule that is infinite in the network's dtype."""
        for name, value in vars(self).items():
            if isinstance(value, int | float) and abs(value) > float(np.finfo(dtype).max):
                raise ValueError(f"{type(self).__name__}: {name} is too large for {dtype}, got {value!r}")

    @property
    def is_plain(self) -> bool:
        """True for one group of one term that modifies nothing: the epsilon rule, or gradient descent."""
        return all(group.is_plain and group.takes_all for group in self.groups())


def is_gradient(rule: Any) -> bool:
    """True for gradient descent: such a rule, or a mapping to such rules."""
    rules = rule.values() if isinstance(rule, Mapping) else [rule]
    return any(isinstance(each, Rule) and each.is_gradient for each in rules)
