"""Bookkeeping of a training run: position, history, checkpoint, progress, Ctrl-C between two steps."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref import checkpoints
from lfp_ref.core.layer import Layer
from lfp_ref.optim import Optimizer

History = dict[str, np.ndarray]  # the columns that lfp.train returns, one entry an epoch
SIGNALS = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C, and the wish of a scheduler or of `kill` that a process ends


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM between two steps; says where the run was saved."""


@dataclass
class Position:
    """The place of a run: after `step` steps of epoch number `epoch` (from 0), with the sums over those steps."""

    epoch: int = 0
    step: int = 0
    reward: float = 0.0
    metric: float = 0.0
    samples: int = 0
    untouched: float = 0.0
    seconds: float = 0.0

    @classmethod
    def stored(cls, saved: checkpoints.Checkpoint, path: str | Path) -> Position:
        """The position in a checkpoint. Raises ValueError where it holds none that a run can have."""
        found = saved.about.get("position")
        usual = asdict(cls())
        if not isinstance(found, dict) or found.keys() != usual.keys() or not all(
            type(found[name]) is int and found[name] >= 0 if isinstance(value, int) else isinstance(found[name], float)
            for name, value in usual.items()
        ):  # fmt: skip
            raise ValueError(f"{path} is not of a run of lfp.train, or damaged: its position is {found!r:.80}")
        return cls(**found)


@dataclass
class Run:
    """A training run: its position and history, saved to a checkpoint and resumed from it.

    net, optimizer: the state that a checkpoint holds. epochs: in all. steps: of each epoch.
    settings: options that a run must have in common with its checkpoint. checkpoint, about, log, on_step: as in train.
    place: of the last step, for messages. is_stopped: True after Ctrl-C or SIGTERM.
    """

    net: Layer
    optimizer: Optimizer
    epochs: int
    steps: int
    settings: dict[str, Any]
    checkpoint: str | Path | None = None
    about: dict[str, Any] | None = None
    log: Callable[[str], None] | None = None
    on_step: Callable[[int, int, int], None] | None = None

    position: Position = field(default_factory=Position)
    history: History = field(default_factory=dict)
    place: str = "before the first step"
    is_stopped: bool = False

    def resume(self) -> None:
        """Goes back to the checkpoint. Raises ValueError, all unchanged, without one, or for one of another run."""
        if self.checkpoint is None:
            raise ValueError("resume=True needs a checkpoint to go on from")
        saved = checkpoints.load(self.checkpoint)
        position = Position.stored(saved, self.checkpoint)
        settings = saved.about.get("run")
        if not isinstance(settings, dict):
            raise ValueError(f"{self.checkpoint} is not of a run of lfp.train, or damaged: it has no settings")
        if different := [key for key, value in self.settings.items() if settings.get(key) != value]:
            raise ValueError(f"{self.checkpoint} is of a run with another {', '.join(different)}")
        lengths = {name: np.shape(column) for name, column in saved.history.items()}
        if position.step >= self.steps or set(lengths.values()) - {(position.epoch,)}:
            raise ValueError(f"{self.checkpoint} is damaged: it is at step {position.step} of {self.steps} of epoch "
                             f"{position.epoch + 1}, and its history has the shapes {lengths}")  # fmt: skip
        checkpoints.restore(saved, self.net, self.optimizer)
        self.position = position
        self.history = saved.history

    def save(self) -> None:
        """Writes the checkpoint, if there is to be one. Raises Interrupted after Ctrl-C or SIGTERM."""
        if self.checkpoint is not None:
            about = {**(self.about or {}), "run": self.settings, "position": asdict(self.position)}
            about["random"] = checkpoints.random_states(self.net)
            state = self.net.state_dict(), self.optimizer.state_dict(), self.history
            checkpoints.save(self.checkpoint, checkpoints.Checkpoint(about, *state))
        if self.is_stopped:
            raise self.interruption()

    def interruption(self) -> Interrupted:
        """The exception of a stopped run."""
        saved = f"; saved to {self.checkpoint}" if self.checkpoint is not None else ""
        return Interrupted(f"stopped at {self.place}{saved}")

    def add_step(self, reward: float, metric: float, samples: int) -> None:
        """Counts a step: its reward summed over the batch, its metric, its number of samples."""
        at = self.position
        at.step += 1
        at.samples += samples
        at.reward += reward
        at.metric += metric * samples
        at.untouched += self.optimizer.untouched / sum(p.value.size for p in self.optimizer.parameters)
        self.place = f"epoch {at.epoch + 1}, step {at.step}"
        if self.on_step is not None:
            self.on_step(at.epoch, at.step, self.steps)

    def add_epoch(self, metric: str, test: float, activity: dict[str, float]) -> None:
        """Completes an epoch: a row of the history, from the sums over its steps, the test metric and the activity."""
        at = self.position
        row = {
            "epoch": at.epoch + 1,
            "reward": at.reward / at.samples,
            f"train_{metric}": at.metric / at.samples,
            f"test_{metric}": test,
            "untouched": at.untouched / self.steps,
            "seconds": at.seconds,
        } | activity
        for name, value in row.items():
            self.history[name] = np.append(self.history.get(name, np.empty(0, type(value))), value)
        self.position = Position(at.epoch + 1)
        if self.log is not None:
            self.log(line(row, self.epochs))

    @contextmanager
    def stops_between_steps(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM set is_stopped: half an update is no state to save. A second one stops at once.

        Raises Interrupted at the end of the block where nothing in it has, so that none is swallowed.
        """

        def handler(number: int, frame: Any) -> None:
            self.is_stopped = True
            for each in SIGNALS:
                signal.signal(each, signal.default_int_handler)

        if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
            yield
            return
        before = {each: signal.signal(each, handler) for each in SIGNALS}
        try:
            yield
        finally:
            for each, usual in before.items():
                signal.signal(each, signal.SIG_DFL if usual is None else usual)  # None: not set from Python
        if self.is_stopped:
            raise self.interruption()


def line(row: dict[str, float], epochs: int) -> str:
    """A row of the history as a line to print."""
    digits = len(str(epochs))
    parts = [f"epoch {row['epoch']:{digits}d}/{epochs}", f"reward {row['reward']:.4f}"]
    for name, value in row.items():
        if name.startswith(("train", "test")) and not math.isnan(value):  # NaN: there is no test part
            parts.append(f"{name.replace('_', ' ')} {value:.4f}")
    if rates := [f"{value:.1%}" for name, value in row.items() if name.startswith("spike_rate")]:
        parts += [f"spikes {' '.join(rates)}", f"operations {row['operations']:.3g}"]
    return "  ".join([*parts, f"untouched {row['untouched']:.1%}", f"{row['seconds']:.1f} s"])
