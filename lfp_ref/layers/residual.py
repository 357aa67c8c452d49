"""Residual connection: a sum of two branches.

    y   = body(x) + shortcut(x)              (shortcut: the identity, if none is given)
    s   = r / stab(y, epsilon)
    r_k = y_k s                              the reward of branch k, by its contribution
    r_x = the rewards that both branches hand back to their common input, added up

A sum is a weighted sum with weights 1 and no bias, so any rule hands its reward back (weighted.py): under z-plus only
what a branch contributed above 0 counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from lfp_ref.core.checks import refuse
from lfp_ref.core.layer import Layer
from lfp_ref.core.layout import batch_first_shape
from lfp_ref.core.node import Node
from lfp_ref.kernels.compile import elementwise
from lfp_ref.layers.weighted import WeightedLayer
from lfp_ref.rules import Term


@elementwise
def add(u, v, y):
    """y = u + v.  Flat arrays; y may be u."""
    for k in prange(u.size):
        y[k] = u[k] + v[k]


class Residual(WeightedLayer):
    """body(x) + shortcut(x): input as the body takes it, output as both give it.

    body, shortcut: layers whose outputs have equal shapes; shortcut None is the identity.
    Raises ValueError where the outputs' shapes differ.
    Source: LRP practice for sums (a weighted sum with weights 1 and no bias).
    """

    shortcut_name = "shortcut"

    def __init__(self, body: Layer, shortcut: Layer | None = None) -> None:
        if not isinstance(body, Layer):
            raise refuse("Residual: body", "a layer", body, TypeError)
        if not isinstance(shortcut, Layer | None):
            raise refuse("Residual: shortcut", "a layer or None", shortcut, TypeError)
        self.body = body
        self.shortcut = shortcut
        self.check_dtypes()

    def __repr__(self) -> str:
        return f"Residual({self.body!r}{'' if self.shortcut is None else f', {self.shortcut!r}'})"

    @property
    def account_name(self) -> str:
        return "sum of branches"

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        u = self.propagate_body(a, node)
        v = node.forward(self.shortcut_name, a) if self.shortcut else a
        agree = f"body: {batch_first_shape(u.shape)}, shortcut: {batch_first_shape(v.shape)}"
        node.expect(u.shape == v.shape, a, f"for which both branches agree ({agree})")
        y = node.scratch("y", u.shape, u.dtype)
        add(u.reshape(-1), v.reshape(-1), y.reshape(-1))
        node.saved = (u, v), y
        return y

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        (u, v), y = node.saved
        if node.rule.is_plain:
            s = node.divide_by_output(reward, y, out=reward)
            r_u = node.times_input(s, u, out=node.scratch("r_u", s.shape, s.dtype))
            r_v = node.times_input(s, v, out=node.scratch("r_v", s.shape, s.dtype))
            if r_u is r_v:  # under Gradient both are s, and a branch may overwrite its own
                r_v = s.copy()
        else:
            both = super().hand_back(reward, node)
            assert both is not None, "branches always want their rewards"
            r_u, r_v = both
        r_body = self.hand_back_body(r_u, node)
        r_shortcut = node.feedback(self.shortcut_name, r_v) if self.shortcut else r_v
        if r_body is None or r_shortcut is None:
            return None
        add(r_body.reshape(-1), r_shortcut.reshape(-1), r_body.reshape(-1))
        return r_body

    def propagate_body(self, a: np.ndarray, node: Node) -> np.ndarray:
        """The body's output."""
        return node.forward("body", a)

    def hand_back_body(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        """The reward that the body hands back to the input."""
        return node.feedback("body", reward)

    # ---- the sum as a weighted sum of stacked branches (2, ..., N)

    def wants_reward(self, node: Node) -> bool:
        return True

    def operands(self, term: Term, a: Any, node: Node) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return super().operands(term, np.stack(a), node)

    def weight_value(self, node: Node) -> np.ndarray:
        return np.ones(1)

    def forward_sum(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, node: Node, name: str) -> np.ndarray:
        return a.dtype.type(w[0]) * a.sum(axis=0)

    def backward_input(self, s: np.ndarray, w: np.ndarray, node: Node, name: str) -> np.ndarray:
        return np.stack([s, s]) * s.dtype.type(w[0])
