"""Spiking networks trained by LFP, without a surrogate gradient.

A spike has no derivative. Gradient descent therefore needs a stand-in for it, a surrogate. LFP shares out a reward
among what made the membrane what it is, and needs none: the paper trains leaky integrate-and-fire networks so.

Two figures:
- 02_spiking_inside.png: what happens inside a trained network while it looks at one digit. The spikes of both layers;
  the membrane of the neuron that should win; what the three kinds of reset do to one neuron under a constant current;
  when the reward was given to the outputs, and when it reached the hidden layer, which hands it back in time too.
- 02_spiking.png: accuracy over epochs with LFP and with surrogate gradients (atan, the spike counts'
  likelihood), same initial weights and order of samples, three seeds; and the accuracy of LFP over the decay of the
  membrane and the number of steps, on digits, three seeds.

Expect: LFP and surrogate gradients end within half a point of each other. Without memory (beta = 0) a neuron needs its
whole threshold in one step; with a few steps, or no leak at all, counts are coarse. In between it hardly matters.

    python examples/02_spiking.py            about 15 minutes on one core; MNIST where LFP_REF_DATA names its folder
    python examples/02_spiking.py --quick    under a minute: digits, one seed, a few settings
    (the numbers in results/ are of NUMBA_NUM_THREADS=1: sums round differently with another number of threads)
"""

from __future__ import annotations

import common
import numpy as np

import lfp_ref as lfp
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure

# name: rule, reward, learning rate (chosen on a held-out sixth of MNIST's training set)
METHODS = {
    "LFP": (lfp.rules.Epsilon(), lfp.rewards.rate_coded, 0.001),
    "surrogate gradient": (lfp.rules.AtanSurrogate(), lfp.rewards.spike_counts, 0.001),
}
BETAS = (0.0, 0.25, 0.5, 0.75, 0.9, 0.97, 1.0)
STEPS = (2, 5, 10, 15, 25)


def train(
    net: lfp.Spiking, data: lfp.datasets.Dataset, method: str, seed: int, epochs: int, batch_size: int = 128
) -> dict[str, np.ndarray]:
    rule, reward, rate = METHODS[method]
    return common.train(net, data, rule, rate, epochs=epochs, seed=seed, batch_size=batch_size, reward=reward)


def network(data: lfp.datasets.Dataset, seed: int, **neuron: float) -> lfp.Spiking:
    return lfp.models.spiking_mlp(data.input_shape, data.classes, rng=np.random.default_rng(seed), **neuron)


def over_epochs(data: lfp.datasets.Dataset, seeds: range, epochs: int) -> tuple[list[dict], lfp.Spiking]:
    """Rows of (method, seed, epoch, accuracy, ...), and the network that LFP trained from the first seed."""
    rows, first = [], None
    for seed in seeds:
        for method in METHODS:
            net = network(data, seed)
            history = train(net, data, method, seed, epochs)
            first = net if first is None else first
            hidden, output = (column for name, column in history.items() if name.startswith("spike_rate"))
            for epoch in range(epochs):
                rows.append({
                    "data": data.name, "method": method, "seed": seed, "epoch": epoch + 1,
                    "accuracy": history["test_accuracy"][epoch], "operations": history["operations"][epoch],
                    "spike rate, hidden": hidden[epoch], "spike rate, output": output[epoch],
                    "seconds": history["seconds"][epoch],
                })  # fmt: skip
            print(f"{data.name}, {method}, seed {seed}: {history['test_accuracy'][-1]:.2%}", flush=True)
    return rows, first


def over_neurons(data: lfp.datasets.Dataset, betas: tuple, steps: tuple, seeds: range, epochs: int) -> list[dict]:
    """Rows of (beta, steps, accuracy): LFP."""
    rows = []
    for beta in betas:
        for count in steps:
            found = []
            for seed in seeds:
                net = network(data, seed, beta=beta, steps=count)
                found.append(train(net, data, "LFP", seed, epochs, 32)["test_accuracy"][-1])
            rows.append({"beta": beta, "steps": count, "seeds": len(found), "accuracy": np.mean(found),
                         "lowest": min(found), "highest": max(found)})  # fmt: skip
        print(
            f"beta {beta}: " + ", ".join(f"T = {r['steps']} {r['accuracy']:.2%}" for r in rows[-len(steps) :]),
            flush=True,
        )
    return rows


