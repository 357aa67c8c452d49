"""What ONNX says of windows in other words: mean pools whose windows are cut off, or of different sizes."""

from __future__ import annotations

import math

import numpy as np

from lfp_ref.layers.average import AdaptiveAvgPool2d, AvgPool2d
from lfp_ref.layers.pool import Pool2d


def pads(layer: Pool2d, shape: tuple[int, ...]) -> list[int]:
    """Padding in front, and behind so much more that ceil_mode's last window is whole, for an input (C, H, W, N)."""
    behind = []
    for axis, windows in enumerate(layer.windows(shape)):
        reach = (len(windows.counts) - 1) * layer.stride[axis] + layer.kernel_size[axis]
        behind.append(max(layer.padding[axis], reach - layer.padding[axis] - shape[1 + axis]))
    return [*layer.padding, *behind]


def whole_windows(layer: AvgPool2d, shape: tuple[int, ...]) -> np.ndarray:
    """What makes means over whole windows, padding included, those of the layer: (HO, WO)."""
    counts = np.outer(*(windows.counts for windows in layer.windows(shape)))
    included = layer.count_include_pad and layer.ceil_mode
    return math.prod(layer.kernel_size) / counts if included else np.ones(counts.shape)


def region_means(layer: AdaptiveAvgPool2d, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Means of regions as two matrix products, rows @ image @ columns^T: (HO, H), (WO, W)."""
    rows, columns = (
        np.array([(begin <= np.arange(size)) & (np.arange(size) < end) for begin, end in windows.inside])
        / windows.counts[:, None]
        for windows, size in zip(layer.windows(shape), shape[1:3], strict=True)
    )
    return rows, columns
