"""What are the layers of a deep network told by LFP?

With ReLUs and a small epsilon LFP's feedback is d = |w| g: each weight's size times its gradient. Whatever bends it
away from that shows layer by layer, as a cosine between d and |w| g below 1. Four things could bend it: the stabiliser,
which each layer adds once more; a normalisation whose reward does not go through its statistics; sums of branches that
cancel; activations that are no ReLUs. On one batch, before training and after some of it:
- cosine: between LFP's feedback to a layer's weights and |w| times their gradient.
- moving: (sum |d|)^2 / (n sum d^2), the fraction of n weights that share the update.
- scale: root mean square of the feedback, over that of the weights.
- kept: what a cause keeps of the reward in all layers, in absolute numbers, over what came to the output.
- cancelled: the fraction of a sum's outputs that are smaller than a tenth of what its branches add.

The cause that mattered is batch normalisation. As constants its statistics let the reward of a layer through as if no
other sample and no other pixel had a share in it, and the cosine falls from block to block; through the statistics
(what `lfp.BatchNorm` does in training) it is 1 up to epsilon. Sums that cancel do no harm: r is z times what the next
layer wants, so r / z stays what it is, until |z| is as small as epsilon. A large epsilon bends what is behind it, more
with each layer. Attention and GELU leave the transformer a cosine below 1 that epsilon does not explain.

    python examples/13_depth.py            ten minutes on a core; Fashion-MNIST (LFP_REF_FASHION names its folder)
    python examples/13_depth.py --quick    under a minute: digits, few networks
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import common
import numpy as np

import lfp_ref as lfp
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure

EPSILONS = (1e-6, 1e-4, 1e-2, 1.0)
SMALL = EPSILONS[0]
CONSTANT = "statistics as constants"


def in_groups(filters: int, **options: Any) -> lfp.Layer:
    return lfp.GroupNorm(8, filters, **options)


def of_sample(filters: int, **options: Any) -> lfp.Layer:
    return lfp.GroupNorm(1, filters, **options)


def without(filters: int, **options: Any) -> lfp.Layer:
    return lfp.Identity()


NETWORKS: dict[str, Callable[..., lfp.Sequential]] = {
    "vgg-like": lfp.models.vgg_like,
    "resnet8, batch norm": lfp.models.resnet8,
    "resnet20, batch norm": lfp.models.resnet20,
    "resnet8, group norm": partial(lfp.models.resnet8, norm=in_groups),
    "resnet8, layer norm": partial(lfp.models.resnet8, norm=of_sample),
    "resnet8, no norm": partial(lfp.models.resnet8, norm=without),
    "vit-tiny": lfp.models.vit_tiny,
}


def with_constants(net: lfp.Sequential, x: np.ndarray) -> Any:
    """A pass whose batch normalisations have this batch's statistics, as constants."""
    norms = [layer for _, layer in net.named_layers() if isinstance(layer, lfp.BatchNorm)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    net.record(x, training=True)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    return net.record(x)


def feedback(net: lfp.Sequential, tape: Any, reward: np.ndarray, rule: lfp.rules.Rule) -> list[np.ndarray]:
    """Feedback of all weights that are matrices or kernels."""
    tape.feedback(reward, rule)
    return [p.feedback.astype(float) for p in weights(net).values()]


def weights(net: lfp.Sequential) -> dict[str, lfp.Parameter]:
    return {name: p for name, p in net.named_parameters() if p.value.ndim > 1}


def measured(net: lfp.Sequential, x: np.ndarray, y: np.ndarray) -> tuple[list[dict], list[dict]]:
    """Rows of a network's layers, and of what each cause keeps, for every epsilon."""
    tape = net.record(x, training=True)
    gradient = feedback(net, tape, lfp.rewards.softmax.gradient(tape.outputs, y), lfp.rules.Gradient())
    told = [np.abs(p.value) * g for p, g in zip(weights(net).values(), gradient, strict=True)]
    variants = {f"epsilon {epsilon:g}": epsilon for epsilon in EPSILONS}
    if any(isinstance(layer, lfp.BatchNorm) for _, layer in net.named_layers()):
        variants[CONSTANT] = SMALL
    layers, causes = [], []
    for variant, epsilon in variants.items():
        tape = with_constants(net, x) if variant == CONSTANT else net.record(x, training=True)
        d = feedback(net, tape, lfp.rewards.softmax(tape.outputs, y), lfp.rules.Epsilon(epsilon))
        for number, ((name, p), mine, theirs) in enumerate(zip(weights(net).items(), d, told, strict=True)):
            layers.append({
                "variant": variant, "number": number + 1, "of": len(d), "weights": name,
                "cosine": cosine(mine, theirs), "moving": float(np.abs(mine).sum() ** 2 / mine.size / (mine**2).sum()),
                "scale": float(np.sqrt((mine**2).mean() / (p.value.astype(float) ** 2).mean())),
            })  # fmt: skip
        sheet = tape.balance()
        came = np.abs(sheet.came).sum()
        for cause in sheet.causes:
            kept = sum(np.abs(line.kept[cause]).sum() for line in sheet.lines if cause in line.kept)
            causes.append({"variant": variant, "cause": cause, "kept": float(kept / came)})
    return layers, causes


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def cancelled(net: lfp.Sequential, x: np.ndarray) -> float | None:
    """The fraction of the outputs of sums of branches that are under a tenth of what both add; None: no sums."""
    small = []
    for node in net.record(x, training=True).nodes():
        if isinstance(node.layer, lfp.Residual):
            (u, v), total = node.saved
            small.append(np.mean(np.abs(total) < 0.1 * (np.abs(u) + np.abs(v))))
    return float(np.mean(small)) if small else None


def draw(rows: list[dict], kept: list[dict]) -> Any:
    """Cosine over layers, with and without the batch's statistics; over epsilon; what is kept at the smallest."""
    figure = new_figure(13.5, 4.6)
    left, middle, right = figure.subplots(1, 3)
    started = [row for row in rows if row["steps"] == 0]
    names = list(dict.fromkeys(row["network"] for row in rows))
    for name, colour, marker in zip(names, COLOURS, MARKERS, strict=False):
        mine = [row for row in started if row["network"] == name]
        style = {"color": colour, "marker": marker, "markersize": 4}
        for variant, line in ((f"epsilon {SMALL:g}", "-"), (CONSTANT, "--")):
            layers = [row for row in mine if row["variant"] == variant]
            if layers:
                label = name if line == "-" else f"{name}, {CONSTANT}"
                left.plot([row["number"] / row["of"] for row in layers], [row["cosine"] for row in layers],
                          line, label=label, **style)  # fmt: skip
        means = [np.mean([row["cosine"] for row in mine if row["variant"] == f"epsilon {e:g}"]) for e in EPSILONS]
        middle.plot(EPSILONS, means, label=name, **style)
    left.set(xlabel="layer, from input (0) to output (1)", ylabel="cosine between d and |w| g", ylim=(-0.05, 1.05))
    middle.set(xscale="log", xlabel="epsilon", title="mean over layers", ylim=(-0.05, 1.05))
    left.set_title(f"epsilon {SMALL:g}")
    causes = list(dict.fromkeys(row["cause"] for row in kept))
    for number, (cause, colour) in enumerate(zip(causes, COLOURS, strict=False)):
        mine = {row["network"]: row["kept"] for row in kept
                if (row["cause"], row["variant"], row["steps"]) == (cause, f"epsilon {SMALL:g}", 0)}  # fmt: skip
        at = [names.index(name) + 0.8 * (number + 0.5) / len(causes) - 0.4 for name in mine]
        right.barh(at, list(mine.values()), 0.8 / len(causes), color=colour, label=cause)
    right.set(xscale="log", xlabel="kept, of the reward that came to the output", title="what the layers keep")
    right.set_yticks(range(len(names)), names)
    right.invert_yaxis()
    right.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    for axes in (left, middle, right):
        axes.grid(alpha=0.3)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure


def claims(rows: list[dict], sums: list[dict]) -> list[tuple[str, str, str]]:
    def lowest(network: str, variant: str) -> float:
        return min(row["cosine"] for row in rows if (row["network"], row["variant"]) == (network, variant))

    small, lines = f"epsilon {SMALL:g}", []
    names = list(dict.fromkeys(row["network"] for row in rows))
    said = "; ".join(f"{name} {lowest(name, small):.3f}" for name in names)
    lines.append((f"each layer is told |w| times its gradient: lowest cosine, {small}", said, "1"))
    normed = [name for name in names if any(r["network"] == name and r["variant"] == CONSTANT for r in rows)]
    said = "; ".join(f"{name} {lowest(name, CONSTANT):.3f}" for name in normed)
    lines.append(("unless batch normalisation takes its statistics for constants: lowest cosine", said, "1"))
    said = "; ".join(f"{row['network']} {row['cancelled']:.1%}" for row in sums if row["steps"] == 0)
    lines.append(("sums of branches that cancel are common, and do no harm: outputs that nearly cancel",
                  common.spaced(said), "1"))  # fmt: skip
    return lines


def main() -> None:
    run = common.start(__doc__)
    data = common.fashion(run.quick)
    names = ("resnet8, batch norm", "resnet8, no norm") if run.quick else tuple(NETWORKS)
    steps, samples = (20, 64) if run.quick else (200, 128)
    rows, kept, sums = [], [], []
    for name in names:
        net = NETWORKS[name](data.input_shape, data.classes, rng=np.random.default_rng(0))
        batch = data.x_test[:samples], data.y_test[:samples]
        for trained in (0, steps):
            if trained:
                part = data.subset(steps * samples)
                common.train(net, part, lfp.rules.Epsilon(), 0.001, epochs=1, seed=0, batch_size=samples)
            about = {"network": name, "steps": trained}
            layers, causes = measured(net, *batch)
            rows += [about | row for row in layers]
            kept += [about | row for row in causes]
            share = cancelled(net, batch[0])
            sums += [] if share is None else [about | {"cancelled": share}]
            low = min(row["cosine"] for row in layers if row["variant"] == f"epsilon {SMALL:g}")
            print(f"{name}, {trained} steps: lowest cosine {low:.4f}", flush=True)
    run.table(rows)
    run.table(kept, "_kept.csv")
    run.table(sums, "_sums.csv")
    run.figure(draw(rows, kept))
    run.claims(*claims(rows, sums))


if __name__ == "__main__":
    main()
