"""Rewards without a derivative: told by rules of thumb, and by a teacher who errs.

The paper claims that LFP learns from any reward, also one that is no objective's gradient. Here an MLP (120-84, ReLU)
learns the digits from opinions: +1 ("more of it") or -1 ("less of it") for some outputs. The reward is the opinion
times the sign of the output.
- misclassification: -1 for every output that is ahead of the label's. correct class: +1 for the label's where it wins.
- both, balanced: the sum of these two less its mean over the outputs.
- teacher: +1 for the right answer, -1 for the one that was given (nothing if they are the same), a function of four
  lines. Some errs: with a given probability he says the opposite of what he means.
- right or wrong: the teacher says no more than that of the answer that was given; `lfp.rewards.teacher` makes it a
  reward. He may err as well.
Beside them stand the softmax reward and gradient descent. Adam, one-cycle schedule, five seeds; the learning rate, and
the last layer's epsilon (1e-6, or 1, as sign(z)/z is large near 0), are chosen on held-out data for each.

Expect: an opinion trains nearly as well as softmax if it praises as much as it blames. The two built-in rewards without
a derivative do not, by themselves: who only blames drives all outputs down together, who only praises winners lets one
class win everything, and what counts is which output is largest. The teacher may err often: wrong words cancel out over
many samples; at 50 % he says nothing.

    python examples/07_rewards.py            about 3 minutes on one core
    python examples/07_rewards.py --quick    under a minute: one seed, no search
    (the numbers in results/ are of NUMBA_NUM_THREADS=1: sums round differently with another number of threads)
"""

from __future__ import annotations

from functools import partial

import common
import numpy as np

import lfp_ref as lfp
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure

NOISES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
SETTINGS = [(rate, epsilon) for rate in (0.001, 0.003, 0.01) for epsilon in (1e-6, 1.0)]  # epsilon: of the last layer


