"""lfp-ref train, lfp-ref compare."""

from __future__ import annotations

import argparse
import csv
import io
import math
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref import checkpoints, datasets, names, optim, rules
from lfp_ref.composites import Composite
from lfp_ref.core.assignment import resolve
from lfp_ref.core.checks import check_number
from lfp_ref.datasets.augment import AUGMENTATIONS
from lfp_ref.files import locked, written_whole
from lfp_ref.network import Sequential
from lfp_ref.run import History, Position
from lfp_ref.tools import figures
from lfp_ref.tools.cli.common import (
    Progress,
    build,
    check_data_root,
    is_spiking,
    is_step,
    load_data,
    neurons,
    progress,
)
from lfp_ref.tools.cli.folders import checkpoint_file, draw_if_possible, new_folder
from lfp_ref.tools.cli.options import (
    RULES,
    SPIKE_REWARDS,
    STEP_RULE,
    STORED,
    USUAL_RULE,
    completed,
    is_gradient,
    not_empty,
    path,
    rule_options,
    stored_options,
    training_options,
    usual_reward,
    usual_rule,
)
from lfp_ref.training import DivergenceError, check_reward, evaluate, train

# (LFP, gradient), chosen on held-out parts of the training sets of digits and MNIST (see README).
LEARNING_RATES = {
    "sgd": (0.3, 0.1),
    "adam": (0.01, 0.003),
    "spiking-mlp": (0.001, 0.001),
    "spiking-cnn": (0.006, 0.003),
    "step": (0.005, 0.001),  # adam; chosen on held-out parts of MNIST's training set
}
MOST_GROWTH = 1000  # of the largest weight: an MLP on the digits reached less at rates that learn, more at 1e9


def add_commands(commands: Any) -> None:
    bare = {"argument_default": argparse.SUPPRESS}
    one = commands.add_parser(
        "train", help="train a network", description="Train a network; by default an MLP on digits.", **bare
    )
    training_options(one)
    rule_options(one)
    one.add_argument("--out", type=path, help="folder for results (default: a new one below runs/)")
    one.add_argument("--resume", type=not_empty, metavar="FOLDER",
                     help="go on with the run in this folder, with its own options")  # fmt: skip
    one.set_defaults(command=run_train)

    both = commands.add_parser(
        "compare",
        help="train with LFP and with gradient descent",
        description="Same network, seed and data, two rules. Spikes have no gradient: a surrogate's is taken.",
        **bare,
    )
    training_options(both)
    both.add_argument("--rule", type=not_empty,
                      help=f"compared with gradient descent: {RULES} ({USUAL_RULE}; with step activations "
                      f"{STEP_RULE})")  # fmt: skip
    both.add_argument("--against", type=not_empty, metavar="RULE",
                      help="gradient, or with a surrogate for steps and spikes atan-surrogate, fast-sigmoid-surrogate "
                      "or straight-through (default: gradient; with step activations straight-through, for spiking "
                      "networks atan-surrogate)")  # fmt: skip
    both.add_argument("--lr", type=float, help="largest learning rate of LFP (default: depends on the optimiser)")
    both.add_argument("--gradient-lr", type=float, help="largest learning rate of gradient descent (likewise)")
    both.add_argument("--out", type=path, help="folder for results (default: a new one below runs/)")
    both.set_defaults(command=run_compare)


@dataclass
class Plan:
    """All that a run trains with: made, and so checked, before anything is written. lr: the largest learning rate."""

    options: argparse.Namespace
    data: datasets.Dataset
    net: Sequential
    rule: rules.Rule | Composite
    optimizer: optim.Optimizer
    lr: float

    def __post_init__(self) -> None:
        self.largest_at_first = self.largest_weight()

    def largest_weight(self) -> float:
        return max(float(np.abs(parameter.value).max()) for parameter in self.net.parameters())

    def check_growth(self) -> None:
        """Raises DivergenceError for a trained network whose weights are finite, but have run away."""
        first, last = self.largest_at_first, self.largest_weight()
        if last > MOST_GROWTH * first:
            raise DivergenceError(
                f"training diverged: the largest weight was {first:.2g} at first and is {last:.2g} now; "
                f"try --lr below {self.lr:g}, or --clip"
            )


