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

The potential is cheap to compute and large to keep, so on the way back a neuron is run again from its current; only for
the samples that get a reward, which are few behind a max pooling and neurons that seldom spike.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numba import njit, prange

from lfp_ref.layers.base import SPIKE, Layer, batch_first
from lfp_ref.layers.kernels import KERNEL, PARALLEL
from lfp_ref.layers.linear import Linear
from lfp_ref.layers.sharing import per_sample
from lfp_ref.layers.surrogates import derivative
from lfp_ref.layers.timed import Timed
from lfp_ref.rules import NO_SURROGATE, Gradient, Rule

# reset: (part of the membrane that a spike leaves, part of the threshold that it takes)
RESETS = {"subtract": (1, 1), "zero": (0, 0), "none": (1, 0)}
GROUP = 8  # neurons


@njit(**KERNEL)
def charged(before, current, neuron):
    """u[t] = beta v[t] + I[t] - taken[t] for u[t-1], I[t]"""
    beta, threshold, left, taken = neuron
    zero = type(before)(0)  # a plain 0 would turn single precision into double
    fired = before > threshold
    return beta * (left * before if fired else before) + current - (taken if fired else zero)


@njit(**KERNEL)
def charge(before, current, neuron, u):
    """u <- u[t] for u[t-1], I[t]: vectors over n"""
    for n in range(u.size):
        u[n] = charged(before[n], current[n], neuron)


@njit(**KERNEL)
def fire(u, current, neuron, spikes):
    """u[t-1] <- u[t], and spike[t] = [u[t] > threshold]"""
    for n in range(u.size):
        x = charged(u[n], current[n], neuron)
        u[n] = x
        spikes[n] = x > neuron[1]


@njit(**KERNEL)
def share(before, u, reward, carry, neuron, epsilon):
    """r[t] <- s[t], c[t+1] <- c[t] for u[t-1], u[t]"""
    beta, threshold, left, taken = neuron
    zero, infinite = u.dtype.type(0), u.dtype.type(np.inf)
    for n in range(u.size):
        fired = before[n] > threshold
        v = left * before[n] if fired else before[n]
        den = abs(v) + abs(u[n] + (taken if fired else zero) - v) + epsilon
        s = (reward[n] + carry[n]) / (den if den != 0 else infinite)  # nothing flowed, nothing is shared
        carry[n] = beta * v * s
        reward[n] = s


@njit(**KERNEL)
def descend(before, u, reward, carry, neuron, surrogate, slope):
    """The same for a gradient rule."""
    beta, threshold, left, _ = neuron
    one = u.dtype.type(1)
    for n in range(u.size):
        s = reward[n] * derivative(surrogate, slope, u[n] - threshold) + carry[n]
        carry[n] = beta * (left if before[n] > threshold else one) * s
        reward[n] = s


@njit(**KERNEL)
def rewarded(reward, low, high):
    """Where neurons low..high get a reward at any step, of reward (neurons, T, N): numbers of neurons, of samples"""
    batch = reward.shape[2]
    neurons, samples = np.empty((high - low) * batch + 1, np.int64), np.empty((high - low) * batch + 1, np.int64)
    some, count = np.empty(batch, reward.dtype), 0
    for j in range(low, high):
        some[:] = 0
        for t in range(reward.shape[1]):
            now = reward[j, t]
            for n in range(batch):
                some[n] += abs(now[n])
        for n in range(batch):  # without a branch: what is not wanted is overwritten by the next
            neurons[count], samples[count] = j, n
            count += int(some[n] != 0)
    return neurons[:count], samples[:count]


@njit(**KERNEL)
def places(neurons, samples, x):
    """Where x (neurons, T, N), as a flat array, has the first step of each."""
    at = np.empty(neurons.size, np.uint64)
    for k in range(at.size):
        at[k] = neurons[k] * x.shape[1] * x.shape[2] + samples[k]
    return at


@njit(**KERNEL)
def take(flat, at, t, batch, out):
    """out <- the values at these places, t steps later"""
    for k in range(at.size):
        out[k] = flat[at[k] + np.uint64(t * batch)]


@njit(**KERNEL)
def put(values, at, t, batch, flat):
    """The other way round."""
    for k in range(at.size):
        flat[at[k] + np.uint64(t * batch)] = values[k]


