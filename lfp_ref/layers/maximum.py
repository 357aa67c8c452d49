"""Branches that meet by their maximum, as in spiking residual networks: a neuron spikes where either branch does.

    y   = max(u, v)    with u = body(x), v = shortcut(x)
    r_u = r where u > v,    r / 2 where u = v,    0 where u < v;    r_v = r - r_u
    r_x = the rewards that both branches hand back to their common input, added up

Winner takes all, as in max pooling; of two branches that are equal each has half a claim. Spikes are equal more often
than not, and if the first won then the second would never be rewarded for a spike that both had.
"""

from __future__ import annotations

import numpy as np

from lfp_ref.core.checks import shown
from lfp_ref.core.layer import Layer
from lfp_ref.core.layout import batch_first_shape
from lfp_ref.core.node import Node


class Maximum(Layer):
    """max(body(x), shortcut(x)): input as the body takes it, output as both give it.

    body, shortcut: layers whose outputs have equal shapes; shortcut None is the identity.
    Raises TypeError for what is not a layer, ValueError where the outputs' shapes differ.
    Source: lfprop's spiking ResNet, which takes PyTorch's gradient of the maximum for the reward: half each if equal.
    """

    batch_first = False

    def __init__(self, body: Layer, shortcut: Layer | None = None) -> None:
        if not isinstance(body, Layer) or not isinstance(shortcut, Layer | None):
            raise TypeError(f"Maximum: body and shortcut must be layers, got {shown(body)} and {shown(shortcut)}")
        self.body = body
        self.shortcut = shortcut
        self.check_dtypes()

    def __repr__(self) -> str:
        return f"Maximum({self.body!r}{'' if self.shortcut is None else f', {self.shortcut!r}'})"

    @property
    def account_name(self) -> str:
        return "maximum of branches"

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        u = node.forward("body", a)
        v = node.forward("shortcut", a) if self.shortcut else a
        agree = f"body: {batch_first_shape(u.shape)}, shortcut: {batch_first_shape(v.shape)}"
        node.expect(u.shape == v.shape, a, f"for which both branches agree ({agree})")
        node.saved = u, v
        return np.maximum(u, v, out=node.scratch("y", u.shape, u.dtype))

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        u, v = node.saved
        half = reward.dtype.type(0.5)
        r_u = np.where(u > v, reward, np.where(u == v, half * reward, 0))
        r_v = np.where(v > u, reward, np.where(u == v, half * reward, 0))
        r_body = node.feedback("body", r_u)
        r_shortcut = node.feedback("shortcut", r_v) if self.shortcut else r_v
        if r_body is None or r_shortcut is None:
            return None
        return r_body + r_shortcut
