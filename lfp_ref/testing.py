"""Is a layer right? Checks for layers of one's own (docs/extending.md); the package's own pass them, too."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lfp_ref.core.checks import check_real, refuse
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.core.state import Parameter
from lfp_ref.core.tape import Tape
from lfp_ref.rules import Epsilon, Gradient, Rule

TRIED = 12  # entries of each array whose derivative is compared with a difference
STEP = 1e-6  # of these central differences, in double precision


class LayerError(AssertionError):
    """A layer that breaks its contract; says how."""


def check_layer(layer: Layer, x: ArrayLike, rule: Rule | None = None, training: bool = False) -> None:
    """Checks a layer, or a network, on some input.

    The output and the reward handed back are of the right shape and dtype; the input is left as it is; the same input
    gives the same numbers twice, in two threads at once, and with another pass in between; samples do not depend on
    each other (but in training); feedback is linear in the reward; all of the reward is handed on or named
    (node.absorb); and under Gradient the input's and every parameter's feedback is the derivative.

    x: (N, ...), N >= 2; away from kinks and thresholds, where there is no derivative. rule: Epsilon() if None.
    training: the mode of the passes. Parameters' feedback is overwritten; a layer that draws at random is checked
    outside of training.
    Raises LayerError, an AssertionError, for the first check that fails.
    """
    if not isinstance(layer, Layer):
        raise refuse("layer", "a layer", layer, TypeError)
    rule = Epsilon() if rule is None else rule
    if not isinstance(rule, Rule):
        raise refuse("rule", "a rule such as lfp.rules.Epsilon(0.1)", rule, TypeError)
    x = check_real("x", x).astype(layer.dtype)
    if x.ndim < 2 or len(x) < 2:
        raise refuse("x", "at least two samples (N, ...)", x)
    rng = np.random.default_rng(0)
    _check_parameters(layer)
    if layer.sample_axis == 0 and layer.batch_first:
        _Watched(layer).forward(x, training)
    tape = layer.record(x, training)
    outputs = tape.outputs
    _require(bool(np.isfinite(outputs).all()), layer, "the output is not finite")
    rewards = [rng.uniform(-1, 1, outputs.shape).astype(outputs.dtype) for _ in range(2)]
    first = _feedback(layer, tape, rewards[0], rule)
    _check_repeats(layer, x, outputs, rewards[0], rule, first, training)
    if not training:
        _check_samples(layer, x, outputs)
    _check_linear(layer, tape, rewards, rule, first)
    _check_conserving(layer, tape, rewards[0], rule)
    _check_gradient(layer, x, rewards[0], training, rng)


class _Watched(Layer):
    """A layer around another that watches the very array it hands to it."""

    def __init__(self, inner: Layer) -> None:
        self.inner = inner

    def propagate(self, x: np.ndarray, node: Node) -> np.ndarray:
        before = x.copy()
        output = node.forward("inner", x)
        _require(np.array_equal(x, before), self.inner, "propagate changes its input")
        return output


def _require(right: bool, layer: Layer, fault: str) -> None:
    if not right:
        raise LayerError(f"{layer!r}: {fault}")


def _check_parameters(layer: Layer) -> None:
    for path, inner in layer.named_layers():
        for name, value in vars(inner).items():
            hidden = isinstance(value, dict) and name not in ("_children", "_passes")
            if hidden and any(isinstance(entry, Parameter | Layer) for entry in value.values()):
                raise LayerError(f"{layer!r}: {path or type(inner).__name__}.{name} is a dict: what it holds "
                                 "is not found; use attributes or a list")  # fmt: skip


def _feedback(layer: Layer, tape: Tape, reward: np.ndarray, rule: Rule) -> dict[str, np.ndarray]:
    """The input's reward and copies of all parameters' feedback, by name."""
    try:
        handed = tape.feedback(reward.copy(), rule)
    except RuntimeError as error:
        raise LayerError(f"{layer!r}: a pass cannot be handed a reward after another pass: {error}") from error
    assert handed is not None, "the input's reward is wanted"
    parameters = {f"the feedback of {name}": p.feedback.copy() for name, p in layer.named_parameters()}
    return {"the input's reward": handed} | parameters


def _check_repeats(
    layer: Layer, x: np.ndarray, outputs: np.ndarray, reward: np.ndarray, rule: Rule, first: Any, training: bool
) -> None:
    tape = layer.record(x, training)
    _require(np.array_equal(tape.outputs, outputs), layer, "the same input gives another output the second time")
    layer.record(-0.5 * x, training)
    again = _feedback(layer, tape, reward, rule)
    for what, expected in first.items():
        same = np.array_equal(again[what], expected)
        _require(same, layer, f"{what} is another when a pass lies in between: it keeps something of its last pass")
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda _: [layer.forward(x, training) for _ in range(20)], range(2)):
            right = all(np.array_equal(each, outputs) for each in found)
            _require(right, layer, "two threads at once give other outputs: it keeps something of its last pass")


def _check_samples(layer: Layer, x: np.ndarray, outputs: np.ndarray) -> None:
    half = x[:, :1] if layer.sample_axis else x[:1]
    alone = layer.forward(half)
    expected = outputs[:, :1] if alone.ndim == outputs.ndim and len(alone) == len(outputs) != 1 else outputs[:1]
    _require(_is_close(alone, expected), layer, "a sample's output depends on the other samples")


def _check_linear(layer: Layer, tape: Tape, rewards: list[np.ndarray], rule: Rule, first: Any) -> None:
    second = _feedback(layer, tape, rewards[1], rule)
    both = _feedback(layer, tape, 2 * rewards[0] - rewards[1], rule)
    for what, together in both.items():
        scale = max(np.abs(first[what]).max(initial=0), np.abs(second[what]).max(initial=0))
        right = _is_close(together, 2 * first[what] - second[what], scale)
        _require(right, layer, f"{what} is not linear in the reward")


def _check_conserving(layer: Layer, tape: Tape, reward: np.ndarray, rule: Rule) -> None:
    handed = _feedback(layer, tape, reward, rule)["the input's reward"]
    sheet = tape.balance()
    scale = max(np.abs(x).sum(dtype=np.float64) for x in (reward, handed))
    for line in sheet.lines:
        residue = float(np.abs(line.residue).max())
        scale = max(scale, *(float(np.abs(kept).max()) for kept in line.kept.values()), 0.0) if line.kept else scale
        right = residue <= 100 * np.finfo(reward.dtype).eps * scale
        _require(right, layer, f"{line.path} {line.layer} keeps {residue:.3g} of a sample's reward without naming why "
                 "(node.absorb)")  # fmt: skip


def _check_gradient(layer: Layer, x: np.ndarray, direction: np.ndarray, training: bool, rng: Any) -> None:
    """The derivative of sum(direction * output), by feedback under Gradient and by central differences."""
    twin = _in_double_precision(layer)
    x = x.astype(np.float64)
    direction = direction.astype(np.float64)
    found = _feedback(twin, twin.record(x, training), direction, Gradient())
    arrays = {"the input's reward": x}
    arrays |= {f"the feedback of {name}": p.value for name, p in twin.named_parameters()}
    for what, array in arrays.items():
        flat, scale = array.reshape(-1), max(np.abs(found[what]).max(initial=0), 1e-3)
        for k in rng.choice(flat.size, min(TRIED, flat.size), replace=False):
            sides = []
            for sign in (1, -1):
                before = flat[k]
                flat[k] = before + sign * STEP
                sides.append(float(np.sum(direction * twin.forward(x, training))))
                flat[k] = before
            difference, derivative = (sides[0] - sides[1]) / (2 * STEP), found[what].reshape(-1)[k]
            right = abs(difference - derivative) <= 1e-5 * max(scale, abs(difference))
            _require(
                right, layer, f"{what} under Gradient is {derivative:.6g} where the derivative is {difference:.6g}"
            )


def _in_double_precision(layer: Layer) -> Layer:
    """A copy whose parameters and buffers are float64."""
    twin = copy.deepcopy(layer)
    for _, inner in twin.named_layers():
        for name, value in vars(inner).items():
            if isinstance(value, np.ndarray) and value.dtype == np.float32:
                setattr(inner, name, value.astype(np.float64))
        for parameter in inner.own_parameters().values():
            parameter.astype(np.float64)
    return twin


def _is_close(found: np.ndarray, expected: np.ndarray, scale: float | None = None) -> bool:
    """Equal up to the rounding of sums."""
    scale = float(np.abs(expected).max(initial=0)) if scale is None else scale
    return bool(np.abs(found - expected).max(initial=0) <= 1000 * np.finfo(found.dtype).eps * max(scale, 1e-30))
