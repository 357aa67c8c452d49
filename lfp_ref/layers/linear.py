"""What dense and convolutional layers share: three sums, and one pass of feedback for every rule.

    total          z_j = sum_i w_ji a_i + b_j             the forward sum
    to_input       g_i = sum_j w_ji s_j                   its adjoint to the input
    to_parameters  g_ji = sum_n a_i s_j, g_j = sum_n s_j  its adjoint to weight and bias (n: the batch)

A layer implements the three. What a reward is divided by before the last two, and what their results are multiplied by
afterwards, is the rule's (rules.py). The epsilon rule, one term with nothing modified, uses z as it is and copies
nothing: it is the fast path because it is the simple case. Elsewhere, what is all zero costs nothing: a term that sees
only zeros (the negative part of what a ReLU put out), a group in which no neuron has a reward.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lfp_ref.layers.base import SPIKE, Layer, Parameter
from lfp_ref.layers.sharing import after, after_parameter, before, lost, per_sample
from lfp_ref.rules import Group, Rule, Term, same

PLAIN = (Term(),)


class Sight(NamedTuple):
    """What one term sees: input, the same prepared for the sums, weight, bias."""

    a: np.ndarray
    x: np.ndarray
    w: np.ndarray
    b: np.ndarray


class Shared(NamedTuple):
    """What one group does with a reward: its part of it is s * stab(denominator); what its terms see."""

    group: Group
    denominator: np.ndarray
    s: np.ndarray
    sights: list[Sight]


class Linear(Layer):
    """Base of layers that compute a weighted sum. Fields: weight, bias (None without)."""

    takes_spikes = True
    weight: Parameter
    bias: Parameter | None

    # ---- the three sums

    def reads_bytes(self, a: np.ndarray) -> bool:
        """Whether the sums read spikes as bytes; if not, they get them as numbers."""
        raise NotImplementedError

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
        """g of weight and bias for a prepared input, of each part of the batch: g_w (P, ...), g_b (P, ...)."""
        raise NotImplementedError

    # ---- forward and feedback

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        self.check_input(a)
        if a.dtype == SPIKE and not self.reads_bytes(a):
            a = self.numbers(a, self.dtype)
        x = self.prepare(a, "x")
        z = self.total(x, self.weight.value, self._bias(), "z")
        return self.remember(z, a, x, z)

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        rule = rules[self]
        if rule.groups is Rule.groups and rule.learning == "share":
            return self.hand_out(before(rule, reward, self.seen[-1]), rule, wanted)
        if rule.learning != "share":
            self._learn_locally(reward, rule)
        result, is_first = None, True
        for shared in self.shared(reward, rule):
            for sight in shared.sights:
                if rule.learning == "share":
                    self._learn(shared.s, sight, rule, is_first)
                if wanted:
                    result = self._hand(shared.s, sight, rule, result)
                is_first = False
        if is_first and rule.learning == "share":
            for parameter in self.own_parameters().values():
                parameter.feedback[...] = 0
        if wanted and result is None:
            result = self.buffer("g", self.seen[0].shape, reward.dtype)
            result[...] = 0
        return result

    def hand_out(self, s: np.ndarray, rule: Rule, wanted: bool) -> np.ndarray | None:
        """What follows once s is known, for a rule of one term with nothing modified.

        Also for layers around this one that divide by something else than z (lif.py).
        """
        sight = self._sight(Term(), 0)
        self._learn(s, sight, rule, True)
        return self._hand(s, sight, rule, None) if wanted else None

    def kept(self, reward: np.ndarray, rules: Mapping[Any, Rule]) -> dict[str, np.ndarray]:
        rule = rules[self]
        parts = {cause: np.zeros(len(reward) * reward.shape[-1]) for cause in ("bias", "stabiliser", "empty group")}
        shared_out = np.zeros_like(reward)
        for group, denominator, s, sights in self.shared(reward.copy(), rule):
            part = self._part(reward, group, "part of kept")
            shared_out += part
            for sight in sights:
                parts["bias"] += per_sample(s * sight.b.reshape(-1, *(1,) * (s.ndim - 2)))
            for cause, amount in lost(rule, part, denominator).items():
                parts[cause] += amount
        return parts | {"mask": per_sample(reward - shared_out)}

    def shared(self, reward: np.ndarray, rule: Rule) -> Iterator[Shared]:
        """What each group of the rule does with the reward, which the last one may overwrite."""
        _, _, z = self.seen
        for number, group in enumerate(rule.groups):
            is_whole = group.coefficient == 1 and group.mask is None and number == len(rule.groups) - 1
            part = reward if is_whole else self._part(reward, group, "part")
            if group.mask is not None and not part.any():
                continue
            sights = [self._sight(term, number) for number, term in enumerate(group.terms)]
            if group.terms == PLAIN:
                denominator = z
            else:
                sights = [sight for sight in sights if sight.x.any() or sight.b.any()]
                denominator = self._denominator(sights, z)
            yield Shared(group, denominator, before(rule, part, denominator), sights)

    def _part(self, reward: np.ndarray, group: Group, out: str) -> np.ndarray:
        """The group's part of a reward, c * mask(z) * r, in the buffer of that name."""
        part = self.buffer(out, reward.shape, reward.dtype)
        np.multiply(reward, reward.dtype.type(group.coefficient), out=part)
        if group.mask is not None:
            part *= group.mask(self.seen[-1])
        return part

    def _sight(self, term: Term, number: int) -> Sight:
        a, x, _ = self.seen
        k_a = a if term.input is same else term.input(self.numbers(a, self.dtype))
        k_x = x if k_a is a else self.prepare(k_a, f"x of term {number}")
        return Sight(k_a, k_x, term.weight(self.weight.value), term.bias(self._bias()))

    def _denominator(self, sights: list[Sight], z: np.ndarray) -> np.ndarray:
        """D: the sum of what the terms see."""
        denominator = self.buffer("D", z.shape, z.dtype)
        denominator[...] = 0
        for sight in sights:
            denominator += self.total(sight.x, sight.w, sight.b, "part of D")
        return denominator

    def _learn(self, s: np.ndarray, sight: Sight, rule: Rule, is_first: bool) -> None:
        """Adds one term's feedback to the parameters'; the first term starts it."""
        w, b = self.weight.value, self._bias()
        d_w = self.weight.feedback if is_first else self.buffer("d_w", w.shape, w.dtype)
        d_b = self.bias.feedback if is_first and self.bias else self.buffer("d_b", b.shape, b.dtype)
        each_w, each_b = self._sums(s, sight.x, d_w, d_b)
        after_parameter(rule, each_w, w, sight.w, d_w)
        after_parameter(rule, each_b, b, sight.b, d_b)
        if not is_first:
            self.weight.feedback += d_w
            if self.bias:
                self.bias.feedback += d_b

    def _hand(self, s: np.ndarray, sight: Sight, rule: Rule, result: np.ndarray | None) -> np.ndarray:
        """Adds one term's reward of the input to the result so far."""
        g = after(rule, self.to_input(s, sight.w, "g" if result is None else "g of a term"), sight.a)
        if result is None:
            return g
        result += g
        return result

    def _learn_locally(self, reward: np.ndarray, rule: Rule) -> None:
        """Hebbian and Oja's feedback of the parameters, from a_i z_j r_j instead of the shares."""
        _, x, z = self.seen
        w, b = self.weight.value, self._bias()
        d_w, d_b = self.weight.feedback, self.bias.feedback if self.bias else self.buffer("d_b", b.shape, b.dtype)
        together = z * reward
        for d, each in zip((d_w, d_b), self._sums(together, x, d_w, d_b), strict=True):
            d[...] = each.sum(axis=0)
        if rule.learning == "oja":
            forgetting = (together * z).reshape(len(z), len(w), -1).sum(axis=(0, 2))
            d_w -= w * forgetting.reshape(-1, *(1,) * (w.ndim - 1))
            d_b -= b * forgetting
        d_w *= np.abs(w)
        d_b *= np.abs(b)

    def _sums(self, s: np.ndarray, x: np.ndarray, g_w: np.ndarray, g_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """to_parameters into arrays of their own, (P, as weight) and (P, as bias); of one part, into g_w and g_b."""
        each_w, each_b = (g_w[None], g_b[None]) if len(s) == 1 else self.of_each(len(s))
        self.to_parameters(s, x, each_w, each_b)
        return each_w, each_b

    # ---- for subclasses

    def of_each(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Memory for g of weight and bias by each of so many parts or threads."""
        w = self.weight.value
        each_w = self.buffer("g_w of each", (number, *w.shape), w.dtype)
        return each_w, self.buffer("g_b of each", (number, len(w)), w.dtype)

    def own_parameters(self) -> dict[str, Parameter]:
        return {"weight": self.weight} | ({"bias": self.bias} if self.bias else {})

    def check_input(self, a: np.ndarray) -> None:
        """Raises ValueError where the input's shape is wrong."""
        raise NotImplementedError

    def _bias(self) -> np.ndarray:
        if self.bias:
            return self.bias.value
        return np.zeros(len(self.weight.value), self.weight.value.dtype)
