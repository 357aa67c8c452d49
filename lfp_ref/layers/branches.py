"""Two branches with one input: a body, and a shortcut beside it.

    u = body(x),  v = shortcut(x)            (shortcut: the identity, if none is given)

How they are joined, and how the reward is parted between them, is in residual.py (sum) and maximum.py.
"""

from __future__ import annotations

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.core.layout import batch_first_shape
from lfp_ref.core.node import Node


class Branches(Layer):
    """Base of Residual and Maximum. shortcut_name: the shortcut's in parameters' names."""

    batch_first = False
    shortcut_name = "shortcut"

    def __init__(self, body: Layer, shortcut: Layer | None) -> None:
        self.body = body
        self.shortcut = shortcut
        self.check_dtypes()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.body!r}{'' if self.shortcut is None else f', {self.shortcut!r}'})"

    def propagate_both(self, a: np.ndarray, node: Node) -> tuple[np.ndarray, np.ndarray]:
        """(u, v). Raises ValueError where their shapes differ."""
        u = self.propagate_body(a, node)
        v = node.forward(self.shortcut_name, a) if self.shortcut else a
        agree = f"body: {batch_first_shape(u.shape)}, shortcut: {batch_first_shape(v.shape)}"
        node.expect(u.shape == v.shape, a, f"for which both branches agree ({agree})")
        return u, v

    def hand_back_both(self, r_u: np.ndarray, r_v: np.ndarray, node: Node) -> tuple[np.ndarray, np.ndarray] | None:
        """The rewards that body and shortcut hand back to the input; None where nobody needs them."""
        r_body = self.hand_back_body(r_u, node)
        r_shortcut = node.feedback(self.shortcut_name, r_v) if self.shortcut else r_v
        return None if r_body is None or r_shortcut is None else (r_body, r_shortcut)

    def propagate_body(self, a: np.ndarray, node: Node) -> np.ndarray:
        """The body's output."""
        return node.forward("body", a)

    def hand_back_body(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        """The reward that the body hands back to the input."""
        return node.feedback("body", reward)
