"""lfp-ref train, lfp-ref compare."""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref import checkpoints, datasets, names, optim, rules
from lfp_ref.composites import Composite
from lfp_ref.datasets.augment import AUGMENTATIONS
from lfp_ref.layers.lif import RESETS
from lfp_ref.network import Sequential
from lfp_ref.run import History
from lfp_ref.tools import figures
from lfp_ref.tools.cli.common import (
    DATA,
    NEURON,
    RULES,
    Progress,
    at_least,
    augmentations,
    build,
    checkpoint_file,
    data_name,
    draw,
    is_spiking,
    is_step,
    load_data,
    model_name,
    neurons,
    new_folder,
    progress,
    stored_options,
)
from lfp_ref.training import check_reward, evaluate, train

# (LFP, gradient), chosen on held-out parts of the training sets of digits and MNIST (see README).
LEARNING_RATES = {
    "sgd": (0.3, 0.1),
    "adam": (0.01, 0.003),
    "spiking-mlp": (0.001, 0.001),
    "spiking-cnn": (0.006, 0.003),
    "step": (0.005, 0.001),  # adam; chosen on held-out parts of MNIST's training set
}
# Without --rule. Step activations need a larger stabiliser, because of outputs near the threshold (layers/step.py).
USUAL_RULE, STEP_RULE = "epsilon", "epsilon:0.5"

# Rewards for several classes: all named networks are classifiers. SPIKE_REWARDS are for spiking networks.
SPIKE_REWARDS = ("rate-coded", "spike-counts")
REWARDS = ("softmax", "bounded-softmax", "sigmoid", "correct-class", "misclassification", "maximise", "minimise",
           *SPIKE_REWARDS)  # fmt: skip

STORED = ("data", "validate", "limit", "augment", "model", "activation", "dropout", *NEURON, "rule", "learning",
          "reward", "optimizer", "epochs", "batch_size", "clip", "reduction", "schedule", "dtype", "seed")  # fmt: skip


def add_commands(commands: Any, top: argparse.ArgumentParser) -> None:
    one = commands.add_parser(
        "train", help="train a network", description="Train a network; by default an MLP on digits."
    )
    training_options(one)
    one.add_argument("--rule", help=f"{RULES} ({USUAL_RULE}; with step activations {STEP_RULE})")
    one.add_argument("--lr", type=float, help="largest learning rate (default: depends on optimiser and rule)")
    one.add_argument("--resume", metavar="FOLDER", help="go on with the run in this folder, with its own options")
    one.set_defaults(command=run_train, file=None, parser=top)

    both = commands.add_parser(
        "compare",
        help="train with LFP and with gradient descent",
        description="Same network, seed and data, two rules. Spikes have no gradient: a surrogate's is taken.",
    )
    training_options(both)
    both.add_argument("--rule", help=f"compared with gradient descent: {RULES} ({USUAL_RULE}; with step activations "
                      f"{STEP_RULE})")  # fmt: skip
    both.add_argument("--against", metavar="RULE",
                      help="gradient, or with a surrogate for steps and spikes atan-surrogate, fast-sigmoid-surrogate "
                      "or straight-through (default: gradient; with step activations straight-through, for spiking "
                      "networks atan-surrogate)")  # fmt: skip
    both.add_argument("--lr", type=float, help="largest learning rate of LFP (default: depends on the optimiser)")
    both.add_argument("--gradient-lr", type=float, help="largest learning rate of gradient descent (likewise)")
    both.set_defaults(command=run_compare)


