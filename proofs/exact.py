"""What the checks share: networks restated in exact arithmetic, and two kinds of numbers to run them on.

tests/oracle.py restates the method connection by connection and asks of its numbers only +, -, *, / and comparison. So
one restatement, three kinds of numbers:
- Fraction: what the method gives, exactly.
- Traced: the same, with the degree of the polynomials it is a quotient of: how likely is it that an identity that is
  false holds at random numbers (Schwartz and Zippel)?
- Rounded: the same, with a bound on what any float kernel may be off by. Derived in proofs/README.md.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

import lfp_ref as lfp
from tests import oracle

BITS = 512  # magnitudes are drawn from 1 .. 2^BITS
UNIT = {np.dtype(np.float32): Fraction(1, 2**24), np.dtype(np.float64): Fraction(1, 2**53)}
CHANCES: dict[str, Fraction] = {}  # what the summary of a test run prints: identity -> chance of a false pass


# ---- degree: Schwartz and Zippel


class Traced:
    """A Fraction that knows it is P/Q of the drawn magnitudes, with deg P <= top and deg Q <= bottom.

    decisions: the distinct numbers whose sign was asked, those of drawn numbers apart (their signs are drawn first).
    """

    __slots__ = ("bottom", "drawn", "top", "value")
    decisions: set = set()  # noqa: RUF012 (shared on purpose; a Draw empties it)

    def __init__(self, value, top=0, bottom=0, drawn=False):
        self.value, self.top, self.bottom, self.drawn = Fraction(value), top, bottom, drawn

    def __add__(self, other):
        other = _traced(other)
        if other.top == other.bottom == 0 and other.value == 0:
            return self
        top = max(self.top + other.bottom, other.top + self.bottom)
        return Traced(self.value + other.value, top, self.bottom + other.bottom)

    def __mul__(self, other):
        other = _traced(other)
        return Traced(self.value * other.value, self.top + other.top, self.bottom + other.bottom)

    def __truediv__(self, other):
        other = _traced(other)
        return Traced(self.value / other.value, self.top + other.bottom, self.bottom + other.top)

    def __rtruediv__(self, other):
        return _traced(other) / self

    def __neg__(self):
        return Traced(-self.value, self.top, self.bottom)

    def __sub__(self, other):
        return self + -_traced(other)

    def __rsub__(self, other):
        return _traced(other) - self

    def __pow__(self, exponent):
        return Traced(self.value**exponent, self.top * exponent, self.bottom * exponent)

    def __abs__(self):
        return -self if self < 0 else self

    def sign(self):
        if not self.drawn:
            Traced.decisions.add(abs(self.value))
        return (self.value > 0) - (self.value < 0)

    def __gt__(self, other):
        return (self - other).sign() > 0

    def __ge__(self, other):
        return (self - other).sign() >= 0

    def __lt__(self, other):
        return (self - other).sign() < 0

    def __le__(self, other):
        return (self - other).sign() <= 0

    def __eq__(self, other):
        return self.value == (other.value if isinstance(other, Traced) else other)

    __hash__ = None
    __radd__, __rmul__ = __add__, __mul__

    def __bool__(self):
        return self.sign() != 0


def _traced(number):
    return number if isinstance(number, Traced) else Traced(number)


class Draw:
    """Random numbers for one identity. Signs first, then magnitudes k / 2^(BITS-1), k uniform in 1 .. 2^BITS."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        Traced.decisions.clear()

    def __call__(self, *shape, positive=False):
        out = np.empty(shape, object)
        for index in np.ndindex(shape):
            sign = 1 if positive else self.random.choice((1, -1))
            out[index] = Traced(sign * Fraction(self.random.randint(1, 2**BITS), 2 ** (BITS - 1)), 1, drawn=True)
        return out


def identical(name, left, right):
    """Asserts left == right, exactly, and books the chance that this is an accident.

    left - right = P/Q on each region of fixed signs, deg P <= top. Where P is not the zero polynomial of the drawn
    magnitudes it is 0 at a fraction of at most top / 2^BITS of them; there are at most 2^decisions regions.
    """
    difference = _traced(left) - right
    assert difference.value == 0, f"{name}: left - right = {float(difference.value)}"
    chance = Fraction(difference.top * 2 ** len(Traced.decisions), 2**BITS)
    CHANCES[name] = max(chance, CHANCES.get(name, Fraction(0)))


# ---- rounding


class UndecidedError(Exception):
    """Rounding might change the sign of a number that the method looks at: choose other numbers."""


