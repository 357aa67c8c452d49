"""Batch normalisation.

    a_out = w x + b with x = (a - mean) * scale, scale = 1 / sqrt(var + eps), per channel

While training, mean and var are the batch's; otherwise the running ones, which do not depend on the input. Reward:

    s = r / stab(a_out, epsilon)          d_w = |w| * sum x s          d_b = |b| * sum s     (over batch, positions)
    r_a = a * w scale * s                                    running statistics: the epsilon rule on an affine map
    r_a = a * w scale * (s - mean(s) - x * mean(x s))        the batch's: through the statistics, as in gradient descent

Taking the batch's statistics as constants keeps residual networks from learning. They keep a part of the reward,
sum of a w scale (mean(s) + x mean(x s)), which the balance sheet names.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import DTypeLike

from lfp_ref.core.checks import check_dtype, check_eps, check_int, check_number
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.core.state import Parameter, uniform_init
from lfp_ref.kernels.compile import parallel


@parallel
def statistics(a, mean, var):
    """Mean and (biased) variance of each channel.  a (C, M) -> mean, var (C,)"""
    for c in prange(mean.size):
        total = a.dtype.type(0)
        for m in range(a.shape[1]):
            total += a[c, m]
        mean[c] = total / a.shape[1]
        total = a.dtype.type(0)
        for m in range(a.shape[1]):
            total += (a[c, m] - mean[c]) ** 2
        var[c] = total / a.shape[1]


@parallel
def forward(a, statistics, w, b, x, a_out):
    """x = (a - mean) * scale, a_out = w x + b.  a (C, M), statistics (mean, scale), w, b (C,) -> x, a_out (C, M)"""
    mean, scale = statistics
    for c in prange(len(a)):
        for m in range(a.shape[1]):
            x[c, m] = (a[c, m] - mean[c]) * scale[c]
            a_out[c, m] = w[c] * x[c, m] + b[c]


@parallel
def backward(s, x, k, of_batch, g_w, g_b):
    """g_w = sum x s, g_b = sum s; s <- k s, less what goes through the batch's statistics.  s, x (C, M), k = w scale"""
    for c in prange(len(s)):
        total_x, total = s.dtype.type(0), s.dtype.type(0)
        for m in range(s.shape[1]):
            total_x += x[c, m] * s[c, m]
            total += s[c, m]
        g_w[c], g_b[c] = total_x, total
        share = s.dtype.type(1 / s.shape[1]) if of_batch else s.dtype.type(0)
        mean_x, mean = share * total_x, share * total
        for m in range(s.shape[1]):
            s[c, m] = k[c] * (s[c, m] - mean - x[c, m] * mean_x)


class BatchNorm(Layer):
    """Normalises each channel: input (N, C) or (N, C, H, W), output of the same shape.

    weight: (C,) ones. bias: (C,) U(-k, k), k = 1/sqrt(C): LFP never moves what starts at exactly 0.
    running_mean, running_var: (C,), used outside training, tracked in training with this momentum (unbiased variance).
    eps: added to the variance. dtype: float32 or float64. rng: a numpy Generator for the bias.
    Raises ValueError for a training batch with a single value per channel, and for a rule other than epsilon or
    gradient descent.
    Source: lfprop (through the statistics in training), LRP practice otherwise; eps, momentum, names as in PyTorch.
    """

    batch_first = False
    ignored_state = ("num_batches_tracked",)  # PyTorch counts batches for momentum=None, which is not offered here

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.num_features = check_int("num_features", num_features)
        self.eps = check_eps("BatchNorm: eps", eps, check_dtype(dtype))
        self.momentum = check_number("BatchNorm: momentum", momentum, 0, 1)
        self.bias = uniform_init((self.num_features,), self.num_features, dtype, rng)
        self.weight = Parameter(np.ones(self.num_features, dtype))
        self.running_mean = np.zeros(self.num_features, dtype)
        self.running_var = np.ones(self.num_features, dtype)

    def __repr__(self) -> str:
        return f"BatchNorm({self.num_features})"

    def own_parameters(self) -> dict[str, Parameter]:
        return {"weight": self.weight, "bias": self.bias}

    def buffers(self) -> dict[str, np.ndarray]:
        return {"running_mean": self.running_mean, "running_var": self.running_var}

    def check_rule(self, node: Node) -> None:
        node.expect_plain_rule()

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        right = a.ndim in (2, 4) and len(a) == self.num_features
        node.expect(right, a, f"(N, {self.num_features}[, H, W])")
        number = a.dtype.type
        count = a.size // self.num_features
        rows = a.reshape(self.num_features, -1)
        mean, var = self.running_mean, self.running_var
        if node.training:
            node.expect(count > 1, a, "with more than one value per channel, to train on")
            mean, var = np.empty_like(mean), np.empty_like(var)
            statistics(rows, mean, var)
            self.running_mean += number(self.momentum) * (mean - self.running_mean)
            self.running_var += number(self.momentum) * (var * number(count / (count - 1)) - self.running_var)
        scale = 1 / np.sqrt(var + number(self.eps))
        x, a_out = node.scratch("x", rows.shape, a.dtype), node.scratch("a", rows.shape, a.dtype)
        forward(rows, (mean, scale), self.weight.value, self.bias.value, x, a_out)
        node.saved = a, x, a_out, scale, node.training
        return a_out.reshape(a.shape)

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        a, x, a_out, scale, of_batch = node.saved
        w, b = self.weight, self.bias
        k = w.value * scale
        s = node.divide_by_output(reward.reshape(x.shape), a_out, out=reward.reshape(x.shape))
        node.absorb("bias", lambda: s * (a_out - k[:, None] * a.reshape(x.shape)))
        if of_batch:
            node.absorb("batch statistics", lambda: through_statistics(a.reshape(x.shape), x, s, k))
        g_w, g_b = np.empty_like(w.value), np.empty_like(b.value)
        backward(s, x, k, of_batch, g_w, g_b)
        node.learn(w, node.times_weight(g_w, w.value))
        node.learn(b, node.times_weight(g_b, b.value))
        g = s.reshape(a.shape)
        return node.times_input(g, a, out=g)


def through_statistics(a: np.ndarray, x: np.ndarray, s: np.ndarray, k: np.ndarray) -> np.ndarray:
    """The reward that the batch's statistics keep: a k (mean(s) + x mean(x s)).  a, x, s (C, M), k (C,)"""
    return a * k[:, None] * (s.mean(axis=1, keepdims=True) + x * (x * s).mean(axis=1, keepdims=True))