@njit(**PARALLEL)
def forward(current, neuron, spikes):
    """Spikes (neurons, T, N) of the current: (neurons, 1, N) where it is constant, (neurons, T, N) else.

    Returns whether any potential is NaN: that one stays NaN to the last step.
    """
    lost = np.zeros(len(spikes), np.bool_)
    for j in prange(len(spikes)):
        u = np.zeros(spikes.shape[2], current.dtype)
        for t in range(spikes.shape[1]):
            fire(u, current[j, min(t, current.shape[1] - 1)], neuron, spikes[j, t])
        missing = 0
        for n in range(u.size):
            missing += u[n] != u[n]
        lost[j] = missing > 0
    return lost.any()


@njit(**PARALLEL)
def membranes(current, neuron, u):
    """u (neurons, T, N) of the current."""
    for j in prange(len(u)):
        before = np.zeros(u.shape[2], u.dtype)
        for t in range(u.shape[1]):
            charge(before, current[j, min(t, current.shape[1] - 1)], neuron, u[j, t])
            before = u[j, t]


@njit(**PARALLEL)
def feedback(current, neuron, rule, reward, out, summed):
    """out (neurons, T, N), the reward itself, <- s; or summed, out (neurons, 1, N) <- the sum of s over time.

    rule: (is it LFP, epsilon, surrogate, slope). Only where there is a reward: elsewhere s is 0. Few samples of a
    neuron have one, so GROUP neurons make up a vector.
    """
    (size, steps, batch), (shares, epsilon, surrogate, slope) = reward.shape, rule
    flat_current, flat_reward, flat_out = current.reshape(-1), reward.reshape(-1), out.reshape(-1)
    for group in prange((size + GROUP - 1) // GROUP):
        low, high = group * GROUP, min((group + 1) * GROUP, size)
        neurons, samples = rewarded(reward, low, high)
        at, at_current = places(neurons, samples, reward), places(neurons, samples, current)
        u, now = np.zeros((steps + 1, at.size), reward.dtype), np.empty(at.size, reward.dtype)
        carry, total = np.zeros_like(now), np.zeros_like(now)
        for t in range(steps):
            if t < current.shape[1]:
                take(flat_current, at_current, t, batch, now)
            charge(u[t], now, neuron, u[t + 1])
        for t in range(steps - 1, -1, -1):
            take(flat_reward, at, t, batch, now)
            if shares:
                share(u[t], u[t + 1], now, carry, neuron, epsilon)
            else:
                descend(u[t], u[t + 1], now, carry, neuron, surrogate, slope)
            if summed:
                for k in range(now.size):
                    total[k] += now[k]
            else:
                put(now, at, t, batch, flat_out)
        if summed:
            out[low:high] = 0
            put(total, places(neurons, samples, out), 0, batch, flat_out)


class LIF(Timed):
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

    takes_spikes = True
    layer: Linear
    beta: float
    threshold: float
    reset: str

    def __init__(self, layer: Linear, beta: float = 0.9, threshold: float = 1.0, reset: str = "subtract") -> None:
        if not isinstance(layer, Linear):
            raise TypeError(f"LIF takes the Dense or Conv2d layer that computes its current, got {layer!r}")
        if not isinstance(beta, Real) or not 0 <= beta <= 1:
            raise ValueError(f"LIF: beta must be a number in 0..1, got {beta!r}")
        if not isinstance(threshold, Real) or not 0 < threshold < np.inf:
            raise ValueError(f"LIF: threshold must be finite and > 0, got {threshold!r}")
        if reset not in RESETS:
            raise ValueError(f"LIF: reset must be one of {', '.join(RESETS)}, got {reset!r}")
        self.layer, self.beta, self.threshold, self.reset = layer, float(beta), float(threshold), reset
        self.adopt()

    def __repr__(self) -> str:
        usual = {"beta": 0.9, "threshold": 1.0, "reset": "subtract"}
        options = "".join(f", {k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k) != v)
        return f"LIF({self.layer!r}{options})"

    def children(self) -> dict[str, Layer]:
        return {"": self.layer}

    def first_layers(self) -> list[Layer]:
        return [self.layer]

    @property
    def spikes(self) -> np.ndarray:
        """0 or 1 (T, N, ...) of the last forward pass, a new array. Raises RuntimeError before it."""
        return self._over_time(self._passed().output).astype(self.dtype)

    @property
    def membrane(self) -> np.ndarray:
        """u (T, N, ...) of the last forward pass, a new array. Raises RuntimeError before it."""
        return self._over_time(self._passed()._potential())

    def _potential(self) -> np.ndarray:
        (current,) = self.seen
        u = np.empty(self.output.shape, current.dtype)
        membranes(self._timed(current), self._neuron(), self._timed(u))
        return u

    def _passed(self) -> LIF:
        if self.seen is None:
            raise RuntimeError(f"{self.label}: there are no spikes and no membrane before a forward pass")
        return self

    def _over_time(self, x: np.ndarray) -> np.ndarray:
        return batch_first(x).reshape(self.time().steps, -1, *x.shape[1:-1])

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        clock = self.time()
        current = self.layer.propagate(a, training)
        spikes = self.buffer("spikes", (*current.shape[:-1], clock.steps * clock.samples), SPIKE)
        is_lost = forward(self._timed(current), self._neuron(), self._timed(spikes))
        self.remember(spikes, current)
        if is_lost:  # a byte has no NaN, but what diverges must be seen
            u = self._potential()
            self.output = np.where(np.isnan(u), u, u > self.threshold)
        return self.output

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        (current,), samples = self.seen, self.time().samples
        is_constant = current.shape[-1] == samples  # then only the sum of s over time is needed
        s = self.buffer("total", (*reward.shape[:-1], samples), reward.dtype) if is_constant else reward
        self._share(reward, rules[self.layer], s)
        return self.layer.hand_out(s, rules[self.layer], wanted)

    def _share(self, reward: np.ndarray, rule: Rule, out: np.ndarray) -> None:
        """out (..., N) <- the sum of s over time; or, where out is the reward itself, reward <- s."""
        (current,), number = self.seen, reward.dtype.type
        if isinstance(rule, Gradient):
            how = False, number(0), rule.surrogate, number(rule.slope)
        else:
            how = True, number(rule.epsilon), NO_SURROGATE, number(0)
        feedback(self._timed(current), self._neuron(), how, self._timed(reward), self._timed(out), out is not reward)

    def _neuron(self) -> tuple[Any, ...]:
        """(beta, threshold, left, taken) of the kernels, in the layer's dtype."""
        left, taken = RESETS[self.reset]
        number = self.layer.weight.value.dtype.type
        return tuple(number(x) for x in (self.beta, self.threshold, left, taken * self.threshold))

    def check_rule(self, rule: Rule) -> None:
        """Raises ValueError for a rule that has no form for spikes."""
        if rule.groups != Rule.groups or rule.learning != "share":
            raise ValueError(f"{self.label}: a LIF shares by Epsilon (or a gradient rule), got {rule!r}")

    def kept(self, reward: np.ndarray, rules: Mapping[Any, Rule]) -> dict[str, np.ndarray]:
        rule, clock = rules[self.layer], self.time()
        s, u = reward.copy(), self._potential()
        self._share(s, rule, s)
        neurons = reward.size // reward.shape[-1]
        r, s, u, current = (x.reshape(neurons, -1, clock.samples) for x in (reward, s, u, self.seen[0]))
        before = np.concatenate([np.zeros_like(u[:, :1]), u[:, :-1]], axis=1)
        _, threshold, left, taken = self._neuron()
        v = np.where(before > threshold, left * before, before)
        den = np.abs(v) + np.abs(u + np.where(before > threshold, taken, 0) - v)
        bias = self.layer.bias.value if self.layer.bias else np.zeros(1)
        parts = {
            "bias": s * np.repeat(bias, len(s) // len(bias))[:, None, None],
            "stabiliser": rule.epsilon * s,
            "empty group": np.where(den + rule.epsilon == 0, r, 0),  # u is 0 there: no reward came back in time
            "membrane": (den - self.beta * v - current) * s,
        }
        return {cause: per_sample(part.reshape(1, len(part), -1)) for cause, part in parts.items()}

    # ---- what is counted

    def rate(self) -> float:
        """Spikes of a neuron in a step, on average over the last pass."""
        return float(np.count_nonzero(self.output) / self.output.size)

    def operations(self) -> float:
        """Additions of a weight per sample that the spikes of the last pass cause, an estimate.

        Every input that is not 0 reaches all its outputs; a constant input does so once.
        """
        a, z, fan_in = self.layer.seen[0], self.layer.output, self.layer.weight.value[0].size
        once = z.size // z.shape[-1] * fan_in
        return float(np.count_nonzero(a) / a.size * once * a.shape[-1] / self.time().samples)

    def _timed(self, x: np.ndarray) -> np.ndarray:
        """(..., T*N) as (neurons, T, N), or (..., N) as (neurons, 1, N)."""
        return x.reshape(-1, x.shape[-1] // self.time().samples, self.time().samples)
