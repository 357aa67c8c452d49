"""What dense and convolutional layers share: three sums, and one pass of feedback for every rule.

    total          z_j = sum_i w_ji a_i + b_j             the forward sum
    to_input       g_i = sum_j w_ji s_j                   its adjoint to the input
    to_parameters  g_ji = sum_n a_i s_j, g_j = sum_n s_j  its adjoint to weight and bias (n: the batch)

A layer implements the three. What a reward is divided by before the last two, and what their results are multiplied by
afterwards, is the rule's (rules.py). The epsilon rule, one term with nothing modified, uses z as it is and copies
nothing: it is the fast path because it is the simple case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lfp_ref.layers.base import Layer, Parameter
from lfp_ref.layers.sharing import after, after_parameter, before
from lfp_ref.rules import Group, Rule, Term, same

PLAIN = (Term(),)


class Linear(Layer):
    """Base of layers that compute a weighted sum. Fields: weight, bias (None without)."""

    weight: Parameter
    bias: Parameter | None

    # ---- the three sums

    def prepare(self, a: np.ndarray, out: str) -> np.ndarray:
        """The input as the sums want it (a convolution pads it into the buffer of that name)."""
        return a

    def total(self, a: np.ndarray, w: np.ndarray, b: np.ndarray, out: str) -> np.ndarray:
        """z for a prepared input, in the buffer of that name."""
        raise NotImplementedError

    def to_input(self, s: np.ndarray, w: np.ndarray, out: str) -> np.ndarray:
        """g of the input, in the buffer of that name."""
        raise NotImplementedError

    def to_parameters(self, s: np.ndarray, a: np.ndarray, g_w: np.ndarray, g_b: np.ndarray) -> None:
        """g of weight and bias for a prepared input, written into g_w and g_b."""
        raise NotImplementedError

    # ---- forward and feedback

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        self.check_input(a)
        x = self.prepare(a, "x")
        z = self.total(x, self.weight.value, self._bias(), "z")
        return self.remember(z, a, x, z)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        rule = rules[self]
        result = None
        for index, group in enumerate(rule.groups):
            is_last = index == len(rule.groups) - 1  # and may overwrite the reward
            s = self.divided(reward if is_last else self._copy("s", reward), group, rule)
            for term in group.terms:
                is_first = index == 0 and term is group.terms[0]
                result = self.distribute(s, term, rule, result, is_first, wanted)
        return result

    def divided(self, reward: np.ndarray, group: Group, rule: Rule) -> np.ndarray:
        """s of one group, in the reward's own memory."""
        _, _, z = self.seen
        s = before(rule, reward, z if group.terms == PLAIN else self._denominator(group))
        if group.mask is not None:
            s *= group.mask(z)
        if group.coefficient != 1:
            s *= z.dtype.type(group.coefficient)
        return s

    def _denominator(self, group: Group) -> np.ndarray:
        """D of one group."""
        a, x, _ = self.seen
        w, b = self.weight.value, self._bias()
        for index, term in enumerate(group.terms):
            k_x = x if term.input is same else self.prepare(term.input(a), "k_x")
            part = self.total(k_x, term.weight(w), term.bias(b), "D" if index == 0 else "part")
            if index == 0:
                whole = part
            else:
                whole += part
        return whole

    def distribute(
        self, s: np.ndarray, term: Term, rule: Rule, result: np.ndarray | None, is_first: bool, wanted: bool
    ) -> np.ndarray | None:
        """Adds one term's share to every feedback and to the input's reward; the first term starts them."""
        a, x, _ = self.seen
        w, b = self.weight.value, self._bias()
        k_a, k_w, k_b = term.input(a), term.weight(w), term.bias(b)
        k_x = x if k_a is a else self.prepare(k_a, "k_x")
        d_w = self.weight.feedback if is_first else self.buffer("d_w", w.shape, w.dtype)
        d_b = self.bias.feedback if is_first and self.bias else self.buffer("d_b", b.shape, b.dtype)
        self.to_parameters(s, k_x, d_w, d_b)
        after_parameter(rule, d_w, w, k_w)
        after_parameter(rule, d_b, b, k_b)
        if not is_first:
            self.weight.feedback += d_w
            if self.bias:
                self.bias.feedback += d_b
        if not wanted:
            return None
        g = after(rule, self.to_input(s, k_w, "g" if result is None else "g_term"), k_a)
        if result is None:
            return g
        result += g
        return result

    # ---- for subclasses

    def own_parameters(self) -> dict[str, Parameter]:
        return {"weight": self.weight} | ({"bias": self.bias} if self.bias else {})

    def check_input(self, a: np.ndarray) -> None:
        """Raises ValueError where the input's shape is wrong."""
        raise NotImplementedError

    def _bias(self) -> np.ndarray:
        if self.bias:
            return self.bias.value
        return np.zeros(len(self.weight.value), self.weight.value.dtype)

    def _copy(self, name: str, x: np.ndarray) -> np.ndarray:
        copy = self.buffer(name, x.shape, x.dtype)
        copy[...] = x
        return copy
