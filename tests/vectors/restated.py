"""What the oracle leaves out, number by number: transcendental activations, rewards, optimisers, on Bounded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests import oracle
from tests.oracle import ZERO, zeros
from tests.vectors.bounded import PI, array, bounded, cos, each, erf, exp, log1p, sqrt, tanh

# ---- activations: name -> (phi, derivative), of z and the parameter p


def sigmoid(z):
    return 1 / (1 + exp(-bounded(z)))


def normal(z):
    """The standard normal distribution's value at z."""
    return (1 + erf(z / sqrt(bounded(2)))) / 2


def density(z):
    return exp(-z * z / 2) / sqrt(bounded(2 * Fraction(PI)))


ACTIVATIONS = {
    "relu": (lambda z, p: oracle.plus(z), lambda z, p: Fraction(z > 0)),
    "leaky-relu": (lambda z, p: z if z > 0 else p * z, lambda z, p: Fraction(1) if z > 0 else p),
    "elu": (lambda z, p: z if z > 0 else p * (exp(z) - 1), lambda z, p: Fraction(1) if z > 0 else p * exp(z)),
    "silu": (lambda z, p: z * sigmoid(z), lambda z, p: sigmoid(z) * (1 + z * (1 - sigmoid(z)))),
    "gelu": (lambda z, p: z * normal(z), lambda z, p: normal(z) + z * density(z)),
    "tanh": (lambda z, p: tanh(z), lambda z, p: 1 - tanh(z) ** 2),
    "sigmoid": (lambda z, p: sigmoid(z), lambda z, p: sigmoid(z) * (1 - sigmoid(z))),
    "softplus": (lambda z, p: oracle.plus(z) + log1p(exp(-abs(z))), lambda z, p: sigmoid(z)),
    "softsign": (lambda z, p: z / (1 + abs(z)), lambda z, p: 1 / (1 + abs(z)) ** 2),
    "step": (lambda z, p: Fraction(z > 0), lambda z, p: ZERO),
}


def activation(name, parameter=None, wrapped=None):
    """The oracle's layer of an activation; wrapped: "negated" for -phi(z), "reflected" for phi(-z)."""
    phi, slope = ACTIVATIONS[name]
    p = bounded(parameter or 0)
    functions = {
        None: (lambda z: phi(z, p), lambda z: slope(z, p)),
        "negated": (lambda z: -phi(z, p), lambda z: -slope(z, p)),
        "reflected": (lambda z: phi(-z, p), lambda z: -slope(-z, p)),
    }
    return oracle.Pointwise(*functions[wrapped])


def atan(x, slope):
    return slope / 2 / (1 + (Fraction(PI) / 2 * slope * x) ** 2)


def straight_through(x, slope):
    return Fraction(abs(x) <= slope)


STAND_INS = {
    "atan-surrogate": atan,
    "fast-sigmoid-surrogate": oracle.fast_sigmoid,
    "straight-through": straight_through,
}

# ---- rewards: (outputs, targets) -> {quantity: array}, the reward last


def one_hot(z, labels):
    y = zeros(z.shape)
    for n, label in enumerate(labels):
        y[n, label] = Fraction(1)
    return y


def probabilities(z):
    p = zeros(z.shape)
    for n, row in enumerate(z):
        largest = max(row, key=lambda x: x.value)  # any shift would do
        powers = [exp(x - largest) for x in row]
        for o, power in enumerate(powers):
            p[n, o] = power / sum(powers[1:], powers[0])
    return p


def sign(z):
    return (z > 0) - (z < 0)


def canonical(z, y, p):
    """z * (y - p): the objective's derivative, times z."""
    return {"probability": p, "gradient": y - p, "reward": z * (y - p)}


def softmax(z, labels):
    return canonical(z, one_hot(z, labels), probabilities(z))


def sigmoid_reward(z, labels):
    return canonical(z, one_hot(z, labels), each(sigmoid, z))


def binary_sigmoid(z, targets):
    return canonical(z, array(targets).reshape(z.shape), each(sigmoid, z))


def squared_error(z, targets):
    difference = array(targets).reshape(z.shape) - z
    return {"gradient": difference, "reward": z * difference}


def bounded_softmax(z, labels, low=0.0, high=1.0, sign_only=False):
    p = each(lambda p: Fraction(1) if p > high else ZERO if p < low else p, probabilities(z))
    factor = each(sign, z) if sign_only else z
    return {"probability": p, "reward": factor * (one_hot(z, labels) - p)}


def correct_class(z, labels):
    out = zeros(z.shape)
    for n, label in enumerate(labels):
        out[n, label] = Fraction(sign(z[n, label]) if all(z[n, label] >= other for other in z[n]) else 0)
    return {"reward": out}