def training_options(sub: argparse.ArgumentParser) -> None:
    """Adds the options that train and compare share."""
    shown = "(%(default)s)"
    sub.add_argument("--data", type=data_name, default="digits", metavar="NAME",
                     help=f"{', '.join(DATA)}, or your own FILE.npz with arrays x, y {shown}")  # fmt: skip
    sub.add_argument("--data-root", help="folder of the MNIST or CIFAR files (default: $LFP_REF_DATA for mnist; "
                     "else they are fetched, with the extra data)")  # fmt: skip
    sub.add_argument("--validate", action="store_true",
                     help="test on a held-out tenth of the training set: for choosing options")  # fmt: skip
    sub.add_argument("--limit", type=at_least(1), metavar="N", help="train on the first N samples alone (all)")
    sub.add_argument("--augment", type=augmentations, metavar="NAMES",
                     help=f"change training images at random: {','.join(AUGMENTATIONS)} or some (none)")  # fmt: skip
    sub.add_argument("--model", type=model_name, default="mlp", metavar="NAME",
                     help=f"network: {', '.join(names.NETWORKS)}, or a line of layers: 32c3-p2-64c3-p2-120-10 has "
                     f"filters of 3 x 3 (32c3+1: padding 1), pools of 2 x 2, dense, 10 outputs {shown}")  # fmt: skip
    sub.add_argument("--activation", metavar="NAME",
                     help=f"{', '.join(names.ACTIVATIONS)}, negated-... or reflected-...; step:0 sets an activation's "
                     "number, here the output of a silent unit (relu)")  # fmt: skip
    sub.add_argument("--dropout", type=float, default=0.0, metavar="P",
                     help=f"part of the inputs dropped at random while training {shown}")  # fmt: skip
    spiking = sub.add_argument_group("spiking networks")
    spiking.add_argument("--steps", type=at_least(1), metavar="T", help="time steps (15)")
    spiking.add_argument("--beta", type=float, help="decay of the membrane potential in a step, 0 to 1 (0.9)")
    spiking.add_argument("--threshold", type=float, help="a neuron spikes above it (1; spiking-vgg, -resnet: 0.3)")
    spiking.add_argument("--reset", choices=RESETS, help="of the membrane after a spike (subtract)")
    spiking.add_argument("--code", choices=("constant", "rate", "latency"), help="what pixels are over time (constant)")
    sub.add_argument("--learning", choices=rules.LEARNING, default="share",
                     help=f"where weights take their feedback from {shown}")  # fmt: skip
    sub.add_argument("--reward", choices=REWARDS, metavar="NAME",
                     help=f"reward of the output: {', '.join(REWARDS)} (softmax; for spikes, rate-coded under LFP, "
                     "spike-counts under gradient rules)")  # fmt: skip
    sub.add_argument("--optimizer", choices=names.OPTIMIZERS, default="adam", help=f"{shown}")
    sub.add_argument("--epochs", type=at_least(1), default=30, help=f"{shown}")
    sub.add_argument("--batch-size", type=at_least(1), help="(32, or 128 from 10,000 training samples on)")
    sub.add_argument("--clip", type=float, help="largest norm of all feedback together (none)")
    sub.add_argument("--reduction", choices=("mean", "sum"), default="mean", help=f"over the batch {shown}")
    sub.add_argument("--schedule", choices=("one-cycle", "constant"), default="one-cycle", help=f"{shown}")
    sub.add_argument("--dtype", choices=("float32", "float64"), default="float32", help=f"{shown}")
    sub.add_argument("--seed", type=at_least(0), default=0, help=f"of initial weights and shuffling {shown}")
    sub.add_argument("--out", type=Path, help="folder for results (default: a new one below runs/)")


def run_train(options: argparse.Namespace) -> None:
    if options.resume:
        resumed(options)
    data = load_data(options)
    net, rule = network(options, data)
    if not options.resume:
        name_of_run = [Path(options.data).stem, options.model, neurons(options), options.rule, f"seed{options.seed}"]
        options.out = new_folder(options.out, "-".join(name_of_run))
    history = run(options, data, net, rule, options.file or options.out / "checkpoint.npz")
    write_history(options.out / "history.csv", history)
    picture = draw(options.out / "curves.png", figures.curves, {name(options.rule): history}, title(options))
    print(f"\ntest accuracy {evaluate(net, data):.2%} on {len(data.x_test)} samples of {data.name}")
    print(f"in {options.out}: checkpoint.npz, history.csv{picture}")


def run_compare(options: argparse.Namespace) -> None:
    options.rule = options.rule or usual_rule(options)
    by_neurons = "atan-surrogate" if is_spiking(options) else "straight-through" if is_step(options) else "gradient"
    against = options.against or by_neurons
    if is_gradient(options.rule) or not is_gradient(against):
        raise ValueError("compare trains by an LFP rule (--rule) and by a gradient rule (--against)")
    data = load_data(options)
    runs = []
    for rule, lr in ((options.rule, options.lr), (against, options.gradient_lr)):
        one = argparse.Namespace(**{**vars(options), "rule": rule, "lr": lr})
        runs.append((one, *network(one, data)))
    name_of_run = ["compare", Path(options.data).stem, options.model, neurons(options), f"seed{options.seed}"]
    options.out = new_folder(options.out, "-".join(name_of_run))
    histories = {}
    for one, net, rule in runs:
        print(f"{name(one.rule)}:", flush=True)
        file = one.rule.partition(":")[0]
        history = run(one, data, net, rule, options.out / f"{file}.npz")
        write_history(options.out / f"{file}.csv", history)
        histories[name(one.rule)] = history
    picture = draw(options.out / "compare.png", figures.curves, histories, title(options))
    print(f"\n{'':18s} test accuracy  train accuracy  untouched  seconds an epoch")
    for label, history in histories.items():
        print(f"{label:18s} {history['test_accuracy'][-1]:13.2%}  {history['train_accuracy'][-1]:14.2%}  "
              f"{history['untouched'][-1]:9.1%}  {np.median(history['seconds']):16.3f}")  # fmt: skip
    print(f"in {options.out}: a checkpoint and a history each{picture}")


