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
from lfp_ref.core.node import Node
from lfp_ref.layers.branches import Branches


class Maximum(Branches):
    """max(body(x), shortcut(x)): input as the body takes it, output as both give it.

    body, shortcut: layers whose outputs have equal shapes; shortcut None is the identity.
    Raises TypeError for what is not a layer, ValueError where the outputs' shapes differ.
    Source: lfprop's spiking ResNet, which takes PyTorch's gradient of the maximum for the reward: half each if equal.
    """

    def __init__(self, body: Layer, shortcut: Layer | None = None) -> None:
        if not isinstance(body, Layer) or not isinstance(shortcut, Layer | None):
            raise TypeError(f"Maximum: body and shortcut must be layers, got {shown(body)} and {shown(shortcut)}")
        super().__init__(body, shortcut)

    @property
    def account_name(self) -> str:
        return "maximum of branches"

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        u, v = self.propagate_both(a, node)
        node.saved = u, v
        return np.maximum(u, v, out=node.scratch("y", u.shape, u.dtype))

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        u, v = node.saved
        half = reward.dtype.type(0.5)
        r_u = np.where(u > v, reward, np.where(u == v, half * reward, 0))
        r_v = np.where(v > u, reward, np.where(u == v, half * reward, 0))
        handed = self.hand_back_both(r_u, r_v, node)
        return None if handed is None else handed[0] + handed[1]
