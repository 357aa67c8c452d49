"""The measured rate of min_k sum |w| g^2 beside the proved bound 2 L M (J* - J_0) / K, at the proved step 1/(L M).

Two smooth problems with a single linear region, J* <= 0 for both:
- classifier: one dense layer on 256 digits, J the log-likelihood. The Hessian of -log softmax is at most 1/2, so
  L = largest eigenvalue of sum x x^T / 2 (x with a 1 for the bias), everywhere.
- two layers: z = V W x without activation or bias, J = -sum |t - z|^2 / 2. On the box |w| <= M, with |W| and |V| the
  Frobenius norms, at most M sqrt(number of weights):
      L <= sum_n [ 2 max(|W|, |V|)^2 |x_n|^2 + (|t_n| + |V| |W| |x_n|) |x_n| ]
  because the second derivative along (dW, dV) is -|dV W x + V dW x|^2 + 2 e.(dV dW x), e = t - V W x.
M is set beforehand, and that no weight leaves the box (it is convex, so no step does) is checked on the way.

    python -m proofs.figures.rate [--quick] [--out FOLDER]       rate.png and rate.csv; about a minute
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure
from proofs.figures.common import arguments, write


class Problem(NamedTuple):
    """slope: dJ/dz for the outputs z. smooth, box: L and M. J* is at most 0."""

    name: str
    net: lfp.Sequential
    x: np.ndarray
    objective: Callable[[np.ndarray], float]
    slope: Callable[[np.ndarray], np.ndarray]
    smooth: float
    box: float


def classifier() -> Problem:
    data = lfp.datasets.load_digits()
    x, y = data.x_train[:256].reshape(256, -1).astype(np.float64), data.y_train[:256]
    net = lfp.Sequential(lfp.Dense(x.shape[1], 10, dtype=np.float64, rng=np.random.default_rng(0)))
    with_one = np.hstack([x, np.ones((256, 1))])
    smooth = np.linalg.eigvalsh(with_one.T @ with_one)[-1] / 2 * (1 + 1e-9)  # rounding of the eigenvalue

    def objective(z):
        return float(log_softmax(z, axis=1)[np.arange(256), y].sum())

    return Problem("classifier", net, x, objective, lambda z: lfp.rewards.softmax.gradient(z, y), smooth, 4.0)


def two_layers() -> Problem:
    rng = np.random.default_rng(1)
    net = lfp.Sequential(*(lfp.Dense(4, 4, bias=False, dtype=np.float64, rng=rng) for _ in range(2)))
    for parameter in net.parameters():
        parameter.value = rng.uniform(0.2, 0.5, (4, 4)) * rng.choice((-1, 1), (4, 4))
    x = rng.normal(size=(32, 4))
    teacher = rng.normal(size=(4, 4)) / 4
    t, box = x @ teacher.T, 1.0
    norm, sizes = box * np.sqrt(16), np.linalg.norm(x, axis=1)
    smooth = float((2 * norm**2 * sizes**2 + (np.linalg.norm(t, axis=1) + norm**2 * sizes) * sizes).sum())
    return Problem("two layers", net, x, lambda z: float(-((t - z) ** 2).sum() / 2), lambda z: t - z, smooth, box)


def run(problem: Problem, steps: int) -> list[dict]:
    """A row for K = 1, 2, 5, 10, ..: the smallest sum |w| g^2 of the first K steps, and its bound."""
    net, parameters = problem.net, problem.net.parameters()
    optimizer = lfp.optim.SGD(parameters, lr=1 / (problem.smooth * problem.box))
    shown = {k * 10**e for e in range(7) for k in (1, 2, 5)}
    rows, least, start = [], np.inf, None
    for count in range(1, steps + 1):
        z = net.forward(problem.x)
        objective = problem.objective(z)
        start = objective if start is None else start
        net.feedback(problem.slope(z), Gradient())
        least = min(least, sum(float((np.abs(p.value) * p.feedback**2).sum()) for p in parameters))
        largest = max(float(np.abs(p.value).max()) for p in parameters)
        if largest > problem.box:
            raise RuntimeError(f"{problem.name}: a weight of {largest} left the box of {problem.box}")
        if count in shown:
            bound = 2 * problem.smooth * problem.box * (0 - start) / count
            rows.append({"problem": problem.name, "K": count, "measured": least, "bound": bound, "J": objective,
                         "largest weight": largest, "L": problem.smooth, "M": problem.box})  # fmt: skip
        net.feedback(z * problem.slope(z), Epsilon(0.0))
        optimizer.step()
    return rows


def draw(path, rows: list[dict]) -> None:
    figure = new_figure(9, 4)
    for axes, name, colour in zip(figure.subplots(1, 2), ("classifier", "two layers"), COLOURS, strict=False):
        mine = [row for row in rows if row["problem"] == name]
        k = [row["K"] for row in mine]
        axes.loglog(k, [row["bound"] for row in mine], "--", color="k", label="proved: 2 L M (0 - J0) / K")
        axes.loglog(k, [row["measured"] for row in mine], color=colour, marker=MARKERS[0], markersize=5,
                    label="measured")  # fmt: skip
        axes.set_xlabel("steps K", fontsize=11)
        axes.set_title(f"{name}: L = {mine[0]['L']:.3g}, M = {mine[0]['M']:.3g}")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=10)
    figure.axes[0].set_ylabel("smallest Σ |w| (dJ/dw)² so far", fontsize=11)
    figure.savefig(path, dpi=120)


def main() -> None:
    options = arguments(__doc__)
    steps = 200 if options.quick else 10_000
    rows = [row for problem in (classifier(), two_layers()) for row in run(problem, steps)]
    write(options.out / "rate.csv", rows)
    draw(options.out / "rate.png", rows)


if __name__ == "__main__":
    main()
