"""Activations: a = phi(z), element by element, one table of functions.

LFP hands the reward from a to z unchanged: where a unit is silent, a = 0 and the next layer's rule gave it nothing.
Gradient multiplies by phi'(z). LFP never asks for the derivative; the condition under which it still ascends (|phi|
grows with |z|) holds for some of these functions and not for others.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange

from lfp_ref.core.checks import is_number
from lfp_ref.core.layer import Layer
from lfp_ref.core.tape import Node
from lfp_ref.kernels.compile import elementwise, kernel
from lfp_ref.kernels.erf import erf_single


def forward(z, p, a):
    """a = phi(z).  z, a: flat arrays; p: the function's parameter, of z's dtype"""
    for k in prange(z.size):
        a[k] = function(z[k], p)  # noqa: F821 (bound by `kernel_of`)


def times_derivative(z, p, reward):
    """reward <- reward * phi'(z): gradient descent only."""
    for k in prange(z.size):
        reward[k] *= function(z[k], p)  # noqa: F821


def kernel_of(loop: Callable[..., Any], function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A jitted copy of a loop around one scalar function, with a name of its own in the cache."""
    copy = types.FunctionType(loop.__code__, {"prange": prange, "function": njit(function)}, name)
    copy.__qualname__, copy.__doc__, copy.__module__ = f"{name}.{loop.__name__}", loop.__doc__, __name__
    return elementwise(copy)


class Activation(Layer):
    """Base of all activations: input of any shape (N, ...), output of the same shape.

    parameter: the function's number, where it has one (slope of LeakyReLU, alpha of ELU); finite and >= 0.
    Raises ValueError for another number, TypeError for a number where the function has none.
    Source: the paper's section on activations (identity in the backward pass); the functions are the common ones.
    """

    batch_first = False
    default: float | None = None  # the parameter's usual value; None: the function has no parameter
    _forward: Callable[..., Any]
    _times_derivative: Callable[..., Any]

    def __init__(self, parameter: float | None = None) -> None:
        self.parameter = self.default if parameter is None else parameter
        if self.parameter is None:
            return
        if self.default is None:
            raise TypeError(f"{type(self).__name__} takes no parameter, got {parameter!r}")
        if not is_number(self.parameter):
            raise ValueError(f"{type(self).__name__}: the parameter must be finite and >= 0, got {parameter!r}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.parameter is None else self.parameter})"

    @property
    def account_name(self) -> str:
        return ""

    def propagate(self, z: np.ndarray, node: Node) -> np.ndarray:
        node.saved = z
        a = node.scratch("a", z.shape, z.dtype)
        self.activate(z.reshape(-1), a.reshape(-1))
        return a

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        if node.rule.is_gradient:
            self.times_derivative(node.saved.reshape(-1), reward.reshape(-1), node)
        return reward

    def activate(self, z: np.ndarray, a: np.ndarray) -> None:
        """a = phi(z), flat arrays; a may be z."""
        self._forward(z, z.dtype.type(self.parameter or 0), a)

    def times_derivative(self, z: np.ndarray, reward: np.ndarray, node: Node) -> None:
        """reward <- reward * phi'(z), flat arrays. node: its rule knows what steps do."""
        self._times_derivative(z, z.dtype.type(self.parameter or 0), reward)


def make_activation(
    name: str, formula: str, phi: Callable[..., Any], derivative: Callable[..., Any], default: float | None = None
) -> type[Activation]:
    """One row of the table: the layer class of a scalar function phi(z, p) and its derivative."""
    fields = {
        "__doc__": f"a = {formula}; any shape in, the same shape out.",
        "__module__": __name__,
        "default": default,
        "_forward": staticmethod(kernel_of(forward, phi, name)),
        "_times_derivative": staticmethod(kernel_of(times_derivative, derivative, name)),
    }
    return type(name, (Activation,), fields)


@kernel
def sigmoid(z):
    """1 / (1 + exp(-z)) without overflow."""
    e = math.exp(-abs(z))
    return 1 / (1 + e) if z >= 0 else e / (1 + e)


@kernel
def normal(z):
    """The standard normal distribution's (value, density) at z."""
    return (1 + math.erf(z / math.sqrt(2))) / 2, math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


# fmt: off
ReLU = make_activation("ReLU", "max(z, 0)",
    lambda z, p: max(z, p), lambda z, p: z > 0)  # p = 0
LeakyReLU = make_activation("LeakyReLU", "z if z > 0 else slope * z (slope = 0.01)",
    lambda z, p: z if z > 0 else p * z, lambda z, p: 1 if z > 0 else p, default=0.01)
ELU = make_activation("ELU", "z if z > 0 else alpha * (exp(z) - 1) (alpha = 1)",
    lambda z, p: z if z > 0 else p * math.expm1(z), lambda z, p: 1 if z > 0 else p * math.exp(z), default=1.0)
SiLU = make_activation("SiLU", "z * sigmoid(z)",
    lambda z, p: z * sigmoid(z), lambda z, p: sigmoid(z) * (1 + z * (1 - sigmoid(z))))
ExactGELU = make_activation("GELU", "z * P(X <= z) for a standard normal X (the exact form)",
    lambda z, p: z * normal(z)[0], lambda z, p: normal(z)[0] + z * normal(z)[1])
Tanh = make_activation("Tanh", "tanh(z)",
    lambda z, p: math.tanh(z), lambda z, p: 1 - math.tanh(z) ** 2)
Sigmoid = make_activation("Sigmoid", "1 / (1 + exp(-z))",
    lambda z, p: sigmoid(z), lambda z, p: sigmoid(z) * (1 - sigmoid(z)))
Softplus = make_activation("Softplus", "log(1 + exp(z))",
    lambda z, p: max(z, 0) + math.log1p(math.exp(-abs(z))), lambda z, p: sigmoid(z))
Softsign = make_activation("Softsign", "z / (1 + |z|)",
    lambda z, p: z / (1 + abs(z)), lambda z, p: 1 / (1 + abs(z)) ** 2)
# fmt: on


ROOT_HALF, HALF, ONE = np.float32(math.sqrt(0.5)), np.float32(0.5), np.float32(1)


@elementwise
def gelu_single(z, a):
    """a = z (1 + erf(z / sqrt(2))) / 2 in single precision.  Flat arrays; a may be z."""
    for k in prange(z.size):
        a[k] = HALF * z[k] * (ONE + erf_single(ROOT_HALF * z[k]))


class GELU(ExactGELU):  # type: ignore[misc, valid-type]
    """a = z * P(X <= z) for a standard normal X (the exact form); any shape in, the same shape out."""

    def activate(self, z: np.ndarray, a: np.ndarray) -> None:
        if z.dtype == np.float32:
            gelu_single(z, a)  # a call of math.erf for each number takes ten times as long
        else:
            super().activate(z, a)


class Negated(Activation):
    """a = -phi(z) for another activation phi. Source: the paper's activation experiments."""

    def __init__(self, activation: Activation) -> None:
        if not isinstance(activation, Activation):
            raise TypeError(f"{type(self).__name__} takes an activation such as ReLU(), got {activation!r}")
        self.activation = activation

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.activation!r})"

    def activate(self, z: np.ndarray, a: np.ndarray) -> None:
        self.activation.activate(z, a)
        np.negative(a, out=a)

    def times_derivative(self, z: np.ndarray, reward: np.ndarray, node: Node) -> None:
        self.activation.times_derivative(z, reward, node)
        np.negative(reward, out=reward)


class Reflected(Negated):
    """a = phi(-z) for another activation phi; its derivative is -phi'(-z). Source: as Negated."""

    def activate(self, z: np.ndarray, a: np.ndarray) -> None:
        self.activation.activate(-z, a)

    def times_derivative(self, z: np.ndarray, reward: np.ndarray, node: Node) -> None:
        super().times_derivative(-z, reward, node)
