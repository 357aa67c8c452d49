"""Rewards of the output, from outputs and targets.

A reward is any function (outputs, targets) -> array of the outputs' shape: the credit of each output of each sample,
not averaged. It needs no derivative and may as well come from a person. A positive reward drives an output away from 0.

If it belongs to an objective J to be maximised it is r = z * dJ/dz, the paper's canonical choice; such functions
carry `gradient`, the same without z, which gradient descent starts from.

Outputs z: (N, O) float; labels: (N,) integers below O; y is their one-hot form. sign(0) = 0.
Source: the paper's section on rewards; the published package lfprop has the same formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from lfp_ref.core.checks import check_bool, check_callable, check_finite, check_number, check_real, refuse, shown
from lfp_ref.core.layout import cast

Reward = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Canonical(Protocol):
    """The type of a reward z * dJ/dz: a function that has dJ/dz, a function as well, in its attribute `gradient`."""

    __name__: str
    gradient: Reward

    def __call__(self, outputs: np.ndarray, targets: np.ndarray, /) -> np.ndarray: ...


def rewarded(reward: Reward, outputs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The reward of some outputs. Raises TypeError or ValueError unless it is real numbers of the outputs' shape."""
    r = check_real(f"the reward {name_of(reward)}", reward(outputs, y))
    if r.shape != outputs.shape:
        raise ValueError(f"the reward {name_of(reward)} gave shape {r.shape} for outputs of shape {outputs.shape}")
    return r


def name_of(function: Callable[..., Any]) -> str:
    """The name of a function, or of the class of what acts as one."""
    return getattr(function, "__name__", type(function).__name__)


def one_hot(outputs: np.ndarray, labels: ArrayLike, name: str = "labels") -> np.ndarray:
    """y of the outputs' shape (N, O) and dtype.

    Raises ValueError, by that name, for labels that are not one integer in 0..O-1 for each sample.
    """
    outputs = matrix(outputs)
    samples, classes = outputs.shape
    labels = check_real(name, labels)
    if labels.dtype.kind not in "iu" or labels.shape != (samples,):
        raise ValueError(
            f"{name} must be {samples} integers, one for each row of outputs, "
            f"got shape {labels.shape}, dtype {labels.dtype}"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"{name} must be in 0..{classes - 1}, got {labels.min()}..{labels.max()}")
    y = np.zeros(outputs.shape, outputs.dtype)
    y[np.arange(samples), labels] = 1
    return y


def matrix(outputs: ArrayLike) -> np.ndarray:
    """Outputs as an array of floats (N, O). Raises TypeError or ValueError for others."""
    outputs = check_real("outputs", outputs)
    if outputs.dtype.kind != "f" or outputs.ndim != 2 or 0 in outputs.shape:
        raise ValueError(
            f"outputs must be floats of shape (N, O) with nothing empty, got {outputs.dtype} of shape {outputs.shape}"
            + ("; end the network with lfp.Flatten()" if outputs.ndim > 2 else "")
        )
    return outputs


def class_scores(outputs: np.ndarray, samples: int) -> np.ndarray:
    """(N, O) of outputs (N, O), (N, O, 1, ...) or spikes (T, N, O), counted over time. Raises ValueError for others."""
    over_time = outputs.ndim == 3 and outputs.shape[1] == samples
    at_once = outputs.ndim >= 2 and len(outputs) == samples and outputs[0, 0].size == 1
    if over_time == at_once:  # neither; or both, (N, N, 1)
        raise ValueError(
            f"outputs must have shape (N, O), or (T, N, O) of spikes, for N = {samples} samples, got {outputs.shape}"
        )
    return outputs.sum(axis=0) if over_time else outputs.reshape(samples, -1)


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """softmax(z) of each sample, z and result (N, O). (scipy's takes three times as long for a batch.)"""
    outputs = matrix(outputs)
    p = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def canonical(gradient: Reward) -> Canonical:
    """The reward z * dJ/dz of a function that gives dJ/dz."""

    @wraps(gradient)
    def reward(outputs: np.ndarray, *targets: Any, **named: Any) -> np.ndarray:
        return outputs * gradient(outputs, *targets, **named)

    whole: Any = reward
    whole.gradient = gradient
    return whole


