"""Weight space: how two weights move under LFP and under gradient descent.

The paper draws trajectories in weight space and reads off them that LFP keeps the signs of weights and ends up sparse.
An update multiplies: w <- w (1 + lr sign(w) g), g the gradient. So a sign survives any small step, zero is absorbing,
and what is small moves slowly. Three models of two weights, each told to put out 1 (squared error), 49 starts each:
- two inputs, both 1: z = w1 + w2. Any w1 + w2 = 1 will do. Gradient descent goes there by the shortest way. LFP moves
  along w1 |w2| = const where the signs differ, along a ray from 0 where both are positive.
- one useful input, one of noise: z = w1 a1 + w2 a2, a1 = 1, a2 = 1 or -1. Only (1, 0) will do.
- a chain of two layers with a ReLU: z = w2 max(w1, 0). Any w1 w2 = 1 above 0 will do.

Expect: gradient descent crosses the axes, LFP never does. A weight of the wrong sign is not turned round but fades,
which is where zeros come from; where only another sign would do, LFP stops beside 0 and the error stays (left of 0 in
the first two models, below 0 in the third). That is the price: the signs drawn at the start are the ones there are. The
start of the second model that ends at (0.5, 0.5) has w1 = w2, so z is exactly 0 for one sample: a reward z (target - z)
says nothing there. Silent ReLUs (w1 < 0 in the chain) learn by neither.

    python examples/06_weight_space.py            about 2 minutes
    python examples/06_weight_space.py --quick    seconds: 4 starts
"""

from __future__ import annotations

import common
import numpy as np
from common import METHODS, STYLES

import lfp_ref as lfp
from lfp_ref.tools.figures import new_figure

RATE, SMALL = 0.02, 0.05
MODELS = {  # name: inputs, the layers' shapes (out, in)
    "two inputs": ([[1.0, 1.0]], [(1, 2)]),
    "input and noise": ([[1.0, 1.0], [1.0, -1.0]], [(1, 2)]),
    "chain with ReLU": ([[1.0]], [(1, 1), (1, 1)]),
}


def trajectory(model: str, method: str, start: np.ndarray, steps: int) -> np.ndarray:
    """The two weights before the first and after each step, (steps + 1, 2)."""
    x, shapes = MODELS[model]
    target = np.ones(len(x))
    dense = [lfp.Dense(inputs, outputs, bias=False, dtype=np.float64) for outputs, inputs in shapes]
    net = lfp.Sequential(*dense) if len(dense) == 1 else lfp.Sequential(dense[0], lfp.ReLU(), dense[1])
    for parameter, values in zip(net.parameters(), np.split(start, len(dense)), strict=True):
        parameter.value = values.reshape(parameter.value.shape)
    reward = lfp.rewards.squared_error if method == "LFP" else lfp.rewards.squared_error.gradient
    optimizer, path = lfp.optim.SGD(net.parameters(), RATE), [start]
    for _ in range(steps):
        net.feedback(reward(net.forward(x), target) / len(x), METHODS[method])
        optimizer.step()
        path.append(np.concatenate([parameter.value.ravel() for parameter in net.parameters()]))
    return np.array(path)


def loss(model: str, w: np.ndarray) -> float:
    """Mean squared error."""
    x = np.array(MODELS[model][0])
    z = x @ w if model != "chain with ReLU" else np.maximum(w[0], 0) * w[1]
    return float(np.mean((1 - z) ** 2))


def experiment(starts: np.ndarray, steps: int) -> tuple[list[dict], dict]:
    """(a row per model, method and start; all trajectories by (model, method))."""
    paths = {(model, method): [trajectory(model, method, start, steps) for start in starts]
             for model in MODELS for method in METHODS}  # fmt: skip
    rows = []
    for (model, method), mine in paths.items():
        for path in mine:
            (a, b), (c, d) = path[0], path[-1]
            rows.append({
                "model": model, "method": method, "start w1": a, "start w2": b, "end w1": c, "end w2": d,
                "signs changed": int(np.sum(np.sign(path[0]) != np.sign(path[-1]))),
                "near zero": int(np.sum(np.abs(path[-1]) < SMALL)), "loss": loss(model, path[-1]),
            })  # fmt: skip
    return rows, paths


def draw(paths: dict) -> object:
    figure = new_figure(10, 6.9)
    grid = figure.subplots(len(METHODS), len(MODELS), sharex=True, sharey=True)
    ends = np.linspace(-2.2, 2.2, 89)
    for column, model in zip(grid.T, MODELS, strict=True):
        landscape = [[loss(model, np.array([w1, w2])) for w1 in ends] for w2 in ends]
        for axes, method in zip(column, METHODS, strict=True):
            axes.contourf(ends, ends, np.log10(np.maximum(landscape, 1e-3)), levels=16, cmap="Greys_r", alpha=0.45)
            for path in paths[model, method]:
                axes.plot(*path.T, color=STYLES[method]["color"], linewidth=0.9)
                axes.plot(*path[0], "o", color="white", markeredgecolor="k", markersize=3, markeredgewidth=0.6)
                axes.plot(*path[-1], "o", color="k", markersize=3.5)
            axes.axhline(0, color="k", linewidth=0.8)
            axes.axvline(0, color="k", linewidth=0.8)
            axes.set(title=f"{method}: {model}", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal")
    for axes in grid[-1]:
        axes.set_xlabel("weight $w_1$")
    for axes in grid[:, 0]:
        axes.set_ylabel("weight $w_2$")
    figure.suptitle("white: start, black: end, background: squared error (dark is small)", fontsize=11)
    return figure


def claims(rows: list[dict]) -> list[tuple[str, str, str]]:
    def count(column: str, models: tuple[str, ...]) -> list[int]:
        return [sum(row[column] > 0 for row in rows if row["method"] == method and row["model"] in models)
                for method in METHODS]  # fmt: skip

    starts = len(rows) // len(MODELS) // len(METHODS)
    free = ("two inputs", "chain with ReLU")  # the models that do not ask for a zero
    signs, zeros = count("signs changed", tuple(MODELS)), count("near zero", free)
    return [
        ("LFP keeps the signs of weights", f"a sign changed in {signs[0]} of {starts * len(MODELS)} runs with LFP, in "
         f"{signs[1]} with the gradient", f"{starts} starts"),
        ("LFP ends up sparse", f"in the two models that do not ask for a zero, a weight ends within {SMALL} of 0 in "
         f"{zeros[0]} of {starts * len(free)} runs with LFP, in {zeros[1]} with the gradient", f"{starts} starts"),
    ]  # fmt: skip


def main() -> None:
    run = common.start(__doc__)
    ends = np.linspace(-1.8, 1.8, 2 if run.quick else 7) + 0.1  # off the axes: a weight of 0 never moves
    starts = np.stack(np.meshgrid(ends, ends), axis=-1).reshape(-1, 2)
    rows, paths = experiment(starts, 500 if run.quick else 1000)
    run.table(rows)
    run.figure(draw(paths))
    run.claims(*claims(rows))


if __name__ == "__main__":
    main()
