"""Pruning: what is left of a network when weights or neurons are taken out.

The paper claims that LFP's updates are sparse, and that networks trained by it can be pruned further than those
trained by gradient descent. Here an MLP (120-84, ReLU) learns 20,000 samples of MNIST by both; then in each layer the
same fraction of weights, or of hidden neurons, is taken out, the least important first, without training again. What is
important is told
- by magnitude: |w| of a weight; of a neuron, the length of its incoming weights;
- by relevance: LRP of the training set's right answers. One pass of feedback hands each output of a right class back as
  its own reward; a weight's relevance is its share, summed over the samples of a class, and what counts is the absolute
  value summed over classes. A neuron's is the sum of its outgoing shares.
Adam, one-cycle schedule, five epochs, five seeds; learning rates chosen on a held-out tenth of the training set.

Sparsity of an update: the smallest fraction of weights that makes up 90 % of the sum of all |feedback|, on the last
batch of each epoch.

Expect: LFP's updates fall on a third as many weights as the gradient's. More weights can be taken out of networks that
it trained before the accuracy falls by five points; with neurons the difference is within the spread. Relevance chooses
better than magnitude, whatever trained the network, most of all among neurons.

    python examples/09_pruning.py            about 2 minutes on one core; MNIST where LFP_REF_DATA names its folder
    python examples/09_pruning.py --quick    under a minute: digits, one seed, no search
    (the numbers in results/ are of NUMBA_NUM_THREADS=1: sums round differently with another number of threads)
"""

from __future__ import annotations

from functools import partial

import common
import numpy as np
from common import METHODS, STYLES

import lfp_ref as lfp
from lfp_ref.tools.figures import new_figure

RATES = (0.003, 0.01)
FRACTIONS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
CRITERIA = ("magnitude", "relevance")


def train(
    data: lfp.datasets.Dataset, method: str, epochs: int, rate: float, seed: int
) -> tuple[lfp.Sequential, list[float]]:
    """The trained network, and the sparsity of its updates at the end of each epoch."""
    net = lfp.models.mlp(data.input_shape, data.classes, rng=np.random.default_rng(seed))
    sparsity = []

    def look(epoch: int, step: int, steps: int) -> None:
        if step == steps:
            sparsity.append(concentration(np.concatenate([p.feedback.ravel() for p in net.parameters()])))

    common.train(net, data, METHODS[method], rate, epochs=epochs, seed=seed, batch_size=128 if data.name == "mnist"
                 else 32, on_step=look)  # fmt: skip
    return net, sparsity


def concentration(feedback: np.ndarray) -> float:
    """The smallest fraction of entries that makes up 90 % of the sum of absolute values."""
    sizes = np.sort(np.abs(feedback).astype(np.float64))[::-1].cumsum()
    return float(np.searchsorted(sizes, 0.9 * sizes[-1]) + 1) / len(sizes)


def weights(net: lfp.Sequential) -> list[lfp.Parameter]:
    return [layer.weight for layer in net if isinstance(layer, lfp.Dense)]


def importance(net: lfp.Sequential, data: lfp.datasets.Dataset, criterion: str) -> tuple[list, list]:
    """(of every weight, of every hidden neuron), an array per layer."""
    mine = weights(net)
    if criterion == "magnitude":
        return [np.abs(w.value) for w in mine], [np.linalg.norm(w.value, axis=1) for w in mine[:-1]]
    of_weights = [np.zeros_like(w.value) for w in mine]
    of_neurons = [np.zeros(w.value.shape[1]) for w in mine[1:]]
    for label in range(data.classes):
        outputs = net.forward(data.x_train[data.y_train == label])
        reward = np.zeros_like(outputs)
        reward[:, label] = outputs[:, label]
        net.feedback(reward, input_reward=False)
        for total, w in zip(of_weights, mine, strict=True):
            total += np.abs(w.feedback)
        for total, w in zip(of_neurons, mine[1:], strict=True):
            total += np.abs((np.sign(w.value) * w.feedback).sum(axis=0))  # sign(w) feedback is the share
    return of_weights, of_neurons


def pruned(net: lfp.Sequential, scores: list[np.ndarray], what: str, fraction: float) -> None:
    """Sets to 0 this fraction of each layer's weights, or of the weights that lead away from hidden neurons."""
    for number, score in enumerate(scores):
        least = np.argsort(score, axis=None)[: round(fraction * score.size)]
        weight = weights(net)[number if what == "weights" else number + 1]
        if what == "weights":
            weight.value.reshape(-1)[least] = 0
        else:
            weight.value[:, least] = 0
        weight.touch()