@canonical
def softmax(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """z * (y - softmax(z)), the paper's: J is the log-likelihood of the label."""
    return one_hot(outputs, labels) - probabilities(outputs)


@canonical
def sigmoid(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """z * (y - sigmoid(z)): J is the log-likelihood with every class a question of its own."""
    return one_hot(outputs, labels) - expit(outputs)


@canonical
def binary_sigmoid(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """z * (y - sigmoid(z)) for one output, (N, 1), and targets 0 or 1, (N,) or (N, 1)."""
    return binary(outputs, targets) - expit(outputs)


@canonical
def squared_error(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """z * (target - z): J = -(target - z)^2 / 2, for regression; targets of the outputs' shape, or (N,) for (N, 1)."""
    return targets_like(outputs, targets) - outputs


def bounded_softmax(
    outputs: np.ndarray, labels: np.ndarray, low: float = 0.0, high: float = 1.0, sign_only: bool = False
) -> np.ndarray:
    """z * (y - p), p = softmax(z) with values above high set to 1 and below low to 0: no reward if it is sure enough.

    sign_only: sign(z) in place of z.
    """
    check_number("low", low, 0, 1)
    check_number("high", high, low, 1)
    p = probabilities(outputs)
    p = np.where(p > high, 1, np.where(p < low, 0, p)).astype(outputs.dtype)
    return (np.sign(outputs) if check_bool("sign_only", sign_only) else outputs) * (one_hot(outputs, labels) - p)


def correct_class(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """sign(z) for the label's output where it is the largest (or ties), 0 elsewhere."""
    y = one_hot(outputs, labels)
    largest = np.max(outputs, axis=1, keepdims=True)
    return y * (outputs == largest) * np.sign(outputs)


def misclassification(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-sign(z) for every output larger than the label's, 0 elsewhere."""
    label_output = (one_hot(outputs, labels) * outputs).sum(axis=1, keepdims=True)
    return -np.sign(outputs) * (outputs > label_output)


def maximise(outputs: np.ndarray, neurons: np.ndarray | None = None) -> np.ndarray:
    """sign(z) * (1 - sigmoid(z)) for the neuron of each sample (every output, if None), 0 elsewhere."""
    chosen = 1 if neurons is None else one_hot(outputs, neurons, "neurons")
    outputs = check_real("outputs", outputs)
    return chosen * np.sign(outputs) * (1 - expit(outputs))


def minimise(outputs: np.ndarray, neurons: np.ndarray | None = None) -> np.ndarray:
    """-sign(z) * (1 - sigmoid(z)) for the neuron of each sample (every output, if None), 0 elsewhere."""
    return -maximise(outputs, neurons)


def teacher(opinion: Reward) -> Reward:
    """The reward of a teacher who says +1 (right, more of it), -1 (wrong, less of it), or anything between.

    opinion: (outputs, targets) -> one number for each sample, (N,), on its answer, the largest output; or one for each
    output, (N, O). A number q on an answer is q (answer - softmax(z)) on the outputs, the answer as one-hot: who
    praises one blames the others, and the other way round.
    The reward is z times the opinion on each output, so that s = r / z is the opinion itself, and praise raises an
    output on either side of 0; +1 as a reward would drive it away from 0, down if it is below.
    Raises, when it is called, ValueError for an opinion of another shape or not finite, TypeError for no numbers.
    Source: this project's; of an answer, the policy gradient of Williams 1992 without its sampling.
    """
    check_callable("opinion", opinion, "outputs, targets")

    @wraps(opinion)
    def reward(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        p = probabilities(outputs)
        said = check_real("the opinion", opinion(outputs, targets)).astype(outputs.dtype)
        check_finite("the opinion", said)
        if said.shape == outputs.shape[:1]:
            said = said[:, None] * (one_hot(outputs, outputs.argmax(axis=1)) - p)
        if said.shape != outputs.shape:
            raise ValueError(f"the opinion must have shape {outputs.shape[:1]} or {outputs.shape}, got {said.shape}")
        return outputs * said

    return reward


def rate_coded(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For outputs S (T, N, O) of 0 and 1, with n1 = sum_t S and n0 = T - n1:

    label's output: 1 - sigmoid(n1 - T//2) at every t; other outputs: -S * (1 - sigmoid(n0 - T//2)).
    Raises ValueError for outputs of another rank, or other numbers.
    """
    spikes = check_spikes(outputs)
    steps, n1 = len(spikes), spikes.sum(axis=0)
    for_label, for_others = 1 - expit(n1 - steps // 2), 1 - expit(steps - n1 - steps // 2)
    return np.where(one_hot(n1, labels) == 1, for_label, -spikes * for_others)


@canonical
def spike_counts(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """S * (y - softmax(n1)) at every t, for outputs S (T, N, O) and their counts n1 = sum_t S.

    J is the log-likelihood of the label with the counts as outputs. For gradient rules: LFP learns from rate_coded, as
    here the label's output gets no reward while it is silent, and never learns to spike.
    Raises ValueError for outputs of another rank, or other numbers.
    """
    spikes = check_spikes(outputs)
    return np.broadcast_to(softmax.gradient(spikes.sum(axis=0), labels), spikes.shape)


def check_spikes(outputs: ArrayLike) -> np.ndarray:
    """Outputs (T, N, O) that are spikes, 0 or 1, as an array. Raises ValueError for others."""
    spikes = check_real("outputs", outputs)
    if spikes.ndim != 3 or 0 in spikes.shape or not ((spikes == 0) | (spikes == 1)).all():
        raise ValueError(f"outputs must be spikes, 0 or 1, of shape (T, N, O), got {shown(spikes)}")
    return spikes


def binary(outputs: np.ndarray, targets: ArrayLike) -> np.ndarray:
    """Targets of the outputs' shape (N, 1) and dtype; ValueError for other shapes or values than 0 and 1."""
    if matrix(outputs).shape[1] != 1:
        raise ValueError(f"outputs must have shape (N, 1) for targets 0 or 1, got {outputs.shape}")
    targets = targets_like(outputs, targets)
    if not np.isin(targets, (0, 1)).all():
        raise refuse("targets", "0 or 1", targets)
    return targets


def targets_like(outputs: np.ndarray, targets: ArrayLike) -> np.ndarray:
    """Targets of the outputs' shape and dtype; ValueError for another number of them."""
    outputs = check_real("outputs", outputs)
    targets = cast(check_real("targets", targets), np.result_type(outputs, np.float32))
    check_finite("targets", targets)
    if targets.shape not in (outputs.shape, outputs.shape[:1] if outputs.shape[1:] == (1,) else None):
        raise ValueError(f"targets must have the outputs' shape {outputs.shape}, got {targets.shape}")
    return targets.reshape(outputs.shape)