# ---- train


def run_train(given: argparse.Namespace) -> None:
    if given.__dict__.get("resume") is not None:
        go_on(given)
        return
    options = completed(given)
    plan = planned(options, data_to_train_on(options))
    name_of_run = [Path(options.data).stem, options.model, neurons(options), options.rule, f"seed{options.seed}"]
    with new_folder(options.out, "-".join(name_of_run)) as folder:
        given.out = folder
        train_into(folder, plan, folder / "checkpoint.npz")


def go_on(given: argparse.Namespace) -> None:
    """Goes on with a stored run, whose options replace the command line's, which must not set any of its own."""
    if own := [name for name in vars(given) if name not in ("command", "resume", "data_root")]:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in own)
        raise ValueError(f"a run goes on with its own options: leave out {named}")
    file = checkpoint_file(given.resume)
    saved = checkpoints.load(file)
    options = stored_options(saved, file)
    options.data_root = vars(given).get("data_root")
    given.out = file.parent
    if Position.stored(saved, file).epoch >= options.epochs:
        print(f"this run is complete: it had its {options.epochs} epochs")
    with locked(file.parent):
        train_into(file.parent, planned(options, data_to_train_on(options)), file, resume=True)


def train_into(folder: Path, plan: Plan, file: Path, resume: bool = False) -> None:
    """Trains, and leaves a checkpoint, a history and a picture in a folder."""
    history = run(plan, file, resume=resume)
    write_history(folder / "history.csv", history)
    rule = {name(plan.options.rule): history}
    picture = draw_if_possible(folder / "curves.png", figures.curves, rule, title(plan.options))
    tested = len(plan.data.x_test)
    accuracy = f"test accuracy {evaluate(plan.net, plan.data):.2%} on {tested}" if tested else "no test"
    print(f"\n{accuracy} samples of {plan.data.name}")
    print(f"in {folder}: {file.name}, history.csv{picture}")
    plan.check_growth()


# ---- compare


def run_compare(given: argparse.Namespace) -> None:
    options = completed(given)
    options.rule = options.rule or usual_rule(options)
    by_neurons = "atan-surrogate" if is_spiking(options) else "straight-through" if is_step(options) else "gradient"
    against = options.against or by_neurons
    if is_gradient(options.rule) or not is_gradient(against):
        raise ValueError("compare trains by an LFP rule (--rule) and by a gradient rule (--against)")
    data = data_to_train_on(options)
    usual = vars(options)
    others = {"rule": against, "lr": options.gradient_lr, "learning": "share"}
    plans = [planned(argparse.Namespace(**each), data) for each in (usual, usual | others)]
    name_of_run = ["compare", Path(options.data).stem, options.model, neurons(options), f"seed{options.seed}"]
    with new_folder(options.out, "-".join(name_of_run)) as folder:
        histories = {}
        for plan in plans:
            rule = plan.options.rule
            print(f"{name(rule)}:", flush=True)
            file = rule.partition(":")[0]
            histories[name(rule)] = run(plan, folder / f"{file}.npz")
            write_history(folder / f"{file}.csv", histories[name(rule)])
        picture = draw_if_possible(folder / "compare.png", figures.curves, histories, title(options))
        print(f"\n{'':18s} test accuracy  train accuracy  untouched  seconds an epoch")
        for label, history in histories.items():
            print(f"{label:18s} {history['test_accuracy'][-1]:13.2%}  {history['train_accuracy'][-1]:14.2%}  "
                  f"{history['untouched'][-1]:9.1%}  {np.median(history['seconds']):16.3f}")  # fmt: skip
        print(f"in {folder}: a checkpoint and a history each{picture}")
    for plan in plans:
        plan.check_growth()


# ---- both


