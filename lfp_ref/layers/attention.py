"""Multi-head self-attention: each token's output is a mean of all tokens' values, weighted by how well they match.

    (Q, K, V) = W_in x + b_in        of each token; features in as many groups as heads, d features in each
    M = Q K^T,  Z = M / sqrt(d),  P = softmax(Z),  C = P V        T x T and T x d matrices, of each head and sample
    y = W_out C + b_out

The two linear maps follow their own rule (dense.py). For the reward r_C of C there are four forms, and the rule's
`attention` says which one it is (rules.py):

    gradient times input   s_C = r_C / stab(C)                            r_V = V (P^T s_C)
    (to train with)        s_P = s_C V^T,  s_Z = P (s_P - sum_s P s_P)    r_Q = Q (s_Z K / sqrt(d)),  r_K likewise

    taylor                 s_C = r_C / stab(2 C)                          r_V = V (P^T s_C)
    (AttnLRP)              s_P = s_C V^T,  s_Z as above, r_Z = Z s_Z      half of each product's reward to each factor
                           s_M = r_Z / stab(2 M)                          r_Q = Q (s_M K),  r_K = K (s_M^T Q)

    constant               P is a constant: r_V as in the first form, and nothing to Q and K

    autograd               the first form without the division and without V, Q, K in front: rewards as if gradients

The values get all of the reward but for the stabiliser. In the first form, and in the last, what queries and keys get
is made from nothing ("attention weights" in the balance sheet); in AttnLRP's the softmax keeps or makes
sum_s r_P (1 - Z + sum_s P Z), r_P = P s_P. The constant form conserves.

With the batch last every product of two numbers here is one of two vectors over the samples.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange
from numpy.typing import DTypeLike

from lfp_ref.core.checks import check_int
from lfp_ref.core.layer import Layer
from lfp_ref.core.tape import Node
from lfp_ref.kernels.compile import parallel
from lfp_ref.layers.dense import Dense
from lfp_ref.rules import AUTOGRAD, CONSTANT, TAYLOR, TIMES_INPUT


@parallel
def pair_products(x, y, at, width, m):
    """m[h, t, s] = sum over i of x[t, h width + i] y[s, at + h width + i].  x, y (T, ..., N) -> m (h, T, T, N)"""
    heads, tokens, _, batch = m.shape
    for task in prange(heads * tokens):
        h, t = np.int64(task) // tokens, np.int64(task) % tokens
        for s in range(tokens):
            for n in range(batch):
                m[h, t, s, n] = 0
            for i in range(h * width, (h + 1) * width):
                for n in range(batch):
                    m[h, t, s, n] += x[t, i, n] * y[s, at + i, n]


@parallel
def weighted_sums(p, is_transposed, y, at, factor, out, out_at, width):
    """out[t, out_at + h width + i] = factor * sum over s of p[h, t, s] y[s, at + h width + i].

    is_transposed: of p[h, s, t] in its place.  p (h, T, T, N), y, out (T, ..., N)
    """
    heads, tokens, _, batch = p.shape
    for task in prange(heads * tokens):
        h, t = np.int64(task) // tokens, np.int64(task) % tokens
        for i in range(h * width, (h + 1) * width):
            for n in range(batch):
                out[t, out_at + i, n] = 0
        for s in range(tokens):
            weight = p[h, s, t] if is_transposed else p[h, t, s]
            for i in range(h * width, (h + 1) * width):
                for n in range(batch):
                    out[t, out_at + i, n] += factor * weight[n] * y[s, at + i, n]


@parallel
def below_maximum(p, factor):
    """p[h, t, s] <- factor * (p[h, t, s] - max over s).  (h, T, T, N)"""
    heads, tokens, _, batch = p.shape
    for task in prange(heads * tokens):
        h, t = np.int64(task) // tokens, np.int64(task) % tokens
        largest = p[h, t, 0].copy()
        for s in range(1, tokens):
            for n in range(batch):
                largest[n] = max(largest[n], p[h, t, s, n])
        for s in range(tokens):
            for n in range(batch):
                p[h, t, s, n] = factor * (p[h, t, s, n] - largest[n])


@parallel
def normalise(p):
    """p[h, t, s] /= sum over s of p[h, t, s].  (h, T, T, N)"""
    heads, tokens, _, batch = p.shape
    for task in prange(heads * tokens):
        h, t = np.int64(task) // tokens, np.int64(task) % tokens
        total = np.zeros(batch, p.dtype)
        for s in range(tokens):
            for n in range(batch):
                total[n] += p[h, t, s, n]
        for s in range(tokens):
            for n in range(batch):
                p[h, t, s, n] /= total[n]


@parallel
def softmax_backward(p, g):
    """g <- p (g - sum over s of p g), the softmax's derivative times g.  p, g (h, T, T, N)"""
    heads, tokens, _, batch = g.shape
    for task in prange(heads * tokens):
        h, t = np.int64(task) // tokens, np.int64(task) % tokens
        total = np.zeros(batch, g.dtype)
        for s in range(tokens):
            for n in range(batch):
                total[n] += p[h, t, s, n] * g[h, t, s, n]
        for s in range(tokens):
            for n in range(batch):
                g[h, t, s, n] = p[h, t, s, n] * (g[h, t, s, n] - total[n])


