"""Activations: where LFP trains and gradient descent cannot, and the other way round.

The paper trains networks with activations that have no useful derivative. LFP asks for none: where backpropagation
multiplies by phi'(z), LFP-0 multiplies by the secant phi(z)/z. The two agree in sign where |phi| grows with |z|; that
is the condition under which LFP provably climbs (proofs/activation_condition). -phi(z) and phi(-z) satisfy it where phi
does.

Here an MLP (120-84, digits) learns with seven activations, their negatives and reflections, by LFP, by gradient
descent, and with its last layer alone, the hidden ones frozen as they were drawn: what random features give is no
training. Adam, one-cycle schedule, five seeds; the learning rate, and LFP's epsilon (1e-6 or 0.25), are chosen on
held-out data. Beside the accuracy stands the fraction of z in -4..4 where the condition is violated, measured on the
layers themselves.

Expect: with steps the gradient is zero below the last layer, and does no better than the last layer alone; LFP does,
once epsilon keeps 1/z small at the threshold. Where the condition holds, LFP and gradient agree to about a point. SiLU
violates it left of -1.3 only, where it is nearly flat; nothing is seen of that. Sigmoid violates it for every z < 0,
where LFP pushes a unit the wrong way: it trains all the same, but falls short of the gradient. No activation here
trains by the gradient and not by LFP.

    python examples/05_activations.py            about 6 minutes on one core
    python examples/05_activations.py --quick    under a minute: four activations, one seed
    (the numbers in results/ are of NUMBA_NUM_THREADS=1: sums round differently with another number of threads)
"""

from __future__ import annotations

from functools import partial

import common
import numpy as np
from common import STYLES

import lfp_ref as lfp
from lfp_ref.tools.figures import new_figure

NAMES = ("relu", "leaky-relu", "step", "silu", "elu", "tanh", "sigmoid")
ACTIVATIONS = tuple(prefix + name for name in NAMES for prefix in ("", "negated-", "reflected-"))
RATES = (0.001, 0.003, 0.01, 0.03)
# how: (method, its settings (learning rate, rule))
LFP_SETTINGS = [(rate, lfp.rules.Epsilon(epsilon)) for rate in RATES for epsilon in (1e-6, 0.25)]
GRADIENT_SETTINGS = [(rate, lfp.rules.Gradient()) for rate in RATES]
HOW = {"LFP": LFP_SETTINGS, "gradient": GRADIENT_SETTINGS, "last layer alone": GRADIENT_SETTINGS}


def violated(name: str) -> float:
    """Fraction of z in -4..4 where phi'(z) phi(z)/z < 0."""
    z = np.linspace(-4, 4, 802)[:, None]  # 0 is not among them
    layer = lfp.names.activation(name)()
    secant = layer.forward(z) / z
    return float(np.mean(layer.feedback(np.ones_like(z), lfp.rules.Gradient()) * secant < 0))


def train(
    data: lfp.datasets.Dataset, name: str, how: str, epochs: int, setting: tuple[float, lfp.rules.Rule], seed: int
) -> float:
    """Test accuracy after one run; 0 where it diverged."""
    rate, rule = setting
    net = lfp.models.mlp(data.input_shape, data.classes, lfp.names.activation(name), rng=np.random.default_rng(seed))
    learners = net[len(net) - 1].parameters() if how == "last layer alone" else None
    return common.last(
        common.train(net, data, rule, rate, epochs=epochs, seed=seed, batch_size=64, parameters=learners)
    )


def experiment(
    data: lfp.datasets.Dataset, activations: tuple[str, ...], how: dict, seeds: range, epochs: int
) -> list[dict]:
    """A row per activation and way to train it."""
    held_out, rows = data.holdout(0.2), []
    for name in activations:
        for method, settings in how.items():
            setting = common.best(settings, partial(train, held_out, name, method, epochs, seed=100))
            found = [train(data, name, method, epochs, setting, seed) for seed in seeds]
            rows.append({
                "activation": name, "method": method, "violated": violated(name), "learning rate": setting[0],
                "epsilon": getattr(setting[1], "epsilon", "") if method == "LFP" else "", "seeds": len(found),
                "accuracy": float(np.mean(found)), "lowest": min(found), "highest": max(found),
            })  # fmt: skip
        print(
            f"{name}: " + ", ".join(f"{row['method']} {row['accuracy']:.1%}" for row in rows[-len(how) :]), flush=True
        )
    return rows


def draw(rows: list[dict]) -> object:
    names = list(dict.fromkeys(row["activation"] for row in rows))
    figure = new_figure(9, 0.36 * len(names) + 1.4)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2.2, 1))
    places = np.arange(len(names))
    for offset, method, style in zip((-0.25, 0, 0.25), HOW, STYLES.values(), strict=True):
        mine = [row for row in rows if row["method"] == method]
        mean = np.array([row["accuracy"] for row in mine])
        ends = np.abs([[row[end] - row["accuracy"] for row in mine] for end in ("lowest", "highest")])
        left.errorbar(100 * mean, places + offset, xerr=100 * ends, capsize=2, linestyle="none", label=method,
                      markersize=4, **style)  # fmt: skip
    share = [row["violated"] for row in rows if row["method"] == "LFP"]
    right.barh(places, np.multiply(100, share), color="#888888")
    left.set_yticks(places, names)
    left.set(xlabel="test accuracy on digits (%)", title=f"{rows[0]['seeds']} seeds: mean, lowest to highest")
    right.set(xlabel="of z in -4..4 (%)", title="where |φ| falls as |z| grows", xlim=(0, 100))
    for axes in (left, right):
        axes.grid(alpha=0.3)
    left.legend(loc="upper left")
    left.set_ylim(len(names) - 0.4, -0.6)
    return figure


def claims(rows: list[dict]) -> list[tuple[str, str, str]]:
    by = {(row["activation"], row["method"]): row for row in rows}

    def said(name: str) -> str:
        return common.spaced(", ".join(f"{how} {by[name, how]['accuracy']:.1%} ({by[name, how]['lowest']:.1%} to "
                                       f"{by[name, how]['highest']:.1%})" for how in HOW))  # fmt: skip

    seeds = str(rows[0]["seeds"])
    return [
        ("LFP trains steps, which have no derivative (digits)", said("step"), seeds),
        ("where |φ| does not grow with |z|, nothing is promised: sigmoid", said("sigmoid"), seeds),
    ]


def main() -> None:
    run = common.start(__doc__)
    data = lfp.datasets.load_digits()
    if run.quick:
        how = {method: settings[-2:-1] for method, settings in HOW.items()}
        how["LFP"] = [(0.01, lfp.rules.Epsilon(0.25))]
        rows = experiment(data.subset(800), ("relu", "negated-relu", "step", "sigmoid"), how, range(1), 10)
    else:
        rows = experiment(data, ACTIVATIONS, HOW, range(5), 20)
    run.table(rows)
    run.figure(draw(rows))
    run.claims(*claims(rows))


if __name__ == "__main__":
    main()
