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

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

Reward = Callable[[np.ndarray, np.ndarray], np.ndarray]


def one_hot(outputs: np.ndarray, labels: ArrayLike) -> np.ndarray:
    """y of the outputs' shape (N, O) and dtype.

    Raises ValueError for labels that are not one integer in 0..O-1 for each sample.
    """
    if np.ndim(outputs) != 2 or 0 in np.shape(outputs):
        raise ValueError(f"outputs must have shape (N, O) with nothing empty, got {np.shape(outputs)}")
    labels, (samples, classes) = np.asarray(labels), outputs.shape
    if labels.dtype.kind not in "iu" or labels.shape != (samples,):
        raise ValueError(f"labels must be {samples} integers, got shape {labels.shape}, dtype {labels.dtype}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must be in 0..{classes - 1}, got {labels.min()}..{labels.max()}")
    y = np.zeros_like(outputs)
    y[np.arange(samples), labels] = 1
    return y


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """softmax(z) of each sample, z and result (N, O). (scipy's takes three times as long for a batch.)"""
    p = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def canonical(gradient: Reward) -> Reward:
    """The reward z * dJ/dz of a function that gives dJ/dz."""

    @wraps(gradient)
    def reward(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return outputs * gradient(outputs, targets)

    reward.gradient = gradient  # type: ignore[attr-defined]
    return reward


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
    p = probabilities(outputs)
    p = np.where(p > high, 1, np.where(p < low, 0, p)).astype(outputs.dtype)
    return (np.sign(outputs) if sign_only else outputs) * (one_hot(outputs, labels) - p)


def correct_class(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """sign(z) for the label's output where it is the largest (or ties), 0 elsewhere."""
    y = one_hot(outputs, labels)
    largest = outputs.max(axis=1, keepdims=True)
    return y * (outputs == largest) * np.sign(outputs)


def misclassification(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-sign(z) for every output larger than the label's, 0 elsewhere."""
    label_output = (one_hot(outputs, labels) * outputs).sum(axis=1, keepdims=True)
    return -np.sign(outputs) * (outputs > label_output)


def maximise(outputs: np.ndarray, neurons: np.ndarray | None = None) -> np.ndarray:
    """sign(z) * (1 - sigmoid(z)) for the neuron of each sample (every output, if None), 0 elsewhere."""
    chosen = 1 if neurons is None else one_hot(outputs, neurons)
    return chosen * np.sign(outputs) * (1 - expit(outputs))


def minimise(outputs: np.ndarray, neurons: np.ndarray | None = None) -> np.ndarray:
    """-sign(z) * (1 - sigmoid(z)) for the neuron of each sample (every output, if None), 0 elsewhere."""
    return -maximise(outputs, neurons)


def rate_coded(spikes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For spikes S (T, N, O) of 0 and 1, with n1 = sum_t S and n0 = T - n1:

    label's output: 1 - sigmoid(n1 - T//2) at every t; other outputs: -S * (1 - sigmoid(n0 - T//2)).
    Raises ValueError for outputs of another rank.
    """
    if spikes.ndim != 3:
        raise ValueError(f"rate_coded needs spikes of shape (T, N, O), got {spikes.shape}")
    steps, n1 = len(spikes), spikes.sum(axis=0)
    for_label, for_others = 1 - expit(n1 - steps // 2), 1 - expit(steps - n1 - steps // 2)
    return np.where(one_hot(n1, labels) == 1, for_label, -spikes * for_others)


@canonical
def spike_counts(spikes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """S * (y - softmax(n1)) at every t, for spikes S (T, N, O) and their counts n1 = sum_t S.

    J is the log-likelihood of the label with the counts as outputs. For gradient rules: LFP learns from rate_coded, as
    here the label's output gets no reward while it is silent, and never learns to spike.
    Raises ValueError for outputs of another rank.
    """
    if spikes.ndim != 3:
        raise ValueError(f"spike_counts needs spikes of shape (T, N, O), got {spikes.shape}")
    return np.broadcast_to(softmax.gradient(spikes.sum(axis=0), labels), spikes.shape)  # type: ignore[attr-defined]


def binary(outputs: np.ndarray, targets: ArrayLike) -> np.ndarray:
    """Targets of the outputs' shape (N, 1) and dtype; ValueError for other shapes or values than 0 and 1."""
    targets = targets_like(outputs, targets)
    if outputs.shape[1:] != (1,) or not np.isin(targets, (0, 1)).all():
        raise ValueError(f"binary_sigmoid needs one output and targets 0 or 1, got outputs of shape {outputs.shape}")
    return targets


def targets_like(outputs: np.ndarray, targets: ArrayLike) -> np.ndarray:
    """Targets of the outputs' shape and dtype; ValueError for another number of them."""
    targets = np.asarray(targets, outputs.dtype)
    if targets.shape not in (outputs.shape, outputs.shape[:1] if outputs.shape[1:] == (1,) else None):
        raise ValueError(f"targets must have the outputs' shape {outputs.shape}, got {targets.shape}")
    return targets.reshape(outputs.shape)
