"""The networks of the paper's experiments.

Each takes the shape of one sample, the number of outputs, a class or function without arguments that makes an
activation (spiking networks have none), and the layers' options dtype= and rng=. dropout: the part of the inputs that
is dropped at random while training (not in spiking networks).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lfp_ref.layers import activations
from lfp_ref.layers.activations import Activation
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.dropout import Dropout
from lfp_ref.layers.encoding import LatencyCode, RateCode
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.lif import LIF
from lfp_ref.layers.pool import MaxPool2d
from lfp_ref.network import Sequential, Spiking

Make = Callable[..., Activation]


def mlp(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0, **options: Any
) -> Sequential:
    """Dense 120-84-classes."""
    return Sequential(
        *input_dropout(dropout, options.get("rng")),
        Flatten(),
        Dense(math.prod(input_shape), 120, **options), act(),
        Dense(120, 84, **options), act(),
        Dense(84, classes, **options),
    )  # fmt: skip


def lenet(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0, **options: Any
) -> Sequential:
    """16c5-p2-16c5-p2-120-84-classes, for images of at least 16 x 16 pixels."""
    channels, height, width = check_image(input_shape, 16)
    inputs = 16 * (((height - 4) // 2 - 4) // 2) * (((width - 4) // 2 - 4) // 2)
    return Sequential(
        *input_dropout(dropout, options.get("rng")),
        Conv2d(channels, 16, 5, **options), act(), MaxPool2d(2),
        Conv2d(16, 16, 5, **options), act(), MaxPool2d(2),
        Flatten(),
        Dense(inputs, 120, **options), act(),
        Dense(120, 84, **options), act(),
        Dense(84, classes, **options),
    )  # fmt: skip


def small_cnn(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0, **options: Any
) -> Sequential:
    """16c3-p2-32c3-p2-classes with padding, for small images such as the digits (at least 4 x 4 pixels)."""
    channels, height, width = check_image(input_shape, 4)
    return Sequential(
        *input_dropout(dropout, options.get("rng")),
        Conv2d(channels, 16, 3, padding=1, **options), act(), MaxPool2d(2),
        Conv2d(16, 32, 3, padding=1, **options), act(), MaxPool2d(2),
        Flatten(),
        Dense(32 * (height // 4) * (width // 4), classes, **options),
    )  # fmt: skip


def input_dropout(dropout: float, rng: Any) -> list[Dropout]:
    """A dropout layer for the inputs; none for 0, so that the other layers keep their numbers."""
    return [Dropout(dropout, rng)] if dropout else []


def encoding(code: str, rng: Any) -> list[RateCode | LatencyCode]:
    """The layer that encodes pixels in -1..1 as spikes: none for "constant", one for "rate" or "latency".

    Raises ValueError for another code.
    """
    codes: dict[str, list[RateCode | LatencyCode]] = {
        "constant": [],
        "rate": [RateCode(-1, 1, rng)],
        "latency": [LatencyCode(-1, 1)],
    }
    if code not in codes:
        raise ValueError(f"code must be one of {', '.join(codes)}, got {code!r}")
    return codes[code]


def spiking_mlp(
    input_shape: tuple[int, ...],
    classes: int,
    steps: int = 15,
    beta: float = 0.9,
    threshold: float = 1.0,
    reset: str = "subtract",
    code: str = "constant",
    **options: Any,
) -> Spiking:
    """1000-classes LIF neurons over `steps` steps; code: of pixels in -1..1, "constant", "rate" or "latency"."""
    neuron: dict[str, Any] = {"beta": beta, "threshold": threshold, "reset": reset}
    return Spiking(
        Flatten(), *encoding(code, options.get("rng")),
        LIF(Dense(math.prod(input_shape), 1000, **options), **neuron),
        LIF(Dense(1000, classes, **options), **neuron), steps=steps,
    )  # fmt: skip


def spiking_cnn(
    input_shape: tuple[int, ...],
    classes: int,
    steps: int = 15,
    beta: float = 0.9,
    threshold: float = 1.0,
    reset: str = "subtract",
    code: str = "constant",
    **options: Any,
) -> Spiking:
    """12c5-p2-64c5-p2-classes of LIF neurons, for images of at least 16 x 16 pixels; arguments as of spiking_mlp."""
    channels, height, width = check_image(input_shape, 16)
    neuron: dict[str, Any] = {"beta": beta, "threshold": threshold, "reset": reset}
    inputs = 64 * (((height - 4) // 2 - 4) // 2) * (((width - 4) // 2 - 4) // 2)
    return Spiking(
        *encoding(code, options.get("rng")),
        LIF(Conv2d(channels, 12, 5, **options), **neuron), MaxPool2d(2),
        LIF(Conv2d(12, 64, 5, **options), **neuron), MaxPool2d(2),
        Flatten(),
        LIF(Dense(inputs, classes, **options), **neuron), steps=steps,
    )  # fmt: skip


def check_image(input_shape: tuple[int, ...], least: int) -> tuple[int, int, int]:
    """(C, H, W) of one sample. Raises ValueError for a sample that is not an image or too small."""
    if len(input_shape) != 3 or min(input_shape[1:]) < least:
        raise ValueError(f"this network needs samples (C, H, W) of at least {least} x {least}, got {input_shape}")
    return input_shape
