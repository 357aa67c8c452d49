"""LFP by hand: two inputs, three hidden neurons, two outputs, one sample, one update.

The paper's idea in numbers that fit on a blackboard. The outputs are 1 and 2 and should have been 3 and 1.5, so they
are told the rewards z (target - z): 2 and -1. Every neuron passes on its reward to what it added up, in proportion to
what each connection contributed: r (a w / z). A connection that earned a positive share is strengthened, whatever its
sign; one that earned a negative share is weakened.

Expect, in the tables and the figure:
- nothing gets lost: each layer's rewards have the sum 1 (there are no biases, which would keep a share of their own).
- the third hidden neuron is silent: it contributed nothing, is told nothing, and its weights stay as they are.
- the weight -1 between hidden 2 and output 1 contributed against what was rewarded: it is weakened, to -0.9.
- the outputs after one update, 2.38 and 1.44, are nearer to 3 and 1.5; and as activations are ReLUs, every update is
  |w| times what gradient descent would do.

    python examples/03_by_hand.py            seconds
    python examples/03_by_hand.py --quick    the same
"""

from __future__ import annotations

import common
import numpy as np

import lfp_ref as lfp
from lfp_ref.tools.figures import COLOURS, new_figure

X, TARGET, RATE = np.array([[1.0, 2.0]]), np.array([[3.0, 1.5]]), 0.05
WEIGHTS = [[[1.0, 0.5], [-1.0, 1.0], [0.5, -1.0]], [[1.0, -1.0, 1.0], [0.5, 1.0, -1.0]]]
LAYERS = ("input", "hidden", "output")


def network() -> lfp.Sequential:
    net = lfp.Sequential(
        lfp.Dense(2, 3, bias=False, dtype=np.float64), lfp.ReLU(), lfp.Dense(3, 2, bias=False, dtype=np.float64)
    )
    for parameter, values in zip(net.parameters(), WEIGHTS, strict=True):
        parameter.value = values
    return net


def one_update() -> tuple[list[dict], list[dict]]:
    """(a row per neuron, a row per connection): all that happens in one update."""
    net = network()
    below, above = net[0], net[2]
    z = net.forward(X)
    net.feedback(lfp.rewards.squared_error.gradient(z, TARGET), lfp.rules.Gradient())
    gradients = [parameter.feedback.copy() for parameter in net.parameters()]

    # the same passes layer by layer, to see what is handed on in between
    pre = below.forward(X)
    hidden = net[1].forward(pre)
    outputs = above.forward(hidden)
    rule = lfp.rules.Epsilon(0.0)
    told = [lfp.rewards.squared_error(outputs, TARGET)]
    for layer in (above, net[1], below):
        told.insert(0, layer.feedback(told[0], rule))
    rewards = [told[0], told[1], told[3]]  # of inputs, hidden neurons, outputs: a ReLU hands on what it is told

    neurons, connections = [], []
    values = [X, hidden, outputs]
    for layer, name in enumerate(LAYERS):
        for k in range(values[layer].shape[1]):
            neurons.append({"layer": name, "neuron": k + 1, "value": values[layer][0, k],
                            "reward": rewards[layer][0, k]})  # fmt: skip
    for layer, (parameter, sums, gradient) in enumerate(zip(net.parameters(), (pre, outputs), gradients, strict=True)):
        for (j, i), w in np.ndenumerate(parameter.value):
            contribution = values[layer][0, i] * w + 0.0  # + 0 makes 0 of -0
            connections.append({
                "from": f"{LAYERS[layer]} {i + 1}", "to": f"{LAYERS[layer + 1]} {j + 1}", "weight": w,
                "contribution": contribution, "share": contribution * rewards[layer + 1][0, j] / sums[0, j] + 0.0,
                "feedback": parameter.feedback[j, i], "gradient": gradient[j, i],
                "weight after": w + RATE * parameter.feedback[j, i],
            })  # fmt: skip
    lfp.optim.SGD(net.parameters(), RATE).step()
    after = [""] * 5 + list(net.forward(X)[0])
    return [neuron | {"after the update": z} for neuron, z in zip(neurons, after, strict=True)], connections


