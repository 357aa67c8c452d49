"""The balance sheet: why relevance does, or does not, add up.

Every layer gets a reward, hands some of it on to its input and keeps the rest, for causes that can be named: the bias's
share, the stabiliser's share, neurons that a rule masks out, groups in which nothing flowed (an empty group), dropped
units, membranes of spiking neurons that work against their current. `balance` gives all of it, layer by layer. What is
left over is the residue: rounding error, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from lfp_ref.layers.base import Layer
from lfp_ref.layers.residual import Residual
from lfp_ref.layers.sharing import per_sample
from lfp_ref.network import Sequential
from lfp_ref.rules import Rule
from lfp_ref.threads import one_blas_thread


@dataclass(frozen=True)
class Line:
    """One layer's account; every amount (N,), per sample, in double precision.

    path, layer: its place and what it is. came: from the layer above. handed: to its input. kept: by cause.
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

        width = max(len(f"{line.path} {line.layer}") for line in self.lines)
        columns = ["came in", "handed on", *self.causes, "residue"]
        rows = [" " * width + "".join(f"{column:>13s}" for column in columns)]
        zero = np.zeros_like(self.came)
        for line in self.lines:
            kept = [line.kept.get(cause, zero) for cause in self.causes]
            name = f"{line.path} {line.layer}".strip()
            rows.append(_row(name, width, [line.came, line.handed, *kept], line.residue, amount))
        kept = [self.kept(cause) for cause in self.causes]
        return "\n".join([*rows, _row("network", width, [self.came, self.handed, *kept], self.residue, amount)])


def _row(name: str, width: int, amounts: list[np.ndarray], residue: np.ndarray, amount: Any) -> str:
    return f"{name:{width}s}" + "".join(f"{amount(a):13.6f}" for a in amounts) + f"{amount(residue):13.1e}"


def balance(net: Layer) -> Balance:
    """The account of a network's last feedback pass, which is done once more with a listener at each layer.

    Raises RuntimeError before the first feedback pass; ValueError after one under Gradient, which conserves nothing.
    """
    if net.told is None:
        raise RuntimeError(f"{net.label}: a balance needs a feedback pass first")
    reward, rules = net.told
    if not rules[net].shares:
        raise ValueError("gradient descent hands on derivatives, not rewards: there is no balance to draw up")
    lines: list[Line] = []
    with one_blas_thread(), _listening(net, lines):
        handed = net.hand_back(reward.copy(), rules, True)
    return Balance(lines, _amount(reward, net.samples), _amount(cast(np.ndarray, handed), net.samples))


def _amount(reward: np.ndarray, samples: int) -> np.ndarray:
    """Sums of a reward (P, ..., N), over time, too, to a number for each sample."""
    return _over_time(per_sample(reward), samples)


def _over_time(amounts: np.ndarray, samples: int) -> np.ndarray:
    """Sums of (T*N,) to (N,); of (N,) nothing changes."""
    return amounts.reshape(-1, samples).sum(axis=0)


@contextmanager
def _listening(net: Layer, lines: list[Line]) -> Iterator[None]:
    """Puts a listener before hand_back of every layer that does something with a reward itself."""
    layers = [layer for _, layer in net.named_layers() if not isinstance(layer, Sequential)]
    for layer in layers:
        layer.hand_back = _listener(layer, lines, net.samples)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.hand_back  # the class's own is there again


def _listener(layer: Layer, lines: list[Line], samples: int) -> Any:
    plain = layer.hand_back

    def hand_back(reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        came = _amount(reward, samples)
        kept = {cause: _over_time(part, samples) for cause, part in layer.kept(reward, rules).items()}
        if isinstance(layer, Residual):  # its own account is the sum's; the branches have theirs
            body, shortcut = layer.branches(reward.copy(), rules)
            handed = _amount(body, samples) + _amount(shortcut, samples)
            lines.append(Line(layer.path, "sum of branches", came, handed, kept))
            return plain(reward, rules, wanted)
        result = plain(reward, rules, wanted)
        lines.append(Line(layer.path, repr(layer), came, _amount(cast(np.ndarray, result), samples), kept))
        return result

    return hand_back
