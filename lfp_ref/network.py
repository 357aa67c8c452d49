"""Networks: the order of layers, and the names of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lfp_ref import summary
from lfp_ref.core.checks import check_int, check_one_of
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.core.state import join
from lfp_ref.layers.encoding import Encoding
from lfp_ref.layers.lif import LIF


class Sequential(Layer):
    """Layers one after the other; itself a layer, so it nests. Parameters are named "0.weight", "0.bias", "2.weight".

    One mapping in place of the layers gives them names of their own, as in Sequential({"conv1": ..., "fc": ...}).
    input_shape: of one sample, where whoever built the network said so (lfp.models).
    All layers with parameters have one dtype, which is the network's. A layer may stand in several networks, and
    several times in one: its feedback then adds up.
    Raises TypeError for what is not a layer and for mixed dtypes, ValueError for no layers and for names with a dot.
    """

    batch_first = False
    input_shape: tuple[int, ...] | None = None

    def __init__(self, *layers: Layer | Mapping[str, Layer]) -> None:
        first = layers[0] if len(layers) == 1 else None
        named = first if isinstance(first, Mapping) else {str(number): layer for number, layer in enumerate(layers)}
        if not named:
            raise ValueError(f"{type(self).__name__} needs at least one layer, got no layers")
        self._children: dict[str, Layer] = {}
        for name, layer in named.items():
            if not isinstance(layer, Layer):
                raise TypeError(f"{type(self).__name__} takes layers; number {name} is {layer!r}")
            if not isinstance(name, str) or not name or "." in name:
                raise ValueError(f"{type(self).__name__}: a layer's name is text without a dot, got {name!r}")
            self._children[name] = layer
        self.layers = tuple(self._children.values())
        self.check_dtypes()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.layers))})"

    @property
    def label(self) -> str:
        return "network"

    @property
    def account_name(self) -> str:
        return ""

    def summary(self, input_shape: tuple[int, ...] | None = None) -> None:
        """Prints a table: layers, their outputs' shapes, parameters, multiplications (lfp_ref/summary.py).

        input_shape: of one sample; None is the shape that the network was built for by its name (lfp.models).
        Raises ValueError where that is not known, and where samples of that shape do not fit.
        """
        shape = self.input_shape if input_shape is None else input_shape
        if shape is None:
            raise ValueError("summary needs the shape of one sample, as in net.summary((1, 28, 28))")
        print(summary.table(self, tuple(shape)))

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, number: int) -> Any:
        """The layer of that number, typed as Any: its class, and so its attributes, are known to the user alone."""
        return self.layers[number]

    def children(self) -> dict[str, Layer]:
        return self._children

    def first_layers(self, path: str = "") -> list[str]:
        found = (layer.first_layers(join(path, name)) for name, layer in self._children.items())
        return next((first for first in found if first), [])

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        for name in self._children:
            a = node.forward(name, a)
        return a

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        names = list(self._children)
        # without the input's reward the way back ends at the first layer that has something to learn
        trained = (number for number, layer in enumerate(self.layers) if layer.has_parameters)
        first = 0 if node.wanted else next(trained, len(names))
        for number in range(len(names) - 1, first - 1, -1):
            handed = node.feedback(names[number], reward, node.wanted or number > first)
            if handed is None:
                return None
            reward = handed
        return reward


class Spiking(Sequential):
    """Layers one after the other, run over T steps of time; the last one, and as many others as you like, are LIF.

    steps: T. inputs: "constant" takes samples (N, ...) and shows them unchanged at every step, the LIF or encoding
    that comes first (lfp.RateCode, lfp.LatencyCode) puts them into time; "given" takes (T, N, ...), spikes or not.
    forward gives spikes (T, N, ...), 0 or 1; feedback takes their reward. Between LIFs, pooling, flatten, dropout and
    all others work step by step (dropout draws anew at each). A layer needs no other layer's step t to run its own
    t + 1, so all steps of one layer run before the next one begins, with time folded into the batch: (..., T*N).
    Raises, besides what Sequential raises, ValueError for another last layer, steps or inputs, and where constant
    inputs meet a LIF only inside of another layer.
    Source: the paper's section on spiking networks.
    """

    def __init__(self, *layers: Layer, steps: int = 15, inputs: str = "constant") -> None:
        super().__init__(*layers)
        check_one_of("inputs", inputs, ("constant", "given"))
        if not isinstance(layers[-1], LIF):
            raise ValueError(f"the last layer must be a LIF, for an output of spikes; got {layers[-1]!r}")
        timed = (LIF, Encoding)
        first = next(layer for layer in layers if any(isinstance(inner, timed) for _, inner in layer.named_layers()))
        if inputs == "constant" and not isinstance(first, timed):
            raise ValueError(f"constant inputs need a LIF or an encoding of their own to enter time, not {first!r}")
        self.steps = check_int("steps", steps)
        self.inputs = inputs
        self.sample_axis = 1 if inputs == "given" else 0

    def __repr__(self) -> str:
        return f"Spiking({', '.join(map(repr, self.layers))}, steps={self.steps})"

    def fold(self, x: np.ndarray) -> tuple[np.ndarray, int, int | None]:
        steps = check_int("steps", self.steps)
        if self.inputs == "constant":
            return x, len(x) if x.ndim else 0, steps
        if x.ndim < 3 or len(x) != steps:
            raise ValueError(f"{self.label}: x must have shape ({steps}, N, ...), got {x.shape}")
        return x.reshape(-1, *x.shape[2:]), x.shape[1], steps

    def unfold(self, outputs: np.ndarray, steps: int | None) -> np.ndarray:
        return outputs.reshape(steps or 1, -1, *outputs.shape[1:])

    def unfold_input(self, reward: np.ndarray, steps: int | None) -> np.ndarray:
        return reward if self.inputs == "constant" else self.unfold(reward, steps)

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        if node.path:
            raise ValueError(f"{node.label}: a spiking network is a network of its own, not part of another")
        return super().propagate(a, node)

    def count(self, node: Node) -> dict[str, float]:
        """What neuromorphic hardware would do for a pass, by name.

        spike_rate_<path>: spikes of a neuron in a step. operations: additions of a weight per sample, an estimate.
        """
        lifs = [(inner, inner.layer) for inner in node.walk() if isinstance(inner.layer, LIF)]
        rates = {f"spike_rate_{inner.path}": float(np.count_nonzero(inner.output) / inner.output.size)
                 for inner, _ in lifs}  # fmt: skip
        return rates | {"operations": sum(lif.operations(inner) for inner, lif in lifs)}
