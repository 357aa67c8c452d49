"""Training: a step is forward, reward, feedback, update; an epoch is a step for every batch; a run is many epochs."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lfp_ref import names, rewards
from lfp_ref.core.checks import (
    check_bool,
    check_callable,
    check_int,
    check_number,
    check_one_of,
    refuse,
)
from lfp_ref.core.layer import Layer
from lfp_ref.core.layout import cast
from lfp_ref.datasets import Dataset
from lfp_ref.datasets.augment import Augmentation, in_turn
from lfp_ref.optim import SGD, Optimizer, clip_norm
from lfp_ref.rehearsal import Metric, check_augment, check_data, check_file, check_network, measured, rehearse, select
from lfp_ref.rewards import name_of
from lfp_ref.rules import Epsilon, Rule, is_gradient
from lfp_ref.run import History, Run

ADVICE = "try a smaller learning rate, or clip"  # ends the message of a DivergenceError


class DivergenceError(ArithmeticError, ValueError):
    """Training produced NaN or infinity; says at which epoch and step, and where."""


def step(
    net: Layer,
    x: np.ndarray,
    y: np.ndarray,
    optimizer: Optimizer,
    rule: Rule | Mapping[Any, Rule],
    reward: rewards.Reward,
    reduction: str = "mean",
    clip: float | None = None,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """One training step on one batch: forward, reward, feedback, update. Arguments as in train.

    weights: (N,), factors of the samples' rewards; None is 1 for all.
    Returns the outputs before the update, and their reward summed over the batch.
    Raises DivergenceError at NaN or infinity, ValueError for a reward of the wrong shape.
    """
    outputs = net.forward(x, training=True)
    with np.errstate(all="ignore"):  # overflow is reported below
        r = cast(rewards.rewarded(reward, outputs, y), outputs.dtype)
    factors = 1 if weights is None else weights[:, None]
    total = float(np.sum(r * factors))
    if not math.isfinite(total):
        raise DivergenceError(_culprit(net, outputs, reward))
    if is_gradient(rule):
        r = gradient_of(reward)(outputs, y)
    net.feedback(r * factors / (len(y) if reduction == "mean" else 1), rule, input_reward=False)
    if clip is not None and not math.isfinite(clip_norm(optimizer.parameters, clip)):
        raise DivergenceError(_culprit(net, outputs, reward))
    optimizer.step()
    return outputs, total


def epoch(
    net: Layer,
    x: np.ndarray,
    y: np.ndarray,
    order: np.ndarray,
    batch_size: int,
    optimizer: Optimizer,
    *,
    number: int = 0,
    done: int = 0,
    schedule: Callable[[int], float] | None = None,
    weights: np.ndarray | None = None,
    augment: Sequence[Augmentation] = (),
    seed: int = 0,
    **options: Any,
) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """One epoch: a step for every batch of samples, in this order. A generator: one step for each item asked of it.

    number: of the epoch, from 0. done: steps to leave out. schedule, augment: as in train. seed: of augment.
    weights, options: of each step.
    Yields the batch's samples (entries of order), its outputs and its reward, as `step` returns them.
    """
    steps = math.ceil(len(order) / batch_size)
    for k in range(done, steps):
        batch = order[k * batch_size : (k + 1) * batch_size]
        factors = None if weights is None else weights[batch]
        if schedule is not None:
            optimizer.lr = check_number("the learning rate of schedule", schedule(number * steps + k), 0)
        inputs = select(net, x, batch)
        if augment:
            inputs = in_turn(augment)(inputs, np.random.default_rng([seed, number, k + 1]))
        try:
            outputs, total = step(net, inputs, y[batch], optimizer, weights=factors, **options)
        except DivergenceError as error:
            raise DivergenceError(f"epoch {number + 1}, step {k + 1}: {error}") from None
        yield batch, outputs, total


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of samples whose largest output is their label's; a single output says 1 where it is positive.

    outputs: (N, O) or (N, O, 1, ...), or spikes (T, N, O), which are counted over time. labels: (N,) or (N, 1).
    Raises ValueError for other shapes.
    """
    labels = np.asarray(labels)
    if labels.shape[1:] not in ((), (1,)) or not labels.size:
        raise ValueError(f"accuracy needs labels (N,), got targets of shape {labels.shape}; give a metric of your own")
    scores = rewards.class_scores(np.asarray(outputs), len(labels))
    chosen = scores.argmax(axis=1) if scores.shape[1] > 1 else scores[:, 0] > 0
    return float(np.mean(chosen == labels.reshape(-1)))


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
    augment: Sequence[Augmentation] = (),
    seed: int = 0,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    about: dict[str, Any] | None = None,
    log: Callable[[str], None] | None = print,
    on_step: Callable[[int, int, int], None] | None = None,
) -> History:
    """Trains a network by LFP, or by gradient ascent on the reward's objective under rules.Gradient().

    data: a Dataset, or (x, y) without a test part; scale x to about -1 to 1.
    optimizer: SGD(lr=0.1, momentum=0.9) if None.
    rule: Epsilon() if None; see Layer.feedback. reward: (outputs, targets) -> reward of the outputs' shape.
    reduction: "mean" divides the reward by the batch size, "sum" does not (lfprop's learning rates assume "sum").
    clip: largest Euclidean norm of all feedback together. schedule: step number -> learning rate.
    metric: (outputs, targets) -> a number; on the training part it is taken on each batch before its update.
    reward, metric: called once more, on the first batch, before training begins.
    augment: functions (x, rng) -> x that change a batch of images, in turn, as lfp.datasets.shift, mirror and cutout.
    seed: of the shuffling and of augment. checkpoint: a file to save to after every epoch; with resume=True the run
    goes on from it.
    about: further content of the checkpoint. log: gets a line per epoch. on_step: gets (epoch, step, steps).

    Returns a dict of arrays with one entry per epoch: epoch, reward (mean per sample), train_<metric>, test_<metric>
    (NaN without test part), untouched (mean fraction of weights an update left exactly as they were), seconds; for a
    spiking network also its activity (see Spiking.activity) on the test part, or else on the last batch.
    Raises DivergenceError at NaN or infinity, the last good checkpoint stays; Interrupted, a KeyboardInterrupt, after
    Ctrl-C, once the step is done and the run saved; with nothing changed, ValueError or TypeError for options and data
    that make no sense, and for a checkpoint of another run: data size, batch size, seed, reduction, rule, reward,
    metric, optimiser and augment must agree.
    """
    check_network("net", net)
    optimizer = SGD(net.parameters(), 0.1, momentum=0.9) if optimizer is None else optimizer
    rule = Epsilon() if rule is None else rule
    x, y = check_data(net, data)
    if isinstance(data, Dataset) and len(data.x_test):
        check_data(net, data, test=True)
    check_int("epochs", epochs)
    check_int("batch_size", batch_size)
    check_int("seed", seed, 0)
    check_one_of("reduction", reduction, ("mean", "sum"))
    if clip is not None:
        check_number("clip", clip, 0)
    check_callable("reward", reward, "outputs, targets")
    check_callable("metric", metric, "outputs, targets")
    check_callable("schedule", schedule, "step", optional=True)
    check_callable("log", log, "line", optional=True)
    check_callable("on_step", on_step, "epoch, step, steps", optional=True)
    check_bool("resume", resume)
    if checkpoint is not None:
        check_file("checkpoint", checkpoint)
    if not isinstance(optimizer, Optimizer):
        raise refuse("optimizer", "one of lfp.optim, made of net.parameters()", optimizer, TypeError)
    if not {id(p) for p in optimizer.parameters} <= {id(p) for p in net.parameters()}:
        raise ValueError("the optimizer's parameters are not this network's: make it of net.parameters()")
    check_reward(reward, rule)
    check_augment(augment, net)
    rehearse(net, x, y, batch_size, rule, reward, metric, augment)

    settings = {"samples": len(y), "batch_size": batch_size, "seed": seed, "reduction": reduction, "rule": repr(rule),
                "reward": name_of(reward), "metric": name_of(metric), "optimizer": type(optimizer).__name__,
                "augment": [name_of(function) for function in augment] or None}  # fmt: skip
    steps = math.ceil(len(y) / batch_size)
    run = Run(net, optimizer, epochs, steps, settings, checkpoint, about, log, on_step)
    if resume:
        run.resume()
    with run.stops_between_steps():
        for number in range(run.position.epoch, epochs):
            begin = time.perf_counter()
            order = np.random.default_rng([seed, number]).permutation(len(y))
            for batch, outputs, total in epoch(
                net, x, y, order, batch_size, optimizer, number=number, done=run.position.step, schedule=schedule,
                augment=augment, seed=seed, rule=rule, reward=reward, reduction=reduction, clip=clip,
            ):  # fmt: skip
                run.add_step(total, measured(metric, outputs, y[batch]), len(batch))
                if run.is_stopped:
                    break
            run.position.seconds += time.perf_counter() - begin
            check_state(net, run.place)
            if run.position.step == steps:
                run.add_epoch(name_of(metric), *_test(net, data, metric))
            run.save()
    return run.history


