"""What it takes for networks of step functions to learn by LFP alone.

A step has no derivative, and LFP asks for none. Yet with the published package's defaults (steps from 0 to 1,
epsilon = 1e-6) a LeNet of steps stays near chance. What a unit in front of a step is told is

    s = r / stab(z, epsilon),   r = a g,   g = sum_k w_k s_k, what the units behind it want more of,

and two things are wrong with it.

Steps from 0: where z <= 0, a = 0 and so s = 0. A silent unit never hears that it should have fired; each punishment
makes units more silent, no reward brings one back. A small epsilon: s goes like 1 / |z|, so the few samples that happen
to lie nearest the threshold are louder than all others together. The cure is one number each: steps from -1
(`Step(-1)`; `Step()` is the other), for which s = g / (|z| + epsilon) on either side, and an epsilon of about the size
of the initial z (0.5). Dropping a tenth of the pixels helps the MLP a little.
results/11_step_networks.md says what else was tried.

Every variant trains the same networks from the same seeds, by Adam with a one-cycle schedule; learning rates, epsilon
and dropout were chosen on a held-out tenth of the training set. Beside the accuracy stand two numbers that say why,
both of the first layer's s, on one batch, before training:
- told: the fraction of s that is not 0.
- loudest: the part of the sum of s^2 that the largest hundredth of them makes up.

Straight-through is gradient descent with a stand-in for the step's derivative (1 where |z| <= 1), for comparison.

    python examples/11_step_networks.py            half an hour on a core; MNIST where LFP_REF_DATA names its folder
    python examples/11_step_networks.py --quick    under a minute: digits, one seed, a few epochs

The numbers in results/ are of NUMBA_NUM_THREADS=1: sums round differently with another number of threads.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import common
import numpy as np

import lfp_ref as lfp
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure


class Variant(NamedTuple):
    """What a unit puts out below its threshold; rule; part of the inputs dropped; learning rate."""

    low: float
    rule: lfp.rules.Rule
    dropout: float = 0.0
    rate: float = 0.001


SMALL, LARGE, SURROGATE = lfp.rules.Epsilon(1e-6), lfp.rules.Epsilon(0.5), lfp.rules.StraightThrough()
VARIANTS = {
    "LFP, steps from -1, epsilon 0.5, inputs dropped": Variant(-1, LARGE, 0.1, 0.005),
    "LFP, steps from -1, epsilon 0.5": Variant(-1, LARGE, 0, 0.005),
    "LFP, steps from -1, epsilon 1e-6": Variant(-1, SMALL),
    "LFP, steps from 0, epsilon 0.5": Variant(0, LARGE),
    "LFP, steps from 0, epsilon 1e-6": Variant(0, SMALL),
    "straight-through, steps from -1": Variant(-1, SURROGATE),
    "straight-through, steps from 0": Variant(0, SURROGATE),
}
NO_DROPOUT = {"lenet": ("LFP, steps from -1, epsilon 0.5, inputs dropped",)}  # it has no need


def network(data: lfp.datasets.Dataset, model: str, variant: Variant, seed: int) -> lfp.Sequential:
    return lfp.names.NETWORKS[model](
        data.input_shape, data.classes, lambda: lfp.Step(variant.low), dropout=variant.dropout,
        rng=np.random.default_rng(seed),
    )  # fmt: skip


def evidence(data: lfp.datasets.Dataset, model: str, variant: Variant, seed: int) -> tuple[float, float]:
    """(told, loudest), as the text above says."""
    net = network(data, model, variant._replace(dropout=0.0), seed)
    first = next(number for number, layer in enumerate(net) if layer.parameters())
    z = lfp.Sequential(*net[: first + 1]).forward(data.x_train[:128])
    rest = lfp.Sequential(*net[first + 1 :])
    outputs = rest.forward(z)
    if variant.rule is SURROGATE:
        s = rest.feedback(lfp.rewards.softmax.gradient(outputs, data.y_train[:128]), variant.rule)
    else:
        r = rest.feedback(lfp.rewards.softmax(outputs, data.y_train[:128]), variant.rule)
        s = r / (z + variant.rule.epsilon * np.where(z >= 0, 1, -1))
    square = np.sort((s * s).reshape(-1))[::-1]
    return float(np.mean(s != 0)), float(square[: square.size // 100].sum() / square.sum())


def trained(data: lfp.datasets.Dataset, model: str, name: str, seed: int, epochs: int) -> list[dict]:
    """Rows of one training run, one an epoch."""
    variant, batch_size = VARIANTS[name], 128 if len(data.x_train) >= 10_000 else 32
    net = network(data, model, variant, seed)
    steps = epochs * math.ceil(len(data.x_train) / batch_size)
    history = lfp.train(
        net, data, optimizer=lfp.optim.Adam(net.parameters(), variant.rate), rule=variant.rule, epochs=epochs,
        batch_size=batch_size, schedule=lfp.optim.one_cycle(variant.rate, steps), seed=seed, log=None,
    )  # fmt: skip
    told, loudest = evidence(data, model, variant, seed)
    print(f"{data.name}, {model}, {name}, seed {seed}: {history['test_accuracy'][-1]:.2%}  "
          f"told {told:.0%}  loudest {loudest:.0%}", flush=True)  # fmt: skip
    return [
        {"data": data.name, "network": model, "variant": name, "learning rate": variant.rate, "seed": seed,
         "epoch": epoch + 1, "accuracy": history["test_accuracy"][epoch],
         "training accuracy": history["train_accuracy"][epoch], "told": told, "loudest": loudest}
        for epoch in range(epochs)
    ]  # fmt: skip


def draw(rows: list[dict]) -> Any:
    """Test error over epochs, a panel per network, a line per variant: mean, and lowest to highest."""
    from matplotlib.ticker import MaxNLocator

    networks, lines = list(dict.fromkeys(row["network"] for row in rows)), {}
    figure = new_figure(10, 5)
    panels = np.atleast_1d(figure.subplots(1, len(networks), sharey=True))
    for axes, model in zip(panels, networks, strict=True):
        for name, colour, marker in zip(VARIANTS, COLOURS, MARKERS, strict=True):
            mine = [row for row in rows if (row["network"], row["variant"]) == (model, name)]
            if not mine:
                continue
            at = sorted({row["epoch"] for row in mine})
            error = np.array([[100 - 100 * row["accuracy"] for row in mine if row["epoch"] == epoch] for epoch in at])
            style = {"color": colour, "marker": marker, "linestyle": "--" if name.startswith("straight") else "-"}
            (lines[name],) = axes.plot(at, error.mean(axis=1), markersize=4, markevery=max(1, len(at) // 10), **style)
            axes.fill_between(at, error.min(axis=1), error.max(axis=1), color=colour, alpha=0.2)
        axes.set(xlabel="epoch", yscale="log", title=f"{model} on {rows[0]['data']}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        ticks = [2, 3, 5, 10, 20, 50, 90]
        axes.set_yticks(ticks, map(str, ticks))
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("test error (%)")
    shown = [name for name in VARIANTS if name in lines]
    figure.legend([lines[name] for name in shown], shown, loc="outside lower center", ncols=2, fontsize=9)
    return figure


def claims(rows: list[dict]) -> list[tuple[str, str, str]]:
    """What each network reached by LFP, as the published package has it, and by straight-through."""
    lines = []
    for model in dict.fromkeys(row["network"] for row in rows):
        epochs = max(row["epoch"] for row in rows if row["network"] == model)
        last = [row for row in rows if (row["network"], row["epoch"]) == (model, epochs)]
        reached = {
            name: [row["accuracy"] for row in last if row["variant"] == name]
            for name in dict.fromkeys(row["variant"] for row in last)
        }
        shown = (next(iter(reached)), "LFP, steps from 0, epsilon 1e-6", "straight-through, steps from -1")
        said = "; ".join(f"{name}: {common.spread(reached[name])}" for name in shown)
        seeds = str(len({row["seed"] for row in last}))
        lines.append((f"LFP trains networks of steps ({last[0]['data']}, {model})", said, seeds))
    return lines


def main() -> None:
    run = common.start(__doc__)
    data, plan, seeds = common.mnist(run.quick), {"mlp": 10}, range(3)
    if run.quick:
        data, seeds = data.subset(600), range(1)
    elif data.name == "mnist":
        plan = {"mlp": 20, "lenet": 5}
    rows: list[dict] = []
    for model, epochs in plan.items():
        for name in VARIANTS:
            if name not in NO_DROPOUT.get(model, ()):
                for seed in seeds:
                    rows += trained(data, model, name, seed, epochs)
                run.table(rows)
    run.figure(draw(rows))
    run.claims(*claims(rows))


if __name__ == "__main__":
    main()
