"""Leaky integrate-and-fire (LIF) neurons around a linear layer: the recursion over time, forward and back.

    I[t]     = sum_i w_ji x_i[t] + b_j                  the current, computed by the layer inside
    fired[t] = 1 if u[t-1] > threshold else 0           did the step before end in a spike?  u[-1] = 0
    v[t]     = what the reset left of the membrane potential u[t-1]
    u[t]     = beta v[t] + I[t] - taken[t]
    spike[t] = 1 if u[t] > threshold else 0

    reset       v[t]                     taken[t]
    subtract    u[t-1]                   threshold * fired[t]
    zero        (1 - fired[t]) u[t-1]    0
    none        u[t-1]                   0

The reset comes one step after the spike, and "subtract" takes the whole threshold, not beta times it.

The reward r[t] of a spike passes to its membrane unchanged. From there it is shared between the current, which is
handed on by the layer inside, and the membrane one step before, c[t]. Backwards from the last step, with c[T] = 0:

    R[t]     = r[t] + c[t+1]
    den[t]   = |v[t]| + |u[t] + taken[t] - v[t]|        the membrane before, and how it changed (the reset undone)
    s[t]     = R[t] / (den[t] + epsilon)
    c[t]     = beta v[t] s[t]
    r_x[t]   = x[t] * (s[t] W)      d_W = |W| * sum_t,n s[t] x[t]      d_b = |b| * sum_t,n s[t]

No spike is differentiated. den is never negative, so s has the sign of R: u[t] moves the way its reward says. Where
membrane and current work against each other, den is more than |u[t]|, and the membrane keeps a part of the reward.

Under a gradient rule the same pass is backpropagation through time, the reset held constant as in snntorch:

    s[t]     = r[t] * surrogate(u[t] - threshold) + c[t+1]      c[t] = beta dv[t]/du[t-1] s[t]

The potential is cheap to compute and large to keep, so on the way back each neuron is run again from its current.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numba import prange

from lfp_ref.core.checks import check_number, check_one_of
from lfp_ref.core.layer import Layer
from lfp_ref.core.layout import to_batch_first
from lfp_ref.core.node import Node
from lfp_ref.kernels.compile import kernel, parallel
from lfp_ref.layers.surrogates import derivative
from lfp_ref.layers.weighted import WeightedLayer
from lfp_ref.rules import FeedbackAlignment, Term

# reset: (part of the membrane that a spike leaves, part of the threshold that it takes)
RESETS = {"subtract": (1, 1), "zero": (0, 0), "none": (1, 0)}


@kernel
def charged(before, current, neuron):
    """u[t] = beta v[t] + I[t] - taken[t] for u[t-1], I[t]: numbers"""
    beta, threshold, left, taken = neuron
    none = type(before)(0)  # a plain 0 would turn single precision into double
    fired = before > threshold
    return beta * (left * before if fired else before) + current - (taken if fired else none)


@kernel
def fire(u, current, neuron, spikes):
    """u[t-1] <- u[t], and spike[t] = [u[t] > threshold].  Vectors over n"""
    one, none = u.dtype.type(1), u.dtype.type(0)
    for n in range(np.uint64(u.size)):
        now = charged(u[n], current[n], neuron)
        u[n] = now
        spikes[n] = one if now > neuron[1] else (none if now <= neuron[1] else now)  # NaN stays NaN, and is seen


@parallel
def forward(current, neuron, spikes):
    """Spikes (neurons, T, N) of the current: (neurons, 1, N) where it is constant, (neurons, T, N) otherwise.

    neuron: (beta, threshold, left, taken)
    """
    for j in prange(len(spikes)):
        u = np.zeros(spikes.shape[2], current.dtype)
        for t in range(spikes.shape[1]):
            fire(u, current[j, min(t, current.shape[1] - 1)], neuron, spikes[j, t])


@kernel
def membrane(current, neuron, u):
    """u[t] of one neuron.  current (1 or T, N) -> u (T + 1, N); its first row is u[-1] = 0"""
    u[0] = 0
    for t in range(len(u) - 1):
        now = current[min(t, len(current) - 1)]
        for n in range(np.uint64(u.shape[1])):
            u[t + 1, n] = charged(u[t, n], now[n], neuron)


@kernel
def share(before, u, reward, carry, neuron, epsilon):
    """reward <- s[t], carry <- c[t] for u[t-1], u[t], r[t], c[t+1].  Vectors over n"""
    beta, threshold, left, taken = neuron
    none, infinite = u.dtype.type(0), u.dtype.type(np.inf)
    for n in range(np.uint64(u.size)):
        fired = before[n] > threshold
        v = left * before[n] if fired else before[n]
        den = abs(v) + abs(u[n] + (taken if fired else none) - v) + epsilon
        s = (reward[n] + carry[n]) / (den if den != 0 else infinite)  # nothing flowed, nothing is shared
        carry[n] = beta * v * s
        reward[n] = s


@kernel
def descend(before, u, reward, carry, neuron, surrogate):
    """The same for a gradient rule.  surrogate: (which, slope)"""
    beta, threshold, left, _ = neuron
    one = u.dtype.type(1)
    for n in range(np.uint64(u.size)):
        s = reward[n] * derivative(surrogate[0], surrogate[1], u[n] - threshold) + carry[n]
        carry[n] = beta * (left if before[n] > threshold else one) * s
        reward[n] = s


@parallel
def backward(current, neuron, epsilon, surrogate, reward):
    """reward (neurons, T, N) <- s.  epsilon: of LFP; below 0: gradient descent by the surrogate (which, slope)"""
    neurons, steps, batch = reward.shape
    for j in prange(neurons):
        u, carry = np.empty((steps + 1, batch), reward.dtype), np.zeros(batch, reward.dtype)
        membrane(current[j], neuron, u)
        for t in range(steps - 1, -1, -1):
            if epsilon >= 0:
                share(u[t], u[t + 1], reward[j, t], carry, neuron, epsilon)
            else:
                descend(u[t], u[t + 1], reward[j, t], carry, neuron, surrogate)


@parallel
def membranes(current, neuron, u):
    """u (neurons, T, N) of the current."""
    for j in prange(len(u)):
        all_steps = np.empty((u.shape[1] + 1, u.shape[2]), u.dtype)
        membrane(current[j], neuron, all_steps)
        u[j] = all_steps[1:]


class LIF(Layer):
    """Leaky integrate-and-fire neurons, whose current a Dense or Conv2d layer computes. For lfp.Spiking.

    Input (T, N, ...) or, the same at every step, (N, ...) as the layer takes it; output: its shape, 0 or 1, over time.
    beta: decay of the membrane potential in a step, 0 (no memory) to 1 (no leak). threshold: above 0, a neuron spikes
    at u > threshold. reset: "subtract", "zero" or "none", in effect one step after the spike; "subtract" takes the
    threshold unscaled by beta, "zero" drops the potential before it decays, so the next one is the current alone.
    The layer inside keeps this one's number: its parameters are "0.weight", "0.bias". It learns by the epsilon rule
    (its stabiliser is added to den), or by a gradient rule, which needs a surrogate to pass a spike.

    With T = 1 den = |I|: the shares are those of Dense and Step at I > threshold, up to the sign of I (a Dense layer
    divides by I, a LIF by |I|: its s has the reward's sign). With beta = 0 no reward is carried back in time, but den
    is |v[t]| + |I[t] - v[t]|, which is |I[t]| only where the potential that decays lies between 0 and I[t].

    Raises TypeError for a layer other than Dense or Conv2d, ValueError for other numbers and resets.
    Source: the paper's section on spiking networks, after lfprop; the dynamics are snntorch's Leaky. lfprop has no
    feedback for "zero"; here it is what actually flowed: a dropped potential is no part of den and gets no reward.
    """

    batch_first = False
    layer: WeightedLayer
    beta: float
    threshold: float
    reset: str

    def __init__(
        self, layer: WeightedLayer, beta: float = 0.9, threshold: float = 1.0, reset: str = "subtract"
    ) -> None:
        if not isinstance(layer, WeightedLayer) or layer.weight is None or getattr(layer, "padding_value", False):
            raise TypeError(
                f"LIF takes the Dense or Conv2d layer (padded by 0) that computes its current, got {layer!r}"
            )
        self.layer = layer
        self.beta = check_number("LIF: beta", beta, 0, 1)
        self.threshold = check_number("LIF: threshold", threshold, 0, above=True)
        self.reset = check_one_of("LIF: reset", reset, RESETS)

    def __repr__(self) -> str:
        usual = {"beta": 0.9, "threshold": 1.0, "reset": "subtract"}
        options = "".join(f", {k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k) != v)
        return f"LIF({self.layer!r}{options})"

    def children(self) -> dict[str, Layer]:
        return {"": self.layer}

    def check_rule(self, node: Node) -> None:
        node.expect_plain_rule()
        if isinstance(node.rule, FeedbackAlignment):
            raise ValueError(f"{node.label}: feedback alignment needs a derivative, and a spike has none")

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        steps = steps_of(node)
        current = node.forward("", a)
        spikes = node.scratch("spikes", (*current.shape[:-1], steps * node.samples), current.dtype)
        forward(over_time(current, node), self._neuron(current), over_time(spikes, node))
        node.saved = current
        self._passes_of_this_thread().node = weakref.ref(node)
        return spikes

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        current = node.saved
        number = current.dtype.type
        rule = node.rule
        given = reward.copy() if node.absorbed is not None else reward
        epsilon = number(-1 if rule.is_gradient else rule.epsilon)
        which, slope = rule.surrogate_and_slope()
        surrogate = which, number(slope)
        backward(over_time(current, node), self._neuron(current), epsilon, surrogate, over_time(reward, node))
        if node.absorbed is not None:
            self._absorb(given, reward, node)
        if current.shape[-1] == node.samples:  # a constant current needs the sum of s over time
            reward = reward.reshape(*reward.shape[:-1], -1, node.samples).sum(axis=-2)
        inner = node.children[""]
        inner.wanted = node.wanted
        a, _ = inner.saved
        return self.layer.share_out(reward, *self.layer.operands(Term(), a, inner), inner)

    def _absorb(self, reward: np.ndarray, s: np.ndarray, node: Node) -> None:
        """The account of one pass, causes by the shares of den (the module's docstring)."""
        current = over_time(node.saved, node)
        r, s_over_time = over_time(reward, node), over_time(s, node)
        u = np.empty_like(r)
        membranes(current, self._neuron(node.saved), u)
        before = np.concatenate([np.zeros_like(u[:, :1]), u[:, :-1]], axis=1)
        _, threshold, left, taken = self._neuron(node.saved)
        v = np.where(before > threshold, left * before, before)
        den = np.abs(v) + np.abs(u + np.where(before > threshold, taken, 0) - v)
        b = np.repeat(self.layer.bias_value(node), len(r) // len(self.layer.bias_value(node)))[:, None, None]
        epsilon = node.rule.epsilon
        parts = {
            "bias": s_over_time * b,
            "stabiliser": epsilon * s_over_time,
            "empty group": np.where(den + epsilon == 0, r, 0),  # u is 0 there: no reward came back in time
            "membrane": (den - self.beta * v - current) * s_over_time,
        }
        for cause, part in parts.items():
            node.absorb(cause, part.reshape(len(part), -1))

    def _neuron(self, current: np.ndarray) -> tuple[Any, ...]:
        """(beta, threshold, left, taken) of the kernels, in the current's dtype."""
        left, taken = RESETS[self.reset]
        number = current.dtype.type
        return number(self.beta), number(self.threshold), number(left), number(taken * self.threshold)

    # ---- what a pass shows

    @property
    def spikes(self) -> np.ndarray:
        """0 or 1 (T, N, ...) of this thread's last forward pass, a new array. Raises RuntimeError before it."""
        node = self._last_node()
        return split_time(node.output, node)

    @property
    def membrane(self) -> np.ndarray:
        """u (T, N, ...) of this thread's last forward pass, a new array. Raises RuntimeError before it."""
        node = self._last_node()
        u = np.empty_like(node.output)
        membranes(over_time(node.saved, node), self._neuron(node.saved), over_time(u, node))
        return split_time(u, node)

    def _last_node(self) -> Node:
        node = self._passes_of_this_thread().node()
        if node is None:
            raise RuntimeError(f"{self!r}: there are no spikes and no membrane before a forward pass")
        return node

    def operations(self, node: Node) -> float:
        """Additions of a weight per sample that the spikes of a pass cause, an estimate.

        Every input that is not 0 reaches all its outputs; a constant input does so once.
        """
        a, z = node.children[""].saved
        fan_in = self.layer.weight_value(node)[0].size
        once = z.size // z.shape[-1] * fan_in
        return float(np.count_nonzero(a) / a.size * once * a.shape[-1] / node.samples)


def steps_of(node: Node) -> int:
    """T of the pass. Raises RuntimeError outside of a spiking network."""
    steps = node.common.steps
    if steps is None:
        raise RuntimeError(f"{node.label} runs over time: put it into lfp.Spiking(..., steps=15)")
    return steps


def over_time(x: np.ndarray, node: Node) -> np.ndarray:
    """(..., T*N) as (neurons, T, N), or (..., N) as (neurons, 1, N)."""
    return x.reshape(-1, x.shape[-1] // node.samples, node.samples)


def split_time(x: np.ndarray, node: Node) -> np.ndarray:
    """(..., T*N) as the user sees it, (T, N, ...)."""
    return to_batch_first(x).reshape(-1, node.samples, *x.shape[:-1])