def evaluate(
    net: Layer,
    data: Dataset | tuple[ArrayLike, ArrayLike],
    metric: Metric = accuracy,
    batch_size: int = 256,
    on_batch: Callable[[int], None] | None = None,
) -> float:
    """The metric of a network on a data set's test part, or on (x, y). on_batch: gets the size of each batch, done.

    Raises DivergenceError for outputs that are NaN or infinite; ValueError or TypeError for data and options that make
    no sense.
    """
    check_network("net", net)
    x, y = check_data(net, data, test=True)
    check_int("batch_size", batch_size)
    check_callable("metric", metric, "outputs, targets")
    check_callable("on_batch", on_batch, "samples", optional=True)
    batches = []
    for begin in range(0, len(y), batch_size):
        batch = slice(begin, begin + batch_size)
        batches.append(net.forward(select(net, x, batch)))
        if not np.isfinite(batches[-1]).all():
            raise DivergenceError(f"the outputs of samples {begin} to {begin + len(y[batch]) - 1} are NaN or infinite")
        if on_batch:
            on_batch(len(y[batch]))
    return measured(metric, np.concatenate(batches, axis=net.last_tape().sample_axis), y)


def _test(net: Layer, data: Dataset | tuple[ArrayLike, ArrayLike], metric: Metric) -> tuple[float, dict[str, float]]:
    """Metric and mean activity on the test part; without one NaN, and the activity of the last pass."""
    if not isinstance(data, Dataset) or not len(data.x_test):
        return math.nan, net.activity()
    sums: dict[str, float] = defaultdict(float)

    def add(samples: int) -> None:
        for name, value in net.activity().items():
            sums[name] += value * samples

    test = evaluate(net, data, metric, on_batch=add)
    return test, {name: value / len(data.x_test) for name, value in sums.items()}


