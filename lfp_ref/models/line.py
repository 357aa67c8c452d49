"""Networks in a line of text, as in 32c3-p2-64c3-p2-120-10: one part a layer, with hyphens between them.

32c3    32 filters of 3 x 3, and an activation; 32c3+1 with a padding of 1, 32c3/2 with a stride of 2
p2      the maximum of windows of 2 x 2; a2 their mean
120     120 neurons, each of which sees all there is, and an activation; the last part has none: the outputs
d0.5    drops half of what it gets, at random, while training
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lfp_ref.core.layer import Layer
from lfp_ref.layers import activations
from lfp_ref.layers.activations import Activation
from lfp_ref.layers.average import AvgPool2d
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.dropout import Dropout
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.pool import MaxPool2d
from lfp_ref.models.arguments import checked
from lfp_ref.network import Sequential

Make = Callable[..., Activation]
Neurons = Callable[[Conv2d | Dense], list[Layer]]  # a weighted sum with what follows it

PARTS = re.compile(
    r"(?P<filters>[1-9]\d*)c(?P<kernel>[1-9]\d*)(\+(?P<padding>\d+))?(/(?P<stride>[1-9]\d*))?"
    r"|(?P<pool>[pa])(?P<window>[1-9]\d*)|d(?P<dropped>0?\.\d+|0)|(?P<neurons>[1-9]\d*)"
)


@dataclass(frozen=True)
class Part:
    """One part of a line. kind: "conv", "p", "a", "dense" or "drop". number: of filters, of neurons, or dropped."""

    kind: str
    number: float
    kernel: int = 1
    padding: int = 0
    stride: int = 1

    def size(self, size: int) -> int:
        """Height (or width) of the output for that of the input; 0 or less where nothing fits."""
        return (size + 2 * self.padding - self.kernel) // self.stride + 1

    def least(self, size: int) -> int:
        """The least height of the input for an output of that height."""
        return max(1, (size - 1) * self.stride + self.kernel - 2 * self.padding)


def parse(line: str) -> list[Part]:
    """The parts of a line. Raises ValueError for a part that is not a layer."""
    parts = []
    for text in line.split("-"):
        found = PARTS.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} in {line!r} is not a layer: 32c3, 32c3+1 (padding), 32c3/2 (stride), "
                             "p2 (maximum), a2 (mean), 120 (dense), d0.5 (dropout)")  # fmt: skip
        part = found.groupdict()
        if part["filters"]:
            parts.append(Part("conv", int(part["filters"]), int(part["kernel"]), int(part["padding"] or 0),
                              int(part["stride"] or 1)))  # fmt: skip
        elif part["pool"]:
            window = int(part["window"])
            parts.append(Part(part["pool"], 0, window, 0, window))
        elif part["dropped"]:
            parts.append(Part("drop", float(part["dropped"])))
        else:
            parts.append(Part("dense", int(part["neurons"])))
    return parts


def stack(
    line: str, input_shape: tuple[int, ...], neurons: Neurons, bias: bool = True, **options: Any
) -> tuple[list[Layer], tuple[int, ...]]:
    """The layers of a line, and the shape of their output for one sample; neurons: what becomes of a weighted sum.

    Raises ValueError for samples that are not images, or too small ones, where the line has convolutions or pools.
    """
    parts = parse(line)
    windowed = [part for part in parts if part.kind in ("conv", "p", "a")]
    shape = check_image(input_shape, least_size(windowed)) if windowed else input_shape
    layers: list[Layer] = []
    is_flat = False
    for part in parts:
        if part.kind == "drop":
            layers.append(Dropout(part.number, options.get("rng")))
        elif part.kind == "dense":
            layers += [] if is_flat else [Flatten()]
            is_flat = True
            layers += neurons(Dense(math.prod(shape), int(part.number), bias=bias, **options))
            shape = (int(part.number),)
        elif is_flat:
            raise ValueError(f"{line!r}: convolutions and pools come before dense layers")
        else:
            channels, *size = shape
            if part.kind == "conv":
                sizes = (part.kernel, part.stride, part.padding)
                layers += neurons(Conv2d(channels, int(part.number), *sizes, bias=bias, **options))
                channels = int(part.number)
            else:
                layers.append({"p": MaxPool2d, "a": AvgPool2d}[part.kind](part.kernel))
            shape = (channels, *map(part.size, size))
    return layers, shape


@checked
def from_line(
    line: str,
    input_shape: tuple[int, ...],
    classes: int,
    act: Make = activations.ReLU,
    dropout: float = 0.0,
    **options: Any,
) -> Sequential:
    """The network of a line, whose last part is its outputs; the line is this module's docstring's.

    Raises ValueError for a line that is not one, for a last part other than `classes`, and as `stack`.
    """
    hidden, outputs = check_outputs(line, classes)
    layers = with_outputs(hidden, input_shape, outputs, lambda layer: [layer, act()], **options)[:-1]
    return built(input_shape, [*input_dropout(dropout, options.get("rng")), *layers])


def with_outputs(
    hidden: str, input_shape: tuple[int, ...], outputs: int, neurons: Neurons, **options: Any
) -> list[Layer]:
    """The layers of a line (it may be empty) and of as many neurons as there are outputs."""
    return stack(f"{hidden}-{outputs}" if hidden else str(outputs), input_shape, neurons, **options)[0]


def check_outputs(line: str, classes: int) -> tuple[str, int]:
    """A line without its last part, and the number of outputs that this is. Raises ValueError where it is another."""
    last = parse(line)[-1]
    hidden, _, text = line.rpartition("-")
    if last.kind != "dense" or last.number != classes:
        raise ValueError(f"the last part of {line!r} is the number of outputs, here {classes}, got {text!r}")
    return hidden, classes


def built(input_shape: tuple[int, ...], layers: Sequence[Layer] | Mapping[str, Layer]) -> Sequential:
    """Layers, by name or number, as a network for samples of that shape."""
    net = Sequential(layers) if isinstance(layers, Mapping) else Sequential(*layers)
    net.input_shape = input_shape
    return net


def input_dropout(dropout: float, rng: Any) -> list[Layer]:
    """A dropout layer for the inputs; none for 0, so that the other layers keep their numbers."""
    return [Dropout(dropout, rng)] if dropout else []


def least_size(parts: Sequence[Part]) -> int:
    """The least height and width of an image, of which convolutions and pools leave something."""
    size = 1
    for part in reversed(parts):
        size = part.least(size)
    return size


def check_image(input_shape: tuple[int, ...], least: int) -> tuple[int, int, int]:
    """(C, H, W) of one sample. Raises ValueError for a sample that is not an image or too small."""
    if len(input_shape) != 3 or min(input_shape[1:]) < least:
        raise ValueError(
            f"input_shape: this network needs samples (C, H, W) of at least {least} x {least}, got {input_shape}"
        )
    return input_shape
