"""Flatten: (C, H, W) becomes one axis, row-major as in PyTorch; the reward takes the way back."""

from __future__ import annotations

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node


class Flatten(Layer):
    """Input (N, ...), output (N, product of the rest). Source: as in PyTorch."""

    batch_first = False

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        return a.reshape(-1, a.shape[-1])

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        return reward.reshape(node.input_shape)
