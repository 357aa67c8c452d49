"""Layer and group normalisation: each sample by its own statistics.

    y = w x + b with x = (a - mean) * scale, scale = 1 / sqrt(var + eps)

mean and var are taken over the D features of a token (LayerNorm), or the channels and pixels of a group (GroupNorm), in
training and outside of it. Reward, with t = w s and means over the same D numbers:

    s = r / stab(y, epsilon)          d_w = |w| * sum x s          d_b = |b| * sum s      (over batch, tokens, pixels)
    r_a = a * scale * (t - mean(t) - x * mean(x t))       through the statistics, as in gradient descent: to train with
    r_a = a * scale * (t - mean(t))                       AttnLRP, scale as a constant: conserves, to explain with

Through the statistics next to nothing is left: sum r_a = eps scale^2 sum x t. The balance sheet names what they keep.
Which form it is, is the rule's to say: rules.AttnLRP and rules.ConstantAttention take the second one.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import DTypeLike

from lfp_ref.core.checks import check_dtype, check_eps, check_int
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.core.state import Parameter, uniform_init
from lfp_ref.kernels.compile import parallel


@parallel
def forward(a, w, b, eps, x, scale, y):
    """x = (a - mean) * scale, y = w x + b.  a (rows, D, N), w, b (1 or rows, D) -> x, y like a, scale (rows, N)"""
    rows, features, batch = a.shape
    for row in prange(rows):
        k = np.int64(row) % len(w)
        mean, var = np.zeros(batch, a.dtype), np.zeros(batch, a.dtype)
        for d in range(features):
            for n in range(batch):
                mean[n] += a[row, d, n]
        for n in range(batch):
            mean[n] /= a.dtype.type(features)
        for d in range(features):
            for n in range(batch):
                var[n] += (a[row, d, n] - mean[n]) ** 2
        for n in range(batch):
            scale[row, n] = 1 / np.sqrt(var[n] / a.dtype.type(features) + eps)
        for d in range(features):
            for n in range(batch):
                x[row, d, n] = (a[row, d, n] - mean[n]) * scale[row, n]
                y[row, d, n] = w[k, d] * x[row, d, n] + b[k, d]


@parallel
def backward(s, x, w, scale, through, g_w, g_b):
    """g_w = sum x s, g_b = sum s, over n; s <- scale (t - mean(t) - through * x mean(x t)), t = w s.

    s, x (rows, D, N), w (1 or rows, D), scale (rows, N), through: 1 or 0 -> g_w, g_b (rows, D)
    """
    rows, features, batch = s.shape
    for row in prange(rows):
        k = np.int64(row) % len(w)
        mean, mean_x = np.zeros(batch, s.dtype), np.zeros(batch, s.dtype)
        for d in range(features):
            total, total_x = s.dtype.type(0), s.dtype.type(0)
            for n in range(batch):
                total += s[row, d, n]
                total_x += x[row, d, n] * s[row, d, n]
                mean[n] += w[k, d] * s[row, d, n]
                mean_x[n] += w[k, d] * x[row, d, n] * s[row, d, n]
            g_w[row, d], g_b[row, d] = total_x, total
        for n in range(batch):
            mean[n] /= s.dtype.type(features)
            mean_x[n] *= through / s.dtype.type(features)
        for d in range(features):
            for n in range(batch):
                s[row, d, n] = scale[row, n] * (w[k, d] * s[row, d, n] - mean[n] - x[row, d, n] * mean_x[n])


class SampleNorm(Layer):
    """Base of LayerNorm and GroupNorm; says of neither which numbers belong together.

    Fields: weight, ones; bias, U(-k, k) with k = 1/sqrt(its size): LFP never moves what starts at exactly 0.
    """

    batch_first = False

    def __init__(self, size: int, eps: float, dtype: DTypeLike, rng: np.random.Generator | None) -> None:
        self.eps = check_eps(f"{type(self).__name__}: eps", eps, check_dtype(dtype))
        self.weight = Parameter(np.ones(size, dtype))
        self.bias = uniform_init((size,), size, dtype, rng)

    def check_rule(self, node: Node) -> None:
        node.expect_plain_rule()

    def check_input(self, a: np.ndarray, node: Node) -> None:
        """Raises ValueError where the input's shape is wrong."""
        raise NotImplementedError

    def rows(self, a: np.ndarray) -> np.ndarray:
        """The input as (rows, D, N), each row's D numbers normalised together."""
        raise NotImplementedError

    def by_row(self, w: np.ndarray, features: int) -> np.ndarray:
        """A parameter as (1 or rows, D)."""
        raise NotImplementedError

    def by_parameter(self, g: np.ndarray) -> np.ndarray:
        """Sums (rows, D) as sums of each parameter."""
        raise NotImplementedError

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        self.check_input(a, node)
        rows = self.rows(a)
        w, b = (self.by_row(p.value, rows.shape[1]) for p in (self.weight, self.bias))
        x, y = (node.scratch(name, rows.shape, a.dtype) for name in "xy")
        scale = node.scratch("scale", (len(rows), rows.shape[2]), a.dtype)
        forward(rows, w, b, a.dtype.type(self.eps), x, scale, y)
        node.saved = rows, x, scale, y
        return y.reshape(a.shape)

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        a, x, scale, y = node.saved
        w, b = (self.by_row(p.value, a.shape[1]) for p in (self.weight, self.bias))
        s = node.divide_by_output(reward.reshape(y.shape), y, out=reward.reshape(y.shape))
        node.absorb("bias", lambda: s * b[..., None])
        t = None if node.absorbed is None else w[..., None] * s
        through = not node.rule.constant_scale
        g_w, g_b = np.empty(a.shape[:2], a.dtype), np.empty(a.shape[:2], a.dtype)
        backward(s, x, w, scale, a.dtype.type(through), g_w, g_b)
        if t is not None and through:
            node.absorb("statistics", t * x - a * s)
        for parameter, g in ((self.weight, g_w), (self.bias, g_b)):
            node.learn(parameter, node.times_weight(self.by_parameter(g), parameter.value))
        return node.times_input(s, a, out=s).reshape(reward.shape)


