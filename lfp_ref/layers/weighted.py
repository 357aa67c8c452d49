"""The method, whole: how a layer with weights hands a reward back, by any rule.

    forward_sum          z_j  = sum_i w_ji a_i + b_j
    backward_input       g_i  = sum_j w_ji s_j                 its adjoint to the input
    backward_parameters  g_ji = sum_n a_i s_j, g_j = sum_n s_j its adjoint to weight and bias (n: the batch)

A layer implements these three sums (dense.py, conv.py). What the reward is divided by before the last two, and what
their results are multiplied by after them, is the rule's (rules/): `hand_back` below. In the epsilon rule there is
one group of one term that modifies nothing, and it reads

    s_j = r_j / stab(z_j, epsilon)      r_i = a_i g_i      d_w = |w| g_w      d_b = |b| g_b
"""

from __future__ import annotations

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.core.state import Parameter
from lfp_ref.rules import Group, Term


class WeightedLayer(Layer):
    """Base of layers that compute a weighted sum. Fields: weight, bias; None if there is nothing to train."""

    batch_first = False
    weight: Parameter | None = None
    bias: Parameter | None = None
    output_axis: int = 0  # of z, along which there is a bias each

    # ---- the three sums

    def check_input(self, a: np.ndarray, node: Node) -> None:
        """Raises ValueError where the input's shape is wrong."""
        raise NotImplementedError

    def forward_sum(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, node: Node, name: str) -> np.ndarray:
        """z, in the scratch array of that name."""
        raise NotImplementedError

    def backward_input(self, s: np.ndarray, w: np.ndarray, node: Node, name: str) -> np.ndarray:
        """g of the input, in the scratch array of that name."""
        raise NotImplementedError

    def backward_parameters(self, s: np.ndarray, a: np.ndarray, node: Node, g_w: np.ndarray, g_b: np.ndarray) -> None:
        """g of weight and bias, into g_w and g_b."""
        raise NotImplementedError

    # ---- the method

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        self.check_input(a, node)
        z = self.forward_sum(a, self.weight_value(node), self.bias_value(node), node, "z")
        node.saved = a, z
        return z

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        a, z = node.saved
        r = None
        node.absorb("mask", lambda: reward * (1 - sum(_taken(group, z) for group in node.rule.groups())))
        for group in node.rule.groups():
            operands = [self.operands(term, a, node) for term in group.terms]
            denominator = z if group.is_plain else self.denominator(operands, node)
            part = self.part_of(reward, group, z, node)
            s = node.divide_by_output(part, denominator, out=part)
            for a_, w_, b_ in operands:
                r = self.share_out(s, a_, w_, b_, node, r)
        if node.rule.learning != "share" and self.weight and node.learns:
            self.learn_locally(self.weight, reward, node)
        return r

    def share_out(
        self, s: np.ndarray, a_: np.ndarray, w_: np.ndarray, b_: np.ndarray, node: Node, r: np.ndarray | None = None
    ) -> np.ndarray | None:
        """What one term does with s: d_w += sgn(w) w_ g_w, d_b += sgn(b) b_ g_b, and returns r + a_ g."""
        node.absorb("bias", lambda: s * _spread(b_, s, self.output_axis))
        if node.rule.learning == "share" and self.weight and node.learns:
            seen = self.operands(Term(), node.saved[0], node) if node.rule.learns_unmodified else (a_, w_, b_)
            self.learn(self.weight, s, *seen, node)
        if not self.wants_reward(node):
            return None
        g = self.to_input(s, w_, node, "r" if r is None else "r of a term")
        g = node.times_input(g, a_, out=g)
        return g if r is None else np.add(r, g, out=r)

    def to_input(self, s: np.ndarray, w_: np.ndarray, node: Node, name: str) -> np.ndarray:
        """g of the input: by w_, or, in feedback alignment, by fixed random numbers in place of trained ones."""
        rule = node.rule
        if self.weight and rule.sees_outputs:
            return rule.from_outputs(node.common.told, node.input_shape, node.path)
        return self.backward_input(s, rule.backward_weight(w_, node.path) if self.weight else w_, node, name)

    def learn(
        self, weight: Parameter, s: np.ndarray, a_: np.ndarray, w_: np.ndarray, b_: np.ndarray, node: Node
    ) -> None:
        """Adds a term's feedback to the parameters'."""
        d_w = node.feedback_memory(weight, "d_w")
        d_b = node.feedback_memory(self.bias, "d_b") if self.bias else node.scratch("d_b", b_.shape, b_.dtype)
        self.backward_parameters(s, a_, node, d_w, d_b)
        node.learn(weight, node.times_weight(d_w, weight.value, w_, out=d_w))
        if self.bias:
            node.learn(self.bias, node.times_weight(d_b, self.bias.value, b_, out=d_b))

    def learn_locally(self, weight: Parameter, reward: np.ndarray, node: Node) -> None:
        """Hebbian and Oja's feedback, from a_i z_j r_j in place of the shares (rules/rule.py)."""
        a, z = node.saved
        together = z * reward
        w, b = weight.value, self.bias_value(node)
        d_w, d_b = np.empty_like(w), np.empty_like(b)
        self.backward_parameters(together, a, node, d_w, d_b)
        if node.rule.learning == "oja":
            forgetting = np.moveaxis(together * z, self.output_axis, 0).reshape(len(b), -1).sum(axis=1)
            d_w -= w * _spread(forgetting, d_w, 0)
            d_b -= b * forgetting
        node.learn(weight, node.times_weight(d_w, w))
        if self.bias:
            node.learn(self.bias, node.times_weight(d_b, b))

    # ---- what a group sees

    def operands(self, term: Term, a: np.ndarray, node: Node) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(A(a), W(w), B(b))"""
        w, b = self.weight_value(node), self.bias_value(node)
        a_ = a if term.input is None else _over_batch(term.input(a), a)
        w_ = w if term.weight is None else np.ascontiguousarray(term.weight(w), w.dtype)
        b_ = b if term.bias is None else np.ascontiguousarray(term.bias(b), b.dtype)
        return a_, w_, b_

    def denominator(self, operands: list[tuple[np.ndarray, np.ndarray, np.ndarray]], node: Node) -> np.ndarray:
        """D: the sum of the terms."""
        total, *others = (self.forward_sum(*each, node, f"D {k}") for k, each in enumerate(operands))
        for other in others:
            total += other
        return total

    def part_of(self, reward: np.ndarray, group: Group, z: np.ndarray, node: Node) -> np.ndarray:
        """c * mask(z) * r; where that is all of the rule's, the reward itself, which may then be overwritten."""
        if group.takes_all and len(node.rule.groups()) == 1 and node.rule.learning == "share":
            return reward
        return reward * _taken(group, z)

    def wants_reward(self, node: Node) -> bool:
        """False if nobody needs the input's reward."""
        return node.wanted

    def weight_value(self, node: Node) -> np.ndarray:
        """w"""
        assert self.weight is not None, "a layer without a weight to train says here what it is"
        return self.weight.value

    def bias_value(self, node: Node) -> np.ndarray:
        """b; zeros without a bias."""
        if self.bias:
            return self.bias.value
        w = self.weight_value(node)
        return np.zeros(len(w), w.dtype)


def _taken(group: Group, z: np.ndarray) -> np.ndarray:
    """c * mask(z): the part of each neuron's reward that a group hands out."""
    return np.multiply(group.coefficient, 1 if group.mask is None else group.mask(z), dtype=z.dtype)


def _spread(x: np.ndarray, over: np.ndarray, axis: int) -> np.ndarray:
    """(O,) as (..., O, 1, ...), so that it goes along that axis of `over`."""
    return x.reshape(-1, *(1,) * (over.ndim - 1 - axis % over.ndim))


def _over_batch(modified: np.ndarray, a: np.ndarray) -> np.ndarray:
    """A modified input (..., N); one sample's is repeated over the batch."""
    modified = np.asarray(modified, a.dtype)
    if modified.shape == a.shape:
        return np.ascontiguousarray(modified)
    return np.broadcast_to(modified[..., None], a.shape).copy()