def experiment(
    data: lfp.datasets.Dataset, seeds: range, epochs: int, rates: tuple[float, ...]
) -> tuple[list[dict], list[dict]]:
    """(accuracy of pruned networks, sparsity of updates)"""
    held_out, accuracies, updates = data.holdout(0.1), [], []
    for method in METHODS:
        train_by = partial(train, method=method, epochs=epochs)
        rate = common.best(rates, lambda r, run=train_by: lfp.evaluate(run(held_out, rate=r, seed=100)[0], held_out))
        for seed in seeds:
            net, sparsity = train_by(data, rate=rate, seed=seed)
            about = {"data": data.name, "method": method, "learning rate": rate, "seed": seed}
            updates += [about | {"epoch": epoch, "sparsity": value} for epoch, value in enumerate(sparsity, 1)]
            whole = net.state_dict()
            for criterion in CRITERIA:
                for what, scores in zip(("weights", "neurons"), importance(net, data, criterion), strict=True):
                    for fraction in FRACTIONS:
                        pruned(net, scores, what, fraction)
                        accuracies.append(about | {"criterion": criterion, "pruned": what, "fraction": fraction,
                                                   "accuracy": lfp.evaluate(net, data)})  # fmt: skip
                        net.load_state_dict(whole)
            print(f"{data.name}, {method}, rate {rate:g}, seed {seed}: {lfp.evaluate(net, data):.2%}", flush=True)
    return accuracies, updates


def curve(rows: list[dict], method: str, criterion: str, what: str) -> np.ndarray:
    """Accuracy (fractions, seeds)."""
    mine = [r["accuracy"] for r in rows if (r["method"], r["criterion"], r["pruned"]) == (method, criterion, what)]
    return np.array(mine).reshape(-1, len(FRACTIONS)).T


def draw(rows: list[dict], updates: list[dict]) -> object:
    figure = new_figure(11, 3.9)
    *left, right = figure.subplots(1, 3)
    for axes, what in zip(left, ("weights", "neurons"), strict=True):
        for method in METHODS:
            for criterion, line in zip(CRITERIA, ("--", "-"), strict=True):
                common.band(axes, 100 * np.array(FRACTIONS), 100 * curve(rows, method, criterion, what),
                            f"{method}, by {criterion}", linestyle=line, **STYLES[method])  # fmt: skip
        axes.set(xlabel=f"{what} taken out (%)", ylabel=f"test accuracy on {rows[0]['data']} (%)", ylim=(0, 101),
                 title=what)  # fmt: skip
    left[0].legend(loc="lower left", fontsize=9)
    for method in METHODS:
        values = np.array([row["sparsity"] for row in updates if row["method"] == method])
        values = values.reshape(-1, updates[-1]["epoch"]).T
        common.band(right, range(1, len(values) + 1), 100 * values, method, **STYLES[method])
    right.set(xlabel="epoch", ylabel="weights with 90 % of it (%)", title="sparsity of updates", ylim=(0, None))
    right.legend(title=f"{values.shape[1]} seeds: mean, lowest to highest", fontsize=9, title_fontsize=9)
    for axes in (*left, right):
        axes.grid(alpha=0.3)
    return figure


def removable(accuracy: np.ndarray) -> list[float]:
    """For each seed, the fraction at which the accuracy (fractions, seeds) has fallen by five points, interpolated."""
    found = []
    for values in accuracy.T:
        first = np.flatnonzero(values < values[0] - 0.05)[0]
        pair = slice(first, first - 2 if first > 1 else None, -1)  # np.interp wants rising accuracies
        found.append(float(np.interp(values[0] - 0.05, values[pair], np.array(FRACTIONS)[pair])))
    return found


def claims(rows: list[dict], updates: list[dict]) -> list[tuple[str, str, str]]:
    def said(what: str) -> str:
        return "; ".join(
            f"by {criterion} "
            + ", ".join(f"{m} {common.spread(removable(curve(rows, m, criterion, what)))}" for m in METHODS)
            for criterion in CRITERIA
        )

    seeds, last = str(len({row["seed"] for row in rows})), updates[-1]["epoch"]
    sparsity = {m: common.spread(r["sparsity"] for r in updates if r["method"] == m and r["epoch"] == last)
                for m in METHODS}  # fmt: skip
    return [
        *((f"LFP's networks can be pruned further: {what} taken out at a loss of five points", said(what), seeds)
          for what in ("weights", "neurons")),
        ("LFP's updates are sparse",
         "weights with 90 % of an update: " + ", ".join(f"{m} {sparsity[m]}" for m in METHODS), seeds),
    ]  # fmt: skip


def main() -> None:
    run = common.start(__doc__)
    data = common.mnist(run.quick)
    data = data.subset(800 if run.quick else 20_000)
    rows, updates = experiment(data, range(1), 5, (0.01,)) if run.quick else experiment(data, range(5), 5, RATES)
    run.table(rows)
    run.table(updates, "_updates.csv")
    run.figure(draw(rows, updates))
    run.claims(*claims(rows, updates))


if __name__ == "__main__":
    main()