def is_float(value, u):
    """True if a float of unit roundoff u holds the number: 2 + 1e-6 takes more digits than either of the two."""
    numerator, denominator = value.numerator, value.denominator
    digits = (numerator // (numerator & -numerator or 1)).bit_length()
    return denominator & (denominator - 1) == 0 and digits < u.denominator.bit_length()


def gamma(k, u):
    """gamma_k = k u / (1 - k u)"""
    return k * u / (1 - k * u)


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """An exact value, and what is known of any float evaluation x of it: |x - value| <= gamma_k m, k = inner + added.

    m: the same expression with every sign made positive. inner: roundings on the longest way from an input to a term of
    the sum that this number is; added: additions in that sum, which in an unlucky order all meet one term.
    """

    value: Fraction
    m: Fraction
    inner: int
    added: int
    u: Fraction

    @property
    def k(self):
        return self.inner + self.added

    @property
    def error(self):
        return gamma(self.k, self.u) * self.m

    def _of(self, other):
        if isinstance(other, Rounded):
            return other
        other = Fraction(other)
        return Rounded(other, abs(other), 0 if is_float(other, self.u) else 1, 0, self.u)

    def __add__(self, other):
        other = self._of(other)
        if not self.m or not other.m:  # adding 0 rounds nothing
            return other if not self.m else self
        inner, added = max(self.inner, other.inner), self.added + other.added + 1
        return Rounded(self.value + other.value, up(self.m + other.m), inner, added, self.u)

    def __mul__(self, other):
        if isinstance(other, int | Fraction) and other in (0, 1, -1):
            return Rounded(other * self.value, abs(other) * self.m, self.inner, self.added, self.u)
        other = self._of(other)
        return Rounded(self.value * other.value, up(self.m * other.m), self.k + other.k + 1, 0, self.u)

    def __truediv__(self, other):
        other = self._of(other)
        off = other.error / abs(other.value) if other.value else 1
        if off >= Fraction(1, 2):
            raise UndecidedError
        m = self.m * other.m / (other.value**2 * (1 - off))
        return Rounded(self.value / other.value, up(m), self.k + other.k + 1, 0, self.u)

    def __rtruediv__(self, other):
        return self._of(other) / self

    def __neg__(self):
        return Rounded(-self.value, self.m, self.inner, self.added, self.u)

    def __sub__(self, other):
        return self + -self._of(other)

    def __rsub__(self, other):
        return self._of(other) - self

    def __pow__(self, exponent):
        return self if exponent == 1 else self * self ** (exponent - 1)

    def __abs__(self):
        return Rounded(abs(self.value), self.m, self.inner, self.added, self.u)

    def sqrt(self):
        """Square root, as a fraction that is off by far less than one rounding; its bound covers that."""
        if self.value <= 0 or self.error / self.value >= Fraction(1, 2):
            raise UndecidedError
        scale = 1 << 256
        root = Fraction(math.isqrt(int(self.value * scale * scale)), scale)
        return Rounded(root, up(self.m / root * (1 + Fraction(1, scale >> 64))), self.k + 1, 0, self.u)

    def sign(self):
        """The sign that every float evaluation has, too."""
        if self.k and self.m and abs(self.value) <= self.error:
            raise UndecidedError
        return (self.value > 0) - (self.value < 0)

    def _less(self, other):
        other = self._of(other)
        if other.value == 0 and other.m == 0:
            return self.sign()
        if self.k == other.k == 0:
            return (self.value > other.value) - (self.value < other.value)
        return (self - other).sign()

    def __gt__(self, other):
        return self._less(other) > 0

    def __ge__(self, other):
        return self._less(other) >= 0

    def __lt__(self, other):
        return self._less(other) < 0

    def __le__(self, other):
        return self._less(other) <= 0

    def __bool__(self):
        return self.sign() != 0

    __radd__, __rmul__ = __add__, __mul__


def up(m, bits=64):
    """m rounded up to a few digits, so that bounds stay short."""
    if m.denominator.bit_length() <= bits and m.numerator.bit_length() <= bits:
        return m
    shift = bits - (m.numerator.bit_length() - m.denominator.bit_length())
    scaled = m * Fraction(2) ** shift
    return Fraction(-(-scaled.numerator // scaled.denominator)) * Fraction(2) ** -shift


def rounded(array):
    """Floats as Rounded numbers: exact, of their dtype's unit roundoff."""
    array = np.asarray(array)
    out = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        value = Fraction(array[index].item())
        out[index] = Rounded(value, abs(value), 0, 0, UNIT[array.dtype])
    return out


def assert_within_rounding(actual, expected, what=""):
    """Every float is within the derived bound of what it is exactly."""
    assert actual.shape == expected.shape, what
    for index in np.ndindex(actual.shape):
        wanted, got = expected[index], Fraction(actual[index].item())
        value, error = (wanted.value, wanted.error) if isinstance(wanted, Rounded) else (wanted, 0)
        off = abs(got - value)
        assert off <= error, f"{what}{list(index)}: off by {float(off):.1e}, rounding explains {float(error):.1e}"


# ---- networks


def restate(layer, number=oracle.exact):
    """A layer of lfp_ref restated, its parameters as numbers of the kind given."""
    if isinstance(layer, lfp.Sequential):
        return oracle.Sequential(*(restate(each, number) for each in layer))
    if isinstance(layer, lfp.Residual):
        shortcut = layer.shortcut and restate(layer.shortcut, number)
        return oracle.Residual(restate(layer.body, number), shortcut)
    if isinstance(layer, lfp.Dense | lfp.Conv2d):
        parameters = number(layer.weight.value), number(layer.bias.value) if layer.bias else None
        if isinstance(layer, lfp.Dense):
            return oracle.Dense(*parameters)
        return oracle.Conv(*parameters, layer.stride, layer.padding, layer.dilation, layer.groups)
    if isinstance(layer, lfp.MaxPool2d | lfp.AvgPool2d):
        kind = oracle.MaxPool if isinstance(layer, lfp.MaxPool2d) else oracle.AvgPool
        return kind(layer.kernel_size, layer.stride)  # 2 x 2: rules modify a tap's weight of 1/4 without rounding
    if isinstance(layer, lfp.LeakyReLU):
        return oracle.leaky_relu(Fraction(layer.parameter))
    if isinstance(layer, lfp.Step):
        return oracle.step(int(layer.low))
    simple = {lfp.ReLU: oracle.relu, lfp.Softsign: oracle.softsign, lfp.Flatten: oracle.Flatten}
    return simple[type(layer)]()


def linears(layer):
    """Dense and convolutional layers of a restatement, from input to output, body before shortcut."""
    if isinstance(layer, oracle.Sequential):
        return [each for inner in layer.layers for each in linears(inner)]
    if isinstance(layer, oracle.Residual):
        return [each for inner in layer.branches for each in linears(inner)]
    return [layer] if getattr(layer, "weight", None) is not None else []


def hand_back(layer, reward, rule):
    """(reward of the input, what was kept on the way per sample) for an epsilon, a list of groups, or GRADIENT."""
    handed = layer.feedback(reward, rule)
    return handed, oracle.total(layer.kept)


def parameters(restated):
    """(value, feedback), arrays, of every weight and bias, in the order of the network's parameters."""
    for layer in linears(restated):
        yield layer.weight, layer.d_weight
        if layer.bias is not None:
            yield layer.bias, layer.d_bias


def check_kernels(net, x, reward, rule, restated_rule):
    """Forward, input's reward and every parameter's feedback of the kernels, within the derived bound of rounding.

    reward: floats, or a function of the outputs. Raises UndecidedError where rounding might change a sign looked at.
    """
    told = np.asarray(reward(net.forward(x)) if callable(reward) else reward)
    restated = restate(net, rounded)
    expected = restated.forward(rounded(x))
    wanted, _ = hand_back(restated, rounded(told), restated_rule)
    assert_within_rounding(net.forward(x), expected, "forward")
    assert_within_rounding(net.feedback(told, rule), wanted, "reward of the input")
    for (name, parameter), (_, feedback) in zip(net.named_parameters(), parameters(restated), strict=True):
        assert_within_rounding(parameter.feedback, feedback, f"feedback of {name}")
    return restated


def uniform(seed, *shape, dtype=np.float64):
    """Floats in -2 .. 2 with all their digits, none of them 0."""
    rng = np.random.default_rng(seed)
    return (rng.uniform(0.05, 2, shape) * rng.choice((-1, 1), shape)).astype(dtype)


def randomise(net, seed):
    """Sets every parameter to such floats; returns the net."""
    for number, parameter in enumerate(net.parameters()):
        parameter.value = uniform([seed, number], *parameter.value.shape, dtype=parameter.value.dtype)
    return net


def strip(array):
    """Plain Fractions of Traced numbers."""
    out = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        out[index] = array[index].value
    return out
