"""Transfer: what a network learned of the digits 0 to 4, used to learn 5 to 9 from few samples.

The paper claims that LFP, which strengthens what a network already has, suits transfer learning. Here a LeNet learns
the digits 0 to 4 of 16,000 samples of MNIST by LFP or by gradient descent. Then everything but its last layer is
frozen, a new last layer learns 5 to 9 from 10, 100 or 1000 samples by the same rule, and the accuracy is that on all
test samples of 5 to 9. Beside it stands a whole LeNet that starts from scratch with the same samples. Adam, one-cycle
schedule, three seeds (of weights, order, and which samples); learning rates are chosen on 1000 other samples of the
training set. (Who has only 10 samples has no 1000 to choose by; all four have the same advantage.)

Expect: what LFP learned carries over as what the gradient learned does, but for 1000 samples, where it is four points
behind; and neither pays here. From 10 samples on, a whole LeNet from scratch is better than a new last layer: the 84
outputs it sees were made to tell 0 to 4 apart, and frozen they cannot be made to do more. This is no evidence that LFP
suits transfer better than gradient descent does.

    python examples/10_transfer.py            about 4 minutes on one core; MNIST where LFP_REF_DATA names its folder
    python examples/10_transfer.py --quick    under a minute: digits, two sizes, one seed, no search
    (the numbers in results/ are of NUMBA_NUM_THREADS=1: sums round differently with another number of threads)
"""

from __future__ import annotations

from functools import partial

import common
import numpy as np
from common import METHODS, STYLES

import lfp_ref as lfp
from lfp_ref.tools.figures import new_figure

PRETRAINING = {"LFP": 0.003, "gradient": 0.003}  # learning rates that suit LeNet on MNIST, see 08_mnist.py
STARTS = ("transferred", "from scratch")
SIZES = (10, 100, 1000)
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)


def network(data: lfp.datasets.Dataset, seed: int) -> lfp.Sequential:
    make = lfp.models.lenet if data.input_shape[1] >= 16 else lfp.models.small_cnn
    return make(data.input_shape, 5, rng=np.random.default_rng(seed))


def half(data: lfp.datasets.Dataset, first: int) -> lfp.datasets.Dataset:
    """The five digits from `first` on, as labels 0 to 4."""
    train, test = ((y >= first) & (y < first + 5) for y in (data.y_train, data.y_test))
    name = f"{data.name}, {first} to {first + 4}"
    return lfp.datasets.Dataset(name, data.x_train[train], data.y_train[train] - first,
                                data.x_test[test], data.y_test[test] - first)  # fmt: skip


