"""A pass as a value: what one forward pass of a network computed, and what a reward does on its way back.

A `Tape` is the whole pass; a layer at its place in it is a node (core/node.py).
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lfp_ref.balance import Balance, Line
from lfp_ref.core import state
from lfp_ref.core.assignment import resolve
from lfp_ref.core.checks import check_finite, check_real
from lfp_ref.core.layout import (
    batch_first_shape,
    batch_last_shape,
    cast,
    to_batch_first,
    transpose,
)
from lfp_ref.core.node import EPSILON, Node, Pass
from lfp_ref.kernels.memory import Memory
from lfp_ref.kernels.threads import one_blas_thread
from lfp_ref.rules import Rule, is_gradient

Layer = Any  # core/layer.py imports this module
_FEEDBACK = threading.RLock()  # parameters have one place for feedback: one pass at a time fills it


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
        followed = [rules] if isinstance(rules, Rule) else list(rules.values())
        for each in followed:
            each.check_dtype(inside.dtype)
        with _FEEDBACK, _computing():
            self._common.rules = rules
            if any(each.sees_outputs for each in followed):
                self._common.told = inside.copy()
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