def data_to_train_on(options: argparse.Namespace) -> datasets.Dataset:
    """The data that the options describe; says which classes cannot be learned."""
    check_data_root(options.data, options)
    data = load_data(options)
    if unseen := sorted({*data.y_test.tolist()} - {*data.y_train.tolist()}):
        classes = ", ".join(map(str, unseen))
        print(f"lfp-ref: no training sample of class {classes}: its outputs stay untrained", file=sys.stderr)
    return data


def planned(options: argparse.Namespace, data: datasets.Dataset) -> Plan:
    """The run that the options describe; options that depend on others are filled in.

    Raises ValueError for options that make no sense, alone or together, with these data.
    """
    net = build(options, data)
    options.rule = options.rule or usual_rule(options)
    options.reward = options.reward or usual_reward(options)
    if is_spiking(options) != (options.reward in SPIKE_REWARDS):
        raise ValueError(f"--reward {options.reward} is not for the outputs of {options.model}")
    if is_gradient(options.rule) and options.learning != "share":
        raise ValueError(f"--learning {options.learning} is for LFP rules, not for {options.rule}")
    rule = names.rule_or_composite(options.rule, net, options.learning)
    resolve(rule, net)
    check_reward(names.REWARDS[options.reward], rule)
    if options.clip is not None:
        check_number("--clip", options.clip, 0)
    kind = "sgd" if options.optimizer == "sgd" else "adam"
    usual = LEARNING_RATES[spiking_kind(options) if is_spiking(options) else "step" if is_step(options) else kind]
    if options.lr is None and (is_spiking(options) or is_step(options)) and kind == "sgd":
        of = options.model if is_spiking(options) else "step activations"
        raise ValueError(f"no learning rate is known to suit sgd on {of}: choose one with --lr")
    lr = options.lr if options.lr is not None else usual[rules.is_gradient(rule)]
    momentum = {"momentum": 0.9} if kind == "sgd" else {}
    optimizer = names.OPTIMIZERS[options.optimizer](net.parameters(), lr, **momentum)
    return Plan(options, data, net, rule, optimizer, lr)


def run(
    plan: Plan,
    checkpoint: Path | None,
    shown: Callable[[], AbstractContextManager[Progress]] = progress,
    resume: bool = False,
) -> History:
    """One training run; the options go into its checkpoint. shown: makes the progress display."""
    options, data, lr = plan.options, plan.data, plan.lr
    batch_size = options.batch_size or (128 if len(data.x_train) >= 10_000 else 32)
    steps = options.epochs * math.ceil(len(data.x_train) / batch_size)
    augment = [AUGMENTATIONS[name] for name in options.augment.split(",")] if options.augment else []
    about = {"options": {key: getattr(options, key) for key in STORED} | {"lr": lr}}
    with shown() as (on_step, log):
        if log:
            log(f"{options.model} ({neurons(options)}) on {data.name}: rule {options.rule}, reward {options.reward}, "
                f"{options.optimizer} {lr:g}, batches of {batch_size}")  # fmt: skip
        return train(
            plan.net, data, optimizer=plan.optimizer, epochs=options.epochs, rule=plan.rule,
            reward=names.REWARDS[options.reward], batch_size=batch_size, reduction=options.reduction,
            clip=options.clip, augment=augment, seed=options.seed,
            schedule=optim.one_cycle(lr, steps) if options.schedule == "one-cycle" else None,
            checkpoint=checkpoint, resume=resume, about=about, on_step=on_step, log=log,
        )  # fmt: skip


def spiking_kind(options: argparse.Namespace) -> str:
    """The spiking network whose learning rates a spiking network takes."""
    return options.model if options.model in LEARNING_RATES else "spiking-cnn"


def write_history(path: Path, history: History) -> None:
    """The history as CSV, a line an epoch."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(history)
    writer.writerows(zip(*(column.tolist() for column in history.values()), strict=True))
    with written_whole(path) as file:
        file.write(text.getvalue().encode())


def name(rule: str) -> str:
    return rule if is_gradient(rule) else f"LFP-{rule}"


def title(options: argparse.Namespace) -> str:
    return f"{options.model} ({neurons(options)}) on {Path(options.data).stem}, seed {options.seed}"
