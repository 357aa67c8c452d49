"""Networks: the order of layers, and the names of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lfp_ref.layers.base import Layer, whole
from lfp_ref.layers.lif import LIF
from lfp_ref.layers.timed import Clock, Timed
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
        # where the way back may end
        self.first_trained = next((i for i, layer in enumerate(layers) if layer.parameters()), len(layers))
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
        is_spare = False
        for layer in self.layers:
            x = a if layer.takes_spikes else layer.numbers(a, self.dtype)
            a = np.ascontiguousarray(layer.propagate(x, training))
            layer.spare = x if is_spare else None
            is_spare = not layer.needs_output
        return self.remember(a)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        first = 0 if wanted else self.first_trained
        for number in range(len(self) - 1, first - 1, -1):
            handed = self.layers[number].hand_back(reward, rules, wanted or number > first)
            if handed is None:
                return None
            reward = np.ascontiguousarray(handed)
        return reward


class Spiking(Sequential):
    """Layers one after the other, run over T steps of time; the last one, and as many others as you like, are LIF.

    steps: T. inputs: "constant" takes samples (N, ...) and shows them unchanged at every step, the LIF or encoding
    that comes first (lfp.RateCode, lfp.LatencyCode) puts them into time; "given" takes (T, N, ...), spikes or not.
    forward gives spikes (T, N, ...), 0 or 1; feedback takes their reward. Between LIFs, pooling, flatten, dropout and
    all others work step by step (dropout draws anew at each).
    Raises, besides what Sequential raises, ValueError for another last layer, steps or inputs, and where constant
    inputs meet a LIF only inside of another layer.
    Source: the paper's section on spiking networks.
    """

    def __init__(self, *layers: Layer, steps: int = 15, inputs: str = "constant") -> None:
        super().__init__(*layers)
        if inputs not in ("constant", "given"):
            raise ValueError(f'inputs must be "constant" or "given", got {inputs!r}')
        if not isinstance(layers[-1], LIF):
            raise ValueError(f"the last layer must be a LIF, for an output of spikes; got {layers[-1]!r}")
        first = next(layer for layer in layers if any(isinstance(inner, Timed) for _, inner in layer.named_layers()))
        if inputs == "constant" and not isinstance(first, Timed):
            raise ValueError(f"constant inputs need a LIF or an encoding of their own to enter time, not {first!r}")
        self.steps, self.inputs = whole("steps", steps), inputs
        self.sample_axis = 1 if inputs == "given" else 0
        self.clock = Clock(self.steps)
        for _, layer in self.named_layers():
            if isinstance(layer, Timed):
                layer.clock = self.clock

    def __repr__(self) -> str:
        return f"Spiking({', '.join(map(repr, self.layers))}, steps={self.steps})"

    @property
    def samples(self) -> int:
        return self.clock.samples

    def parts(self, samples: int) -> int:
        return 1  # its batch is long, being over time, and its layers have ways of their own to share it among threads

    # ---- the door: time is folded into the batch inside

    def forward(self, x: ArrayLike, training: bool = False) -> np.ndarray:
        """Spikes (T, N, ...) for samples (N, ...), or (T, N, ...) where the input is given over time.

        training and errors as in Layer.forward.
        """
        x = np.asarray(x)
        if self.inputs == "given":
            if x.ndim < 3 or len(x) != self.steps:
                raise ValueError(f"{self.label}: input must have shape ({self.steps}, N, ...), got {x.shape}")
            x = x.reshape(-1, *x.shape[2:])
        return self._unfold(super().forward(x, training))

    def feedback(
        self, reward: ArrayLike, rule: Rule | Mapping[Any, Rule] | None = None, input_reward: bool = True
    ) -> np.ndarray | None:
        """Hands the reward (T, N, ...) of the spikes back; arguments and errors as in Layer.feedback.

        Returns the reward of the input, of its shape: of a constant input, the sum over time.
        """
        reward = np.asarray(reward)
        if self.seen is not None:
            shape = (self.steps, self.samples, *self.output.shape[1:-1])
            if reward.shape != shape:
                raise ValueError(f"{self.label}: reward must have the output's shape {shape}, got {reward.shape}")
            reward = reward.reshape(-1, *shape[2:])
        result = super().feedback(reward, rule, input_reward)
        return result if result is None or self.inputs == "constant" else self._unfold(result)

    def _unfold(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(self.steps, -1, *x.shape[1:])

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        if self.path:
            raise ValueError(f"{self.label}: a spiking network is a network of its own, no part of another")
        self.seen = None  # where a layer refuses its input there is no pass to hand a reward back through
        self.clock.samples = a.shape[-1] // (self.steps if self.inputs == "given" else 1)
        return self.remember(self.numbers(super().propagate(a, training), self.dtype))

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        for _, layer in self.named_layers():
            if isinstance(layer, LIF):
                layer.check_rule(rules[layer.layer])
        return super().hand_back(reward, rules, wanted)

    # ---- what is counted

    def activity(self) -> dict[str, float]:
        """What neuromorphic hardware would do for the last forward pass, by name.

        spike_rate_<path>: spikes of a neuron in a step. operations: additions of a weight per sample, an estimate.
        """
        lifs = [layer for _, layer in self.named_layers() if isinstance(layer, LIF)]
        rates = {f"spike_rate_{lif.path}": lif.rate() for lif in lifs}
        return rates | {"operations": sum(lif.operations() for lif in lifs)}
