"""A pass as a value: what one forward pass of a network computed, and what a reward does on its way back.

A layer at its place in a pass is a `Node`. It holds what the layer saved on the way forward and the rule it follows on
the way back; layers themselves hold parameters and options only. A `Tape` is the whole pass.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from lfp_ref.balance import Balance, Line
from lfp_ref.core import shares, state
from lfp_ref.core.assignment import resolve
from lfp_ref.core.checks import check_finite, check_real
from lfp_ref.core.layout import (
    batch_first_shape,
    batch_last_shape,
    cast,
    per_sample,
    to_batch_first,
    to_batch_last,
    transpose,
)
from lfp_ref.kernels.memory import Memory
from lfp_ref.kernels.threads import one_blas_thread
from lfp_ref.rules import Epsilon, Rule, is_gradient

Layer = Any  # core/layer.py imports this module
_FEEDBACK = threading.RLock()  # parameters have one place for feedback: one pass at a time fills it
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


class Tape:
    """One forward pass of a network, as `net.record(x)` gives it.

    outputs: (N, ...), or (T, N, ...) of a spiking network; an array of its own.
    """

    outputs: np.ndarray
    net: Layer | None = None  # holds the network of a tape that a caller holds

    def __init__(self, net: Layer, x: ArrayLike, training: bool, passes: Passes) -> None:
        folded, samples, steps = net.fold(check_real(f"{net.label}: x", x))
        self._free = passes.free
        self._common = Pass(training, samples, steps, passes.memory())
        self._root = Node(self._common, net, "")
        self._recorded_at = state.now()
        self._told: tuple[np.ndarray, Rule | Mapping[Any, Rule] | None] | None = None
        with _computing():
            output = self._root.propagate(self._batch_last("x", folded))
        self._output = output
        self.outputs = net.unfold(to_batch_first(output), steps)

    def __del__(self) -> None:
        if hasattr(self, "_common"):
            self._free.append(self._common.memory)

    def feedback(
        self,
        reward: ArrayLike,
        rule: Rule | Mapping[Any, Rule] | None = None,
        input_reward: bool = True,
        learn: bool = True,
    ) -> np.ndarray | None:
        """Hands the reward of this pass's outputs back; as Layer.feedback.

        learn: False leaves every parameter's feedback as it is and does not compute it: to explain, not to train.
        """
        told = np.array(check_real(f"{self._root.layer.label}: reward", reward))
        result = self._hand_back(told, rule, input_reward, learn)
        self._told = told, rule
        return result

    def _hand_back(
        self, reward: np.ndarray, rule: Rule | Mapping[Any, Rule] | None, input_reward: bool, learn: bool
    ) -> np.ndarray | None:
        net = self._root.layer
        self._check_unchanged()
        if reward.shape != self.outputs.shape:
            raise ValueError(
                f"{net.label}: reward must have the output's shape {self.outputs.shape}, got {reward.shape}"
            )
        inside = self._batch_last("reward", reward.reshape(batch_first_shape(self._output.shape)))
        rules = resolve(EPSILON if rule is None else rule, net)
        for each in [rules] if isinstance(rules, Rule) else rules.values():
            each.check_dtype(inside.dtype)
        with _FEEDBACK, _computing():
            self._common.rules, self._common.told = rules, inside.copy()
            for node in self._root.walk():
                node.layer.check_rule(node)
            self._common.learned.clear()
            self._common.learns = learn
            self._root.wanted = input_reward
            result = self._root.hand_back(inside)
            for node in self._root.walk() if learn else ():
                for parameter in node.layer.own_parameters().values():
                    if id(parameter) not in self._common.learned:
                        parameter.feedback[...] = 0
        if not input_reward or result is None:
            return None
        handed = to_batch_first(result)
        if not np.isfinite(handed).all():
            raise OverflowError(
                f"{net.label}: the reward handed back is NaN or infinite (as {handed.dtype}); "
                "a larger epsilon, smaller weights or double precision keep it finite"
            )
        return net.unfold_input(handed, self._common.steps)

    def balance(self) -> Balance:
        """The balance sheet of this pass's last feedback: who got which reward, and why some of it was kept.

        Raises RuntimeError before the first feedback pass, and where parameters have changed since; ValueError after
        one under Gradient, which conserves nothing.
        """
        if self._told is None:
            raise RuntimeError(f"{self._root.layer.label}: a balance needs a feedback pass of this forward pass first")
        reward, rule = self._told
        if is_gradient(rule):
            raise ValueError("gradient descent hands on derivatives, not rewards: there is no balance to draw up")
        with _FEEDBACK:
            lines: list[Line] = []
            self._common.lines = lines
            try:
                self._hand_back(reward, rule, input_reward=True, learn=False)
            finally:
                self._common.lines = None
                for node in self._root.walk():
                    node.absorbed = None
        return Balance(lines, self._root.came, self._root.handed)

    @property
    def samples(self) -> int:
        """N, the number of samples of this pass."""
        return self._common.samples

    @property
    def sample_axis(self) -> int:
        """The axis of the outputs that counts samples: 1 for spikes (T, N, ...), otherwise 0."""
        return 0 if self._common.steps is None else 1

    def nodes(self) -> Iterator[Node]:
        """Every layer at its place in this pass, each before those inside it."""
        return self._root.walk()

    def activity(self) -> dict[str, float]:
        """Counts of this pass, by name: the spike rates of a spiking network; {} for others."""
        return self._root.layer.count(self._root)

    def output(self, path: str) -> np.ndarray:
        """A copy of the output of the layer at that place in the network ("2.body.0"), (N, ...) or (T*N, ...).

        Raises KeyError for a path that no layer has; of layers that share one, as a LIF and its current's, the inner's.
        """
        outputs = {node.path: node for node in self._root.walk()}
        if path not in outputs:
            raise KeyError(f"no layer has the path {path!r}; there are {', '.join(outputs)}")
        node = outputs[path]
        return node.output.copy() if node.layer.batch_first else to_batch_first(node.output)

    def _check_unchanged(self) -> None:
        if state.now() == self._recorded_at:
            return
        for name, parameter in self._root.layer.named_parameters():
            if parameter.changed_at > self._recorded_at:
                raise RuntimeError(f"{name} has changed since this forward pass: its shares are of other weights; "
                                   "run forward again")  # fmt: skip

    def _batch_last(self, what: str, x: np.ndarray) -> np.ndarray:
        """Checks a user's array and copies it, batch last, into the pass's memory."""
        net = self._root.layer
        if x.ndim < 2 or 0 in x.shape:
            raise ValueError(f"{net.label}: {what} must have shape (N, ...) with nothing empty, got {x.shape}")
        dtype = net.dtype or (x.dtype if x.dtype in (np.float32, np.float64) else np.dtype(np.float64))
        numbers = np.ascontiguousarray(cast(x, dtype))
        inside = self._common.memory.array(what, batch_last_shape(x.shape), dtype)
        total = transpose(numbers.reshape(len(x), -1), inside.reshape(-1, len(x)))
        if not np.isfinite(total):  # NaN or infinity somewhere, or a sum that overflows
            check_finite(f"{net.label}: {what}", numbers)
        return inside


@contextmanager
def _computing() -> Iterator[None]:
    """Around all kernels: one thread for BLAS, and no warnings where numbers overflow (training finds them)."""
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        yield


class Passes:
    """One thread's things of one layer: its last pass, memory that no pass uses, its place in somebody's pass."""

    def __init__(self) -> None:
        self.last: Tape | None = None
        self.free: list[Memory] = []
        self.node: Callable[[], Node | None] = lambda: None

    def memory(self) -> Memory:
        return self.free.pop() if self.free else Memory()


class PassesByThread:
    """One `Passes` for each thread that uses a network; a thread that ends takes its own along."""

    def __init__(self) -> None:
        self._passes: weakref.WeakKeyDictionary[threading.Thread, Passes] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def of_this_thread(self) -> Passes:
        thread = threading.current_thread()
        with self._lock:
            passes = self._passes.get(thread)
            if passes is None:
                passes = self._passes[thread] = Passes()
            return passes
