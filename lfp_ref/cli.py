"""The command line: lfp-ref, or python -m lfp_ref."""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import lfp_ref
from lfp_ref import checkpoints, datasets, models, optim, rewards, rules
from lfp_ref.network import Sequential
from lfp_ref.training import DivergenceError, History, Interrupted, evaluate, train

# Chosen on held-out parts of the training sets of digits and MNIST (see README).
LEARNING_RATES = {"sgd": {True: 0.3, False: 0.1}, "adam": {True: 0.01, False: 0.003}}

DATA: dict[str, Callable[[argparse.Namespace], datasets.Dataset]] = {
    "digits": lambda options: datasets.load_digits(),
    "mnist": lambda options: datasets.load_mnist(options.data_root),
    "blobs": lambda options: datasets.blobs(seed=options.seed),
    "circles": lambda options: datasets.circles(seed=options.seed),
    "swirls": lambda options: datasets.swirls(seed=options.seed),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except Interrupted as stop:
        hint = f"; go on with: lfp-ref train --resume {options.out}" if options.command is run_train else ""
        print(f"\n{stop}{hint}", file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except (ValueError, OSError, DivergenceError) as error:
        print(f"lfp-ref: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="lfp-ref",
        description="Train neural networks by Layer-wise Feedback Propagation (LFP): without gradients.",
        epilog="Start with: lfp-ref train",
    )
    top.add_argument("--version", action="version", version=f"lfp-ref {lfp_ref.__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser(
        "train", help="train a network", description="Train a network; by default an MLP on digits."
    )
    training_options(one)
    one.add_argument(
        "--rule", default="epsilon", help=f"{', '.join(rules.NAMES)}; epsilon:0.1 sets its number (%(default)s)"
    )
    one.add_argument("--lr", type=float, help="largest learning rate (default: depends on optimiser and rule)")
    one.add_argument("--resume", metavar="FOLDER", help="go on with the run in this folder, with its own options")
    one.set_defaults(command=run_train)

    both = commands.add_parser(
        "compare",
        help="train with LFP and with gradient descent",
        description="Same network, seed and data, two rules.",
    )
    training_options(both)
    both.add_argument("--rule", default="epsilon", help="the rule to compare with gradient descent (%(default)s)")
    both.add_argument("--lr", type=float, help="largest learning rate of LFP (default: depends on the optimiser)")
    both.add_argument("--gradient-lr", type=float, help="largest learning rate of gradient descent (likewise)")
    both.set_defaults(command=run_compare)

    test = commands.add_parser("evaluate", help="test a trained network", description="Accuracy of a checkpoint.")
    test.add_argument("checkpoint", help="a checkpoint file, or the folder of a run")
    test.add_argument("--data-root", help="folder of the MNIST files (default: $LFP_REF_DATA)")
    test.set_defaults(command=run_evaluate)
    return top


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


# ---- commands


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
    picture = draw(options.out / "curves.png", {name(options.rule): history}, title(options))
    print(f"\ntest accuracy {evaluate(net, data):.2%} on {len(data.x_test)} samples of {data.name}")
    print(f"in {options.out}: checkpoint.npz, history.csv{picture}")


def run_compare(options: argparse.Namespace) -> None:
    if rules.is_gradient(rules.parse(options.rule)):
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
    picture = draw(options.out / "compare.png", histories, title(options))
    print(f"\n{'':18s} test accuracy  train accuracy  untouched  seconds an epoch")
    for label, history in histories.items():
        print(f"{label:18s} {history['test_accuracy'][-1]:13.2%}  {history['train_accuracy'][-1]:14.2%}  "
              f"{history['untouched'][-1]:9.1%}  {np.median(history['seconds']):16.3f}")  # fmt: skip
    print(f"in {options.out}: a checkpoint and a history each{picture}")


def run_evaluate(options: argparse.Namespace) -> None:
    path = Path(options.checkpoint)
    saved = checkpoints.load(path / "checkpoint.npz" if path.is_dir() else path)
    stored = stored_options(saved, path)
    stored.data_root = options.data_root
    data = load_data(stored)
    net = build(stored, data)
    net.load_state_dict(saved.net)
    print(f"test accuracy {evaluate(net, data):.2%} on {len(data.x_test)} samples of {data.name}")


# ---- parts of commands


def load_data(options: argparse.Namespace) -> datasets.Dataset:
    data = DATA[options.data](options)
    return data.holdout(0.1, options.seed) if options.validate else data


def build(options: argparse.Namespace, data: datasets.Dataset) -> Sequential:
    act = models.activation(options.activation)
    rng = np.random.default_rng(options.seed)
    return models.NAMES[options.model](data.input_shape, data.classes, act, dtype=options.dtype, rng=rng)


def run(
    options: argparse.Namespace, data: datasets.Dataset, rule: str, lr: float | None, checkpoint: Path, resume: bool
) -> tuple[History, Sequential]:
    """One training run, with progress; the options go into its checkpoint."""
    net, parsed = build(options, data), rules.parse(rule)
    kind = "sgd" if options.optimizer == "sgd" else "adam"
    lr = lr if lr is not None else LEARNING_RATES[kind][parsed.shares]
    momentum = {"momentum": 0.9} if kind == "sgd" else {}
    optimizer = optim.NAMES[options.optimizer](net.parameters(), lr, **momentum)
    batch_size = options.batch_size or (128 if len(data.x_train) >= 10_000 else 32)
    steps = options.epochs * math.ceil(len(data.x_train) / batch_size)
    keep = ("data", "validate", "model", "activation", "reward", "optimizer", "epochs", "batch_size", "clip",
            "reduction", "schedule", "dtype", "seed")  # fmt: skip
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


def stored_options(saved: checkpoints.Checkpoint, path: Path) -> argparse.Namespace:
    """The command line's options in a checkpoint."""
    if "options" not in saved.about:
        raise ValueError(f"{path} was not written by lfp-ref train; load it with lfp_ref.checkpoints.load")
    return argparse.Namespace(**saved.about["options"])


def new_folder(chosen: Path | None, usual: str) -> Path:
    """The folder for results, made now. Raises ValueError where the chosen one holds a run already."""
    folder = chosen or Path("runs", usual)
    number = 1
    while folder.exists() and any(folder.glob("*.npz")):
        if chosen:
            raise ValueError(f"{folder} holds a run already; go on with --resume {folder}, or choose another --out")
        number += 1
        folder = Path("runs", f"{usual}-{number}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_history(path: Path, history: History) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(history)
        writer.writerows(zip(*(column.tolist() for column in history.values()), strict=True))


def draw(path: Path, histories: dict[str, History], heading: str) -> str:
    """Draws the curves; returns what to say of it."""
    from lfp_ref import figures

    try:
        figures.curves(path, histories, heading)
    except ImportError:
        return '\n(a picture of the curves needs matplotlib: pip install "lfp-ref[cli]")'
    return f", {path.name}"


def name(rule: str) -> str:
    return "gradient" if rule == "gradient" else f"LFP-{rule}"


def title(options: argparse.Namespace) -> str:
    return f"{options.model} ({options.activation}) on {options.data}, seed {options.seed}"


@contextmanager
def progress() -> Any:
    """(on_step, log) for train: a bar over the steps of each epoch, and lines that do not break it."""
    try:
        from tqdm import tqdm
    except ImportError:
        print('(a progress bar needs tqdm: pip install "lfp-ref[cli]")')
        yield None, print
        return
    with tqdm(leave=False, unit="step", disable=not sys.stderr.isatty()) as bar:

        def on_step(epoch: int, step: int, steps: int) -> None:
            if step == 1 or bar.total != steps:
                bar.reset(steps)
                bar.set_description(f"epoch {epoch + 1}")
            bar.update(step - bar.n)

        yield on_step, lambda line: tqdm.write(line, file=sys.stdout)
