"""Time: what the layers of a spiking network share.

A layer needs no other layer's step t to run its own t + 1. So all T steps of one layer run before the next one begins,
and time is folded into the batch: (..., T*N), step by step. Layers that know nothing of time work unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

from lfp_ref.layers.base import Layer


@dataclass
class Clock:
    """What the layers of a spiking network have in common: steps T, and the samples N of the last pass."""

    steps: int
    samples: int = 0


class Timed(Layer):
    """Base of layers that know of time.

    clock: the network's; None as long as the layer belongs to none.
    """

    clock: Clock | None = None

    def time(self) -> Clock:
        """The network's clock. Raises RuntimeError outside of a spiking network."""
        if self.clock is None:
            raise RuntimeError(f"{self.label} runs over time: put it into lfp.Spiking(..., steps=15)")
        return self.clock
