"""How far LFP's direction is from the gradient's: over depth, batch size and activation.

Networks at random weights, width 32, 16 inputs, 10 outputs, weights and biases normal with standard deviation
1.5/sqrt(fan in) (large enough that activations bend), J the log-likelihood of random labels. Two cosines:
- with the gradient dJ/dw: above 0 is ascent.
- with |w| dJ/dw, which is LFP's direction exactly where activations are homogeneous: what is missing to 1 is due to
  secants that are not derivatives.

    python -m proofs.figures.cosine [--quick] [--out FOLDER]       cosine.png and cosine.csv; under a minute
"""

from __future__ import annotations

import numpy as np

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure
from proofs.figures.common import arguments, write

ACTIVATIONS = {"ReLU": lfp.ReLU, "ELU": lfp.ELU, "tanh": lfp.Tanh, "softsign": lfp.Softsign, "SiLU": lfp.SiLU,
               "sigmoid": lfp.Sigmoid}  # fmt: skip
DEPTHS, BATCHES = (1, 2, 3, 4, 6, 8), (1, 2, 4, 8, 16, 32, 64)


def cosines(act: type[lfp.Layer], depth: int, batch: int, seed: int) -> tuple[float, float]:
    """(with dJ/dw, with |w| dJ/dw) for one network with that many hidden layers."""
    rng = np.random.default_rng([seed, depth])
    widths = [16, *[32] * depth, 10]
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):  # noqa: B905, RUF007 (short)
        dense = lfp.Dense(inputs, outputs, dtype=np.float64)
        for parameter in dense.parameters():
            parameter.value = rng.normal(scale=1.5 / np.sqrt(inputs), size=parameter.value.shape)
        layers += [dense, act()]
    net = lfp.Sequential(*layers[:-1])
    rng = np.random.default_rng([seed, 1])
    x, labels = rng.normal(size=(64, 16))[:batch], rng.integers(0, 10, 64)[:batch]
    net.feedback(lfp.rewards.softmax(net.forward(x), labels), Epsilon(0.0))
    d = np.concatenate([p.feedback.ravel() for p in net.parameters()])
    net.feedback(lfp.rewards.softmax.gradient(net.forward(x), labels), Gradient())
    g = np.concatenate([p.feedback.ravel() for p in net.parameters()])
    w = np.concatenate([np.abs(p.value).ravel() for p in net.parameters()])
    return tuple(float(d @ v / np.linalg.norm(d) / np.linalg.norm(v)) for v in (g, w * g))


def experiment(seeds: range) -> list[dict]:
    rows = []
    settings = [("depth", depth, depth, 1) for depth in DEPTHS] + [("batch", batch, 2, batch) for batch in BATCHES]
    for name, act in ACTIVATIONS.items():
        for over, value, depth, batch in settings:
            found = np.array([cosines(act, depth, batch, seed) for seed in seeds])
            for kind, column in zip(("dJ/dw", "|w| dJ/dw"), found.T, strict=True):
                rows.append({
                    "activation": name, "over": over, "value": value, "cosine with": kind, "networks": len(seeds),
                    "mean": column.mean(), "lowest": column.min(), "highest": column.max(),
                })  # fmt: skip
    return rows


def draw(path, rows: list[dict]) -> None:
    figure = new_figure(9, 6.6)
    grid = figure.subplots(2, 2, sharey="row", sharex="col")
    for line, kind in zip(grid, ("dJ/dw", "|w| dJ/dw"), strict=True):
        for axes, over in zip(line, ("depth", "batch"), strict=True):
            for number, name in enumerate(ACTIVATIONS):
                mine = [r for r in rows if (r["activation"], r["over"], r["cosine with"]) == (name, over, kind)]
                shift = 1 + 0.02 * (number - 2.5)  # so that the bars of the spread stand side by side
                places, mean = np.array([r["value"] for r in mine]) * shift, np.array([r["mean"] for r in mine])
                spread = [[abs(r[end] - r["mean"]) for r in mine] for end in ("lowest", "highest")]
                axes.errorbar(places, mean, spread, color=COLOURS[number], marker=MARKERS[number], markersize=5,
                              elinewidth=0.8, label=name)  # fmt: skip
            axes.set_xscale("log", base=2)
            ticks = DEPTHS if over == "depth" else BATCHES
            axes.set_xticks(ticks, [str(t) for t in ticks])
            axes.minorticks_off()
            axes.axhline(0, color="k", linewidth=1)
            axes.grid(alpha=0.3)
        line[0].set_ylabel(f"cosine with {kind}", fontsize=11)
    grid[0, 0].set_title("one sample")
    grid[0, 1].set_title("two hidden layers")
    grid[1, 0].set_xlabel("hidden layers", fontsize=11)
    grid[1, 1].set_xlabel("samples in the batch", fontsize=11)
    grid[0, 1].legend(fontsize=9, ncols=2)
    figure.suptitle(f"LFP-0 beside the gradient (mean, lowest, highest of {rows[0]['networks']} random networks)")
    figure.savefig(path, dpi=120)


def main() -> None:
    options = arguments(__doc__)
    rows = experiment(range(3 if options.quick else 20))
    write(options.out / "cosine.csv", rows)
    draw(options.out / "cosine.png", rows)


if __name__ == "__main__":
    main()
