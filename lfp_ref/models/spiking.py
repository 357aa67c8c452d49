"""Spiking networks: LIF neurons over `steps` steps of time.

Each takes the shape of one sample, the number of outputs, and of its neurons steps, beta, threshold and reset (see
lfp.LIF); code: what pixels in -1..1 are over time, "constant", "rate" or "latency".
"""

from __future__ import annotations

from typing import Any

from lfp_ref.core.checks import check_one_of
from lfp_ref.core.layer import Layer
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.encoding import LatencyCode, RateCode
from lfp_ref.layers.lif import LIF
from lfp_ref.layers.maximum import Maximum
from lfp_ref.models.arguments import checked
from lfp_ref.models.line import check_outputs, stack, with_outputs
from lfp_ref.network import Spiking

NEURON = ("beta", "threshold", "reset")


@checked
def spiking_mlp(input_shape: tuple[int, ...], classes: int, **options: Any) -> Spiking:
    """1000-classes."""
    return spiking_from_line(f"1000-{classes}", input_shape, classes, **options)


@checked
def spiking_cnn(input_shape: tuple[int, ...], classes: int, **options: Any) -> Spiking:
    """12c5-p2-64c5-p2-classes, for images of at least 16 x 16 pixels."""
    return spiking_from_line(f"12c5-p2-64c5-p2-{classes}", input_shape, classes, **options)


@checked
def spiking_vgg(input_shape: tuple[int, ...], classes: int, **options: Any) -> Spiking:
    """30c3-p2-150c3-p2-250c3-p2-200c3-p2-100c3-classes with padding and without biases, from 6 x 6 pixels on.

    threshold: 0.3 if not given; at 1 no neuron of the last layer spikes at the initial weights, and none gets a reward.
    Source: lfprop's network of five spiking convolutions for CIFAR.
    """
    options = {"threshold": 0.3, **options}
    line = f"30c3+2-p2-150c3+1-p2-250c3+1-p2-200c3+2-p2-100c3+2-{classes}"
    return spiking_from_line(line, input_shape, classes, bias=False, **options)


@checked
def spiking_resnet(input_shape: tuple[int, ...], classes: int, **options: Any) -> Spiking:
    """30c5-p2-150c3-p2-250c3-p3-200c4-classes with padding; a shortcut of 1 x 1 meets 250c3 by the maximum.

    Without biases, for images of at least 12 x 12 pixels. threshold: as in spiking_vgg.
    Source: lfprop's spiking ResNet for CIFAR.
    """
    options = {"threshold": 0.3, **options}
    neuron, layer, rest = _split(options)
    layer = {"bias": False, **layer}

    def lif(inner: Any) -> list[Layer]:
        return [LIF(inner, **neuron)]

    stack(f"30c5+2-p2-150c3+1-p2-250c3+1-p3-200c4+2-{classes}", input_shape, lambda _: [])  # is the image large enough?
    stem, shape = stack("30c5+2-p2-150c3+1-p2", input_shape, lif, **layer)
    body = LIF(Conv2d(150, 250, 3, padding=1, **layer), **neuron)
    meet = Maximum(body, LIF(Conv2d(150, 250, 1, **layer), **neuron))
    head = with_outputs("p3-200c4+2", (250, *shape[1:]), classes, lif, **layer)
    return _spiking([*stem, meet, *head], input_shape, layer.get("rng"), **rest)


def spiking_from_line(line: str, input_shape: tuple[int, ...], classes: int, **options: Any) -> Spiking:
    """The spiking network of a line (line.py), whose last part is its outputs. Raises ValueError as from_line."""
    neuron, layer, rest = _split(options)
    hidden, outputs = check_outputs(line, classes)
    layers = with_outputs(hidden, input_shape, outputs, lambda inner: [LIF(inner, **neuron)], **layer)
    return _spiking(layers, input_shape, layer.get("rng"), **rest)


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Options of neurons, of the layers inside them, and of the network."""
    neuron = {key: value for key, value in options.items() if key in NEURON}
    rest = {key: value for key, value in options.items() if key in ("steps", "code")}
    return neuron, {key: options[key] for key in options if key not in (*neuron, *rest)}, rest


def _spiking(
    layers: list[Layer], input_shape: tuple[int, ...], rng: Any, steps: int = 15, code: str = "constant"
) -> Spiking:
    """Layers as a network, the encoding before its first neurons."""
    first = next(number for number, layer in enumerate(layers) if isinstance(layer, LIF))
    net = Spiking(*layers[:first], *encoding(code, rng), *layers[first:], steps=steps)
    net.input_shape = input_shape
    return net


def encoding(code: str, rng: Any) -> list[Layer]:
    """The layer that encodes pixels in -1..1 as spikes: none for "constant", one for "rate" or "latency".

    Raises ValueError for another code.
    """
    codes: dict[str, list[Layer]] = {
        "constant": [],
        "rate": [RateCode(-1, 1, rng)],
        "latency": [LatencyCode(-1, 1)],
    }
    check_one_of("code", code, codes)
    return codes[code]