def draw_inside(net: lfp.Spiking, data: lfp.datasets.Dataset, sample: int) -> object:
    x, label = data.x_test[sample : sample + 1], int(data.y_test[sample])
    out = net.forward(x)
    hidden, last = net[1], net[2]
    time = np.arange(net.steps)
    figure = new_figure(11, 6.4)
    grid = figure.add_gridspec(2, 4, width_ratios=(1, 1.3, 1.3, 1.3))

    axes = figure.add_subplot(grid[0, 0])
    axes.imshow(x[0, 0], cmap="gray")
    axes.set(title=f"input, label {label}", xticks=[], yticks=[])

    raster = hidden.spikes[:, 0]
    shown = np.arange(0, raster.shape[1], 10)
    axes = figure.add_subplot(grid[0, 1])
    axes.scatter(*np.nonzero(raster[:, shown]), s=4, color="k", marker="s")
    axes.set(title="hidden spikes", xlabel="step", ylabel="neuron (100 of 1000)", xlim=(-0.5, net.steps - 0.5))

    axes = figure.add_subplot(grid[0, 2])
    axes.scatter(*np.nonzero(out[:, 0]), s=30, color=COLOURS[0], marker="s")
    axes.set(
        title="output spikes", xlabel="step", ylabel="class", xlim=(-0.5, net.steps - 0.5), yticks=range(data.classes)
    )

    axes = figure.add_subplot(grid[0, 3])
    u = last.membrane[:, 0]
    runner_up = int(np.argsort(-np.where(np.arange(data.classes) == label, -1, out[:, 0].sum(axis=0)))[0])
    for neuron, colour, style in ((label, COLOURS[0], "-"), (runner_up, COLOURS[1], "--")):
        axes.plot(time, u[:, neuron], style, color=colour, label=f"class {neuron}")
        fired = out[:, 0, neuron] == 1
        axes.plot(time[fired], u[fired, neuron], "o", color=colour, markersize=4)
    axes.axhline(last.threshold, color="k", linewidth=0.8, linestyle=":")
    axes.set(title="two outputs' membranes", xlabel="step", ylabel="potential (threshold 1)")
    axes.legend(fontsize=8)

    axes = figure.add_subplot(grid[1, 0:2])
    for reset, colour, style in zip(("subtract", "zero", "none"), COLOURS, ("-", "--", ":"), strict=False):
        one = lfp.Dense(1, 1, bias=False)
        one.weight.value = [[1.0]]
        neuron = lfp.Spiking(lfp.LIF(one, reset=reset), steps=25)
        spikes, u = neuron.forward([[0.3]])[:, 0, 0], neuron[0].membrane[:, 0, 0]
        axes.plot(u, style, color=colour, label=f"reset {reset}: {int(spikes.sum())} spikes")
        axes.plot(np.flatnonzero(spikes), u[spikes == 1], "o", color=colour, markersize=4)
    axes.axhline(1, color="k", linewidth=0.8, linestyle=":")
    axes.set(title="one neuron, constant current 0.3, beta 0.9", xlabel="step", ylabel="potential (threshold 1)")
    axes.legend(fontsize=8)

    reward = lfp.rewards.rate_coded(out, [label])
    head = lfp.Spiking(last, steps=net.steps, inputs="given")  # the last layer alone tells what the hidden one is told
    head.forward(hidden.spikes)
    told = head.feedback(reward)[:, 0].sum(axis=1)
    axes = figure.add_subplot(grid[1, 2:4])
    axes.bar(time - 0.2, reward[:, 0].sum(axis=1), 0.4, color=COLOURS[4], label="given to the outputs")
    axes.bar(time + 0.2, told, 0.4, color=COLOURS[2], label="handed on to the hidden spikes")
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set(title="where the reward flows", xlabel="step", ylabel="reward of all neurons")
    axes.legend(fontsize=8)
    return figure


def draw_accuracy(epochs: list[dict], neurons: list[dict]) -> object:
    figure = new_figure(10, 4)
    left, right = figure.subplots(1, 2)
    for method, colour, marker in zip(METHODS, COLOURS, MARKERS, strict=False):
        mine = [row for row in epochs if row["method"] == method]
        at = sorted({row["epoch"] for row in mine})
        runs = np.array([[row["accuracy"] for row in mine if row["epoch"] == epoch] for epoch in at])
        common.band(left, at, 100 * runs, f"{method} ({runs.shape[1]} seeds)", color=colour, marker=marker)
    left.set(xlabel="epoch", ylabel="test accuracy (%)", xticks=at, title=f"Spiking MLP on {epochs[0]['data']}")
    left.legend(title="mean, lowest to highest")
    counts = sorted({row["steps"] for row in neurons})
    for count, colour, marker in zip(counts, COLOURS, MARKERS, strict=False):
        mine = [row for row in neurons if row["steps"] == count]
        mean = np.array([row["accuracy"] for row in mine])
        spread = np.abs([[row[end] - row["accuracy"] for row in mine] for end in ("lowest", "highest")])
        right.errorbar([row["beta"] for row in mine], 100 * mean, yerr=100 * spread, color=colour, marker=marker,
                       capsize=3, label=f"T = {count}")  # fmt: skip
    right.set(
        xlabel="decay of the membrane, beta", ylabel="test accuracy (%)", title="LFP on digits, over beta and steps T"
    )
    right.legend(fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def claims(rows: list[dict]) -> list[tuple[str, str, str]]:
    final = {method: [row["accuracy"] for row in rows if row["method"] == method and row["epoch"] == rows[-1]["epoch"]]
             for method in METHODS}  # fmt: skip
    return [(f"LFP trains spiking networks ({rows[0]['data']}) without a surrogate",
             ", ".join(f"{method} {common.spread(found, '.2%')}" for method, found in final.items())
             + f" after {rows[-1]['epoch']} epochs", str(len(final["LFP"])))]  # fmt: skip


def main() -> None:
    run = common.start(__doc__)
    digits = lfp.datasets.load_digits()
    if run.quick:
        data = digits
        rows, net = over_epochs(digits.subset(600), range(1), 3)
        neurons = over_neurons(digits.subset(300), (0.0, 0.9), (2, 5), range(1), 2)
    else:
        data = common.mnist(run.quick)
        rows, net = over_epochs(data, range(3), 5)
        neurons = over_neurons(digits, BETAS, STEPS, range(3), 5)
    run.table(rows)
    run.table(neurons, "_neurons.csv")
    run.figure(draw_inside(net, data, 0), "_inside.png")
    run.figure(draw_accuracy(rows, neurons))
    run.claims(*claims(rows))


if __name__ == "__main__":
    main()
