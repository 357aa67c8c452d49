"""Deep networks on Fashion-MNIST: do they learn by LFP as well as by gradient descent?

VGG-like, ResNet-8 and ResNet-20 with batch normalisation, and a small vision transformer, each trained from the same
seeds by LFP (epsilon 1e-6) and by gradient descent, in the same number of epochs: 60,000 images, shifted and mirrored
at random, batches of 128, Adam with a one-cycle schedule. The highest rate of the schedule is chosen for each network
and method among the same three, on a held-out tenth of a part of the training set.

    python examples/14_deep_networks.py                       eight hours of a core; goes on where it was stopped
    python examples/14_deep_networks.py --networks resnet8    one of them: an hour of a core
    python examples/14_deep_networks.py --quick               under a minute: digits, ResNet-8, one seed

Fashion-MNIST is read from the folder LFP_REF_FASHION, or fetched. The numbers in results/ are of NUMBA_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import common
import numpy as np

import lfp_ref as lfp
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure

EPOCHS = {"resnet8": 6, "resnet20": 4, "vgg-like": 3, "vit-tiny": 6}
RATES = (0.0005, 0.002, 0.008)
SEEDS = range(3)
TRIED = {"limit": 20_000, "epochs": 3}  # samples and epochs of a trial of a rate


def trained(data: Any, name: str, method: str, rate: float, seed: int, epochs: int) -> Any:
    """The history of a run; None where it diverged."""
    net = lfp.names.NETWORKS[name](data.input_shape, data.classes, rng=np.random.default_rng(seed))
    small = min(data.input_shape[1:]) < 16
    return common.train(
        net, data, common.METHODS[method], rate, epochs=epochs, seed=seed, batch_size=32 if small else 128,
        augment=() if small else (lfp.datasets.shift, lfp.datasets.mirror),
    )  # fmt: skip


def best_rate(data: Any, name: str, method: str) -> float:
    if len(data.x_train) < TRIED["limit"]:
        return RATES[1]
    held_out = data.subset(TRIED["limit"]).holdout()
    score = {rate: common.last(trained(held_out, name, method, rate, 0, TRIED["epochs"])) for rate in RATES}
    print(f"{name}, {method}, held out: {', '.join(f'{rate:g} {a:.1%}' for rate, a in score.items())}", flush=True)
    return common.best(RATES, lambda rate: score[rate])


def runs(data: Any, name: str, epochs: int, seeds: range, table: Any) -> None:
    """Trains what is not yet in the table, and writes it after each run."""
    rows = common.read_table(table) if table.exists() else []
    for method in common.METHODS:
        done = [row for row in rows if row["method"] == method]
        rate = float(done[0]["rate"]) if done else best_rate(data, name, method)
        for seed in seeds:
            if any(row["seed"] == str(seed) for row in done):
                continue
            begin = time.process_time()
            history = trained(data, name, method, rate, seed, epochs)
            minutes = (time.process_time() - begin) / 60
            for epoch in range(epochs):
                test, train = (0.0 if history is None else float(history[f"{part}_accuracy"][epoch])
                               for part in ("test", "train"))  # fmt: skip
                rows.append({"data": data.name, "network": name, "method": method, "rate": rate, "seed": str(seed),
                             "epoch": epoch + 1, "accuracy": test, "training accuracy": train,
                             "minutes": minutes})  # fmt: skip
            common.write_table(table, rows)
            print(f"{name}, {method}, seed {seed}: {common.last(history):.2%}, {minutes:.1f} minutes", flush=True)


def draw(tables: dict[str, list[dict]]) -> Any:
    """Test error over epochs, a panel for each network: mean, lowest and highest."""
    figure = new_figure(3 * max(len(tables), 3), 3.8)
    panels = np.atleast_1d(figure.subplots(1, len(tables), sharey=True))
    for axes, (name, rows) in zip(panels, tables.items(), strict=True):
        for method, colour, marker in zip(common.METHODS, COLOURS, MARKERS, strict=False):
            mine = [row for row in rows if row["method"] == method]
            epochs = sorted({int(row["epoch"]) for row in mine})
            error = [[100 - 100 * float(row["accuracy"]) for row in mine if int(row["epoch"]) == e] for e in epochs]
            common.band(axes, epochs, np.array(error), method, color=colour, marker=marker)
        axes.set(title=name, xlabel="epoch", xticks=epochs)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("test error (%)")
    panels[0].legend()
    return figure


def claims(tables: dict[str, list[dict]]) -> list[tuple[str, str, str]]:
    lines = []
    for name, rows in tables.items():
        last = max(int(row["epoch"]) for row in rows)
        reached = {method: [float(row["accuracy"]) for row in rows
                            if row["method"] == method and int(row["epoch"]) == last]
                   for method in common.METHODS}  # fmt: skip
        said = ", ".join(f"{method} {common.spread(values, '.2%')}" for method, values in reached.items())
        seeds = str(min(map(len, reached.values())))
        lines.append((f"{name} learns by LFP as by gradient ({rows[0]['data']}, {last} epochs)", said, seeds))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--networks", nargs="+", choices=list(EPOCHS), default=list(EPOCHS))
    run = common.start(__doc__, parser)
    data = common.fashion(run.quick)
    if run.quick:
        data, plan, seeds = data.subset(600), {"resnet8": 3}, range(1)
    else:
        plan, seeds = {name: EPOCHS[name] for name in run.options.networks}, SEEDS
    for name, epochs in plan.items():
        runs(data, name, epochs, seeds, run.file(f"_{name}.csv"))
    tables = {name: common.read_table(run.file(f"_{name}.csv")) for name in EPOCHS if run.file(f"_{name}.csv").exists()}
    run.figure(draw(tables))
    run.claims(*claims(tables))


if __name__ == "__main__":
    main()