class LayerNorm(SampleNorm):
    """Normalises the features of each sample or token: input (N, features) or (N, T, features), output of that shape.

    weight: (features,) ones. bias: (features,) U(-k, k), k = 1/sqrt(features). eps: added to the variance.
    dtype: float32 or float64. rng: a numpy Generator for the bias.
    Raises ValueError for a rule other than epsilon or gradient descent, and eps <= 0.
    Source: lfprop (through the statistics, by autograd); AttnLRP (Achtibat et al. 2024) for the form that conserves.
    """

    def __init__(
        self,
        features: int,
        eps: float = 1e-5,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.features = check_int("features", features)
        super().__init__(self.features, eps, dtype, rng)

    def __repr__(self) -> str:
        return f"LayerNorm({self.features})"

    def check_input(self, a: np.ndarray, node: Node) -> None:
        right = a.ndim in (2, 3) and a.shape[-2] == self.features
        node.expect(right, a, f"(N[, T], {self.features})")

    def rows(self, a: np.ndarray) -> np.ndarray:
        return a.reshape(-1, *a.shape[-2:])

    def by_row(self, w: np.ndarray, features: int) -> np.ndarray:
        return w[None]

    def by_parameter(self, g: np.ndarray) -> np.ndarray:
        return g.sum(axis=0)


class GroupNorm(SampleNorm):
    """Normalises the channels of each group: input (N, channels, ...), output of that shape.

    groups: divides channels; as many as channels is instance normalisation, one is layer normalisation of an image.
    weight: (channels,) ones. bias: (channels,) U(-k, k), k = 1/sqrt(channels). Other arguments as LayerNorm.
    Raises ValueError for groups that do not divide channels, and what LayerNorm raises.
    Source: LayerNorm's sums over another set of numbers (this project's; no peer has a rule).
    """

    def __init__(
        self,
        groups: int,
        channels: int,
        eps: float = 1e-5,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.groups = check_int("groups", groups)
        self.channels = check_int("channels", channels)
        if self.channels % self.groups:
            raise ValueError(f"groups must divide channels, {self.channels}, got {groups}")
        super().__init__(self.channels, eps, dtype, rng)

    def __repr__(self) -> str:
        return f"GroupNorm({self.groups}, {self.channels})"

    def check_input(self, a: np.ndarray, node: Node) -> None:
        node.expect(len(a) == self.channels, a, f"(N, {self.channels}, ...)")

    def rows(self, a: np.ndarray) -> np.ndarray:
        return a.reshape(self.groups, -1, a.shape[-1])

    def by_row(self, w: np.ndarray, features: int) -> np.ndarray:
        return np.repeat(w, features * self.groups // self.channels).reshape(self.groups, features)

    def by_parameter(self, g: np.ndarray) -> np.ndarray:
        return g.reshape(self.channels, -1).sum(axis=1)
