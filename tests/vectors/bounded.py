"""Numbers for the vectors: an exact value, and a bound on what a port's floats may be off by, operation by operation.

A float operation rounds its result by a factor 1 + d, |d| <= u: u = 2^-24 in single, 2^-53 in double precision. Every
number carries, for both, a bound E on |float - value|:

    input, constant   0 where the precision holds it, else u |x|
    sum of n terms    sum e_i + g (sum |x_i| + e_i), g = (n - 1) u / (1 - (n - 1) u): additions in any order, or fused
    product           |x| E_y + |y| E_x + E_x E_y, plus one rounding
    quotient x / y    (E_x + |x / y| E_y) / (|y| - E_y), plus two roundings (a port may multiply by the reciprocal)
    square root       E / sqrt(x), plus one rounding
    other functions   slope E, plus ELEMENTARY roundings of the size of what the function adds up

and E = 0 where no float rounds: as long as every partial sum is a multiple of 2^-grid below 2^24 (2^53) of them, it is
held exactly, in any order of addition; likewise products. Nothing here underflows.

Bounds are floats, rounded up. Elementary functions are evaluated to DIGITS decimal digits by Python's decimal module.
"""

from __future__ import annotations

import decimal
import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from tests.oracle import zeros

UNITS, BITS = (2.0**-24, 2.0**-53), (24, 53)  # single, double
DIGITS = 100
ELEMENTARY = 8  # roundings that an elementary function counts as: 4 units in the last place
UP = 1 + 2.0**-40  # more than what a few operations on bounds round
decimal.getcontext().prec = DIGITS


