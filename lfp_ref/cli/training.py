"""lfp-ref train, lfp-ref compare."""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref import checkpoints, datasets, figures, models, optim, presets, rewards, rules
from lfp_ref.cli.common import DATA, RULES, build, draw, load_data, new_folder, progress, stored_options
from lfp_ref.network import Sequential
from lfp_ref.training import History, evaluate, train

# Chosen on held-out parts of the training sets of digits and MNIST (see README).
LEARNING_RATES = {"sgd": {True: 0.3, False: 0.1}, "adam": {True: 0.01, False: 0.003}}


def add_commands(commands: Any) -> None:
    one = commands.add_parser(
        "train", help="train a network", description="Train a network; by default an MLP on digits."
    )
    training_options(one)
    one.add_argument("--rule", default="epsilon", help=f"{RULES} (%(default)s)")
    one.add_argument("--lr", type=float, help="largest learning rate (default: depends on optimiser and rule)")
    one.add_argument("--resume", metavar="FOLDER", help="go on with the run in this folder, with its own options")
    one.set_defaults(command=run_train)

    both = commands.add_parser(
        "compare",
        help="train with LFP and with gradient descent",
        description="Same network, seed and data, two rules.",
    )
    training_options(both)
    both.add_argument("--rule", default="epsilon", help=f"compared with gradient descent: {RULES} (%(default)s)")
    both.add_argument("--lr", type=float, help="largest learning rate of LFP (default: depends on the optimiser)")
    both.add_argument("--gradient-lr", type=float, help="largest learning rate of gradient descent (likewise)")
    both.set_defaults(command=run_compare)


def training_options(sub: argparse.ArgumentParser) -> None:
    """What train and compare have in common."""
    shown = "(%(default)s)"
    sub.add_argument("--data", choices=DATA, default="digits", help=f"data set {shown}")
    sub.add_argument("--data-root", help="folder of the four MNIST files (default: $LFP_REF_DATA)")
    sub.add_argument("--validate", action="store_true",
                     help="test on a held-out tenth of the training set: for choosing options")  # fmt: skip
    sub.add_argument("--model", choices=models.NAMES, default="mlp", help=f"network {shown}")
    sub.add_argument("--activation", default="relu", metavar="NAME",
                     help=f"{', '.join(models.ACTIVATIONS)}, negated-... or reflected-... {shown}")  # fmt: skip
    sub.add_argument("--learning", choices=rules.LEARNING, default="share",
                     help=f"where weights take their feedback from {shown}")  # fmt: skip
    sub.add_argument("--reward", choices=rewards.NAMES, default="softmax", help=f"what the output is told {shown}")
    sub.add_argument("--optimizer", choices=optim.NAMES, default="adam", help=f"{shown}")
    sub.add_argument("--epochs", type=int, default=30, help=f"{shown}")
    sub.add_argument("--batch-size", type=int, help="(32, or 128 from 10,000 training samples on)")
    sub.add_argument("--clip", type=float, help="largest norm of all feedback together (none)")
    sub.add_argument("--reduction", choices=("mean", "sum"), default="mean", help=f"over the batch {shown}")
    sub.add_argument("--schedule", choices=("one-cycle", "constant"), default="one-cycle", help=f"{shown}")
    sub.add_argument("--dtype", choices=("float32", "float64"), default="float32", help=f"{shown}")
    sub.add_argument("--seed", type=int, default=0, help=f"of initial weights and shuffling {shown}")
    sub.add_argument("--out", type=Path, help="folder for results (default: a new one below runs/)")


def run_train(options: argparse.Namespace) -> None:
    if options.resume:
        options = resumed(options)
    else:
        options.out = new_folder(options.out, "-".join(
            [options.data, options.model, options.activation, options.rule.replace(":", ""), f"seed{options.seed}"]
        ))  # fmt: skip
    data = load_data(options)
    history, net = run(options, data, options.rule, options.lr, options.out / "checkpoint.npz", bool(options.resume))
    write_history(options.out / "history.csv", history)
    picture = draw(options.out / "curves.png", figures.curves, {name(options.rule): history}, title(options))
    print(f"\ntest accuracy {evaluate(net, data):.2%} on {len(data.x_test)} samples of {data.name}")
    print(f"in {options.out}: checkpoint.npz, history.csv{picture}")