# ---- checks


def check_reward(reward: rewards.Reward, rule: Rule | Mapping[Any, Rule]) -> None:
    """Raises ValueError for a reward without a gradient under a gradient rule."""
    if is_gradient(rule):
        gradient_of(reward)


def gradient_of(reward: rewards.Reward) -> rewards.Reward:
    """dJ/dz of a reward that belongs to an objective J. Raises ValueError for another."""
    gradient = getattr(reward, "gradient", None)
    if gradient is None:
        known = ", ".join(name for name, other in names.REWARDS.items() if hasattr(other, "gradient"))
        raise ValueError(f"{name_of(reward)} has no gradient to descend; use an LFP rule, or one of {known}")
    return gradient


def check_state(net: Layer, place: str) -> None:
    """Raises DivergenceError, at that place, for a parameter or statistic that is no longer finite."""
    for name, array in net.state_dict().items():
        if not np.isfinite(array).all():
            raise DivergenceError(f"{place}: {name} is no longer finite; {ADVICE}")


def _culprit(net: Layer, outputs: np.ndarray, reward: rewards.Reward) -> str:
    """The source of NaN or infinity in a step: a parameter, its feedback, the outputs, or the reward itself."""
    arrays = {f"parameter {name}": parameter.value for name, parameter in net.named_parameters()}
    arrays |= {f"the feedback of {name}": parameter.feedback for name, parameter in net.named_parameters()}
    for name, array in (arrays | {"the outputs": outputs}).items():
        if not np.isfinite(array).all():
            return f"NaN or infinity in {name}; {ADVICE}"
    return f"the reward {name_of(reward)} is NaN or infinite though all outputs are finite"
