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
from lfp_ref.core.node import Node
from lfp_ref.kernels.compile import elementwise
from lfp_ref.layers.branches import Branches
from lfp_ref.layers.weighted import WeightedLayer
from lfp_ref.rules import Term


@elementwise
def add(u, v, y):
    """y = u + v.  Flat arrays; y may be u."""
    for k in prange(u.size):
        y[k] = u[k] + v[k]


class Residual(Branches, WeightedLayer):
    """body(x) + shortcut(x): input as the body takes it, output as both give it.

    body, shortcut: layers whose outputs have equal shapes; shortcut None is the identity.
    Raises ValueError where the outputs' shapes differ.
    Source: LRP practice for sums (a weighted sum with weights 1 and no bias).
    """

    def __init__(self, body: Layer, shortcut: Layer | None = None) -> None:
        if not isinstance(body, Layer):
            raise refuse("Residual: body", "a layer", body, TypeError)
        if not isinstance(shortcut, Layer | None):
            raise refuse("Residual: shortcut", "a layer or None", shortcut, TypeError)
        super().__init__(body, shortcut)

    @property
    def account_name(self) -> str:
        return "sum of branches"

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        u, v = self.propagate_both(a, node)
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
        handed = self.hand_back_both(r_u, r_v, node)
        if handed is None:
            return None
        r_body, r_shortcut = handed
        add(r_body.reshape(-1), r_shortcut.reshape(-1), r_body.reshape(-1))
        return r_body

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
