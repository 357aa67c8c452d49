"""Composites: the mixes of rules that LRP uses, one rule by kind of layer and a special one next to the input.

Each takes a network and returns a mapping from layers to rules, as net.feedback takes it.
Source: Montavon et al. 2019, and the composites of the same names in zennit.
"""

from __future__ import annotations

from typing import Any

from lfp_ref.layers.base import Layer
from lfp_ref.layers.conv import Conv2d
from lfp_ref.rules import AlphaBeta, Epsilon, Flat, Gamma, Rule, ZBox, ZPlus

Composite = dict[Any, Rule]


def epsilon_plus(net: Layer) -> Composite:
    """z-plus in convolutions, epsilon elsewhere."""
    return by_kind(net, ZPlus())


def epsilon_gamma_box(net: Layer, low: float = -1.0, high: float = 1.0) -> Composite:
    """z-box in a convolution next to the input (pixels in low..high), gamma in the others, epsilon elsewhere."""
    first = net.first_layers()
    boxes = {name: ZBox(low, high) for name, layer in net.named_layers() if layer in first and _is_convolution(layer)}
    return by_kind(net, Gamma()) | boxes


def epsilon_alpha2_beta1_flat(net: Layer) -> Composite:
    """flat next to the input, alpha-beta with (2, 1) in other convolutions, epsilon elsewhere."""
    first = net.first_layers()
    return by_kind(net, AlphaBeta(2.0, 1.0)) | {name: Flat() for name, layer in net.named_layers() if layer in first}


def by_kind(net: Layer, convolution: Rule) -> Composite:
    """One rule for all convolutions, epsilon for the rest."""
    convolutions = [name for name, layer in net.named_layers() if _is_convolution(layer)]
    return {Layer: Epsilon()} | dict.fromkeys(convolutions, convolution)


def _is_convolution(layer: Layer) -> bool:
    return isinstance(layer, Conv2d)
