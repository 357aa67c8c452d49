"""Mixed rules by name, as LRP users know them: a rule by kind of layer, a special one where the input is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lfp_ref.core.layer import Layer
from lfp_ref.layers.conv import Conv2d
from lfp_ref.rules import AlphaBeta, Epsilon, Flat, Gamma, Rule, ZBox, ZPlus, parse

Mixed = Rule | Mapping[Any, Rule]


def epsilon_plus(net: Layer) -> Mixed:
    """z-plus in convolutions, epsilon elsewhere."""
    return by_kind(net, ZPlus())


def epsilon_gamma_box(net: Layer, low: float = -1.0, high: float = 1.0) -> Mixed:
    """z-box in a convolution that sees the input (pixels in low..high), gamma in the others, epsilon elsewhere."""
    first = net.first_layers()
    return by_kind(net, Gamma()) | {
        path: ZBox(low, high) for path, layer in net.named_layers() if path in first and isinstance(layer, Conv2d)
    }


def epsilon_alpha2_beta1_flat(net: Layer) -> Mixed:
    """flat where the input is seen, alpha-beta with (2, 1) in other convolutions, epsilon elsewhere."""
    return by_kind(net, AlphaBeta(2.0, 1.0)) | dict.fromkeys(net.first_layers(), Flat())


PRESETS: dict[str, Callable[..., Mixed]] = {
    "epsilon-plus": epsilon_plus,
    "epsilon-gamma-box": epsilon_gamma_box,
    "epsilon-alpha2-beta1-flat": epsilon_alpha2_beta1_flat,
}


def by_kind(net: Layer, convolution: Rule) -> dict[Any, Rule]:
    """One rule for all convolutions, epsilon for the rest."""
    convolutions = [path for path, layer in net.named_layers() if isinstance(layer, Conv2d)]
    return {Layer: Epsilon()} | dict.fromkeys(convolutions, convolution)


def mixed(text: str, net: Layer, learning: str = "share") -> Mixed:
    """The rule, or preset for this network, that a command line means, with the same learning everywhere.

    Raises ValueError for an unknown name.
    """
    if text in PRESETS:
        found = PRESETS[text](net)
    else:
        try:
            found = parse(text)
        except ValueError as error:
            raise ValueError(f"{error}; presets: {', '.join(PRESETS)}") from None
    if isinstance(found, Rule):
        return replace(found, learning=learning)
    return {key: replace(rule, learning=learning) for key, rule in found.items()}
