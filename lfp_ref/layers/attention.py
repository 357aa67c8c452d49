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

Matrix products want a sample's numbers together: what is between the two linear maps has the batch first.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange
from numpy.typing import DTypeLike

from lfp_ref.core.checks import check_int
from lfp_ref.core.layer import Layer
from lfp_ref.core.layout import batch_first_shape, to_batch_last, transpose
from lfp_ref.core.tape import Node
from lfp_ref.kernels.blas import product
from lfp_ref.kernels.compile import parallel
from lfp_ref.layers.dense import Dense
from lfp_ref.rules import AUTOGRAD, CONSTANT, TAYLOR, TIMES_INPUT


@parallel
def products(a, b, c):
    """c[n, h] = a[n, h] b[n, h], matrix products.  a (N, H, M, K), b (N, H, K, L), c (N, H, M, L)"""
    for task in prange(a.shape[0] * a.shape[1]):
        n, h = np.int64(task) // a.shape[1], np.int64(task) % a.shape[1]
        product(a[n, h], b[n, h], c[n, h])


@parallel
def below_maximum(m, scale):
    """m <- scale * (m - its row's maximum).  m (rows, T)"""
    for row in prange(len(m)):
        largest = m[row, 0]
        for s in range(m.shape[1]):
            largest = max(largest, m[row, s])
        for s in range(m.shape[1]):
            m[row, s] = scale * (m[row, s] - largest)


@parallel
def normalise(p):
    """p <- p / its row's sum.  p (rows, T)"""
    for row in prange(len(p)):
        total = p.dtype.type(0)
        for s in range(p.shape[1]):
            total += p[row, s]
        for s in range(p.shape[1]):
            p[row, s] /= total


@parallel
def softmax_backward(p, scale, g):
    """g <- scale * p (g - sum over s of p g), the derivative of the softmax of scale * m times g.  p, g (rows, T)"""
    for row in prange(len(g)):
        total = g.dtype.type(0)
        for s in range(g.shape[1]):
            total += p[row, s] * g[row, s]
        for s in range(g.shape[1]):
            g[row, s] = scale * p[row, s] * (g[row, s] - total)


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
        q, k, v = parts = self.by_head(batch_first(z, node, "z of each sample"), 3)
        p = node.scratch("p", (len(q), self.heads, len(a), len(a)), a.dtype)
        products(q, transposed(k), p)
        below_maximum(_rows(p), p.dtype.type(self.scale))
        np.exp(p, out=p)
        normalise(_rows(p))
        c_first = node.scratch("c of each sample", (len(p), *a.shape[:2]), a.dtype)
        products(p, v, self.by_head(c_first, 1)[0])
        c = to_batch_last(c_first, node.scratch("c", a.shape, a.dtype))
        node.saved = z, parts, p, c
        return node.forward("out_proj", c)

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        (z, (q, k, v), p, c), form = node.saved, node.rule.attention
        r_c = node.feedback("out_proj", reward, wanted=True)
        assert r_c is not None, "the values always want their reward"
        halves = z.dtype.type(2 if form == TAYLOR else 1)
        s_last = r_c if form == AUTOGRAD else node.divide_by_output(r_c, halves * c, out=r_c)
        s = self.by_head(batch_first(s_last, node, "s"), 1)[0]
        g_first = node.scratch("g of each sample", (len(q), *z.shape[:2]), z.dtype)
        g_q, g_k, g_v = self.by_head(g_first, 3)
        products(transposed(p), s, g_v)
        if form == CONSTANT:
            g_first[..., : 2 * self.features] = 0
        else:
            s_m = node.scratch("s of scores", p.shape, p.dtype)
            products(s, transposed(v), s_m)
            r_p = p * s_m if form == TAYLOR else None
            softmax_backward(_rows(p), p.dtype.type(self.scale), _rows(s_m))
            if r_p is not None:
                s_m = self.divide_by_scores(s_m, r_p, q, k, node)
            products(s_m, k, g_q)
            products(transposed(s_m), q, g_k)
        g = to_batch_last(g_first, node.scratch("g", z.shape, z.dtype))
        r = g if form == AUTOGRAD else node.times_input(g, z, out=g)
        if form in (TIMES_INPUT, AUTOGRAD):
            node.absorb("attention weights", -r[:, : 2 * self.features])
        return node.feedback("in_proj", r)

    def divide_by_scores(
        self, s_m: np.ndarray, r_p: np.ndarray, q: np.ndarray, k: np.ndarray, node: Node
    ) -> np.ndarray:
        """AttnLRP's s_M = r_Z / stab(2 M), with r_Z = M s_M of gradient times input. Arrays (N, H, T, T)"""
        m = np.empty_like(s_m)
        products(q, transposed(k), m)
        r_z, m, r_p = (np.moveaxis(x, 0, -1) for x in (m * s_m, m, r_p))
        node.absorb("softmax", r_p - r_z)
        return np.ascontiguousarray(np.moveaxis(node.divide_by_output(r_z, 2 * m), -1, 0))

    @property
    def scale(self) -> float:
        """1 / sqrt(d)"""
        return 1 / math.sqrt(self.features // self.heads)

    def by_head(self, x: np.ndarray, count: int) -> list[np.ndarray]:
        """(N, T, count * features) as so many views (N, H, T, d)."""
        split = x.reshape(*x.shape[:2], count, self.heads, -1)
        return list(split.transpose(2, 0, 3, 1, 4))


def batch_first(x: np.ndarray, node: Node, name: str) -> np.ndarray:
    """(T, features, N) as (N, T, features), in the scratch array of that name."""
    out = node.scratch(name, batch_first_shape(x.shape), x.dtype)
    transpose(x.reshape(-1, x.shape[-1]), out.reshape(len(out), -1))
    return out


def transposed(matrices: np.ndarray) -> np.ndarray:
    """Views of matrices (..., M, K) as (..., K, M)."""
    return matrices.swapaxes(-1, -2)


def _rows(x: np.ndarray) -> np.ndarray:
    """(N, H, T, T) as (rows, T)."""
    return x.reshape(-1, x.shape[-1])
