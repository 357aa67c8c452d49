"""Networks: the order of layers, and the names of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lfp_ref.layers.base import Layer
from lfp_ref.rules import Rule


class Sequential(Layer):
    """Layers one after the other; itself a layer, so it nests. Parameters are named "0.weight", "0.bias", "2.weight".

    All layers with parameters have one dtype, which is the network's.
    Raises TypeError for what is no layer or for mixed dtypes; ValueError for a layer that occurs twice.
    """

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise ValueError("Sequential needs at least one layer")
        for number, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential takes layers; number {number} is {layer!r}")
        self.layers = layers
        self.adopt()

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"

    @property
    def label(self) -> str:
        return f"network {self.path}".strip()

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, number: int) -> Layer:
        return self.layers[number]

    def children(self) -> dict[str, Layer]:
        return {str(number): layer for number, layer in enumerate(self.layers)}

    def first_layers(self) -> list[Layer]:
        return next((first for first in (layer.first_layers() for layer in self.layers) if first), [])

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        for layer in self.layers:
            a = np.ascontiguousarray(layer.propagate(a, training))
        return self.remember(a)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        first = 0 if wanted else next((i for i, layer in enumerate(self.layers) if layer.parameters()), len(self))
        for number in range(len(self) - 1, first - 1, -1):
            reward = self.layers[number].hand_back(reward, rules, wanted or number > first)
            reward = None if reward is None else np.ascontiguousarray(reward)
        return reward
