"""Rules: which share of a neuron's reward each of its connections gets.

Every rule is data: a list of groups, each a list of terms. A term (A, W, B) says what it sees of the layer's input a,
weight w and bias b. A group hands out the reward r_j of neuron j in proportion to what its terms added up to:

    D_j   = sum over the group's terms of (sum_i W(w)_ji A(a)_i + B(b)_j)
    s_j   = c * mask(z)_j * r_j / stab(D_j, epsilon)            stab(D, epsilon) = D + epsilon * sgn(D), sgn(0) = +1
    r_i  += A(a)_i * sum_j W(w)_ji s_j                          the reward handed to the input
    d_w  += sgn(w) * W(w)_ji * sum over the batch of A(a)_i s_j     the feedback of the weight
    d_b  += sgn(b) * B(b)_j * sum over the batch of s_j             the feedback of the bias

The sums are the layer's own business (layers/linear.py): no rule knows dense from convolutional. Gradient descent is
the rule that divides by nothing before the sums and multiplies by nothing after them.

Source: the paper on LFP (arXiv:2308.12053), where it turns LRP rules into LFP rules; the groups are this project's
notation for what LRP calls modified inputs and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

Modifier = Callable[[np.ndarray], np.ndarray]


def same(x: np.ndarray) -> np.ndarray:
    """The modifier that changes nothing. Layers know it and skip the copy."""
    return x


class Term(NamedTuple):
    """What one term sees of input, weight and bias."""

    input: Modifier = same
    weight: Modifier = same
    bias: Modifier = same


class Group(NamedTuple):
    """Terms that share one denominator; its coefficient c; and which neurons take part, by their pre-activation z."""

    terms: tuple[Term, ...] = (Term(),)
    coefficient: float = 1.0
    mask: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class Rule:
    """What all rules have.

    groups: the groups of terms. epsilon: the stabiliser of every denominator, in pooling, normalisation and sums of
    branches too. shares: whether the rule divides a reward into shares at all; False for gradient descent alone.
    """

    groups: ClassVar[tuple[Group, ...]] = (Group(),)
    epsilon: ClassVar[float] = 1e-6
    shares: ClassVar[bool] = True


@dataclass(frozen=True)
class Epsilon(Rule):
    """LFP-epsilon, the paper's rule: s_j = r_j / stab(z_j, epsilon), each connection gets a_i w_ji s_j.

    epsilon -> 0 is LFP-0. With epsilon = 0 a neuron at exactly z = 0 has nothing to divide by and hands on nothing.
    Raises ValueError for an epsilon that is negative or not finite.
    """

    epsilon: float = 1e-6  # type: ignore[misc]

    def __post_init__(self) -> None:
        if not (np.isfinite(self.epsilon) and self.epsilon >= 0):
            raise ValueError(f"Epsilon: epsilon must be finite and >= 0, got {self.epsilon!r}")


@dataclass(frozen=True)
class Gradient(Rule):
    """Gradient ascent on an objective J, as one more rule: s_j = r_j, no multiplication by a, none by |w|.

    What goes in at the output is dJ/dz, not a reward (lfp.rewards: softmax.gradient and its siblings give it);
    activations multiply it by their derivative; parameters' feedback is dJ/dw. It is for a whole network or not at all.
    """

    shares: ClassVar[bool] = False


NAMES: dict[str, type[Rule]] = {"epsilon": Epsilon, "gradient": Gradient}


def parse(text: str) -> Rule:
    """The rule that a command line means: a name, or name:number[,number], as in "epsilon:0.1".

    Raises ValueError for an unknown name or numbers that the rule does not take.
    """
    name, _, numbers = text.partition(":")
    if name not in NAMES:
        raise ValueError(f"unknown rule {name!r}; known: {', '.join(NAMES)}")
    try:
        return NAMES[name](*[float(number) for number in numbers.split(",") if number])
    except (TypeError, ValueError) as error:
        raise ValueError(f"rule {text!r}: {error}") from None


def resolve(rule: Rule | Mapping[Any, Rule], net: Any) -> dict[Any, Rule]:
    """Which rule each layer of a network follows.

    rule: one rule for all, or a mapping whose keys are layer classes or prefixes of parameter names ("0", "2.body").
    The longest matching prefix wins over classes, the nearest class over its bases; lfp.Layer as a key is the rest.
    Layers without parameters that nothing matches follow Epsilon().

    Returns {layer: rule} for every layer inside net, net included.
    Raises TypeError for what is no rule; ValueError where a layer with parameters has no rule, where a key matches
    nothing, and where Gradient is mixed with rules that share a reward.
    """
    if isinstance(rule, Rule):
        return {layer: rule for _, layer in net.named_layers()}
    if not isinstance(rule, Mapping):
        raise TypeError(f"rule must be a rule such as lfp.rules.Epsilon() or a mapping to rules, got {rule!r}")
    for key, value in rule.items():
        if not isinstance(key, (str, type)) or not isinstance(value, Rule):
            raise TypeError(f"a mapping of rules goes from layer class or name prefix to rule, got {key!r}: {value!r}")
    if len({value.shares for value in rule.values()}) > 1:
        raise ValueError("Gradient hands on derivatives, the other rules hand on rewards: they cannot be mixed")
    chosen, used, missing = {}, set(), []
    for path, layer in net.named_layers():
        key = _matching_key(rule, path, layer)
        used.add(key)
        chosen[layer] = rule[key] if key is not None else Epsilon()
        if key is None and layer.own_parameters():
            missing.append(f"{path or 'the layer'} ({type(layer).__name__})")
    if missing:
        raise ValueError(f"no rule for {', '.join(missing)}; a key lfp.Layer gives the rule of all other layers")
    if unused := [key for key in rule if key not in used]:
        raise ValueError(f"these keys of the rule mapping match no layer: {unused}")
    return chosen


def _matching_key(rule: Mapping[Any, Rule], path: str, layer: Any) -> Any:
    prefixes = [key for key in rule if isinstance(key, str) and (path == key or path.startswith(key + "."))]
    if prefixes:
        return max(prefixes, key=len)
    return next((base for base in type(layer).__mro__ if base in rule), None)


def is_gradient(rule: Rule | Mapping[Any, Rule] | None) -> bool:
    """Whether this rule, or mapping of rules, is gradient descent."""
    rules = rule.values() if isinstance(rule, Mapping) else [rule]
    return any(isinstance(each, Rule) and not each.shares for each in rules)
