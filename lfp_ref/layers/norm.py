"""Batch normalisation.

    a_out = w x + b with x = (a - mean) / sqrt(var + eps), per channel c; while training, mean and var are the batch's

Reward: the epsilon rule on the affine map this is once the statistics are constants, a_out = k a + (b - k mean) with
k = w / sqrt(var + eps):

    s = r / stab(a_out, epsilon)
    r_a = a k s          d_w = |w| * sum x s          d_b = |b| * sum s          (sums over batch and positions)

Gradient takes the same sums without division and multiplication; where the statistics were the batch's, it goes through
them too: g_a = k (r - mean(r) - x mean(x r)).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import DTypeLike

from lfp_ref.layers.base import Layer, Parameter, initial, whole
from lfp_ref.layers.kernels import PARALLEL
from lfp_ref.layers.sharing import after, after_parameter, before, lost, per_sample
from lfp_ref.rules import Rule, is_number


@njit(**PARALLEL)
def statistics(a, mean, var):
    """Mean and (biased) variance of each channel.  a (P, C, M), mean and var (C,)"""
    parts, _, each = a.shape
    for c in prange(mean.size):
        total = a.dtype.type(0)
        for p in range(parts):
            for m in range(each):
                total += a[p, c, m]
        mean[c] = total / (parts * each)
        total = a.dtype.type(0)
        for p in range(parts):
            for m in range(each):
                total += (a[p, c, m] - mean[c]) ** 2
        var[c] = total / (parts * each)


@njit(**PARALLEL)
def forward(a, mean, scale, w, b, x, out):
    """x = (a - mean) * scale, out = w x + b.  a, x, out (P, C, M), the rest (C,)"""
    parts, channels, each = a.shape
    for number in prange(parts * channels):
        p, c = number // channels, number % channels
        for m in range(each):
            x[p, c, m] = (a[p, c, m] - mean[c]) * scale[c]
            out[p, c, m] = w[c] * x[p, c, m] + b[c]


@njit(**PARALLEL)
def feedback(s, x, scale, w, through_statistics, g_a, g_w, g_b):
    """g_w = sum x s, g_b = sum s, g_a = w scale s, less what went through the batch's statistics if asked for."""
    parts, _, each = s.shape
    for c in prange(g_w.size):
        g_w[c] = g_b[c] = 0
        for p in range(parts):
            for m in range(each):
                g_w[c] += x[p, c, m] * s[p, c, m]
                g_b[c] += s[p, c, m]
        k = w[c] * scale[c]
        share = k / (parts * each) if through_statistics else k * 0
        for p in range(parts):
            for m in range(each):
                g_a[p, c, m] = k * s[p, c, m] - share * (g_b[c] + x[p, c, m] * g_w[c])


class BatchNorm(Layer):
    """Normalises each channel: input (N, C) or (N, C, H, W), output of the same shape.

    weight: (C,) ones. bias: (C,) U(-k, k), k = 1/sqrt(C): LFP never moves what starts at exactly 0.
    running_mean, running_var: (C,), used outside training, tracked in training with this momentum (unbiased variance).
    eps: added to the variance. dtype: float32 or float64. rng: a numpy Generator for the bias.
    Raises ValueError for a training batch with a single value per channel.
    Source: LRP practice (statistics as constants); eps, momentum and names as in PyTorch.
    """

    passed_over = ("num_batches_tracked",)  # PyTorch counts batches for momentum=None, which is not offered here

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.num_features = whole("num_features", num_features)
        if not (is_number(eps) and eps > 0 and is_number(momentum) and momentum <= 1):
            raise ValueError(f"BatchNorm: needs eps > 0 and 0 <= momentum <= 1, got {eps!r} and {momentum!r}")
        self.eps, self.momentum, self.dtype = float(eps), float(momentum), np.dtype(dtype)
        self.bias = initial((self.num_features,), self.num_features, dtype, rng)
        self.weight = Parameter(np.ones(self.num_features, dtype))
        self.running_mean = np.zeros(self.num_features, dtype)
        self.running_var = np.ones(self.num_features, dtype)

    def __repr__(self) -> str:
        return f"BatchNorm({self.num_features})"

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        self.expect(a.ndim in (3, 5) and a.shape[1] == self.num_features, a, f"(N, {self.num_features}[, H, W])")
        count = a.size // self.num_features
        mean, var = self.running_mean, self.running_var
        if training:
            self.expect(count > 1, a, "with more than one value per channel, to train on")
            mean, var = np.empty_like(mean), np.empty_like(var)
            statistics(a.reshape(len(a), self.num_features, -1), mean, var)
            self.running_mean += a.dtype.type(self.momentum) * (mean - self.running_mean)
            self.running_var += a.dtype.type(self.momentum) * (var * (count / (count - 1)) - self.running_var)
        scale = 1 / np.sqrt(var + a.dtype.type(self.eps))
        x, out = self.buffer("x", a.shape, a.dtype), self.buffer("a", a.shape, a.dtype)
        rows = (len(a), self.num_features, -1)
        forward(a.reshape(rows), mean, scale, self.weight.value, self.bias.value, x.reshape(rows), out.reshape(rows))
        return self.remember(out, a, x, out, scale, training)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        rule, (a, x, out, scale, training) = rules[self], self.seen
        w, b, rows = self.weight, self.bias, (len(a), self.num_features, -1)
        s = before(rule, reward, out)
        g = self.buffer("g", a.shape, a.dtype)
        through = training and not rule.shares
        feedback(s.reshape(rows), x.reshape(rows), scale, w.value, through, g.reshape(rows), w.feedback, b.feedback)
        for parameter in (w, b):
            after_parameter(rule, parameter.feedback[None], parameter.value, parameter.value, parameter.feedback)
        return after(rule, g, a)

    def kept(self, reward: np.ndarray, rules: Mapping[Any, Rule]) -> dict[str, np.ndarray]:
        a, _, out, scale, _ = self.seen
        k = (self.weight.value * scale).reshape(-1, *(1,) * (a.ndim - 2))
        s = before(rules[self], reward.copy(), out)
        return {"bias": per_sample((out - k * a) * s)} | lost(rules[self], reward, out)

    def own_parameters(self) -> dict[str, Parameter]:
        return {"weight": self.weight, "bias": self.bias}

    def own_statistics(self) -> dict[str, np.ndarray]:
        return {"running_mean": self.running_mean, "running_var": self.running_var}
