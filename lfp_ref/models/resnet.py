"""Residual networks under torchvision's names: conv1, bn1, layer1.0.conv1, layer2.0.downsample.0, fc.

norm: what makes the layer behind each convolution, from the number of filters, dtype and rng: `lfp.BatchNorm`; or
`lambda filters, **options: lfp.GroupNorm(8, filters, **options)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.core.state import join
from lfp_ref.layers import activations
from lfp_ref.layers.average import GlobalAvgPool2d
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.dropout import Dropout
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.norm import BatchNorm
from lfp_ref.layers.pool import MaxPool2d
from lfp_ref.layers.residual import Residual
from lfp_ref.models.arguments import checked
from lfp_ref.models.line import Make, built, check_image
from lfp_ref.network import Sequential

Norm = Callable[..., Layer]


class BasicBlock(Residual):
    """act(bn2(conv2(act(bn1(conv1(x))))) + downsample(x)); downsample is the identity where shapes agree.

    Input (N, channels, H, W), output (N, filters, ceil(H / stride), ceil(W / stride)).
    Source: He et al. 2016, arXiv:1512.03385; names as in torchvision.
    """

    shortcut_name = "downsample"
    body: Sequential

    def __init__(
        self, channels: int, filters: int, stride: int, act: Make, norm: Norm = BatchNorm, **options: Any
    ) -> None:
        self.act2 = act()
        body = Sequential({
            "conv1": _convolution(channels, filters, 3, stride, **options),
            "bn1": norm(filters, **options), "act1": act(),
            "conv2": _convolution(filters, filters, 3, **options), "bn2": norm(filters, **options),
        })  # fmt: skip
        projection = [_convolution(channels, filters, 1, stride, **options), norm(filters, **options)]
        super().__init__(body, None if stride == 1 and channels == filters else Sequential(*projection))

    def children(self) -> dict[str, Layer]:
        shortcut = {self.shortcut_name: self.shortcut} if self.shortcut else {}
        return self.body.children() | shortcut | {"act2": self.act2}

    def first_layers(self, path: str = "") -> list[str]:
        shortcut = self.shortcut.first_layers(join(path, self.shortcut_name)) if self.shortcut else []
        return self.body.first_layers(path) + shortcut

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        return node.forward("act2", super().propagate(a, node))

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        at_sum = node.feedback("act2", reward, wanted=True)
        assert at_sum is not None, "it is wanted"
        return super().hand_back(at_sum, node)

    # ---- the body's layers are this one's

    def propagate_body(self, a: np.ndarray, node: Node) -> np.ndarray:
        return self.body.propagate(a, node)

    def hand_back_body(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        return self.body.hand_back(reward, node)


@checked
def resnet18(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0,
    norm: Norm = BatchNorm, **options: Any,
) -> Sequential:  # fmt: skip
    """ResNet-18: a convolution of 7 x 7, then two blocks each of 64, 128, 256 and 512 filters.

    Source: as BasicBlock.
    """
    return _resnet(input_shape, classes, (64, 128, 256, 512), (2, 2, 2, 2), act, dropout, norm, options)


@checked
def resnet34(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0,
    norm: Norm = BatchNorm, **options: Any,
) -> Sequential:  # fmt: skip
    """ResNet-34: resnet18 with 3, 4, 6 and 3 blocks."""
    return _resnet(input_shape, classes, (64, 128, 256, 512), (3, 4, 6, 3), act, dropout, norm, options)


@checked
def resnet8(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0,
    norm: Norm = BatchNorm, **options: Any,
) -> Sequential:  # fmt: skip
    """ResNet-8 for small images: a convolution of 3 x 3, then one block each of 16, 32 and 64 filters."""
    return _resnet(input_shape, classes, (16, 32, 64), (1, 1, 1), act, dropout, norm, options)


@checked
def resnet20(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.ReLU, dropout: float = 0.0,
    norm: Norm = BatchNorm, **options: Any,
) -> Sequential:  # fmt: skip
    """ResNet-20 for small images: resnet8 with three blocks each.

    Source: as BasicBlock, its section on CIFAR-10, with a 1 x 1 convolution where the number of filters grows.
    """
    return _resnet(input_shape, classes, (16, 32, 64), (3, 3, 3), act, dropout, norm, options)


def _resnet(
    input_shape: tuple[int, ...],
    classes: int,
    filters: Sequence[int],
    blocks: Sequence[int],
    act: Make,
    dropout: float,
    norm: Norm,
    options: dict[str, Any],
) -> Sequential:
    """One stage for each number of filters; the first convolution of four stages (ImageNet's) quarters the image."""
    channels, _, _ = check_image(input_shape, 1)
    width = filters[0]
    layers: dict[str, Layer] = {"dropout": Dropout(dropout, options.get("rng"))} if dropout else {}
    if len(filters) == 4:
        layers["conv1"] = _convolution(channels, width, 7, 2, **options)
    else:
        layers["conv1"] = _convolution(channels, width, 3, **options)
    layers |= {"bn1": norm(width, **options), "act": act()}
    if len(filters) == 4:
        layers["maxpool"] = MaxPool2d(3, stride=2, padding=1)
    for stage, (wider, count) in enumerate(zip(filters, blocks, strict=True), 1):
        first = BasicBlock(width, wider, 1 if stage == 1 else 2, act, norm, **options)
        others = [BasicBlock(wider, wider, 1, act, norm, **options) for _ in range(count - 1)]
        layers[f"layer{stage}"] = Sequential(first, *others)
        width = wider
    layers |= {"avgpool": GlobalAvgPool2d(), "flatten": Flatten(), "fc": Dense(width, classes, **options)}
    return built(input_shape, layers)


def _convolution(channels: int, filters: int, size: int, stride: int = 1, **options: Any) -> Conv2d:
    """A convolution that keeps an image's size at stride 1."""
    return Conv2d(channels, filters, size, stride, size // 2, bias=False, **options)
