"""Rules that say how attention hands back its reward; all else is epsilon's. Formulas: layers/attention.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lfp_ref.rules.lrp import Epsilon
from lfp_ref.rules.rule import (
    AUTOGRAD,
    CONSTANT,
    TAYLOR,
)


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
