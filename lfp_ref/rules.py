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

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lfp_ref.core.checks import check_finite, check_int, check_number, check_one_of, check_real, refuse

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
    learns_unmodified: ClassVar[bool] = False  # feedback |w| sum a s, |b| sum s, whatever the terms see

    def groups(self) -> tuple[Group, ...]:
        """The groups of terms; without an own method those of the epsilon rule."""
        return (Group(),)

    def backward_weight(self, w: np.ndarray, path: str) -> np.ndarray:
        """The weight by which the layer at that path hands s to its input: its own, but in feedback alignment."""
        return w

    def surrogate_and_slope(self) -> tuple[int, float]:
        """The stand-in for the derivative of steps and spikes, and its parameter; only gradient rules have one."""
        return NO_SURROGATE, 0.0

    def __post_init__(self) -> None:
        check_number(f"{type(self).__name__}: epsilon", self.epsilon, 0)
        check_one_of(f"{type(self).__name__}: learning", self.learning, LEARNING)

    def check_dtype(self, dtype: np.dtype) -> None:
        """Raises ValueError for a number of the rule that is infinite in the network's dtype."""
        for name, value in vars(self).items():
            if isinstance(value, int | float) and abs(value) > np.finfo(dtype).max:
                raise ValueError(f"{type(self).__name__}: {name} is too large for {dtype}, got {value!r}")

    @property
    def is_plain(self) -> bool:
        """True for one group of one term that modifies nothing: the epsilon rule, or gradient descent."""
        return all(group.is_plain and group.takes_all for group in self.groups())


@dataclass(frozen=True)
class Epsilon(Rule):
    """LFP-epsilon, the paper's rule: s_j = r_j / stab(z_j, epsilon), each connection gets a_i w_ji s_j.

    epsilon -> 0 is LFP-0. With epsilon = 0 a neuron at exactly z = 0 has nothing to divide by and hands on nothing.
    Source: the LRP-epsilon rule (Bach et al. 2015), as the paper on LFP uses it.
    """

    epsilon: float = 1e-6


@dataclass(frozen=True)
class AttnLRP(Epsilon):
    """AttnLRP, to explain transformers: the softmax by its Taylor expansion, products half to each factor.

    Layer and group normalisation take their scale as a constant, which conserves. Elsewhere it is Epsilon.
    Source: Achtibat et al. 2024; its stabiliser has no sign, this one has.
    """

    attention: ClassVar[str] = TAYLOR
    constant_scale: ClassVar[bool] = True


@dataclass(frozen=True)
class ConstantAttention(Epsilon):
    """CP-LRP, to explain transformers: attention weights are constants, so queries and keys get nothing.

    Layer and group normalisation as in AttnLRP, so that a whole transformer conserves. Elsewhere it is Epsilon.
    Source: Ali et al. 2022.
    """

    attention: ClassVar[str] = CONSTANT
    constant_scale: ClassVar[bool] = True


@dataclass(frozen=True)
class AutogradAttention(Epsilon):
    """Attention as lfprop runs it: what is inside of it takes rewards as if they were gradients. To compare with it.

    Elsewhere it is Epsilon. Source: lfprop 1.0.0, whose rules for functions never act.
    """

    attention: ClassVar[str] = AUTOGRAD


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
        check_int(f"{type(self).__name__}: seed", self.seed, 0)

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

    def from_outputs(self, gradient: np.ndarray, shape: tuple[int, ...], path: str) -> np.ndarray:
        """B^T dJ/dz_o, of an input's shape (..., N), for the gradient (..., N) of the network's outputs."""
        inputs, outputs = math.prod(shape[:-1]), math.prod(gradient.shape[:-1])
        b = fixed_matrix(int(self.seed), path, (outputs, inputs), 1 / np.sqrt(inputs), gradient.dtype)
        return (b.T @ gradient.reshape(outputs, -1)).reshape(shape)


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


@dataclass(frozen=True)
class Gamma(Rule):
    """LRP-gamma, generalised to inputs of either sign: contributions of the output's own sign count 1 + gamma times.

    z > 0: {(a+, w + gamma w+, b + gamma b+), (a-, w + gamma w-, 0)}; z < 0: {(a+, w + gamma w-, b + gamma b-),
    (a-, w + gamma w+, 0)}; z = 0: nothing is handed on. gamma = 0 is the epsilon rule, gamma -> infinity favours one
    sign as z-plus does. For the lower layers of deep networks: less noise than epsilon, more detail than z-plus.
    Raises ValueError for a gamma that is negative or not finite.
    Source: Montavon et al. 2019, the general form of Andeol et al. 2021.
    """

    gamma: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("Gamma: gamma", self.gamma, 0)

    def groups(self) -> tuple[Group, ...]:
        def up(x: np.ndarray) -> np.ndarray:
            return x + x.dtype.type(self.gamma) * positive(x)

        def down(x: np.ndarray) -> np.ndarray:
            return x + x.dtype.type(self.gamma) * negative(x)

        return (
            Group((Term(positive, up, up), Term(negative, down, zero)), mask=lambda z: z > 0),
            Group((Term(positive, down, down), Term(negative, up, zero)), mask=lambda z: z < 0),
        )


