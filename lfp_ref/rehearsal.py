"""Before training: is the data what it should be, and does a pass go through? A refused run changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lfp_ref import checkpoints, names, rewards
from lfp_ref.core.checks import check_callable, check_finite, check_real, refuse
from lfp_ref.core.layer import Layer
from lfp_ref.core.layout import cast
from lfp_ref.datasets import Dataset
from lfp_ref.datasets.augment import Augmentation, in_turn
from lfp_ref.rewards import name_of
from lfp_ref.rules import Rule

Metric = Callable[[np.ndarray, np.ndarray], float]  # (outputs, targets) -> a number


def check_network(name: str, net: Any) -> None:
    """Raises TypeError for what is not a network."""
    if not isinstance(net, Layer):
        raise refuse(name, "a network, such as lfp.Sequential(...)", net, TypeError)


def check_data(
    net: Layer, data: Dataset | tuple[ArrayLike, ArrayLike], test: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) of the training or the test part, all of it finite, as many targets as inputs and at least one.

    Raises TypeError or ValueError for others.
    """
    if isinstance(data, Dataset):
        data = (data.x_test, data.y_test) if test else (data.x_train, data.y_train)
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise refuse("data", "a Dataset or a pair (x, y)", data, TypeError)
    x, y = check_real("data: x", data[0]), check_real("data: y", data[1])
    count = x.shape[net.sample_axis] if x.ndim > net.sample_axis else 0
    if not y.ndim or count != len(y) or not count:
        raise ValueError(
            f"data: need as many targets as inputs and at least one, got x of shape {x.shape} and y of shape {y.shape}"
        )
    check_finite("data: y", y)
    if x.dtype.kind == "f" and not np.abs([x.min(), x.max()]).max() <= np.finfo(net.dtype or x.dtype).max:
        check_finite("data: x", cast(x, net.dtype or x.dtype))
    return x, y


def check_file(name: str, path: str | os.PathLike[str]) -> None:
    """Raises ValueError for a path that no file can have: a folder, or below a file; TypeError for what is no path."""
    if not isinstance(path, str | os.PathLike):
        raise refuse(name, "the path of a file", path, TypeError)
    place = Path(path)
    if "\0" in str(path):
        raise refuse(name, "the path of a file", path)
    above = next((folder for folder in place.absolute().parents if folder.exists()), place)
    if not place.name or place.is_dir() or not above.is_dir():
        raise refuse(name, "the path of a file, not a folder", str(path))


def check_augment(augment: Sequence[Augmentation], net: Layer) -> None:
    """Raises TypeError for what is not a list of functions, ValueError for a network that takes its input over time."""
    if not isinstance(augment, list | tuple):
        raise refuse("augment", "a list of functions (x, rng)", augment, TypeError)
    for function in augment:
        check_callable("each of augment", function, "x, rng")
    if augment and net.sample_axis:
        raise ValueError("augment changes images (N, C, H, W); this network takes its input over time")


def rehearse(
    net: Layer, x: np.ndarray, y: np.ndarray, batch_size: int, rule: Rule | Mapping[Any, Rule],
    reward: rewards.Reward, metric: Metric, augment: Sequence[Augmentation],
) -> None:  # fmt: skip
    """Passes of the first batch's size and of the last's, so that what they refuse is refused before training begins.

    Statistics and random states are put back. The labels of the package's own rewards are checked all at once.
    """
    buffers = [(array, array.copy()) for _, layer in net.named_layers() for array in layer.buffers().values()]
    random = checkpoints.Checkpoint({"random": checkpoints.random_states(net)})
    try:
        for count in {min(batch_size, len(y)), len(y) % batch_size} - {0}:
            inputs = in_turn(augment)(select(net, x, slice(count)), np.random.default_rng(0))
            outputs = net.forward(inputs, training=True)
            with np.errstate(all="ignore"):
                rewards.rewarded(reward, outputs, y[:count])
                measured(metric, outputs, y[:count])
            net.feedback(np.zeros_like(outputs), rule, input_reward=False)
        if reward in names.REWARDS.values():
            shape = list(outputs.shape)
            shape[net.last_tape().sample_axis] = len(y)
            reward(np.zeros(shape, outputs.dtype), y)
    finally:
        for array, before in buffers:
            array[...] = before
        checkpoints.restore_random(random, net)


def measured(metric: Metric, outputs: np.ndarray, y: np.ndarray) -> float:
    """The metric of some outputs. Raises TypeError unless it is a number."""
    value = metric(outputs, y)
    if np.ndim(value) != 0 or not isinstance(value, Real | np.number | np.ndarray):
        raise refuse(f"the metric {name_of(metric)}", "a function that returns a number", value, TypeError)
    return float(value)


def select(net: Layer, x: np.ndarray, batch: slice | np.ndarray) -> np.ndarray:
    """Some samples of a network's input."""
    return x[:, batch] if net.sample_axis else x[batch]