def few(data: lfp.datasets.Dataset, size: int, seed: int, others: int = 0) -> lfp.datasets.Dataset:
    """`size` training samples, as many of each class; with `others`, that many other ones in place of the test part."""
    order = np.random.default_rng([seed, size]).permutation(len(data.y_train))
    place = np.empty(len(order), int)  # of each sample among those of its class
    for label in range(5):
        mine = order[data.y_train[order] == label]
        place[mine] = np.arange(len(mine))
    chosen, rest = order[place[order] < size // 5], order[place[order] >= size // 5][:others]
    x, y = data.x_train, data.y_train
    test = (x[rest], y[rest]) if others else (data.x_test, data.y_test)
    return lfp.datasets.Dataset(data.name, x[chosen], y[chosen], *test)


def features(body: lfp.Sequential, x: np.ndarray) -> np.ndarray:
    """The body's outputs, in batches: its memory grows with the largest."""
    return np.concatenate([body.forward(x[begin : begin + 256]) for begin in range(0, len(x), 256)])


def learn(
    data: lfp.datasets.Dataset, body: lfp.Sequential | None, method: str, epochs: int, rate: float, seed: int
) -> float:
    """Accuracy on the test part: of a new last layer on a frozen body, or without one of a whole new network."""
    net = network(data, seed)
    if body is not None:
        # what is frozen need be run only once
        x_train, x_test = features(body, data.x_train), features(body, data.x_test)
        data = lfp.datasets.Dataset(data.name, x_train, data.y_train, x_test, data.y_test)
        net = lfp.Sequential(net[len(net) - 1])
    return common.last(common.train(net, data, METHODS[method], rate, epochs=epochs, seed=seed))


def experiment(
    data: lfp.datasets.Dataset, sizes: tuple[int, ...], seeds: range, epochs: tuple[int, int],
    rates: tuple[float, ...], others: int,
) -> list[dict]:  # fmt: skip
    """A row per method, start, size and seed. epochs: of learning 0 to 4, and 5 to 9. others: samples to choose by."""
    known, new, rows = half(data, 0), half(data, 5), []
    for method in METHODS:
        bodies = []
        for seed in seeds:
            net = network(known, seed)
            history = common.train(net, known, METHODS[method], PRETRAINING[method], epochs=epochs[0], seed=seed)
            print(f"{known.name}, {method}, seed {seed}: {common.last(history):.2%}", flush=True)
            bodies.append(lfp.Sequential(*net.layers[:-1]))
        for start in STARTS:
            for size in sizes:
                body = bodies if start == "transferred" else [None] * len(seeds)
                run = partial(learn, method=method, epochs=epochs[1])
                by_others = few(new, size, 100, others) if len(rates) > 1 else new
                rate = common.best(rates, lambda r, run=run, d=by_others, b=body: run(d, b[0], rate=r, seed=100))
                for seed in seeds:
                    accuracy = run(few(new, size, seed), body[seed], rate=rate, seed=seed)
                    rows.append({"data": data.name, "method": method, "start": start, "samples": size,
                                 "learning rate": rate, "seed": seed, "accuracy": accuracy})  # fmt: skip
                spread = common.spread(row["accuracy"] for row in rows[-len(seeds) :])
                print(f"{new.name}, {method}, {start}, {size} samples, rate {rate:g}: {spread}", flush=True)
    return rows


def runs(rows: list[dict], method: str, start: str) -> np.ndarray:
    """Accuracy (sizes, seeds)."""
    mine = [row["accuracy"] for row in rows if (row["method"], row["start"]) == (method, start)]
    return np.array(mine).reshape(len({row["samples"] for row in rows}), -1)


def draw(rows: list[dict]) -> object:
    figure = new_figure(7, 4.2)
    axes = figure.subplots()
    sizes = sorted({row["samples"] for row in rows})
    for method, beside in zip(METHODS, (0.95, 1.05), strict=True):  # so that neither hides the other
        for start, line in zip(STARTS, ("-", "--"), strict=True):
            accuracy = 100 * runs(rows, method, start)
            mean = accuracy.mean(axis=1)
            ends = (mean - accuracy.min(axis=1), accuracy.max(axis=1) - mean)
            axes.errorbar(beside * np.array(sizes), mean, yerr=ends, capsize=3, markersize=4, linestyle=line,
                          label=f"{method}, {start}", **STYLES[method])  # fmt: skip
    axes.set(xscale="log", xlabel="samples of the digits 5 to 9", ylabel="test accuracy on 5 to 9 (%)",
             title=f"{rows[0]['data']}: knowing 0 to 4 or not", xticks=sizes, xticklabels=sizes)  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(title=f"{accuracy.shape[1]} seeds: mean, lowest to highest")
    return figure


def main() -> None:
    run = common.start(__doc__)
    data = common.mnist(run.quick)
    if run.quick:
        rows = experiment(data, (10, 100), range(1), (4, 20), (0.01,), 0)
    else:
        sizes, others = (SIZES, 1000) if data.name == "mnist" else (SIZES[:2], 200)
        rows = experiment(data.subset(16_000), sizes, range(3), (3, 20), RATES, others)
    run.table(rows)
    run.figure(draw(rows))
    sizes = sorted({row["samples"] for row in rows})
    run.claims(*[
        (f"LFP suits transfer: 5 to 9 of {data.name} from {size} samples", ", ".join(
            f"{method} {start} {common.spread(runs(rows, method, start)[number])}"
            for start in STARTS for method in METHODS), str(runs(rows, "LFP", STARTS[0]).shape[1]))
        for number, size in enumerate(sizes)
    ])  # fmt: skip


if __name__ == "__main__":
    main()