def network(options: argparse.Namespace, data: datasets.Dataset) -> tuple[Sequential, rules.Rule | Composite]:
    """The network that the options describe, and the rule for it; a rule not named is the usual one."""
    net = build(options, data)
    options.rule = options.rule or usual_rule(options)
    if options.reward is None:
        options.reward = SPIKE_REWARDS[is_gradient(options.rule)] if is_spiking(options) else "softmax"
    if is_spiking(options) != (options.reward in SPIKE_REWARDS):
        raise ValueError(f"--reward {options.reward} is not for the outputs of {options.model}")
    rule = names.rule_or_composite(options.rule, net, "share" if is_gradient(options.rule) else options.learning)
    check_reward(names.REWARDS[options.reward], rule)
    return net, rule


def run(
    options: argparse.Namespace,
    data: datasets.Dataset,
    net: Sequential,
    rule: rules.Rule | Composite,
    checkpoint: Path | None,
    shown: Callable[[], AbstractContextManager[Progress]] = progress,
) -> History:
    """One training run; the options go into its checkpoint. shown: makes the progress display."""
    kind = "sgd" if options.optimizer == "sgd" else "adam"
    usual = LEARNING_RATES[spiking_kind(options) if is_spiking(options) else "step" if is_step(options) else kind]
    if options.lr is None and (is_spiking(options) or is_step(options)) and kind == "sgd":
        of = options.model if is_spiking(options) else "step activations"
        raise ValueError(f"no learning rate is known to suit sgd on {of}: choose one with --lr")
    lr = options.lr if options.lr is not None else usual[rules.is_gradient(rule)]
    momentum = {"momentum": 0.9} if kind == "sgd" else {}
    optimizer = names.OPTIMIZERS[options.optimizer](net.parameters(), lr, **momentum)
    batch_size = options.batch_size or (128 if len(data.x_train) >= 10_000 else 32)
    steps = options.epochs * math.ceil(len(data.x_train) / batch_size)
    augment = [AUGMENTATIONS[name] for name in options.augment.split(",")] if options.augment else []
    about = {"options": {key: getattr(options, key) for key in STORED} | {"lr": lr}}
    with shown() as (on_step, log):
        if log:
            log(f"{options.model} ({neurons(options)}) on {data.name}: rule {options.rule}, reward {options.reward}, "
                f"{options.optimizer} {lr:g}, batches of {batch_size}")  # fmt: skip
        return train(
            net, data, optimizer=optimizer, epochs=options.epochs, rule=rule, reward=names.REWARDS[options.reward],
            batch_size=batch_size, reduction=options.reduction, clip=options.clip, augment=augment, seed=options.seed,
            schedule=optim.one_cycle(lr, steps) if options.schedule == "one-cycle" else None,
            checkpoint=checkpoint, resume=bool(getattr(options, "resume", None)), about=about, on_step=on_step, log=log,
        )  # fmt: skip


def spiking_kind(options: argparse.Namespace) -> str:
    """The spiking network whose learning rates a spiking network takes."""
    return options.model if options.model in LEARNING_RATES else "spiking-cnn"


def usual_rule(options: argparse.Namespace) -> str:
    return STEP_RULE if is_step(options) else USUAL_RULE


def resumed(options: argparse.Namespace) -> None:
    """Puts the stored options of a run in place of the command line's, which must not set any of its own."""
    plain = vars(options.parser.parse_args(["train", "--resume", options.resume]))
    own = [f"--{key.replace('_', '-')}" for key in (*STORED, "lr", "out") if getattr(options, key) != plain[key]]
    if own:
        raise ValueError(f"a run goes on with its own options: leave out {', '.join(own)}")
    options.file = checkpoint_file(options.resume)
    saved = checkpoints.load(options.file)
    vars(options).update(vars(stored_options(saved, options.file)), out=options.file.parent)
    if saved.about["position"]["epoch"] >= options.epochs:
        print(f"this run is complete: it had its {options.epochs} epochs")


def write_history(path: Path, history: History) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(history)
        writer.writerows(zip(*(column.tolist() for column in history.values()), strict=True))


def is_gradient(rule: str) -> bool:
    """Whether the rule of that name is gradient descent, with a surrogate or without."""
    return issubclass(names.RULES.get(rule.partition(":")[0], rules.Rule), rules.Gradient)


def name(rule: str) -> str:
    return rule if is_gradient(rule) else f"LFP-{rule}"


def title(options: argparse.Namespace) -> str:
    return f"{options.model} ({neurons(options)}) on {Path(options.data).stem}, seed {options.seed}"