class MultiHeadAttention(Layer):
    """Self-attention: input and output (N, T, features), any number of tokens T.

    heads: divides features. The linear maps are dense layers, `in_proj` (features to 3 features: queries, keys, values)
    and `out_proj`: in_proj.weight is (3 features, features), out_proj.weight (features, features).
    bias: of both. dtype: float32 or float64. rng: a numpy Generator for the initial values.
    Raises ValueError for heads that do not divide features; for a rule other than Epsilon, its relatives for attention
    (rules.AttnLRP, rules.ConstantAttention, rules.AutogradAttention), and Gradient.
    Source: Vaswani et al. 2017; the forms are those of the module's docstring: gradient times input is this project's,
    taylor and constant are AttnLRP's and CP-LRP's (Achtibat et al. 2024, Ali et al. 2022), autograd is lfprop's.
    """

    batch_first = False

    def __init__(
        self,
        features: int,
        heads: int,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.features = check_int("features", features)
        self.heads = check_int("heads", heads)
        if self.features % self.heads:
            raise ValueError(f"heads must divide features, {self.features}, got {heads}")
        self.in_proj = Dense(features, 3 * features, bias, dtype, rng)
        self.out_proj = Dense(features, features, bias, dtype, rng)

    def __repr__(self) -> str:
        return f"MultiHeadAttention({self.features}, {self.heads})"

    def check_rule(self, node: Node) -> None:
        node.expect_plain_rule()

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        node.expect(a.ndim == 3 and a.shape[1] == self.features, a, f"(N, T, {self.features})")
        z = node.forward("in_proj", a)
        p = self.products(z, z, self.features, node, "p")
        below_maximum(p, p.dtype.type(self.scale))
        np.exp(p, out=p)
        normalise(p)
        c = self.sums(p, False, z, 2 * self.features, 1.0, node.scratch("c", a.shape, a.dtype), 0)
        node.saved = z, p, c
        return node.forward("out_proj", c)

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        (z, p, c), features, form = node.saved, self.features, node.rule.attention
        r_c = node.feedback("out_proj", reward, wanted=True)
        assert r_c is not None, "the values always want their reward"
        halves = z.dtype.type(2 if form == TAYLOR else 1)
        s = r_c if form == AUTOGRAD else node.divide_by_output(r_c, halves * c, out=r_c)
        g = node.scratch("g", z.shape, z.dtype)  # of queries, keys and values
        self.sums(p, True, s, 0, 1.0, g, 2 * features)
        if form == CONSTANT:
            g[:, : 2 * features] = 0
        else:
            s_z = self.products(s, z, 2 * features, node, "s_z")
            r_p = p * s_z if node.absorbed is not None and form == TAYLOR else None
            softmax_backward(p, s_z)
            scale = self.scale
            if form == TAYLOR:
                m = self.products(z, z, features, node, "m")
                s_z *= m.dtype.type(scale) * m
                node.absorb("softmax", lambda: r_p - s_z)
                s_z, scale = node.divide_by_output(s_z, 2 * m), 1.0
            self.sums(s_z, False, z, features, scale, g, 0)
            self.sums(s_z, True, z, 0, scale, g, features)
        r = g if form == AUTOGRAD else node.times_input(g, z, out=g)
        if form in (TIMES_INPUT, AUTOGRAD):
            node.absorb("attention weights", -r[:, : 2 * features])
        return node.feedback("in_proj", r)

    @property
    def scale(self) -> float:
        """1 / sqrt(d)"""
        return 1 / math.sqrt(self.features // self.heads)

    def products(self, x: np.ndarray, y: np.ndarray, at: int, node: Node, name: str) -> np.ndarray:
        """Of x from its first feature on and y from that one on: (h, T, T, N), in the scratch array of that name."""
        m = node.scratch(name, (self.heads, len(x), len(x), x.shape[-1]), x.dtype)
        pair_products(x, y, at, self.features // self.heads, m)
        return m

    def sums(
        self, p: np.ndarray, is_transposed: bool, y: np.ndarray, at: int, factor: float, out: np.ndarray, out_at: int
    ) -> np.ndarray:
        """Of y from that feature on, weighted by p or its transpose, into out from its feature out_at on."""
        width = self.features // self.heads
        weighted_sums(p, is_transposed, y, at, p.dtype.type(factor), out, out_at, width)
        return out