def draw(neurons: list[dict], connections: list[dict]) -> object:
    figure = new_figure(10, 8.4)
    grid = figure.subplots(2, 2)
    place = {f"{n['layer']} {n['neuron']}": (LAYERS.index(n["layer"]), -n["neuron"] + (n["layer"] == "hidden") / 2)
             for n in neurons}  # fmt: skip
    panels = (
        (grid[0, 0], "1  forward: contributions  a w,  values  a", "value", lambda c: c["contribution"],
         lambda c: f"{c['contribution']:g}"),
        (grid[0, 1], "2  feedback: shares  (a w / z) r,  rewards  r", "reward", lambda c: c["share"],
         lambda c: f"{c['share']:g}"),
        (grid[1, 0], f"3  update: weights  w + {RATE:g} · sign(w) · share", "after the update", lambda c: c["share"],
         lambda c: f"{c['weight']:g} → {c['weight after']:.3g}" if c["feedback"] else f"{c['weight']:g}"),
    )  # fmt: skip
    for axes, title, inside, size, text in panels:
        for c in connections:
            (x0, y0), (x1, y1) = place[c["from"]], place[c["to"]]
            amount = size(c)
            colour = "#999999" if amount == 0 else COLOURS[0] if amount > 0 else COLOURS[1]
            axes.plot((x0, x1), (y0, y1), color=colour, zorder=1, linewidth=1 + 0.9 * abs(amount),
                      linestyle="--" if amount < 0 else ":" if amount == 0 else "-")  # fmt: skip
            # where on the edge the number stands: so that crossing edges do not cover each other's
            off = 0.34 if "→" in text(c) else 0.7 if title.startswith("3") else 0.28
            at = off if x0 == 0 else 1 - off
            axes.text(x0 + at * (x1 - x0), y0 + at * (y1 - y0), text(c), ha="center", va="center", fontsize=10,
                      bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": colour, "linewidth": 0.6},
                      zorder=3)  # fmt: skip
        for n in neurons:
            x, y = place[f"{n['layer']} {n['neuron']}"]
            has_number = n[inside] != ""
            axes.scatter(x, y, s=1500 if has_number else 150, color="white", edgecolor="k", zorder=4)
            axes.text(x, y, f"{n[inside]:.3g}" if has_number else "", ha="center", va="center", fontsize=12, zorder=5)
            axes.text(x, y + (0.27 if has_number else 0.14), n["neuron"], ha="center", color="#666666", zorder=5)
        for x, name in enumerate(LAYERS):
            axes.text(x, 0.05, name, ha="center", fontsize=11)
        axes.set(xlim=(-0.3, 2.3), ylim=(-3.0, 0.25), title=title)
        axes.set_axis_off()
    told = {name: [n["reward"] for n in neurons if n["layer"] == name] for name in reversed(LAYERS)}
    after = [n["after the update"] for n in neurons[-2:]]
    words = grid[1, 1]
    words.set_axis_off()
    words.text(0, 0.97, "\n".join((
        "blue, full: positive     orange, dashed: negative",
        "grey, dotted: zero; thick: much", "small, above a neuron: its number", "",
        "outputs 1 and 2 should be 3 and 1.5:",
        "rewards  r = z · (target - z)  =  2 and -1", "",
        "each layer's rewards have the sum 1:",
        *(f"    {name}: {' '.join(f'{r:+g}' for r in r_s)} = {sum(r_s):g}" for name, r_s in told.items()), "",
        "hidden 3 is silent (ReLU): it gave nothing,", "gets nothing, and does not learn.", "",
        f"after one update the outputs are {after[0]:.3g} and {after[1]:.3g}.",
    )), va="top", fontsize=12, linespacing=1.35)  # fmt: skip
    return figure


def main() -> None:
    run = common.start(__doc__)
    neurons, connections = one_update()
    for rows in (neurons, connections):
        print("  ".join(f"{name:>16s}" for name in rows[0]))
        for row in rows:
            print("  ".join(f"{f'{v:g}' if isinstance(v, float) else v:>16}" for v in row.values()))
        print()
    run.table(connections)
    run.table(neurons, "_neurons.csv")
    run.figure(draw(neurons, connections))
    totals = [sum(n["reward"] for n in neurons if n["layer"] == name) for name in reversed(LAYERS)]
    differ = max(abs(c["feedback"] - abs(c["weight"]) * c["gradient"]) for c in connections)
    run.claims(
        ("the reward is conserved from layer to layer", "sums of rewards, output to input: "
         + ", ".join(f"{total:g}" for total in totals), "none"),
        ("with ReLUs an update is |w| times the gradient's", f"largest difference {differ:.1g}", "none"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