def balanced(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Correct class and misclassification, less the mean opinion on each sample's outputs."""
    sign = np.sign(outputs)
    opinion = sign * (lfp.rewards.correct_class(outputs, labels) + lfp.rewards.misclassification(outputs, labels))
    return sign * (opinion - opinion.mean(axis=1, keepdims=True))


def teacher(noise: float, seed: int) -> lfp.rewards.Reward:
    """Who prefers the right answer to the one that was given, and says the opposite with probability `noise`."""
    rng = np.random.default_rng([seed, 7])

    def reward(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        right, given = (lfp.rewards.one_hot(outputs, answer) for answer in (labels, outputs.argmax(axis=1)))
        says = np.where(rng.random((len(outputs), 1)) < noise, -1, 1) * (right - given)
        return says * np.sign(outputs)

    return reward


def right_or_wrong(noise: float, seed: int) -> lfp.rewards.Reward:
    """Who says whether the answer is right, and the opposite with probability `noise`."""
    rng = np.random.default_rng([seed, 8])

    def opinion(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        says = np.where(outputs.argmax(axis=1) == labels, 1, -1)
        return says * np.where(rng.random(len(labels)) < noise, -1, 1)

    return lfp.rewards.teacher(opinion)


# name: what makes the reward of a run from its seed
REWARDS = {
    "softmax": lambda seed: lfp.rewards.softmax,
    "softmax, gradient": lambda seed: lfp.rewards.softmax,
    "misclassification": lambda seed: lfp.rewards.misclassification,
    "correct class": lambda seed: lfp.rewards.correct_class,
    "both, balanced": lambda seed: balanced,
} | {f"{name}, errs {noise:.0%}": partial(make, noise)
     for name, make in (("teacher", teacher), ("right or wrong", right_or_wrong)) for noise in NOISES}  # fmt: skip


def train(data: lfp.datasets.Dataset, name: str, epochs: int, setting: tuple[float, float], seed: int) -> np.ndarray:
    """Test accuracy after each epoch; zeros where it diverged."""
    rate, epsilon = setting
    net = lfp.models.mlp(data.input_shape, data.classes, rng=np.random.default_rng(seed))
    rule = {lfp.Layer: lfp.rules.Epsilon(), str(len(net) - 1): lfp.rules.Epsilon(epsilon)}
    history = common.train(
        net, data, lfp.rules.Gradient() if name.endswith("gradient") else rule, rate,
        epochs=epochs, seed=seed, reward=REWARDS[name](seed),
    )  # fmt: skip
    return np.zeros(epochs) if history is None else history["test_accuracy"]


def experiment(data: lfp.datasets.Dataset, seeds: range, epochs: int, settings: list) -> list[dict]:
    """A row per reward, seed and epoch."""
    held_out, rows = data.holdout(0.2), []
    for name in REWARDS:
        setting = common.best(settings, lambda setting, name=name: train(held_out, name, epochs, setting, 100)[-1])
        for seed in seeds:
            for epoch, accuracy in enumerate(train(data, name, epochs, setting, seed), 1):
                rows.append({"reward": name, "learning rate": setting[0], "epsilon": setting[1], "seed": seed,
                             "epoch": epoch, "accuracy": float(accuracy)})  # fmt: skip
        print(f"{name}: {setting}, {common.spread(column(rows, name)[-1])}", flush=True)
    return rows


def column(rows: list[dict], name: str) -> np.ndarray:
    """Accuracy (epochs, seeds)."""
    mine = [row for row in rows if row["reward"] == name]
    return np.array([row["accuracy"] for row in mine]).reshape(-1, mine[-1]["epoch"]).T


def draw(rows: list[dict]) -> object:
    figure = new_figure(10, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    plain = [name for name in REWARDS if "errs" not in name]
    for number, name in enumerate((*plain, "teacher, errs 20%", "right or wrong, errs 20%")):
        accuracy = column(rows, name)
        on_top = number % 2 == 1  # of the series before, which it may cover: thin and dashed above thick
        common.band(left, range(1, len(accuracy) + 1), 100 * accuracy, common.spaced(name), color=COLOURS[number],
                    marker=MARKERS[number], linestyle="--" if on_top else "-", linewidth=1.3 if on_top else 3,
                    markersize=4 if on_top else 8, fillstyle="full" if on_top else "none")  # fmt: skip
    left.set(xlabel="epoch", ylabel="test accuracy on digits (%)", title="Rewards (LFP unless it says gradient)",
             ylim=(0, 101))  # fmt: skip
    for number, name in ((5, "teacher"), (6, "right or wrong")):
        final = np.array([column(rows, f"{name}, errs {noise:.0%}")[-1] for noise in NOISES])
        common.band(right, 100 * np.array(NOISES), 100 * final, name, color=COLOURS[number], marker=MARKERS[number])
    right.legend(fontsize=9)
    right.set(xlabel="how often the teacher says the opposite (%)", ylabel="test accuracy on digits (%)",
              title="A teacher who errs, LFP", ylim=(0, 101))  # fmt: skip
    left.legend(fontsize=9, title=f"{final.shape[1]} seeds: mean, lowest to highest")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def claims(rows: list[dict]) -> list[tuple[str, str, str]]:
    def said(*names: str) -> str:
        return "; ".join(f"{common.spaced(name)}: {common.spread(column(rows, name)[-1])}" for name in names)

    seeds = str(column(rows, "softmax").shape[1])
    return [
        ("LFP learns from a reward without a derivative, typed in as a function (digits)",
         said("teacher, errs 0%", "softmax", "softmax, gradient"), seeds),
        ("also from one that errs", said("teacher, errs 20%", "teacher, errs 40%", "teacher, errs 50%"), seeds),
        ("and from one who says right or wrong, no more",
         said("right or wrong, errs 0%", "right or wrong, errs 20%", "right or wrong, errs 40%"), seeds),
        ("and from the correct-class and misclassification rewards",
         said("correct class", "misclassification", "both, balanced"), seeds),
    ]  # fmt: skip


def main() -> None:
    run = common.start(__doc__)
    data = lfp.datasets.load_digits()
    if run.quick:
        data = data.subset(800)
    rows = experiment(data, range(1), 8, [(0.01, 1.0)]) if run.quick else experiment(data, range(5), 15, SETTINGS)
    run.table(rows)
    run.figure(draw(rows))
    run.claims(*claims(rows))


if __name__ == "__main__":
    main()