@dataclass(frozen=True)
class AlphaBeta(Rule):
    """LRP-alpha-beta: positive and negative contributions are shared out apart, weighted alpha and -beta.

    {(a+, w+, b+), (a-, w-, 0)}, c = alpha; {(a+, w-, b-), (a-, w+, 0)}, c = -beta, with alpha - beta = 1 so that the
    reward is conserved. A neuron that got nothing of one sign keeps that group's part (an empty group).
    Raises ValueError unless beta >= 0 and alpha - beta = 1.
    Source: Bach et al. 2015.
    """

    alpha: float = 2.0
    beta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("AlphaBeta: alpha", self.alpha)
        check_number("AlphaBeta: beta", self.beta, 0)
        if not np.isclose(self.alpha - self.beta, 1):
            raise ValueError(f"AlphaBeta needs alpha - beta = 1, got alpha {self.alpha}, beta {self.beta}")

    def groups(self) -> tuple[Group, ...]:
        excite = Group((Term(positive, positive, positive), Term(negative, negative, zero)), self.alpha)
        inhibit = Group((Term(positive, negative, negative), Term(negative, positive, zero)), -self.beta)
        return (excite, inhibit) if self.beta else (excite,)


@dataclass(frozen=True)
class ZPlus(Rule):
    """LRP-z-plus: only positive contributions are shared; alpha-beta with (1, 0).

    It never sees a negative contribution, so a reward keeps its sign from output to input.
    Source: Montavon et al. 2017 (deep Taylor decomposition).
    """

    def groups(self) -> tuple[Group, ...]:
        return AlphaBeta(1.0, 0.0).groups()


@dataclass(frozen=True)
class ZPlusMinus(Rule):
    """The authors' z+z- rule: shares by the size of each contribution, so that every share has the reward's sign.

    {(|a|, |w|, |b|)}, c = 1, no stabiliser: s_j = r_j / (sum_i |w_ji a_i| + |b_j|), d_w = |w| sum a s, d_b = |b| sum s:
    a positive reward raises an output, whatever its sign (epsilon drives it away from 0). It conserves exactly; a
    neuron to which nothing contributes keeps its reward (an empty group).
    Source: the LFP authors' package for spiking networks, version 0.1 of 2025, whose two groups, the positive and the
    negative contributions with c = |z+| / (z+ - z-) and |z-| / (z+ - z-), add up to this one.
    """

    epsilon: float = field(default=0.0, kw_only=True)
    learns_unmodified: ClassVar[bool] = True

    def groups(self) -> tuple[Group, ...]:
        return (Group((Term(np.abs, np.abs, np.abs),)),)


@dataclass(frozen=True)
class WSquare(Rule):
    """LRP-w-square: shares by the square of the weight, whatever the input: {(1, w^2, b^2)}.

    For first layers whose inputs are unbounded. Source: Montavon et al. 2017.
    """

    def groups(self) -> tuple[Group, ...]:
        return (Group((Term(ones, np.square, np.square),)),)


@dataclass(frozen=True)
class Flat(Rule):
    """LRP-flat: every input gets the same share: {(1, 1, 0)}. A resolution filter for first layers, no judgement.

    Source: Lapuschkin et al. 2019.
    """

    def groups(self) -> tuple[Group, ...]:
        return (Group((Term(ones, ones, zero),)),)


@dataclass(frozen=True)
class ZBox(Rule):
    """LRP-z-box, for the layer that sees the network's input, when that lies in low..high (pixels).

    {(a, w, b), (-low, w+, -b+), (-high, w-, -b-)}. low, high: numbers, or arrays that broadcast with one sample.
    Raises ValueError unless low < high everywhere, and, once used, on a layer that does not see the network's input.
    Source: Montavon et al. 2017.
    """

    low: float | np.ndarray = -1.0
    high: float | np.ndarray = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("low", "high"):
            limit = check_finite(f"ZBox: {name}", check_real(f"ZBox: {name}", getattr(self, name)))
            if not limit.size or limit.dtype.kind == "b":
                raise refuse(f"ZBox: {name}", "a number or an array of numbers", limit)
        if not np.all(np.less(self.low, self.high)):
            raise ValueError(f"ZBox needs low < high, got {self.low} and {self.high}")

    def groups(self) -> tuple[Group, ...]:
        below = Term(lambda a: -self.limit("low", a), positive, lambda b: -positive(b))
        above = Term(lambda a: -self.limit("high", a), negative, lambda b: -negative(b))
        return (Group((Term(), below, above)),)

    def limit(self, name: str, a: np.ndarray) -> np.ndarray:
        """One of the limits, of the shape of one sample of a (..., N). Raises ValueError where it has another."""
        try:
            return np.broadcast_to(getattr(self, name), a.shape[:-1])
        except ValueError:
            shape = np.shape(getattr(self, name))
            raise ValueError(f"ZBox: {name} of shape {shape} does not fit samples of shape {a.shape[:-1]}") from None


def is_gradient(rule: Any) -> bool:
    """True for gradient descent: such a rule, or a mapping to such rules."""
    rules = rule.values() if isinstance(rule, Mapping) else [rule]
    return any(isinstance(each, Rule) and each.is_gradient for each in rules)
