"""Residual connection: a sum of two branches.

y   = body(x) + shortcut(x)              (shortcut: the identity, if none is given)
s   = r / stab(y, epsilon)
r_k = y_k s                              the reward of branch k, by what it contributed
r_x = what both branches hand back to their common input, added up
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import prange

from lfp_ref.layers.base import Layer, outside
from lfp_ref.layers.kernels import elementwise
from lfp_ref.layers.sharing import before, lost
from lfp_ref.rules import Rule


@elementwise
def forward(u, v, out):
    """out = u + v.  Flat arrays."""
    for k in prange(u.size):
        out[k] = u[k] + v[k]


@elementwise
def feedback(s, y, reward):
    """reward of one branch = y s.  Flat arrays."""
    for k in prange(s.size):
        reward[k] = y[k] * s[k]


class Residual(Layer):
    """body(x) + shortcut(x): input as the body takes it, output as both give it.

    body, shortcut: layers whose outputs have equal shapes; shortcut None is the identity.
    Raises ValueError where the outputs' shapes differ.
    Source: LRP practice for sums (the epsilon rule with weights 1 and no bias).
    """

    def __init__(self, body: Layer, shortcut: Layer | None = None) -> None:
        if not isinstance(body, Layer) or not isinstance(shortcut, Layer | None):
            raise TypeError(f"Residual takes layers, got {body!r} and {shortcut!r}")
        self.body, self.shortcut = body, shortcut
        self.adopt()

    def __repr__(self) -> str:
        return f"Residual({self.body!r}{'' if self.shortcut is None else f', {self.shortcut!r}'})"

    def children(self) -> dict[str, Layer]:
        return {"body": self.body} | ({"shortcut": self.shortcut} if self.shortcut else {})

    def first_layers(self) -> list[Layer]:
        return self.body.first_layers() + (self.shortcut.first_layers() if self.shortcut else [])

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        u = self.numbers(self.body.propagate(a, training), self.dtype, "body")
        v = self.numbers(self.shortcut.propagate(a, training), self.dtype, "shortcut") if self.shortcut else a
        self.expect(
            u.shape == v.shape,
            a,
            f"for which both branches agree (body: {outside(u.shape)}, shortcut: {outside(v.shape)})",
        )
        out = self.buffer("a", u.shape, u.dtype)
        forward(u.reshape(-1), v.reshape(-1), out.reshape(-1))
        return self.remember(out, u, v, out)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        to_body, to_shortcut = self.branches(reward, rules)
        r_u = self.body.hand_back(to_body, rules, wanted)
        r_v = self.shortcut.hand_back(to_shortcut, rules, wanted) if self.shortcut else to_shortcut
        if not wanted or r_u is None or r_v is None:
            return None
        r_u += r_v
        return r_u

    def branches(self, reward: np.ndarray, rules: Mapping[Any, Rule]) -> tuple[np.ndarray, np.ndarray]:
        """The rewards of body and shortcut; the reward of the sum may be overwritten."""
        u, v, out = self.seen
        s = before(rules[self], reward, out)
        return self._branch("u", u, s, rules[self]), self._branch("v", v, s, rules[self])

    def kept(self, reward: np.ndarray, rules: Mapping[Any, Rule]) -> dict[str, np.ndarray]:
        return lost(rules[self], reward, self.output)

    def _branch(self, name: str, y: np.ndarray, s: np.ndarray, rule: Rule) -> np.ndarray:
        reward = self.buffer(name, s.shape, s.dtype)
        if rule.shares:
            feedback(s.reshape(-1), y.reshape(-1), reward.reshape(-1))
        else:
            reward[...] = s
        return reward
