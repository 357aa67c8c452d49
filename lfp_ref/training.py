"""Training: forward, reward, feedback, step; epoch after epoch, until done, stopped or diverged."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lfp_ref import checkpoints, names, rewards
from lfp_ref.datasets import Dataset
from lfp_ref.layers.base import Layer, whole
from lfp_ref.optim import SGD, Optimizer, clip_norm
from lfp_ref.rules import Epsilon, Rule, is_gradient

# What train returns: one array a column, one entry an epoch. And what it measures: (outputs, targets) -> a number.
History = dict[str, np.ndarray]
Metric = Callable[[np.ndarray, np.ndarray], float]


class DivergenceError(ArithmeticError):
    """Training produced NaN or infinity; says at which epoch, step and layer."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C between two steps; says where the run was saved."""


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of samples whose largest output is their label's; a single output says 1 where it is positive.

    outputs: (N, O), or spikes (T, N, O), which are counted over time.
    """
    outputs = outputs.sum(axis=0) if outputs.ndim == 3 else outputs
    chosen = outputs.argmax(axis=1) if outputs.shape[1] > 1 else outputs[:, 0] > 0
    return float(np.mean(chosen == np.asarray(labels).reshape(len(chosen))))


def evaluate(
    net: Layer,
    data: Dataset | tuple[ArrayLike, ArrayLike],
    metric: Metric = accuracy,
    batch_size: int = 256,
    on_batch: Callable[[int], None] | None = None,
) -> float:
    """The metric of a network on a data set's test part, or on (x, y). on_batch: gets the size of each batch, done."""
    x, y = (data.x_test, data.y_test) if isinstance(data, Dataset) else map(np.asarray, data)
    check_data(net, x, y)
    batches = []
    for begin in range(0, len(y), batch_size):
        rows = slice(begin, begin + batch_size)
        batches.append(net.forward(samples(net, x, rows)))
        if on_batch:
            on_batch(len(y[rows]))
    return metric(np.concatenate(batches, axis=1 if batches[0].ndim == 3 else 0), y)  # spikes are (T, N, O)