def misclassification(z, labels):
    out = zeros(z.shape)
    for n, o in np.ndindex(z.shape):
        out[n, o] = Fraction(-sign(z[n, o]) if z[n, o] > z[n, labels[n]] else 0)
    return {"reward": out}


def maximise(z, neurons=None):
    chosen = array(np.ones(z.shape)) if neurons is None else one_hot(z, neurons)
    return {"reward": chosen * each(lambda v: sign(v) * (1 - sigmoid(v)), z)}


def minimise(z, neurons=None):
    return {"reward": -maximise(z, neurons)["reward"]}


def counts(spikes):
    """How many spikes: n1 = sum over t of S."""
    n1 = zeros(spikes.shape[1:])
    for now in spikes:
        n1 = n1 + now
    return n1


def rate_coded(spikes, labels):
    steps, n1, out = len(spikes), counts(spikes), zeros(spikes.shape)
    for t, n, o in np.ndindex(spikes.shape):
        if o == labels[n]:
            out[t, n, o] = 1 - sigmoid(n1[n, o] - steps // 2)
        else:
            out[t, n, o] = -spikes[t, n, o] * (1 - sigmoid(steps - n1[n, o] - steps // 2))
    return {"count": n1, "reward": out}


def spike_counts(spikes, labels):
    n1 = counts(spikes)
    gradient = np.stack([softmax(n1, labels)["gradient"]] * len(spikes))
    return {"count": n1, "gradient": gradient, "reward": spikes * gradient}


REWARDS = {
    "softmax": softmax,
    "bounded-softmax": bounded_softmax,
    "sigmoid": sigmoid_reward,
    "binary-sigmoid": binary_sigmoid,
    "squared-error": squared_error,
    "correct-class": correct_class,
    "misclassification": misclassification,
    "maximise": maximise,
    "minimise": minimise,
    "rate-coded": rate_coded,
    "spike-counts": spike_counts,
}

# ---- optimisers


class Optimiser:
    """sgd, adam, adamw over a list of arrays; state: {name: arrays}, moved by step(values, feedback)."""

    def __init__(self, name, shapes, lr, **options):
        usual = {"momentum": 0.0, "weight_decay": 0.0, "betas": (0.9, 0.999), "eps": 1e-8} | options
        self.name, self.lr, self.steps = name, bounded(lr), 0
        self.momentum, self.decay, self.eps = (bounded(usual[key]) for key in ("momentum", "weight_decay", "eps"))
        self.betas = [bounded(beta) for beta in usual["betas"]]
        slots = ("velocity",) if name == "sgd" else ("mean", "square")
        self.state = {slot: [array(np.zeros(shape)) for shape in shapes] for slot in slots}

    def step(self, values, feedback):
        """The values afterwards."""
        self.steps += 1
        moved = []
        for i, (w, d) in enumerate(zip(values, feedback, strict=True)):
            if self.name == "sgd":
                v = self.state["velocity"][i] = self.state["velocity"][i] * self.momentum + d - w * self.decay
                moved.append(w + v * self.lr)
                continue
            if self.name == "adam":
                d = d - w * self.decay
            (b1, b2), state = self.betas, self.state
            m = state["mean"][i] = state["mean"][i] * b1 + d * (1 - b1)
            v = state["square"][i] = state["square"][i] * b2 + d * d * (1 - b2)
            root = each(sqrt, v / (1 - b2**self.steps))
            shrunk = w - w * (self.lr * self.decay) if self.name == "adamw" else w
            moved.append(shrunk + m / (1 - b1**self.steps) * self.lr / (root + self.eps))
        return moved


def clip_norm(feedback, max_norm):
    """(norm, the feedback scaled so that it is at most max_norm)"""
    norm = sqrt(sum((x * x for d in feedback for x in d.flat), ZERO))
    factor = bounded(max_norm) / norm if norm > max_norm else 1
    return norm, [d * factor for d in feedback]


def one_cycle(max_lr, steps, warm=0.3, start=25.0, end=1e4):
    """The learning rate of every step."""
    max_lr, warm, start, end = map(bounded, (max_lr, warm, start, end))
    peak = warm * steps - 1
    peak = peak if peak > 0 else bounded(0)

    def rate(step):
        low, part = max_lr / start, step / peak if peak.value else bounded(1)
        if step > peak:
            rest = steps - 1 - peak
            low, part = max_lr / start / end, (steps - 1 - step) / (rest if rest > 1 else 1)
        return low + (max_lr - low) * (1 - cos(Fraction(PI) * part)) / 2

    return [rate(bounded(step)) for step in range(steps)]
