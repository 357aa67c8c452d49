"""Networks that are one line of layers (line.py)."""

from __future__ import annotations

from typing import Any

from lfp_ref.layers import activations
from lfp_ref.models.arguments import checked
from lfp_ref.models.line import Make, from_line
from lfp_ref.network import Sequential


@checked
def mlp(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0, **options: Any
) -> Sequential:
    """Dense 120-84-classes."""
    return from_line(f"120-84-{classes}", input_shape, classes, act, dropout, **options)


@checked
def lenet(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0, **options: Any
) -> Sequential:
    """16c5-p2-16c5-p2-120-84-classes, for images of at least 16 x 16 pixels."""
    return from_line(f"16c5-p2-16c5-p2-120-84-{classes}", input_shape, classes, act, dropout, **options)


@checked
def small_cnn(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0, **options: Any
) -> Sequential:
    """16c3-p2-32c3-p2-classes with padding, for small images such as the digits (at least 4 x 4 pixels)."""
    return from_line(f"16c3+1-p2-32c3+1-p2-{classes}", input_shape, classes, act, dropout, **options)


@checked
def vgg_like(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0, **options: Any
) -> Sequential:
    """32c3-64c3-p2-128c3-128c3-p2-256c3-256c3-p2-1024-512-classes with padding, for images of at least 8 x 8 pixels.

    dropout: of what the last two dense layers get. Source: lfprop's network for CIFAR, where it is 0.5.
    """
    drop = f"-d{dropout:.6f}" if dropout else ""
    line = f"32c3+1-64c3+1-p2-128c3+1-128c3+1-p2-256c3+1-256c3+1-p2-1024{drop}-512{drop}-{classes}"
    return from_line(line, input_shape, classes, act, **options)
