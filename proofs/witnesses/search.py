"""Where each claim stops being true: the smallest counterexamples, found by exhaustive search.

    python -m proofs.witnesses.search            searches, prints, and writes witnesses.json beside this file (a minute)
    python -m proofs.witnesses.search NAME       one of them

Every number comes from the grid 1, 2, .., H and 1/2, .., 1/H, with its sign given below. The search takes H = 1, 2, ..
until one tuple on the grid violates the claim; among those of this H it takes the smallest sum of sizes (k and 1/k have
size k), then the first in order. Floats only select; what is printed was decided in exact fractions.

The shapes are minimal too: the proofs beside them say why nothing with fewer layers, samples or neurons would do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np

from proofs.witnesses.passes import feedback_and_gradient, identity, raised_softsign, relu, slopes, softsign

RESULT = Path(__file__).parent / "witnesses.json"
AT_ONCE = 200_000  # candidates in one array


@dataclass(frozen=True)
class Witness:
    """A claim beyond its line. numbers: name -> sign of what is searched. broken: what is < 0 where the claim fails."""

    name: str
    folder: str
    shows: str
    network: str
    numbers: dict[str, int]
    broken: Callable
    says: str


def activation(x, w, v):
    return slopes([[[w]], [[v]]], [[x]], raised_softsign, [[1]])


def depth(x, w, u1, u2, v1, v2):
    return slopes([[[w]], [[u1], [u2]], [[v1, v2]]], [[x]], softsign, [[1]])


def batch(x1, x2, w, v):
    return slopes([[[w]], [[v]]], [[x1], [x2]], softsign, [[1], [1]])


def rise(x, t, w, lr):
    """J after a step minus J before, for J = -(t - w x)^2 / 2."""

    def objective(w):
        return -((t - w * x) ** 2) / 2

    ((((d,),),), _) = feedback_and_gradient([[[w]]], [[x]], identity, lambda z: [[t - z[0][0]]])
    return objective(w + lr * d) - objective(w)


def too_large(x, t, w, lr):
    """The rise, where lr is above 2/(L M), L = x^2 and M = |w|; elsewhere nothing."""
    return rise(x, t, w, lr) * (lr * x * x * abs(w) > 2)


def region(x1, x2, t1, t2, w, lr):
    """The rise for z = relu(w x), lr at most 1/(L M) with L of the region the step starts in, M = |w|."""

    def z(w, x):
        return relu.phi(w * x)

    def objective(w):
        return (-((t1 - z(w, x1)) ** 2) - (t2 - z(w, x2)) ** 2) / 2

    slope = [(t - z(w, x)) * x * relu.derivative(w * x) for x, t in ((x1, t1), (x2, t2))]
    curvature = x1 * x1 * (w * x1 > 0) + x2 * x2 * (w * x2 > 0)
    moved = objective(w + lr * abs(w) * (slope[0] + slope[1])) - objective(w)
    return moved * (lr * curvature * abs(w) <= 1)


def flip(x, c, w, lr):
    """w_after * w, where lr |g| > 1 (below 1 this is positive: the claim)."""
    ((((d,),),), _) = feedback_and_gradient([[[w]]], [[x]], identity, [[c]])
    return (w + lr * d) * w


def absorbed(x, c, w, lr):
    """Below 0 where the step ends at exactly 0 while the gradient is not 0, else 0."""
    ((((d,),),), (((g,),),)) = feedback_and_gradient([[[w]]], [[x]], identity, [[c]])
    return -1 * ((w + lr * d == 0) & (g != 0))


def rest_zero_output(x1, x2, w1, w2):
    """Below 0 where z = 0, so r = z dJ/dz = 0 and d = 0, while the gradient of J = z is not 0."""
    return -1 * ((w1 * x1 + w2 * x2 == 0) & (x1 * x1 + x2 * x2 > 0))


def stabiliser_batch(x1, x2, c1, c2, w, e):
    return slopes([[[w]]], [[x1], [x2]], identity, [[c1], [c2]], e)


def stabiliser_outputs(x, w, v1, v2, c1, c2, e):
    return slopes([[[w]], [[v1], [v2]]], [[x]], relu, [[c1, c2]], e)


def neuron_batch(x1, x2, w, s1, s2):
    """How far z of the first sample moves, times the sign of its s, for lr = 1."""
    d = abs(w) * (x1 * s1 + x2 * s2)
    return d * x1 * s1


def spiking_steps(x1, x2, w, r1, r2):
    """Membrane u[0] = w x1 of two time steps: how far it moves, times the sign of R[0], for lr = 1.

    beta = 1/2, threshold 10: no reset, u[-1] = 0, epsilon = 0.
    """
    half = Fraction(1, 2) if isinstance(w, Fraction) else 0.5
    u = [w * x1, half * w * x1 + w * x2]
    s1 = r2 / (abs(u[0]) + abs(u[1] - u[0]))
    told = r1 + half * u[0] * s1
    s0 = told / abs(u[0])
    d = abs(w) * (x1 * s0 + x2 * s1)
    quiet = (abs(u[0]) <= 10) & (abs(u[1]) <= 10)
    return d * x1 * told * quiet


WITNESSES = [
    Witness("activation", "activation_condition", "the condition on the activation violated: LFP descends",
            "x -> w -> 1 + softsign -> v -> z, J = z",
            {"x": 1, "w": -1, "v": 1}, activation, "<d, dJ/dw> < 0"),
    Witness("depth", "activation_condition", "two hidden layers, one sample, softsign: LFP descends",
            "x -> w -> softsign -> (u1, u2) -> softsign -> (v1, v2) -> z, J = z",
            {"u1": 1, "u2": 1, "v1": 1, "v2": -1, "x": 1, "w": 1}, depth, "<d, dJ/dw> < 0"),
    Witness("batch", "activation_condition", "one hidden layer, two samples, softsign: LFP descends",
            "x_n -> w -> softsign -> v -> z_n for n = 1, 2, J = z_1 + z_2",
            {"x1": 1, "x2": -1, "w": 1, "v": 1}, batch, "<d, dJ/dw> < 0"),
    Witness("step", "ascent", "a step size above 2/(L M): J falls",
            "x -> w -> z, J = -(t - z)^2 / 2, L = x^2, M = |w|",
            {"x": 1, "t": 1, "w": 1, "lr": 1}, too_large, "lr > 2/(L M) and J(w + lr d) - J(w) < 0"),
    Witness("region", "ascent", "a step below 1/(L M) that leaves its linear region: J falls",
            "x_n -> w -> relu -> z_n for n = 1, 2, J = -sum (t_n - z_n)^2 / 2, L of the region it starts in, M = |w|",
            {"x1": 1, "x2": -1, "t1": -1, "t2": -1, "w": 1, "lr": 1}, region,
            "lr <= 1/(L M) and J(w + lr d) - J(w) < 0"),
    Witness("flip", "sign_and_sparsity", "lr |g| > 1: a weight changes its sign",
            "x -> w -> z, dJ/dz = c", {"x": 1, "c": -1, "w": 1, "lr": 1}, flip, "w (w + lr d) < 0"),
    Witness("absorbed", "sign_and_sparsity", "lr |g| = 1: a weight is trapped at 0 for good, its gradient is not 0",
            "x -> w -> z, dJ/dz = c", {"x": 1, "c": -1, "w": 1, "lr": 1}, absorbed, "w + lr d = 0 and dJ/dw != 0"),
    Witness("rest", "ascent", "LFP at rest, no weight 0, the gradient not 0: the output is 0",
            "(x1, x2) -> (w1, w2) -> z, J = z",
            {"x1": 1, "x2": 1, "w1": 1, "w2": -1}, rest_zero_output, "z = 0, so d = 0, and dJ/dw = (x1, x2) != 0"),
    Witness("neuron-batch", "one_neuron", "two samples: an update moves one sample's z against its reward",
            "x_n -> w -> z_n, s_n per sample, lr = 1",
            {"x1": 1, "x2": 1, "w": 1, "s1": 1, "s2": -1}, neuron_batch, "s_1 (z_1 after - z_1 before) < 0"),
    Witness("stabiliser-batch", "stabiliser", "a single linear layer, two samples, epsilon > 0: LFP-epsilon descends",
            "x_n -> w -> z_n, dJ/dz_n = c_n", {"x1": 1, "x2": 1, "c1": 1, "c2": -1, "w": 1, "e": 1}, stabiliser_batch,
            "<d, dJ/dw> < 0"),
    Witness("stabiliser-outputs", "stabiliser",
            "one hidden layer of ReLUs, one sample, two outputs, epsilon > 0: LFP-epsilon descends",
            "x -> w -> relu -> (v1, v2) -> (z1, z2), dJ/dz = (c1, c2)",
            {"v1": 1, "v2": 1, "c1": 1, "c2": -1, "x": 1, "w": 1, "e": 1}, stabiliser_outputs, "<d, dJ/dw> < 0"),
    Witness("spiking-steps", "spiking", "two time steps: an update moves u[0] against its own reward R[0]",
            "x[0], x[1] -> w -> leaky integrator, beta = 1/2, no reset, rewards r[0], r[1], lr = 1, epsilon = 0",
            {"x1": 1, "x2": 1, "w": 1, "r1": 1, "r2": -1}, spiking_steps, "R[0] (u[0] after - u[0] before) < 0"),
]  # fmt: skip


def size(number: Fraction) -> int:
    """k for k and for 1/k."""
    return max(abs(number.numerator), number.denominator)


def grid(largest: int) -> list[Fraction]:
    return [Fraction(1, k) for k in range(largest, 1, -1)] + [Fraction(k) for k in range(1, largest + 1)]


def candidates(witness: Witness, largest: int):
    """Tuples of grid numbers whose claim fails as far as floats can tell, plus those too close to call."""
    values, signs = grid(largest), list(witness.numbers.values())
    looped = 0
    while len(values) ** (len(signs) - looped) > AT_ONCE:
        looped += 1
    inner = [axis.reshape(-1) for axis in np.meshgrid(*[np.arange(len(values))] * (len(signs) - looped), indexing="ij")]
    floats = np.array([float(v) for v in values])
    for outer in product(range(len(values)), repeat=looped):
        chosen = [np.full(inner[0].size, k) for k in outer] + inner
        named = {n: s * floats[k] for (n, s), k in zip(witness.numbers.items(), chosen, strict=True)}
        with np.errstate(divide="ignore", invalid="ignore"):
            found = witness.broken(**named) < 1e-9
        for place in np.flatnonzero(found):
            yield [sign * values[k[place]] for sign, k in zip(signs, chosen, strict=True)]


def smallest(witness: Witness, largest: int = 12) -> tuple[int, dict[str, Fraction], Fraction]:
    """(H, numbers, value): the smallest counterexample, in exact fractions. LookupError where there is none."""
    for bound in range(1, largest + 1):
        for numbers in sorted(candidates(witness, bound), key=lambda found: (sum(map(size, found)), found)):
            named = dict(zip(witness.numbers, numbers, strict=True))
            value = witness.broken(**named)
            if value < 0:
                return bound, named, Fraction(value)
    raise LookupError(f"{witness.name}: nothing on the grids up to {largest}")


def printed(witness: Witness, bound: int, numbers: dict[str, Fraction], value: Fraction) -> str:
    values = ", ".join(f"{name} = {number}" for name, number in numbers.items())
    return "\n".join([
        f"{witness.name}: {witness.shows}",
        f"    network  {witness.network}",
        f"    numbers  {values}   (smallest grid: H = {bound})",
        f"    exactly  {witness.says}: {value}",
    ])  # fmt: skip


def main() -> None:
    chosen = [witness for witness in WITNESSES if not sys.argv[1:] or witness.name in sys.argv[1:]]
    found = {}
    for witness in chosen:
        bound, numbers, value = smallest(witness)
        print(printed(witness, bound, numbers, value), flush=True)
        found[witness.name] = {
            "shows": witness.shows, "network": witness.network, "says": witness.says, "H": bound,
            "numbers": {name: str(number) for name, number in numbers.items()}, "value": str(value),
        }  # fmt: skip
    if len(chosen) == len(WITNESSES):
        RESULT.write_text(json.dumps(found, indent=4) + "\n")


if __name__ == "__main__":
    main()
