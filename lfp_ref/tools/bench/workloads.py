"""Workloads: whole training steps (forward, reward, feedback, clipping, optimiser) of networks by name.

    python -m lfp_ref.tools.bench.workloads WORKLOAD STEPS     one JSON line

Every workload runs in a process of its own, so that its peak memory is its own. Steps before the measured ones, half as
many, are not counted: they compile kernels and fill memory.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import get_num_threads

from lfp_ref import models, optim, rewards, rules, training
from lfp_ref.core.layer import Layer
from lfp_ref.kernels.threads import one_blas_thread
from lfp_ref.layers import dense
from lfp_ref.layers.activations import GELU, ReLU
from lfp_ref.layers.attention import MultiHeadAttention
from lfp_ref.layers.average import GlobalAvgPool2d
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.layer_norm import LayerNorm
from lfp_ref.layers.norm import BatchNorm
from lfp_ref.layers.pool import MaxPool2d
from lfp_ref.layers.residual import Residual
from lfp_ref.layers.tokens import ClassToken, PatchEmbedding, Positions, SelectToken
from lfp_ref.layers.weighted import WeightedLayer
from lfp_ref.network import Sequential, Spiking
from lfp_ref.tools.bench.measuring import WORKLOADS, Shape, median_ms, peak_memory, samples_of

# ---- networks: functions of a sample's shape and the number of classes, as in lfp_ref.models


def wide_mlp(widths: tuple[int, ...], input_shape: Shape, classes: int, **options: Any) -> Sequential:
    """Dense layers of these widths, and one for the classes."""
    sizes = [math.prod(input_shape), *widths]
    layers: list[Layer] = [Flatten()]
    for inputs, outputs in zip(sizes, widths, strict=False):
        layers += [Dense(inputs, outputs, **options), ReLU()]
    return Sequential(*layers, Dense(sizes[-1], classes, **options))


def vgg(input_shape: Shape, classes: int, **options: Any) -> Sequential:
    """64c3-64c3-p2-128c3-128c3-p2-256c3-256c3-p2-classes with padding."""
    channels, height, width = input_shape
    layers: list[Layer] = []
    for outputs in (64, 128, 256):
        layers += [Conv2d(channels, outputs, 3, padding=1, **options), ReLU()]
        layers += [Conv2d(outputs, outputs, 3, padding=1, **options), ReLU(), MaxPool2d(2)]
        channels = outputs
    return Sequential(*layers, Flatten(), Dense(channels * (height // 8) * (width // 8), classes, **options))


def resnet20(input_shape: Shape, classes: int, **options: Any) -> Sequential:
    """ResNet-20 for small images: three blocks each of 16, 32 and 64 channels (He et al. 2016, arXiv:1512.03385).

    Where the number of channels changes, the shortcut is a 1 x 1 convolution.
    """
    layers: list[Layer] = [*normalised(input_shape[0], 16, 3, 1, **options), ReLU()]
    channels = 16
    for outputs in (16, 32, 64):
        for number in range(3):
            stride = 2 if number == 0 and outputs > 16 else 1
            layers += [residual_block(channels, outputs, stride, **options), ReLU()]
            channels = outputs
    return Sequential(*layers, GlobalAvgPool2d(), Flatten(), Dense(channels, classes, **options))


def residual_block(channels: int, outputs: int, stride: int, **options: Any) -> Residual:
    """Two 3 x 3 convolutions beside a shortcut."""
    body = Sequential(
        *normalised(channels, outputs, 3, stride, **options), ReLU(), *normalised(outputs, outputs, 3, 1, **options)
    )
    if channels == outputs:
        return Residual(body)
    return Residual(body, Sequential(*normalised(channels, outputs, 1, stride, **options)))


def normalised(channels: int, outputs: int, size: int, stride: int, **options: Any) -> list[Layer]:
    """A convolution without bias, padded to keep the image's size at stride 1, and its normalisation."""
    convolution = Conv2d(channels, outputs, size, stride, size // 2, bias=False, **options)
    return [convolution, BatchNorm(outputs, **options)]


def vit(input_shape: Shape, classes: int, **options: Any) -> Sequential:
    """Four transformer blocks of width 128 and 4 heads over patches of 4 x 4 pixels and a class token."""
    channels, height, width = input_shape
    features, patches = 128, (height // 4) * (width // 4)
    layers: list[Layer] = [PatchEmbedding(channels, features, 4, **options), ClassToken(features, **options)]
    layers += [Positions(patches + 1, features, **options)]
    for _ in range(4):
        attention = Sequential(LayerNorm(features, **options), MultiHeadAttention(features, 4, **options))
        wide = Dense(features, 4 * features, **options)
        mlp = Sequential(LayerNorm(features, **options), wide, GELU(), Dense(4 * features, features, **options))
        layers += [Residual(attention), Residual(mlp)]
    return Sequential(*layers, LayerNorm(features, **options), SelectToken(), Dense(features, classes, **options))


NETWORKS: dict[str, Callable[..., Sequential]] = {
    "lenet": models.lenet,
    "lenet1": models.lenet,
    "lenet1024": models.lenet,
    "mlp": models.mlp,
    "mlp1024": partial(wide_mlp, (1024, 1024)),
    "mlp4096": partial(wide_mlp, (4096, 4096)),
    "vgg": vgg,
    "resnet20": resnet20,
    "vit": vit,
    "spiking_mlp": models.spiking_mlp,
    "spiking_cnn": models.spiking_cnn,
}


def network(workload: str, shape: Shape | None = None, **options: Any) -> Sequential:
    """The workload's network, at its initial weights. shape: of a sample, if not the workload's."""
    make = NETWORKS[workload.rsplit("-", 1)[0]]
    return make(shape or WORKLOADS[workload].shape, 10, rng=np.random.default_rng(0), **options)


# ---- a step, and what it costs


def stepper(net: Layer, workload: str) -> Callable[[np.ndarray, np.ndarray], Any]:
    """A function of a batch that makes one training step, as the peers do: SGD with momentum, norm clipped to 3."""
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    rule = rules.Gradient() if workload.endswith("gradient") else rules.Epsilon()
    reward = rewards.rate_coded if isinstance(net, Spiking) else rewards.softmax
    return lambda x, y: training.step(net, x, y, optimizer, rule, reward, clip=3.0)


def flops(net: Layer, x: np.ndarray) -> float:
    """Products and additions of a training step on x: forward, weights, and inputs of all layers but the first.

    Of sums with weights to train, none skipped. A constant input of a spiking network is summed once, not at each step.
    """
    tape = net.record(x)
    first = net.first_layers()
    total = 0.0
    for path, layer in net.named_layers():
        if isinstance(layer, WeightedLayer) and layer.weight is not None:
            sums = 2 if path in first else 3
            total += 2 * sums * tape.output(path).size * layer.weight.value[0].size
    return total


def matrix_peak() -> float:
    """FLOP/s of a large matrix product in single precision, with as many threads as everything else: best of 5."""
    size, best = 1536, 0.0
    a, z, b = np.ones((size, size), np.float32), np.empty((size, size), np.float32), np.zeros(size, np.float32)
    with one_blas_thread():
        for _ in range(5):
            start = time.perf_counter()
            dense.forward(a, a[None], b, z[None], get_num_threads())
            best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def measure(workload: str, steps: int) -> dict[str, Any]:
    """One workload's row: milliseconds, steps, operations of a step, the fraction of the matrix peak, memory."""
    net, (x, y), batch = network(workload), samples_of(WORKLOADS[workload]), WORKLOADS[workload].batch
    ms = median_ms(stepper(net, workload), x, y, batch, steps)
    memory = peak_memory()
    operations = batch * flops(net, x[:1])
    fraction = operations / (ms / 1e3) / matrix_peak()
    return {"work": workload, "ms": round(ms, 3), "steps": steps, "flops": operations,
            "peak_fraction": round(fraction, 3), "rss_mb": round(memory)}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))), flush=True)
