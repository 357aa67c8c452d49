"""Which LRP rules train a network when they are used as LFP rules?

The paper asks how LRP rules other than epsilon extend to LFP. Here one network is trained with every rule and composite
of lfp_ref: the same initial weights and order of samples for all of them, three seeds, and for each rule the learning
rate that did best on a held-out part of the training set (the test set is looked at once, at the end).

Beside the accuracy stand two numbers that say why, both at the initial weights, on one batch of the training set:
- cosine: between the rule's feedback and |w| dJ/dw, the direction of LFP-0, below the last layer: 1 is the same
  direction, 0 is none at all.
- negative weights: the fraction of negative weights below the last layer that get any feedback at all.

Expect: what sees the sign of z and of each contribution trains (epsilon, gamma). Rules whose denominators are always
positive (alpha-beta, z-plus, w-square, flat) cannot tell an output below 0 from one above: what was meant to lift it
pushes it down. With epsilon in the last layer alone that is cured, and what each rule does below it can be seen: z-plus
moves no negative weight behind a ReLU; w-square and flat push all weights of a neuron the same way, feature or not.

    python examples/01_rules.py            about 30 minutes on one core; MNIST where LFP_REF_DATA names its folder
    (the numbers in results/ are of NUMBA_NUM_THREADS=1: sums round differently with another number of threads)
    python examples/01_rules.py --quick    under a minute: digits, one seed, no search for a learning rate
"""

from __future__ import annotations

import common
import numpy as np

import lfp_ref as lfp
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure

# name: why it learns what it learns. "X, epsilon on top": X in all layers but the last; "dense only": the convolutions
# stay as they were drawn.
RULES = {
    "epsilon": "its feedback is |w| dJ/dw in a network of ReLUs",
    "gamma": "it counts contributions of the neuron's own sign more: bent, but on the gradient's side",
    "alpha-beta": "its denominators do not see the sign of z, so an output below 0 is driven the wrong way",
    "alpha-beta, epsilon on top": "the outputs' signs are seen; below, a ReLU that got a reward has z > 0 anyway",
    "z-plus": "as alpha-beta, and behind a ReLU no negative weight ever gets feedback",
    "z-plus, epsilon on top": "the outputs' signs are seen; negative weights below still never learn",
    "w-square": "as alpha-beta, and without a look at the input all weights of a neuron are pushed by the same s",
    "w-square, epsilon on top": "the outputs' signs are seen; below, features still are not",
    "flat": "as w-square, without a look at the weight either",
    "flat, epsilon on top": "as w-square with epsilon on top",
    "epsilon, dense only": "to be compared with what rules that are blind to features reach",
    "epsilon-plus": "z-plus in the convolutions, epsilon in the dense layers",
    "epsilon-gamma-box": "gamma and z-box in the convolutions, epsilon in the dense layers: all see signs",
    "epsilon-alpha2-beta1-flat": "flat and alpha-beta in the convolutions, epsilon in the dense layers",
    "epsilon hebbian": "the same rewards, but a z r in place of a r / z: large outputs learn most",
    "epsilon oja": "hebbian with forgetting",
    "gradient": "for comparison",
}
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)


def network(data: lfp.datasets.Dataset, seed: int) -> lfp.Sequential:
    make = lfp.models.lenet if data.input_shape[1] >= 16 else lfp.models.small_cnn
    return make(data.input_shape, data.classes, rng=np.random.default_rng(seed))


def rule_of(name: str, net: lfp.Sequential) -> lfp.rules.Rule | dict:
    text, _, learning = name.partition(",")[0].partition(" ")
    rule = lfp.names.rule_or_composite(text, net, learning or "share")
    if name.endswith("epsilon on top"):
        return {lfp.Layer: rule, str(len(net) - 1): lfp.rules.Epsilon()}
    return rule


def train(data: lfp.datasets.Dataset, name: str, rate: float, seed: int, epochs: int) -> float:
    """Test accuracy after one run; 0 where it diverged."""
    net = network(data, seed)
    dense = [layer for layer in net if isinstance(layer, lfp.Dense) or not name.endswith("dense only")]
    learners = [parameter for layer in dense for parameter in layer.parameters()]
    return common.last(common.train(net, data, rule_of(name, net), rate, epochs=epochs, seed=seed, batch_size=64,
                                    parameters=learners))  # fmt: skip


def evidence(data: lfp.datasets.Dataset, name: str, seed: int) -> tuple[float, float]:
    """(cosine, fraction of negative weights with feedback), as the text above says."""
    net = network(data, seed)
    x, y = data.x_train[:256], data.y_train[:256]
    below = [p for key, p in net.named_parameters() if key.endswith("weight")][:-1]
    z = net.forward(x)
    net.feedback(lfp.rewards.softmax.gradient(z, y), lfp.rules.Gradient())
    straight = np.concatenate([(np.abs(p.value) * p.feedback).ravel() for p in below])
    net.forward(x)
    told = lfp.rewards.softmax.gradient(z, y) if name == "gradient" else lfp.rewards.softmax(z, y)
    net.feedback(told, rule_of(name, net))
    scale = [np.abs(p.value) if name == "gradient" else 1 for p in below]
    feedback = np.concatenate([(k * p.feedback).ravel() for k, p in zip(scale, below, strict=True)])
    touched = np.concatenate([p.feedback[p.value < 0] != 0 for p in below])
    length = np.linalg.norm(feedback) * np.linalg.norm(straight)
    return float(feedback @ straight / length) if length else 0.0, float(touched.mean())


