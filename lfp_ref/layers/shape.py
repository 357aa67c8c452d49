"""Flatten: (C, H, W) becomes one axis, row-major as in PyTorch; the reward takes the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lfp_ref.layers.base import Layer
from lfp_ref.rules import Rule


class Flatten(Layer):
    """Input (N, ...), output (N, product of the rest). Source: as in PyTorch."""

    takes_spikes = True

    def __repr__(self) -> str:
        return "Flatten()"

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        return self.remember(a.reshape(len(a), -1, a.shape[-1]), a.shape)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        (shape,) = self.seen
        return reward.reshape(shape)
