"""A layer at its place in a pass: what it saved on the way forward, and the rule it follows on the way back.

Layers themselves hold parameters and options only. All nodes of one pass share a `Pass`; core/tape.py makes them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lfp_ref.balance import Line
from lfp_ref.core import shares, state
from lfp_ref.core.layout import (
    batch_first_shape,
    per_sample,
    to_batch_first,
    to_batch_last,
)
from lfp_ref.kernels.memory import Memory
from lfp_ref.rules import Epsilon, Rule

Layer = Any  # core/layer.py imports this module
EPSILON = Epsilon()  # the rule if none is named


@dataclass
class Pass:
    """What all nodes of one pass share.

    samples: N. steps: T of a spiking network, otherwise None; time is then folded into the batch, (..., T*N).
    """

    training: bool
    samples: int
    steps: int | None
    memory: Memory
    rules: Rule | Mapping[str, Rule] = EPSILON
    told: np.ndarray = field(default_factory=lambda: np.empty(0))  # the reward of the network's outputs, (..., N)
    learned: set[int] = field(default_factory=set)  # parameters that have got feedback, by id
    learns: bool = True  # False if the feedback of parameters is not wanted
    lines: list[Line] | None = None  # the account of each layer, where a balance sheet is drawn up


class Node:
    """One layer at its place in one pass; the last argument of `propagate` and `hand_back`.

    path: its name in the network, as "2.body.0". saved: for the layer to fill in `propagate` and to read in
    `hand_back`. wanted: False if nobody needs the input's reward, so that hand_back may return None.
    """

    output: np.ndarray  # in the layer's own layout
    came: np.ndarray  # (N,), of the last balance sheet: the reward of the output,
    handed: np.ndarray  # and that of the input

    def __init__(self, common: Pass, layer: Layer, path: str) -> None:
        self.common = common
        self.path = path
        self.children: dict[str, Node] = {}
        self.saved: Any = None
        self.input_shape: tuple[int, ...] = ()
        self.wanted = True
        self.absorbed: dict[str, np.ndarray] | None = None
        self._layer = weakref.ref(layer)  # the network owns its layers and its last pass: no circle

    @property
    def layer(self) -> Layer:
        layer = self._layer()
        assert layer is not None, "a network outlives its passes"
        return layer

    @property
    def training(self) -> bool:
        return self.common.training

    @property
    def samples(self) -> int:
        """N, whether time is folded into the batch or not."""
        return self.common.samples

    @property
    def learns(self) -> bool:
        """False if the feedback of parameters is not wanted; `learn` then does nothing."""
        return self.common.learns

    @property
    def rule(self) -> Rule:
        rules = self.common.rules
        return rules if isinstance(rules, Rule) else rules[self.path]

    @property
    def label(self) -> str:
        """The layer and its place, for error messages."""
        return f"layer {self.path}, {self.layer!r}" if self.path else self.layer.label

    # ---- inner layers

    def forward(self, name: str, x: np.ndarray) -> np.ndarray:
        """The output of the inner layer of that name."""
        if name in self.children:
            raise RuntimeError(f"{self.label}: {name!r} runs twice in a pass; give each run a name of its own")
        child = self.children[name] = Node(self.common, self.layer.children()[name], state.join(self.path, name))
        return child.propagate(x, self.layer.batch_first)

    def feedback(self, name: str, reward: np.ndarray, wanted: bool | None = None) -> np.ndarray | None:
        """The reward of the inner layer's input; the reward of its output may be overwritten."""
        child = self.children[name]
        child.wanted = self.wanted if wanted is None else wanted
        return child.hand_back(reward, self.layer.batch_first)

    def propagate(self, x: np.ndarray, batch_first: bool = False) -> np.ndarray:
        """The layer's output; input and output in the caller's layout, the layer's own in between."""
        layer = self.layer
        own = layer.batch_first
        if own != batch_first:
            x = to_batch_first(x) if own else to_batch_last(x)
        self.input_shape = x.shape
        output = layer.propagate(x, self)
        if own:
            self._check_array(output, "propagate", x.dtype, len(x), None)
        output = np.ascontiguousarray(output)
        self.output = output
        if own != batch_first:
            return to_batch_last(output) if own else to_batch_first(output)
        return output

    def hand_back(self, reward: np.ndarray, batch_first: bool = False) -> np.ndarray | None:
        layer = self.layer
        own = layer.batch_first
        if own != batch_first:
            reward = to_batch_first(reward) if own else to_batch_last(reward)
        result = layer.hand_back(reward, self) if self.common.lines is None else self._account(reward)
        if result is None:
            if self.wanted:
                raise TypeError(f"{self.label}: hand_back returned None, though the input's reward is wanted")
            return None
        if own:
            self._check_array(result, "hand_back", reward.dtype, len(reward), self.input_shape)
        result = np.ascontiguousarray(result)
        if own != batch_first:
            return to_batch_last(result) if own else to_batch_first(result)
        return result

    def _check_array(self, x: Any, method: str, dtype: np.dtype, samples: int, shape: tuple[int, ...] | None) -> None:
        """Raises TypeError or ValueError for what a layer of somebody's own must not return."""
        if not isinstance(x, np.ndarray) or x.dtype != dtype:
            kind = f"dtype {x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__
            raise TypeError(f"{self.label}: {method} must return an array of dtype {dtype}, returned {kind}")
        if x.ndim < 2 or len(x) != samples:
            raise ValueError(f"{self.label}: {method} must return shape ({samples}, ...), returned {x.shape}")
        if shape is not None and x.shape != shape:
            raise ValueError(f"{self.label}: {method} must return the input's shape {shape}, returned {x.shape}")

    # ---- the rule's two steps around a layer's sums

    def divide_by_output(self, reward: np.ndarray, z: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """s = r / stab(z): the reward in parts of what made up z. Under Gradient the reward as it is.

        reward, z: the same shape. out: where to write, if given; may be the reward itself.
        """
        if self.rule.is_gradient:
            return reward
        before = reward.copy() if self.absorbed is not None and out is reward else reward
        epsilon, least = z.dtype.type(self.rule.epsilon), np.finfo(z.dtype).tiny
        s = _written(shares.divide_by_output, out, reward, z, epsilon, least)
        if self.absorbed is not None:
            empty = (z == 0) | (s == 0)
            self.absorb("stabiliser", np.where(empty, 0, np.where(z >= 0, s, -s) * epsilon))
            self.absorb("empty group", np.where(empty, before, 0))
        return s

    def times_input(self, g: np.ndarray, a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """a * g: the input's reward from the adjoint sum g of s. Under Gradient g as it is."""
        if self.rule.is_gradient:
            return g
        return _written(shares.times_input, out, g, a)

    def times_weight(
        self, g: np.ndarray, w: np.ndarray, k_of_w: np.ndarray | None = None, out: np.ndarray | None = None
    ) -> np.ndarray:
        """sgn(w) * k(w) * g, |w| g if no k(w) is given: a parameter's feedback. Under Gradient g as it is."""
        if self.rule.is_gradient:
            return g
        return _written(shares.times_weight, out, g, w, w if k_of_w is None else k_of_w)

    def learn(self, parameter: state.Parameter, feedback: np.ndarray) -> None:
        """Adds to a parameter's feedback of this pass: d summed over the batch, of the parameter's shape."""
        if not self.learns:
            return
        if id(parameter) in self.common.learned:
            parameter.feedback += feedback
            return
        self.common.learned.add(id(parameter))
        if feedback is not parameter.feedback:
            parameter.feedback[...] = feedback

    def feedback_memory(self, parameter: state.Parameter, name: str) -> np.ndarray:
        """Where a contribution to a parameter's feedback may be written: in its place if it is the first."""
        if id(parameter) not in self.common.learned:
            return parameter.feedback
        return self.scratch(name, parameter.feedback.shape, parameter.feedback.dtype)

    # ---- the account

    def absorb(self, cause: str, amount: np.ndarray | Callable[[], np.ndarray]) -> None:
        """Notes reward that this layer keeps instead of handing it on, of the output's shape, in its layout.

        amount: an array, or a function that computes it, called only where a balance sheet is drawn up.
        """
        if self.absorbed is None:
            return
        amount = np.asarray(amount() if callable(amount) else amount)
        if self.layer.batch_first:
            amount = np.moveaxis(amount, 0, -1)
        amounts = self._over_time(per_sample(np.ascontiguousarray(amount)))
        self.absorbed[cause] = self.absorbed.get(cause, 0) + amounts

    def _account(self, reward: np.ndarray) -> np.ndarray | None:
        """hand_back, with a line in the balance sheet."""
        assert self.common.lines is not None
        self.absorbed = {}
        came = self._amount(reward)
        number = len(self.common.lines)
        result = self.layer.hand_back(reward, self)
        handed = self._amount(result)
        for child in self.children.values():  # what a layer's inner layers keep is in their own lines
            if child.absorbed is not None:
                handed = handed + child.came - child.handed
        self.came = came
        self.handed = self._amount(result)
        name = self.layer.account_name
        if name:
            self.common.lines.insert(number, Line(self.path, name, came, handed, self.absorbed))
        return result

    def _amount(self, reward: np.ndarray | None) -> np.ndarray:
        assert reward is not None, "in a balance sheet every reward is wanted"
        reward = np.moveaxis(reward, 0, -1) if self.layer.batch_first else reward
        return self._over_time(per_sample(np.ascontiguousarray(reward)))

    def _over_time(self, amounts: np.ndarray) -> np.ndarray:
        """Sums of (T*N,) to (N,); of (N,) nothing changes."""
        return amounts.reshape(-1, self.common.samples).sum(axis=0)

    # ---- for the package's own layers

    def scratch(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An uninitialised array of this place, reused in the next pass."""
        return self.common.memory.array(f"{self.path}:{name}", shape, dtype)

    def expect(self, right: bool, a: np.ndarray, expected: str) -> None:
        """Raises ValueError that says what shape came, batch first, and what shape was expected."""
        if not right:
            shape = a.shape if self.layer.batch_first else batch_first_shape(a.shape)
            raise ValueError(f"{self.label}: expected input of shape {expected}, got {shape}")

    def expect_plain_rule(self) -> None:
        """Raises ValueError for a rule that modifies inputs or weights, or learns in another way than by shares."""
        rule, kind = self.rule, type(self.layer).__name__
        if not rule.is_plain or rule.learning != "share":
            advice = (
                f', as in {{"{self.path}": lfp.rules.Epsilon(), lfp.Layer: lfp.rules.{rule!r}}}' if self.path else ""
            )
            raise ValueError(
                f"{self.label}: a {kind} shares by Epsilon (or a gradient rule), got {rule!r}; "
                f"give it a rule of its own{advice}"
            )

    def walk(self) -> Iterator[Node]:
        """This node and all inside it."""
        yield self
        for child in self.children.values():
            yield from child.walk()


def _written(kernel: Callable[..., None], out: np.ndarray | None, first: np.ndarray, *rest: Any) -> np.ndarray:
    """The result of a kernel over flat arrays, in `out` if given; arrays may lie in memory in any order."""
    direct = out is not None and out.flags.c_contiguous
    result = out if out is not None and direct else np.empty(first.shape, first.dtype)
    arrays = [np.ascontiguousarray(x).reshape(-1) if isinstance(x, np.ndarray) else x for x in (first, *rest)]
    kernel(*arrays, result.reshape(-1))
    if out is None or direct:
        return result
    out[...] = result
    return out