def experiment(data: lfp.datasets.Dataset, epochs: int, seeds: range, rates: tuple[float, ...]) -> list[dict]:
    """A row per rule; the learning rate is chosen on a held-out part of the training set, with a seed of its own."""
    rows = []
    held_out = data.holdout(0.2)
    for name in RULES:
        rate = common.best(rates, lambda rate, name=name: train(held_out, name, rate, 100, epochs))
        found = [train(data, name, rate, seed, epochs) for seed in seeds]
        reasons = np.mean([evidence(data, name, seed) for seed in seeds], axis=0)
        rows.append({
            "data": data.name, "rule": name, "learning rate": rate, "seeds": len(found), "accuracy": np.mean(found),
            "lowest": min(found), "highest": max(found), "cosine": reasons[0], "negative weights": reasons[1],
        })  # fmt: skip
        spread = common.spread(found)
        why = f"cosine {reasons[0]:+.2f}  negative weights {reasons[1]:.0%}"
        print(f"{data.name:8s}{name:28s}rate {rate:<6g} accuracy {spread}  {why}", flush=True)
    return rows


def draw(rows: list[dict]) -> object:
    figure = new_figure(11, 5.5)
    left, middle, right = figure.subplots(1, 3, sharey=True)
    both = zip((-0.17, 0.17), dict.fromkeys(row["data"] for row in rows), COLOURS, MARKERS, strict=False)
    for offset, data, colour, marker in both:
        mine = [row for row in rows if row["data"] == data]
        places = offset + np.arange(len(mine))
        mean = np.array([row["accuracy"] for row in mine])
        spread = np.abs([[row[end] - row["accuracy"] for row in mine] for end in ("lowest", "highest")])
        style = {"color": colour, "marker": marker, "linestyle": "none", "label": data, "markersize": 5}
        left.errorbar(100 * mean, places, xerr=100 * spread, capsize=3, **style)
        middle.plot([row["cosine"] for row in mine], places, **style)
        right.plot([100 * row["negative weights"] for row in mine], places, **style)
    left.set_yticks(np.arange(len(RULES)), list(RULES))
    left.invert_yaxis()
    seeds = rows[0]["seeds"]
    left.set(xlabel="test accuracy (%)", xlim=(0, 102), title=f"{seeds} seeds: mean, lowest, highest")
    middle.set(xlabel="cosine with |w| dJ/dw at the start", xlim=(-1.05, 1.05), title="Direction of the feedback")
    middle.axvline(0, color="k", linewidth=0.8)
    right.set(xlabel="negative weights that get feedback (%)", xlim=(-3, 103), title="Reach of the feedback")
    for axes in (left, middle, right):
        axes.grid(alpha=0.3)
    left.legend()
    return figure


def claims(rows: list[dict]) -> list[tuple[str, str, str]]:
    by = {(row["data"], row["rule"]): row for row in rows}

    def said(*rules: str) -> str:
        return common.spaced("; ".join(
            f"{data}: " + ", ".join(f"{rule} {by[data, rule]['accuracy']:.1%}" for rule in rules)
            for data in dict.fromkeys(row["data"] for row in rows)
        ))  # fmt: skip

    seeds = str(rows[0]["seeds"])
    return [
        ("other LRP rules train too, if they see signs", said("epsilon", "gamma", "gradient"), seeds),
        ("rules with positive denominators need epsilon on top",
         said("alpha-beta", "alpha-beta, epsilon on top", "z-plus", "z-plus, epsilon on top"), seeds),
    ]  # fmt: skip


def main() -> None:
    run = common.start(__doc__)
    digits = lfp.datasets.load_digits()
    if run.quick:
        rows = experiment(digits.subset(600), 4, range(1), (0.01,))
    else:
        rows = experiment(digits, 20, range(3), RATES)
        try:
            rows += experiment(lfp.datasets.load_mnist().subset(12_000), 4, range(3), RATES)
        except FileNotFoundError as error:
            print(f"without MNIST: {error}")
    run.table(rows)
    run.figure(draw(rows))
    print("\nWhich rules train, which do not, and why:")
    for row in rows:
        verdict = "trains" if row["accuracy"] > 0.9 else "does not train" if row["accuracy"] < 0.6 else "trains badly"
        print(f"- {row['rule']} on {row['data']} {verdict} ({row['accuracy']:.1%}, cosine {row['cosine']:+.2f}, "
              f"{row['negative weights']:.0%} of negative weights with feedback): {RULES[row['rule']]}")  # fmt: skip
    run.claims(*claims(rows))


if __name__ == "__main__":
    main()
