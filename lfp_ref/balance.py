"""The balance sheet: why relevance does, or does not, add up.

Every layer gets a reward, hands some of it on to its input and keeps the rest, for causes that can be named: the bias's
share, the stabiliser's share, neurons that a rule masks out, groups in which nothing flowed (an empty group), dropped
units, a batch's statistics, membranes of spiking neurons that work against their current. `balance` gives all of it,
layer by layer. What is left over is the residue: rounding error, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Layer = Any  # core/layer.py imports this module


@dataclass(frozen=True)
class Line:
    """One layer's account; every amount (N,), per sample, in double precision.

    path, layer: its place and what it is. came: from the layer above. handed: to its input. kept: by cause; what a
    layer makes from nothing counts negative.
    """

    path: str
    layer: str
    came: np.ndarray
    handed: np.ndarray
    kept: dict[str, np.ndarray]

    @property
    def residue(self) -> np.ndarray:
        """came - handed - kept: rounding error."""
        return self.came - self.handed - sum(self.kept.values(), np.zeros_like(self.came))


@dataclass(frozen=True)
class Balance:
    """lines: from output to input. came, handed: (N,), reward of the network's output and input."""

    lines: list[Line]
    came: np.ndarray
    handed: np.ndarray

    @property
    def causes(self) -> list[str]:
        """Causes that kept anything, in the order they occur."""
        return list({cause: None for line in self.lines for cause, kept in line.kept.items() if np.any(kept)})

    def kept(self, cause: str) -> np.ndarray:
        """(N,): what that cause kept in all layers together."""
        return sum((line.kept[cause] for line in self.lines if cause in line.kept), np.zeros_like(self.came))

    @property
    def residue(self) -> np.ndarray:
        """(N,): came - handed - kept, over the whole network."""
        return self.came - self.handed - sum((self.kept(cause) for cause in self.causes), np.zeros_like(self.came))

    def table(self, sample: int | None = None) -> str:
        """The account as text: of one sample, or summed over the batch."""

        def amount(x: np.ndarray) -> float:
            return float(x.sum() if sample is None else x[sample])

        wide = max(len(f"{line.path} {line.layer}") for line in self.lines)
        columns = ["came in", "handed on", *self.causes, "residue"]
        widths = [max(13, len(column) + 2) for column in columns]
        zero = np.zeros_like(self.came)
        rows = [(f"{line.path} {line.layer}".strip(), line) for line in self.lines]
        rows.append(
            ("network", Line("", "", self.came, self.handed, {cause: self.kept(cause) for cause in self.causes}))
        )
        text = [" " * wide + "".join(f"{column:>{width}s}" for column, width in zip(columns, widths, strict=True))]
        for name, line in rows:
            amounts = [line.came, line.handed, *(line.kept.get(cause, zero) for cause in self.causes)]
            numbers = "".join(f"{amount(x):{width}.6f}" for x, width in zip(amounts, widths, strict=False))
            text.append(f"{name:{wide}s}{numbers}{amount(line.residue):{widths[-1]}.1e}")
        return "\n".join(text)


def balance(net: Layer) -> Balance:
    """The account of this thread's last forward pass of a network and the feedback pass that followed it.

    Raises RuntimeError without a feedback pass since the last forward pass, and where parameters have changed since;
    ValueError after one under Gradient, which conserves nothing.
    """
    return net.last_tape("a balance").balance()
