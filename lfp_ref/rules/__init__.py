"""Rules: which share of a neuron's reward each of its connections gets (rule.py)."""

from lfp_ref.rules.attention import AttnLRP, AutogradAttention, ConstantAttention
from lfp_ref.rules.gradient import (
    AtanSurrogate,
    DirectFeedbackAlignment,
    FastSigmoidSurrogate,
    FeedbackAlignment,
    Gradient,
    StraightThrough,
    Surrogate,
)
from lfp_ref.rules.lrp import AlphaBeta, Epsilon, Flat, Gamma, WSquare, ZBox, ZPlus, ZPlusMinus
from lfp_ref.rules.rule import Group, Rule, Term, is_gradient

__all__ = [
    "AlphaBeta",
    "AtanSurrogate",
    "AttnLRP",
    "AutogradAttention",
    "ConstantAttention",
    "DirectFeedbackAlignment",
    "Epsilon",
    "FastSigmoidSurrogate",
    "FeedbackAlignment",
    "Flat",
    "Gamma",
    "Gradient",
    "Group",
    "Rule",
    "StraightThrough",
    "Surrogate",
    "Term",
    "WSquare",
    "ZBox",
    "ZPlus",
    "ZPlusMinus",
    "is_gradient",
]
