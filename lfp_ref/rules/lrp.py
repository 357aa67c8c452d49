"""The rules of LRP as rules of LFP: epsilon, the paper's, and those it names; each a few lines of data (rule.py)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from lfp_ref.core.checks import check_finite, check_number, check_real, refuse
from lfp_ref.rules.rule import (
    Group,
    Rule,
    Term,
    negative,
    ones,
    positive,
    zero,
)


@dataclass(frozen=True)
class Epsilon(Rule):
    """LFP-epsilon, the paper's rule: s_j = r_j / stab(z_j, epsilon), each connection gets a_i w_ji s_j.

    epsilon -> 0 is LFP-0. With epsilon = 0 a neuron at exactly z = 0 has nothing to divide by and hands on nothing.
    Source: the LRP-epsilon rule (Bach et al. 2015), as the paper on LFP uses it.
    """

    epsilon: float = 1e-6


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
