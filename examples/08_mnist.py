"""MNIST: LeNet trained by LFP and by gradient descent.

The paper claims that LFP trains convolutional networks as well as gradient descent does. Here LeNet (16c5-p2-16c5-p2-
120-84-10) learns MNIST in ten epochs by both, from the same initial weights and in the same order of samples. Both get
Adam under the one-cycle schedule, batches of 128, and the learning rate that was best on a held-out tenth of the
training set; the test set is looked at for the figure alone, nothing is chosen by it.

Expect 99.2 % with LFP, a tenth of a point less than with the gradient, at the same price: both are the same pass with
other factors. Twice as many updates leave a weight exactly as it was: an update is multiplied by |w|, and what is 0
times anything stays 0.

    python examples/08_mnist.py            about 20 minutes on one core; MNIST where LFP_REF_DATA names its folder
    python examples/08_mnist.py --quick    under a minute: digits and a small network, one seed, no search
    (the numbers in results/ are of NUMBA_NUM_THREADS=1: sums round differently with another number of threads)
"""

from __future__ import annotations

import common
import numpy as np
from common import METHODS, STYLES

import lfp_ref as lfp
from lfp_ref.figures import new_figure

RATES = {"LFP": (0.003, 0.01, 0.03), "gradient": (0.001, 0.003, 0.01)}


def network(data: lfp.datasets.Dataset, seed: int) -> lfp.Sequential:
    make = lfp.models.lenet if data.input_shape[1] >= 16 else lfp.models.small_cnn
    return make(data.input_shape, data.classes, rng=np.random.default_rng(seed))


def experiment(data: lfp.datasets.Dataset, epochs: int, batch_size: int, seeds: range, rates: dict) -> list[dict]:
    """A row per method, seed and epoch."""
    held_out, rows = data.holdout(0.1), []
    for method in METHODS:

        def train(data: lfp.datasets.Dataset, rate: float, seed: int, method: str = method) -> dict | None:
            net = network(data, seed)
            history = common.train(net, data, METHODS[method], rate, epochs=epochs, seed=seed, batch_size=batch_size)
            print(f"{data.name}, {method}, rate {rate:g}, seed {seed}: {common.last(history):.2%}", flush=True)
            return history

        rate = common.best(rates[method], lambda rate, train=train: common.last(train(held_out, rate, 100)))
        for seed in seeds:
            history = train(data, rate, seed)
            rows += [
                {"data": data.name, "method": method, "learning rate": rate, "seed": seed, "epoch": epoch + 1,
                 "accuracy": history["test_accuracy"][epoch], "untouched": history["untouched"][epoch],
                 "seconds": history["seconds"][epoch]}
                for epoch in range(epochs)
            ]  # fmt: skip
    return rows


def column(rows: list[dict], method: str, name: str) -> np.ndarray:
    """(epochs, seeds)"""
    mine = [row for row in rows if row["method"] == method]
    epochs = mine[-1]["epoch"]
    return np.array([row[name] for row in mine]).reshape(-1, epochs).T


def draw(rows: list[dict]) -> object:
    figure = new_figure(10, 3.6)
    left, middle, right = figure.subplots(1, 3)
    for method in METHODS:
        accuracy, seconds = column(rows, method, "accuracy"), column(rows, method, "seconds")
        at = np.arange(1, len(accuracy) + 1)
        common.band(left, at, 100 * accuracy, method, **STYLES[method])
        common.band(middle, np.median(np.cumsum(seconds, axis=0), axis=1), 100 * accuracy, method, **STYLES[method])
        common.band(right, at, 100 * column(rows, method, "untouched"), method, **STYLES[method])
    bottom = 98 if rows[0]["data"] == "mnist" else 0
    for axes in (left, middle):
        axes.set(ylabel="test accuracy (%)", ylim=(bottom, None))
    left.set(xlabel="epoch", title=f"{rows[0]['data']}: accuracy over epochs")
    middle.set(xlabel="time of training (s, one thread)", title="and over time")
    right.set(xlabel="epoch", ylabel="weights left untouched (%)", ylim=(0, None), title="Sparsity of an update")
    seeds = len({row["seed"] for row in rows})
    left.legend(title=f"{seeds} seeds: mean, lowest to highest", loc="lower right")
    for axes in (left, middle, right):
        axes.grid(alpha=0.3)
    return figure


def main() -> None:
    run = common.start(__doc__)
    data = common.mnist(run.quick)
    if run.quick:
        rows = experiment(data.subset(600), 4, 32, range(1), {"LFP": (0.01,), "gradient": (0.003,)})
    else:
        rows = experiment(data, 10, 128 if data.name == "mnist" else 32, range(3), RATES)
    run.table(rows)
    run.figure(draw(rows))
    final = {method: column(rows, method, "accuracy")[-1] for method in METHODS}
    seconds = {method: np.median(column(rows, method, "seconds")) for method in METHODS}
    run.claims((
        f"LFP trains LeNet on {data.name} as gradient descent does",
        f"LFP {common.spread(final['LFP'], '.2%')}, gradient {common.spread(final['gradient'], '.2%')} after "
        f"{rows[-1]['epoch']} epochs; an epoch takes {seconds['LFP']:.1f} s and {seconds['gradient']:.1f} s",
        str(len(final["LFP"])),
    ))  # fmt: skip


if __name__ == "__main__":
    main()
