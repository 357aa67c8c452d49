"""VGG-16, with and without batch normalisation, under torchvision's names: features, classifier."""

from __future__ import annotations

from typing import Any

from lfp_ref.core.layer import Layer
from lfp_ref.layers import activations
from lfp_ref.layers.average import AdaptiveAvgPool2d
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.dropout import Dropout
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.norm import BatchNorm
from lfp_ref.models.arguments import checked
from lfp_ref.models.line import Make, Neurons, built, stack
from lfp_ref.network import Sequential

FEATURES = "-p2-".join("-".join([f"{filters}c3+1"] * count)
                       for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))) + "-p2"  # fmt: skip


@checked
def vgg16(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0, **options: Any
) -> Sequential:
    """VGG-16: thirteen convolutions of 3 x 3 and dense 4096-4096-classes, for images of at least 32 x 32 pixels.

    dropout: of what the last two dense layers get, in torchvision 0.5.
    Source: Simonyan and Zisserman 2015, arXiv:1409.1556, configuration D; means over 7 x 7 regions as torchvision's.
    """
    return _vgg(input_shape, classes, lambda layer: [layer, act()], act, dropout, options)


@checked
def vgg16_bn(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0, **options: Any
) -> Sequential:
    """VGG-16 with batch normalisation after each convolution; otherwise as vgg16."""

    def normalised(layer: Conv2d | Dense) -> list[Layer]:
        return [layer, BatchNorm(layer.out_channels, **options), act()] if isinstance(layer, Conv2d) else [layer]

    return _vgg(input_shape, classes, normalised, act, dropout, options)


def _vgg(
    input_shape: tuple[int, ...], classes: int, neurons: Neurons, act: Make, dropout: float, options: dict[str, Any]
) -> Sequential:
    features, _ = stack(FEATURES, input_shape, neurons, **options)
    classifier = {
        "0": Dense(512 * 7 * 7, 4096, **options), "1": act(), "2": Dropout(dropout, options.get("rng")),
        "3": Dense(4096, 4096, **options), "4": act(), "5": Dropout(dropout, options.get("rng")),
        "6": Dense(4096, classes, **options),
    }  # fmt: skip
    if not dropout:
        del classifier["2"], classifier["5"]
    layers = {"features": Sequential(*features), "avgpool": AdaptiveAvgPool2d(7), "flatten": Flatten(),
              "classifier": Sequential(classifier)}  # fmt: skip
    return built(input_shape, layers)