def run_compare(options: argparse.Namespace) -> None:
    if options.rule == "gradient":
        raise ValueError("--rule is what gradient descent is compared with: choose an LFP rule")
    options.out = new_folder(
        options.out, "-".join(["compare", options.data, options.model, options.activation, f"seed{options.seed}"])
    )
    data = load_data(options)
    histories = {}
    for rule, lr in ((options.rule, options.lr), ("gradient", options.gradient_lr)):
        print(f"{name(rule)}:")
        history, _ = run(options, data, rule, lr, options.out / f"{rule.partition(':')[0]}.npz", False)
        write_history(options.out / f"{rule.partition(':')[0]}.csv", history)
        histories[name(rule)] = history
    picture = draw(options.out / "compare.png", figures.curves, histories, title(options))
    print(f"\n{'':18s} test accuracy  train accuracy  untouched  seconds an epoch")
    for label, history in histories.items():
        print(f"{label:18s} {history['test_accuracy'][-1]:13.2%}  {history['train_accuracy'][-1]:14.2%}  "
              f"{history['untouched'][-1]:9.1%}  {np.median(history['seconds']):16.3f}")  # fmt: skip
    print(f"in {options.out}: a checkpoint and a history each{picture}")


def run(
    options: argparse.Namespace, data: datasets.Dataset, rule: str, lr: float | None, checkpoint: Path, resume: bool
) -> tuple[History, Sequential]:
    """One training run, with progress; the options go into its checkpoint."""
    net = build(options, data)
    parsed = presets.mixed(rule, net, "share" if rule == "gradient" else options.learning)
    kind = "sgd" if options.optimizer == "sgd" else "adam"
    lr = lr if lr is not None else LEARNING_RATES[kind][not rules.is_gradient(parsed)]
    momentum = {"momentum": 0.9} if kind == "sgd" else {}
    optimizer = optim.NAMES[options.optimizer](net.parameters(), lr, **momentum)
    batch_size = options.batch_size or (128 if len(data.x_train) >= 10_000 else 32)
    steps = options.epochs * math.ceil(len(data.x_train) / batch_size)
    keep = ("data", "validate", "model", "activation", "learning", "reward", "optimizer", "epochs", "batch_size",
            "clip", "reduction", "schedule", "dtype", "seed")  # fmt: skip
    about = {"options": {key: getattr(options, key) for key in keep} | {"rule": rule, "lr": lr}}
    with progress() as (on_step, log):
        history = train(
            net, data, optimizer=optimizer, epochs=options.epochs, rule=parsed, reward=rewards.NAMES[options.reward],
            batch_size=batch_size, reduction=options.reduction, clip=options.clip, seed=options.seed,
            schedule=optim.one_cycle(lr, steps) if options.schedule == "one-cycle" else None,
            checkpoint=checkpoint, resume=resume, about=about, on_step=on_step, log=log,
        )  # fmt: skip
    return history, net


def resumed(options: argparse.Namespace) -> argparse.Namespace:
    """The options of the run in a folder."""
    folder = Path(options.resume)
    folder = folder if folder.is_dir() else folder.parent
    stored = stored_options(checkpoints.load(folder / "checkpoint.npz"), folder)
    stored.data_root, stored.out, stored.resume = options.data_root, folder, options.resume
    return stored


def write_history(path: Path, history: History) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(history)
        writer.writerows(zip(*(column.tolist() for column in history.values()), strict=True))


def name(rule: str) -> str:
    return "gradient" if rule == "gradient" else f"LFP-{rule}"


def title(options: argparse.Namespace) -> str:
    return f"{options.model} ({options.activation}) on {options.data}, seed {options.seed}"
