"""Composites: the mixes of rules that LRP uses, one rule by kind of layer and a special one next to the input.

Each takes a network and returns a mapping from layers to rules, as net.feedback takes it.
Source: Montavon et al. 2019, and the composites of the same names in zennit.
"""

from __future__ import annotations

from typing import Any

from lfp_ref.core.layer import Layer
from lfp_ref.layers.conv import Conv2d
from lfp_ref.rules import AlphaBeta, AttnLRP, ConstantAttention, Epsilon, Flat, Gamma, Rule, ZBox, ZPlus

Composite = dict[Any, Rule]
EPSILON = Epsilon()


def epsilon_plus(net: Layer) -> Composite:
    """z-plus in convolutions, epsilon elsewhere."""
    return by_kind(net, ZPlus())


def epsilon_gamma_box(net: Layer, low: float = -1.0, high: float = 1.0) -> Composite:
    """z-box in a convolution next to the input (pixels in low..high), gamma in the others, epsilon elsewhere."""
    return by_kind(net, Gamma()) | {name: ZBox(low, high) for name in net.first_layers() if name in _convolutions(net)}


def epsilon_alpha2_beta1_flat(net: Layer) -> Composite:
    """flat next to the input, alpha-beta with (2, 1) in other convolutions, epsilon elsewhere."""
    return by_kind(net, AlphaBeta(2.0, 1.0)) | dict.fromkeys(net.first_layers(), Flat())


def gamma_attn_lrp(net: Layer) -> Composite:
    """For explaining transformers: gamma in the convolution of patches, AttnLRP elsewhere (Achtibat et al. 2024)."""
    return by_kind(net, Gamma(), AttnLRP())


def conserving_transformer(net: Layer, epsilon: float = 1e-6) -> Composite:
    """For explaining transformers, all of the reward accounted for: constant attention weights and scales of norms.

    Input + biases + class token + positions + stabiliser = output. Source: this project's, of CP-LRP's parts.
    """
    return {Layer: ConstantAttention(epsilon)}


def by_kind(net: Layer, convolution: Rule, rest: Rule = EPSILON) -> Composite:
    """One rule for all convolutions, one for the rest."""
    return {Layer: rest} | dict.fromkeys(_convolutions(net), convolution)


def _convolutions(net: Layer) -> list[str]:
    return [name for name, layer in net.named_layers() if isinstance(layer, Conv2d)]