def samples(net: Layer, x: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
    """Some samples of a network's inputs."""
    return x[:, rows] if net.sample_axis else x[rows]


def check_data(net: Layer, x: np.ndarray, y: np.ndarray) -> None:
    """Raises ValueError unless there are as many targets as inputs, at least one, and no target is NaN or infinite."""
    count = x.shape[net.sample_axis] if x.ndim > net.sample_axis else 0
    if count != len(y) or not count:
        raise ValueError(f"need as many targets as inputs and at least one, got {count} inputs and {len(y)} targets")
    if not np.isfinite(y).all():
        raise ValueError("a target is NaN or infinite")


@dataclass
class Position:
    """Where a run is: after `step` steps of epoch number `epoch` (from 0), with the sums over those steps."""

    epoch: int = 0
    step: int = 0
    reward: float = 0.0
    metric: float = 0.0
    samples: int = 0
    untouched: float = 0.0
    seconds: float = 0.0


def step(
    net: Layer,
    x: np.ndarray,
    y: np.ndarray,
    optimizer: Optimizer,
    rule: Rule | Mapping[Any, Rule],
    reward: rewards.Reward,
    reduction: str = "mean",
    clip: float | None = None,
) -> tuple[np.ndarray, float]:
    """One training step on one batch: forward, reward, feedback, update. Arguments as in train.

    Returns the outputs before the update, and their reward summed over the batch.
    Raises DivergenceError at NaN or infinity, ValueError for a reward of the wrong shape.
    """
    outputs = net.forward(x, training=True)
    with np.errstate(all="ignore"):  # what overflows is found below
        r = np.asarray(reward(outputs, y))
    if r.shape != outputs.shape:
        raise ValueError(f"{_name(reward)} gave shape {r.shape} for outputs of shape {outputs.shape}")
    total = float(np.sum(r))
    if not math.isfinite(total):
        raise DivergenceError(_culprit(net, reward))
    told = reward.gradient(outputs, y) if is_gradient(rule) else r  # type: ignore[attr-defined]
    net.feedback(told / len(y) if reduction == "mean" else told, rule, input_reward=False)
    if clip is not None and not math.isfinite(clip_norm(optimizer.parameters, clip)):
        raise DivergenceError(_culprit(net, reward))
    optimizer.step()
    return outputs, total


def train(
    net: Layer,
    data: Dataset | tuple[ArrayLike, ArrayLike],
    *,
    optimizer: Optimizer | None = None,
    epochs: int = 10,
    rule: Rule | Mapping[Any, Rule] | None = None,
    reward: rewards.Reward = rewards.softmax,
    batch_size: int = 128,
    reduction: str = "mean",
    clip: float | None = None,
    schedule: Callable[[int], float] | None = None,
    metric: Metric = accuracy,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    about: dict[str, Any] | None = None,
    log: Callable[[str], None] | None = print,
    on_step: Callable[[int, int, int], None] | None = None,
) -> History:
    """Trains a network by LFP, or by gradient ascent on the reward's objective under rules.Gradient().

    data: a Dataset, or (x, y) without a test part. optimizer: SGD(lr=0.1, momentum=0.9) if None.
    rule: Epsilon() if None; see Layer.feedback. reward: (outputs, targets) -> reward of the outputs' shape.
    reduction: "mean" divides the reward by the batch size, "sum" does not (lfprop's learning rates assume "sum").
    clip: largest Euclidean norm of all feedback together. schedule: step number -> learning rate.
    metric: (outputs, targets) -> a number; on the training part it is taken on each batch before its update.
    seed: of the shuffling. checkpoint: a file to save to after every epoch; with resume=True the run goes on from it.
    about: what the checkpoint should carry besides. log: gets a line per epoch. on_step: gets (epoch, step, steps).

    Returns a dict of arrays with one entry per epoch: epoch, reward (mean per sample), train_<metric>, test_<metric>
    (NaN without test part), untouched (mean fraction of weights an update left exactly as they were), seconds; for a
    spiking network also its activity (see Spiking.activity) on the test part, or else on the last batch.
    Raises DivergenceError at NaN or infinity, the last good checkpoint stays; Interrupted, a KeyboardInterrupt, after
    Ctrl-C, once the step is done and the run saved; ValueError or TypeError for options that make no sense, and for a
    checkpoint of another run: data size, batch size, seed, reduction, rule, reward, metric and optimiser must agree.
    """
    optimizer = SGD(net.parameters(), 0.1, momentum=0.9) if optimizer is None else optimizer
    rule = Epsilon() if rule is None else rule
    x, y = (data.x_train, data.y_train) if isinstance(data, Dataset) else map(np.asarray, data)
    _check_options(net, x, y, optimizer, epochs, rule, reward, batch_size, reduction)
    names = ("epoch", "reward", f"train_{_name(metric)}", f"test_{_name(metric)}", "untouched", "seconds")
    history: dict[str, list[float]] = {name: [] for name in names}
    at = Position()
    # what a run must have in common with the one it goes on from
    same = {"samples": len(y), "batch_size": batch_size, "seed": seed, "reduction": reduction, "rule": repr(rule),
            "reward": _name(reward), "metric": _name(metric), "optimizer": type(optimizer).__name__}  # fmt: skip
    if resume:
        if checkpoint is None:
            raise ValueError("resume=True needs a checkpoint to go on from")
        saved = checkpoints.load(checkpoint)
        if different := [key for key, value in same.items() if saved.about.get("run", {}).get(key) != value]:
            raise ValueError(f"{checkpoint} is of a run with another {', '.join(different)}")
        checkpoints.restore(saved, net, optimizer)
        at = Position(**saved.about["position"])
        history = {name: column.tolist() for name, column in saved.history.items()}

    def save() -> None:
        if checkpoint is not None:
            run = {"run": same, "position": asdict(at), "random": checkpoints.random_states(net)}
            columns = {name: np.array(column) for name, column in history.items()}
            state = net.state_dict(), optimizer.state_dict()
            checkpoints.save(checkpoint, checkpoints.Checkpoint({**(about or {}), **run}, *state, columns))

    steps = math.ceil(len(y) / batch_size)
    weights = sum(p.value.size for p in optimizer.parameters)
    where = "before the first step"
    try:
        with _ctrl_c_between_steps() as stopped:
            for epoch in range(at.epoch, epochs):
                order = np.random.default_rng([seed, epoch]).permutation(len(y))
                for number in range(at.step, steps):
                    begin, where = time.perf_counter(), f"epoch {epoch + 1}, step {number + 1}"
                    rows = order[number * batch_size : (number + 1) * batch_size]
                    if schedule is not None:
                        optimizer.lr = schedule(epoch * steps + number)
                    outputs, total = step(net, samples(net, x, rows), y[rows], optimizer, rule, reward, reduction, clip)
                    at.step, at.samples = number + 1, at.samples + len(rows)
                    at.reward += total
                    at.metric += metric(outputs, y[rows]) * len(rows)
                    at.untouched += optimizer.untouched / weights
                    at.seconds += time.perf_counter() - begin
                    if on_step:
                        on_step(epoch, number + 1, steps)
                    if stopped():
                        _check_state(net)
                        save()
                        saved_to = f"; saved to {checkpoint}" if checkpoint is not None else ""
                        raise Interrupted(f"stopped at {where}{saved_to}")
                _check_state(net)
                test, activity = _tested(net, data, metric)
                means = at.reward / at.samples, at.metric / at.samples, test, at.untouched / steps, at.seconds
                row = dict(zip(names, (epoch + 1, *means), strict=True)) | activity
                for name, value in row.items():
                    history.setdefault(name, []).append(value)
                at = Position(epoch + 1)
                save()
                if log:
                    log(_line(epochs, row))
    except DivergenceError as error:
        raise DivergenceError(f"{where}: {error}") from None
    return {name: np.array(column) for name, column in history.items()}


def _check_options(
    net: Layer,
    x: np.ndarray,
    y: np.ndarray,
    optimizer: Optimizer,
    epochs: int,
    rule: Rule | Mapping[Any, Rule],
    reward: rewards.Reward,
    batch_size: int,
    reduction: str,
) -> None:
    check_data(net, x, y)
    whole("epochs", epochs)
    whole("batch_size", batch_size)
    if reduction not in ("mean", "sum"):
        raise ValueError(f'reduction must be "mean" or "sum", got {reduction!r}')
    if not isinstance(optimizer, Optimizer) or not callable(reward):
        raise TypeError(f"need an optimiser made of net.parameters() and a function, got {optimizer} and {reward}")
    if not {id(p) for p in optimizer.parameters} <= {id(p) for p in net.parameters()}:
        raise ValueError("the optimiser's parameters are not this network's: make it of net.parameters()")
    check_reward(reward, rule)


def check_reward(reward: rewards.Reward, rule: Rule | Mapping[Any, Rule]) -> None:
    """Raises ValueError for a reward without a gradient under a gradient rule."""
    if is_gradient(rule) and not hasattr(reward, "gradient"):
        known = ", ".join(name for name, other in names.REWARDS.items() if hasattr(other, "gradient"))
        raise ValueError(f"{_name(reward)} has no gradient to descend; use an LFP rule, or one of {known}")


def _tested(net: Layer, data: Dataset | tuple[ArrayLike, ArrayLike], metric: Metric) -> tuple[float, dict[str, float]]:
    """The metric and the network's mean activity on the test part; without one NaN, and that of the last pass."""
    if not isinstance(data, Dataset) or not len(data.x_test):
        return math.nan, net.activity()
    sums: dict[str, float] = {}

    def add(count: int) -> None:
        for name, value in net.activity().items():
            sums[name] = sums.get(name, 0.0) + value * count

    test = evaluate(net, data, metric, on_batch=add)
    return test, {name: value / len(data.x_test) for name, value in sums.items()}


def _line(epochs: int, row: dict[str, float]) -> str:
    """A line per epoch."""
    digits = len(str(epochs))
    parts = [f"epoch {row['epoch']:{digits}d}/{epochs}", f"reward {row['reward']:.4f}"]
    row = {name: value for name, value in row.items() if not math.isnan(value)}  # without a test part
    parts += [
        f"{name.replace('_', ' ')} {value:.4f}" for name, value in row.items() if name.startswith(("train", "test"))
    ]
    if rates := [f"{value:.1%}" for name, value in row.items() if name.startswith("spike_rate")]:
        parts += [f"spikes {' '.join(rates)}", f"operations {row['operations']:.3g}"]
    return "  ".join([*parts, f"untouched {row['untouched']:.1%}", f"{row['seconds']:.1f} s"])


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _check_state(net: Layer) -> None:
    """Raises DivergenceError where a parameter or statistic is no longer finite."""
    for name, array in net.state_dict().items():
        if not np.isfinite(array).all():
            raise DivergenceError(f"{name} is no longer finite; try a smaller learning rate, or clip")


def _culprit(net: Layer, reward: rewards.Reward) -> str:
    """Where NaN or infinity comes from: a parameter, some feedback, a layer's output, or the reward itself.

    Feedback first: where it is not finite, outputs that were to spare may not be either.
    """
    hint = "; try a smaller learning rate, or clip"
    for name, parameter in net.named_parameters():
        if not np.isfinite(parameter.value).all():
            return f"parameter {name} is no longer finite{hint}"
    for name, parameter in net.named_parameters():
        if not np.isfinite(parameter.feedback).all():
            return f"the feedback of {name} is not finite{hint}"
    for _, layer in net.named_layers():
        if not layer.children() and layer.output is not None and not np.isfinite(layer.output).all():
            return f"{layer.label} computed NaN or infinity{hint}"
    return f"the reward {_name(reward)} is NaN or infinite though all outputs are finite"


@contextmanager
def _ctrl_c_between_steps() -> Iterator[Callable[[], bool]]:
    """Ctrl-C waits for the end of a step: half an update is no state to save. A second one stops at once."""
    pressed: list[int] = []

    def handler(number: int, frame: Any) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)
