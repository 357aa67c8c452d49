"""Networks that are not chains: layers as nodes of a graph, and the layers that such graphs are made of.

A node sees the outputs of one or several others, joined along axis 1. So sums and products of branches are layers of
one input, (N, K * C, ...), K branches of equal shape one behind the other:

    Sum        y = a_1 + ... + a_K      a weighted sum of weights 1: its reward is shared by the rule (weighted.py)
    Product    y = a_1 ... a_K          each factor gets r / K;  Gradient: r times the other factors
    Max        y = max(a_1, ..., a_K)   the largest gets r, equal ones share it (maximum.py)
    Reshape, Transpose                  numbers change their places, and take their reward along

A value that several nodes see gets the sum of their rewards.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from lfp_ref.core.checks import check_int
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.core.state import join
from lfp_ref.layers.weighted import WeightedLayer
from lfp_ref.network import Sequential

INPUT = "input"  # the network's input, among the sources of a node


class Graph(Sequential):
    """A network whose layers see the outputs of any before them.

    layers: by name, each behind its sources. sources: of each layer, names of layers or "input"; the outputs of several
    are joined along axis 1. The output is that of the last layer.
    Raises TypeError and ValueError as Sequential, ValueError for sources that do not come before.
    Source: this project's; a value's reward is the sum over those that see it, as in every LRP (Bach et al. 2015).
    """

    def __init__(self, layers: Mapping[str, Layer], sources: Mapping[str, Sequence[str]]) -> None:
        super().__init__(dict(layers))
        known = {INPUT}
        for name in layers:
            if not sources.get(name) or not known.issuperset(sources[name]):
                raise ValueError(
                    f"Graph: sources of {name!r} must be some of {sorted(known)}, got {sources.get(name)!r}"
                )
            known.add(name)
        self.sources = {name: tuple(sources[name]) for name in layers}

    def __repr__(self) -> str:
        return f"Graph({len(self)} layers)"

    def first_layers(self, path: str = "") -> list[str]:
        found: list[str] = []
        reached = {INPUT}
        for name, layer in self._children.items():
            if reached.intersection(self.sources[name]):
                first = layer.first_layers(join(path, name))
                found += first
                reached |= set() if first else {name}
        return found

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        values = {INPUT: a}
        lengths = {}
        for name, sources in self.sources.items():
            parts = [values[source] for source in sources]
            lengths[name] = [len(part) for part in parts]
            a = values[name] = node.forward(name, parts[0] if len(parts) == 1 else np.concatenate(parts))
        node.saved = lengths
        return a

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        names = list(self.sources)
        rewards = {names[-1]: reward}
        for name in reversed(names):
            if name not in rewards:  # nobody sees it
                continue
            sources, lengths = self.sources[name], node.saved[name]
            wanted = node.wanted or set(sources) != {INPUT}
            handed = node.feedback(name, rewards.pop(name), wanted)
            if handed is None:
                continue
            parts = np.split(handed, np.cumsum(lengths)[:-1]) if len(sources) > 1 else [handed]
            for source, part in zip(sources, parts, strict=True):
                rewards[source] = rewards[source] + part if source in rewards else np.ascontiguousarray(part)
        return rewards.get(INPUT) if node.wanted else None


class Join(Layer):
    """Base of layers that join branches: input (N, branches * C, ...), output (N, C, ...).

    Raises ValueError for an input that does not divide.
    """

    batch_first = False

    def __init__(self, branches: int) -> None:
        self.branches = check_int("branches", branches)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.branches})"

    def check_input(self, a: np.ndarray, node: Node) -> None:
        node.expect(len(a) % self.branches == 0, a, f"(N, {self.branches} * C, ...)")

    def parts(self, a: np.ndarray) -> np.ndarray:
        """(K * C, ..., N) as (K, C, ..., N)."""
        return a.reshape(self.branches, -1, *a.shape[1:])


class Sum(Join, WeightedLayer):
    """The sum of branches, shared by the rule. Source: LRP practice for sums, as Residual."""

    def weight_value(self, node: Node) -> np.ndarray:
        return np.ones(1)

    def forward_sum(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, node: Node, name: str) -> np.ndarray:
        return a.dtype.type(w[0]) * self.parts(a).sum(axis=0)

    def backward_input(self, s: np.ndarray, w: np.ndarray, node: Node, name: str) -> np.ndarray:
        return np.concatenate([s] * self.branches) * s.dtype.type(w[0])


class Product(Join):
    """The product of branches. Source: AttnLRP's uniform rule (Achtibat et al. 2024)."""

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        self.check_input(a, node)
        node.saved = self.parts(a)
        return node.saved.prod(axis=0)

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        if not node.rule.is_gradient:
            return np.concatenate([reward / reward.dtype.type(self.branches)] * self.branches)
        others = [np.delete(node.saved, k, axis=0).prod(axis=0) for k in range(self.branches)]
        return np.concatenate([reward * each for each in others])


class Max(Join):
    """The largest of branches; equal ones share its reward. Source: as Maximum."""

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        self.check_input(a, node)
        parts = self.parts(a)
        y = parts.max(axis=0)
        node.saved = parts == y
        return y

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        share = reward / node.saved.sum(axis=0, dtype=reward.dtype)
        return np.concatenate(np.where(node.saved, share, reward.dtype.type(0)))


class Rearrangement(Layer):
    """Base of layers that move numbers about within a sample, and their reward back."""

    batch_first = False

    @property
    def account_name(self) -> str:
        return ""


class Reshape(Rearrangement):
    """The numbers of a sample in another shape, row-major: input (N, ...), output (N, *shape).

    Raises ValueError for an input of another number of numbers. Source: as in PyTorch.
    """

    def __init__(self, *shape: int) -> None:
        self.shape = tuple(check_int("shape", size) for size in shape)

    def __repr__(self) -> str:
        return f"Reshape{self.shape}"

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        fits = a.size // a.shape[-1] == math.prod(self.shape)
        node.expect(fits, a, f"(N, ...) with {math.prod(self.shape)} numbers a sample")
        return a.reshape(*self.shape, a.shape[-1])

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        return reward.reshape(node.input_shape)


class Transpose(Rearrangement):
    """The axes of a sample in another order: axis k of the output is axis axes[k] of the input; (1, 0) transposes.

    Raises ValueError for an input of another number of axes. Source: as in PyTorch.
    """

    def __init__(self, *axes: int) -> None:
        if sorted(axes) != list(range(len(axes))):
            raise ValueError(f"Transpose: axes must be 0..{len(axes) - 1} in some order, got {axes}")
        self.axes = axes

    def __repr__(self) -> str:
        return f"Transpose{self.axes}"

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        node.expect(a.ndim == len(self.axes) + 1, a, f"(N, ...) with {len(self.axes)} axes a sample")
        return np.ascontiguousarray(a.transpose(*self.axes, a.ndim - 1))

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        return np.ascontiguousarray(reward.transpose(*np.argsort(self.axes), reward.ndim - 1))
