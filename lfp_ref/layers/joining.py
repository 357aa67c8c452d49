"""Layers that only pass on or join: the identity, and the concatenation of branches.

Identity:     y = x,                       r_x = r_y
Concatenate:  y = (branch_1(x), branch_2(x), ...) along the channels; each branch gets its slice of the reward, and the
              rewards that they hand back to their common input are added up.

Neither divides or multiplies, so both conserve every reward exactly, under any rule; under Gradient they are the same.
"""

from __future__ import annotations

import numpy as np

from lfp_ref.core.checks import refuse
from lfp_ref.core.layer import Layer
from lfp_ref.core.layout import batch_first_shape
from lfp_ref.core.node import Node


class Identity(Layer):
    """The input as it is, of any shape (N, ...); as a branch of Concatenate or in place of a layer taken out.

    Its reward is handed on unchanged. Source: LRP practice.
    """

    batch_first = False

    @property
    def account_name(self) -> str:
        return ""

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        return a

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        return reward


class Concatenate(Layer):
    """The outputs of several branches, one behind the other along axis 1: (N, C1 + C2 + ..., ...).

    branches: layers that take the same input (N, ...) and give outputs (N, C_k, ...) that agree in all axes but C_k.
    Raises TypeError for what is not a layer and for mixed dtypes, ValueError for no branches, and, once it runs, for
    outputs that do not agree. Source: each part gets its slice of the reward, as in lfprop and zennit (autograd).
    """

    batch_first = False

    def __init__(self, *branches: Layer) -> None:
        if not branches:
            raise ValueError("Concatenate needs at least one branch")
        for branch in branches:
            if not isinstance(branch, Layer):
                raise refuse("Concatenate: each of branches", "a layer", branch, TypeError)
        self.branches = branches
        self.check_dtypes()

    def __repr__(self) -> str:
        return f"Concatenate({', '.join(map(repr, self.branches))})"

    @property
    def account_name(self) -> str:
        return ""

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        parts = [node.forward(name, a) for name in self.children()]
        shapes = ", ".join(str(batch_first_shape(part.shape)) for part in parts)
        agree = all(part.ndim >= 2 and part.shape[1:] == parts[0].shape[1:] for part in parts)
        node.expect(agree, a, f"for which the branches' outputs agree in all axes but the second (they are {shapes})")
        node.saved = np.cumsum([len(part) for part in parts])[:-1]
        return np.concatenate(parts)

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        slices = zip(self.children(), np.split(reward, node.saved), strict=True)
        handed = [node.feedback(name, np.ascontiguousarray(part)) for name, part in slices]
        rewards = [each for each in handed if each is not None]
        return np.sum(rewards, axis=0, dtype=reward.dtype) if len(rewards) == len(handed) else None
