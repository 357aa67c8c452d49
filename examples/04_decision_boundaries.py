"""Decision boundaries: a small network on blobs, circles and swirls, over twelve decades of learning rates.

The paper shows first that LFP learns toy problems as gradient descent does. Here 2-32-16-classes (dense, ReLU) learns
each by both, with plain SGD and a constant learning rate from 1e-8 to 1e4, five seeds each (initial weights and order
of samples). The boundaries drawn are of the first seed, at the rate that was best on a held-out fifth of the training
part, mean of all seeds.

Expect the same boundaries, and the same shape of curve: too small a rate learns nothing; too large a one diverges,
which counts as 0 %, or kills all ReLUs, which leaves one class. LFP's curve rises a decade later, as its updates are
|w| times the gradient's and a weight of these networks is around 0.1, and falls where the gradient's does: its range of
good rates is narrower. On swirls plain SGD is less reliable with LFP: some seeds are stuck at 80 %, since a weight
that has become small moves by little. Adam, whose steps do not depend on the size of the feedback, learns swirls from
each of ten seeds (one-cycle schedule, its rate chosen on the held-out part).

    python examples/04_decision_boundaries.py            about 8 minutes on one core
    python examples/04_decision_boundaries.py --quick    under a minute: three rates, two seeds, fewer epochs
    (the numbers in results/ are of NUMBA_NUM_THREADS=1: sums round differently with another number of threads)
"""

from __future__ import annotations

import common
import numpy as np
from common import METHODS, STYLES

import lfp_ref as lfp
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure

DATA = {"blobs": lfp.datasets.blobs(), "circles": lfp.datasets.circles(), "swirls": lfp.datasets.swirls()}
RATES = tuple(float(f"1e{power}") for power in range(-8, 5))
ADAM_RATES = (0.003, 0.01, 0.03)


def trained(name: str, method: str, rate: float, seed: int, epochs: int, adam: bool = False) -> lfp.Sequential | None:
    """A network after one run on all but the held-out part; None where it diverged."""
    data, options = DATA[name], {"rng": np.random.default_rng(seed)}
    net = lfp.Sequential(
        lfp.Dense(2, 32, **options), lfp.ReLU(), lfp.Dense(32, 16, **options), lfp.ReLU(),
        lfp.Dense(16, data.classes, **options),
    )  # fmt: skip
    part = data.holdout(0.2)
    history = common.train(net, (part.x_train, part.y_train), METHODS[method], rate, epochs=epochs, seed=seed,
                           optimizer=lfp.optim.Adam if adam else lfp.optim.SGD, one_cycle=adam)  # fmt: skip
    return None if history is None else net


def experiment(rates: tuple[float, ...], seeds: range, epochs: int) -> list[dict]:
    rows = []
    for name, data in DATA.items():
        part = data.holdout(0.2)
        for method in METHODS:
            for rate in rates:
                for seed in seeds:
                    net = trained(name, method, rate, seed, epochs)
                    rows.append({
                        "data": name, "method": method, "learning rate": rate, "seed": seed,
                        "held-out accuracy": lfp.evaluate(net, part) if net else 0.0,
                        "accuracy": lfp.evaluate(net, data) if net else 0.0,
                    })  # fmt: skip
            print(f"{name}, {method}: done", flush=True)
    return rows


def swirls_by_adam(seeds: range, epochs: int) -> list[dict]:
    """LFP alone: a row for each rate and seed."""
    data, rows = DATA["swirls"], []
    part = data.holdout(0.2)
    for rate in ADAM_RATES:
        for seed in seeds:
            net = trained("swirls", "LFP", rate, seed, epochs, adam=True)
            rows.append({
                "data": "swirls", "method": "LFP, Adam", "learning rate": rate, "seed": seed,
                "held-out accuracy": lfp.evaluate(net, part) if net else 0.0,
                "accuracy": lfp.evaluate(net, data) if net else 0.0,
            })  # fmt: skip
    return rows


def runs(rows: list[dict], name: str, method: str, column: str) -> dict[float, np.ndarray]:
    """learning rate: values of all seeds"""
    mine = [row for row in rows if (row["data"], row["method"]) == (name, method)]
    rates = dict.fromkeys(row["learning rate"] for row in mine)
    return {rate: np.array([row[column] for row in mine if row["learning rate"] == rate]) for rate in rates}


def chosen(rows: list[dict], name: str, method: str) -> float:
    """The rate of the best mean accuracy on the held-out part."""
    held_out = runs(rows, name, method, "held-out accuracy")
    return common.best(list(held_out), lambda rate: held_out[rate].mean())


def draw(rows: list[dict], epochs: int) -> object:
    figure = new_figure(10, 9)
    grid = figure.subplots(len(DATA), 3, width_ratios=(1, 1, 1.5))
    ends = np.linspace(-1.6, 1.6, 161)
    points = np.stack(np.meshgrid(ends, ends), axis=-1).reshape(-1, 2)
    for line, (name, data) in zip(grid, DATA.items(), strict=True):
        for axes, method in zip(line, METHODS, strict=False):
            rate = chosen(rows, name, method)
            answer = trained(name, method, rate, 0, epochs).forward(points).argmax(axis=1).reshape(161, 161)
            for label in range(data.classes):
                axes.contourf(ends, ends, answer == label, levels=(0.5, 1), colors=COLOURS[label], alpha=0.25)
                mine = data.x_test[data.y_test == label]
                axes.plot(*mine.T, MARKERS[label], color=COLOURS[label], markersize=3)
            accuracy = runs(rows, name, method, "accuracy")[rate].mean()
            axes.set(title=f"{name}, {method}: {accuracy:.1%}\nlearning rate {rate:g}", aspect="equal",
                     xlabel="$x_1$", ylabel="$x_2$", xlim=(-1.6, 1.6), ylim=(-1.6, 1.6))  # fmt: skip
            axes.title.set_fontsize(11)
        for method in METHODS:
            by_rate = runs(rows, name, method, "accuracy")
            common.band(line[2], list(by_rate), 100 * np.array(list(by_rate.values())), method, **STYLES[method])
        line[2].set(xscale="log", xlabel="learning rate (SGD)", ylabel="test accuracy (%)", ylim=(-3, 103))
        line[2].grid(alpha=0.3)
    seeds = len({row["seed"] for row in rows})
    grid[0, 2].set_title(f"{seeds} seeds: mean, lowest to highest;\n0 % where training diverged", fontsize=11)
    grid[0, 2].legend()
    return figure


def main() -> None:
    run = common.start(__doc__)
    epochs, rates, seeds = (30, (1e-8, 0.1, 1e4), range(2)) if run.quick else (100, RATES, range(5))
    rows, by_adam = experiment(rates, seeds, epochs), swirls_by_adam(range(2 if run.quick else 10), epochs)
    run.table(rows + by_adam)
    run.figure(draw(rows, epochs))
    claims = []
    for name in DATA:
        found = {m: runs(rows, name, m, "accuracy")[chosen(rows, name, m)] for m in METHODS}
        claims.append((f"LFP learns {name} as gradient descent does",
                       ", ".join(f"{m} {common.spread(found[m])}" for m in METHODS), str(len(seeds))))  # fmt: skip
    reached = runs(by_adam, "swirls", "LFP, Adam", "accuracy")[chosen(by_adam, "swirls", "LFP, Adam")]
    claims.append(("by Adam it learns swirls from every seed", common.spread(reached), str(len(reached))))
    run.claims(*claims)


if __name__ == "__main__":
    main()