class UndecidedError(Exception):
    """Rounding might change the sign of a number that the method looks at: choose other numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Bounded:
    """A sum of terms. size: sum of |terms|; off: for each precision, what the terms are off by, added up.

    added: additions; grid: every term is a multiple of 2^-grid, None where terms are of no power of two.
    """

    value: Fraction
    size: float
    off: tuple[float, float] = (0.0, 0.0)
    added: int = 0
    grid: int | None = None

    def errors(self):
        """E for single and double precision."""
        found = []
        for u, bits, off in zip(UNITS, BITS, self.off, strict=True):
            if not off and self.is_held(bits):
                found.append(0.0)
            else:
                found.append((off + self.added * u / (1 - self.added * u) * (self.size + off)) * UP)
        return tuple(found)

    def is_held(self, bits):
        """Whether floats of so many bits hold every partial sum."""
        return not self.size or (self.grid is not None and self.size * 2.0**self.grid <= 2**bits)

    @property
    def is_exact(self):
        return self.errors() == (0.0, 0.0)

    def complete(self):
        """The same number once its sum is complete: only its value and E count from here on."""
        return Bounded(self.value, magnitude(self.value), self.errors(), 0, self.grid)

    def rounded(self, times=1):
        """With roundings on top, where it is not held exactly."""
        off = tuple(
            e if not e and self.is_held(bits) else (e + times * u * (self.size + e)) * UP
            for e, u, bits in zip(self.off, UNITS, BITS, strict=True)
        )
        return Bounded(self.value, self.size, off, 0, self.grid)

    def __add__(self, other):
        if not isinstance(other, Bounded) and other != 0:  # a constant, as the stabiliser, is added last
            self = self.complete()
        other = bounded(other)
        off = tuple((a + b) * UP for a, b in zip(self.off, other.off, strict=True))
        grid = None if None in (self.grid, other.grid) else max(self.grid, other.grid)
        if not self.size or not other.size:  # adding 0 rounds nothing
            return other if not self.size else self
        return Bounded(self.value + other.value, (self.size + other.size) * UP, off, self.added + other.added + 1, grid)

    def __mul__(self, other):
        other = bounded(other)
        for one, factor in ((self, other), (other, self)):
            if factor.is_exact and (not factor.value or abs(factor.value) == 1):
                return one._scaled(factor.value)
        x, y = self.complete(), other.complete()
        grid = None if None in (x.grid, y.grid) else x.grid + y.grid
        off = tuple((x.size * f + y.size * e + e * f) * UP for e, f in zip(x.off, y.off, strict=True))
        return Bounded(x.value * y.value, x.size * y.size * UP, off, 0, grid).rounded()

    def _scaled(self, factor):
        if not factor:
            return ZERO
        return Bounded(factor * self.value, self.size, self.off, self.added, self.grid)

    def __truediv__(self, other):
        other = bounded(other)
        if other.is_exact and is_power_of_two(other.value):
            return self * (1 / other.value)
        x, y = self.complete(), other.complete()
        if not x.size:
            return ZERO
        if not y.value or y.off[0] >= y.size / 2:
            raise UndecidedError
        value = x.value / y.value
        ratio = magnitude(value)
        off = tuple((e + ratio * f) / (y.size - f) * UP for e, f in zip(x.off, y.off, strict=True))
        return Bounded(value, ratio, off).rounded(2)

    def __rtruediv__(self, other):
        return bounded(other) / self

    def __neg__(self):
        return self._scaled(-1)

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __pow__(self, exponent):
        return self if exponent == 1 else self * self ** (exponent - 1)

    def __abs__(self):
        return -self if self.value < 0 else self

    def sign(self):
        """The sign that floats of either precision have, too."""
        if self.errors()[0] and abs(self.value) <= self.errors()[0]:
            raise UndecidedError
        return (self.value > 0) - (self.value < 0)

    def __gt__(self, other):
        return (self - other).sign() > 0

    def __ge__(self, other):
        return (self - other).sign() >= 0

    def __lt__(self, other):
        return (self - other).sign() < 0

    def __le__(self, other):
        return (self - other).sign() <= 0

    def __bool__(self):
        return self.sign() != 0

    __radd__, __rmul__ = __add__, __mul__


ZERO = Bounded(Fraction(0), 0.0, grid=0)


def magnitude(value):
    return abs(float(value)) * UP if value.numerator.bit_length() > 50 else abs(float(value))


def is_power_of_two(value):
    top, bottom = abs(value.numerator), value.denominator
    return top > 0 and not top & (top - 1) and not bottom & (bottom - 1)


def bounded(number):
    """A number as Bounded; where a precision does not hold it, rounded once."""
    if isinstance(number, Bounded):
        return number
    value = Fraction(number)
    grid = value.denominator.bit_length() - 1 if value.denominator & (value.denominator - 1) == 0 else None
    held = (Fraction(float(np.float32(float(value)))) == value, Fraction(float(value)) == value)
    off = tuple(0.0 if right else u * magnitude(value) * UP for right, u in zip(held, UNITS, strict=True))
    return Bounded(value, magnitude(value), off, 0, grid)


def array(numbers):
    """Numbers (floats, Fractions, nested lists) as an array of Bounded, each complete: stored in memory."""
    numbers = np.asarray(numbers, dtype=object)
    out = zeros(numbers.shape)
    for index in np.ndindex(numbers.shape):
        item = numbers[index]
        out[index] = bounded(item.item() if isinstance(item, np.generic) else item).complete()
    return out


def each(function, *arrays):
    """A function of scalars, element by element."""
    out = zeros(np.broadcast_shapes(*(np.shape(a) for a in arrays)))
    arrays = np.broadcast_arrays(*arrays)
    for index in np.ndindex(out.shape):
        out[index] = function(*(a[index] for a in arrays))
    return out


# ---- elementary functions


def elementary(function, x, slope, size):
    """function(x), |function'| <= slope, by floats that add up numbers of that size.

    The 1/64 more is for what the slope changes by on the way from x to the float.
    """
    x = bounded(x).complete()
    assert x.off[0] < 1 / 128
    value = _fraction(function(_decimal(x.value)))
    off = tuple((65 / 64 * slope * e + ELEMENTARY * u * size) * UP for e, u in zip(x.off, UNITS, strict=True))
    return Bounded(value, magnitude(value), off)


def exp(x):
    e = math.exp(bounded(x).value)
    return elementary(Decimal.exp, x, e, e)


def log1p(x):
    return elementary(lambda d: (1 + d).ln(), x, 1, math.log1p(bounded(x).value))


def tanh(x):
    return elementary(lambda d: 1 - 2 / ((2 * d).exp() + 1), x, 1, 1)


def erf(x):
    return elementary(_erf, x, 2 / math.sqrt(math.pi), 1)


def cos(x):
    return elementary(_cos, x, 1, 1)


def sqrt(x):
    x = bounded(x).complete()
    if not x.size:
        return x
    root = _fraction(_decimal(x.value).sqrt())
    if root * root == x.value and x.is_exact:
        return bounded(root)
    return Bounded(root, magnitude(root), tuple(e / float(root) * UP for e in x.off)).rounded()


def _erf(x):
    """2/sqrt(pi) sum over n of (-1)^n x^(2n+1) / (n! (2n+1)); the terms grow to e^(x^2): x is at most 4 here."""
    assert abs(x) <= 4
    term, total, n = x, Decimal(0), 0
    while abs(term) > Decimal(10) ** -DIGITS:
        total += term / (2 * n + 1)
        n += 1
        term *= -x * x / n
    return 2 * total / PI.sqrt()


def _cos(x):
    term, total, n = Decimal(1), Decimal(0), 0
    while abs(term) > Decimal(10) ** -DIGITS:
        total += term
        n += 2
        term *= -x * x / (n * (n - 1))
    return total


def _pi():
    """Machin: pi = 16 arctan(1/5) - 4 arctan(1/239)"""

    def arctan_inverse(q):
        term, total, n = Decimal(1) / q, Decimal(0), 1
        while abs(term) > Decimal(10) ** -DIGITS:
            total += term / n
            n += 2
            term /= -q * q
        return total

    return 16 * arctan_inverse(5) - 4 * arctan_inverse(239)


PI = _pi()


def _decimal(value):
    return Decimal(value.numerator) / Decimal(value.denominator)


def _fraction(number):
    """A Decimal as a Fraction over a power of two, to 2^-300: denominators stay short."""
    return Fraction(round(Fraction(number) * 2**300), 2**300)
