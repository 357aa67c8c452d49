"""lfp-ref train, and the training run that other commands share."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref import checkpoints, datasets, names, optim, rewards, rules
from lfp_ref.composites import Composite
from lfp_ref.core.assignment import resolve
from lfp_ref.core.checks import check_number
from lfp_ref.datasets.augment import AUGMENTATIONS
from lfp_ref.datasets.base import listed
from lfp_ref.datasets.scaling import uneven
from lfp_ref.files import locked
from lfp_ref.network import Sequential
from lfp_ref.rewards import name_of
from lfp_ref.run import History, Position
from lfp_ref.tools import figures
from lfp_ref.tools.cli import own_code
from lfp_ref.tools.cli.common import (
    Progress,
    about_data,
    about_part,
    build,
    check_data_root,
    is_spiking,
    is_step,
    load_data,
    metric_of,
    neurons,
    part_of,
    progress,
    say,
    score,
    stored_data,
)
from lfp_ref.tools.cli.folders import checkpoint_file, draw_if_possible, new_folder
from lfp_ref.tools.cli.histories import COLUMNS, named_columns, run_label, run_title, write_history
from lfp_ref.tools.cli.options import (
    NUMBER_REWARD,
    SPIKE_REWARDS,
    STORED,
    add_command,
    completed,
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
GOING_ON = ("data_root", "epochs", "quiet", "json")  # options that may be given with --resume
MOST_GROWTH = 1000  # of the largest weight: an MLP on the digits reached less at rates that learn, more at 1e9


def add_commands(commands: Any) -> None:
    bare = {"argument_default": argparse.SUPPRESS}
    one = add_command(
        commands, "train", "train a network", "Train a network; by default an MLP on digits.", f"""
Examples:
  lfp-ref train
  lfp-ref train --data mine.csv --standardise --model 64-32-3
  lfp-ref train --data pictures --model small-cnn --epochs 20 --out runs/mine
  lfp-ref train --resume runs/mine --epochs 60
{COLUMNS}""", **bare,
    )  # fmt: skip
    training_options(one)
    rule_options(one)
    one.add_argument("--out", type=path, metavar="FOLDER", help="for results (default: a new one below runs/)")
    one.add_argument("--resume", type=not_empty, metavar="FOLDER",
                     help="go on with the run in this folder, with its own options; more --epochs go on with a "
                     "finished one")  # fmt: skip
    one.add_argument("--quiet", action="store_true", help="the result alone, no line an epoch")
    one.add_argument("--json", action="store_true", help="the result, options and history as one JSON object")
    one.set_defaults(command=run_train)


@dataclass
class Plan:
    """All that a run trains with: made, and so checked, before anything is written. lr: the largest learning rate."""

    options: argparse.Namespace
    data: datasets.Dataset
    net: Sequential
    rule: rules.Rule | Composite
    reward: rewards.Reward
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
    rule = own_code.short(options.rule)
    name_of_run = [Path(options.data).stem, options.model, neurons(options), rule, f"seed{options.seed}"]
    with new_folder(options.out, "-".join(name_of_run)) as folder:
        given.out = folder
        train_into(folder, plan, folder / "checkpoint.npz")


def go_on(given: argparse.Namespace) -> None:
    """Goes on with a stored run, whose options replace the command line's, which may set the number of epochs alone."""
    if own := [name for name in vars(given) if name not in ("command", "resume", *GOING_ON)]:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in own)
        raise ValueError(f"a run goes on with its own options, but for --epochs: leave out {named}")
    file = checkpoint_file(given.resume)
    saved = checkpoints.load(file)
    options = stored_options(saved, file)
    position, before = Position.stored(saved, file), options.epochs
    begun = position.epoch + (position.step > 0)
    for name in GOING_ON:
        setattr(options, name, vars(given).get(name, getattr(options, name)))
    given.out = file.parent
    notes = []
    if "epochs" in vars(given) and options.epochs < begun:
        raise ValueError(f"--epochs must be >= {begun}, which are done or begun, got {options.epochs}")
    if options.epochs <= position.epoch:
        notes.append(f"this run is complete: it had its {before} epochs; --epochs with a larger number goes on with it")
    elif options.epochs != before and options.schedule == "one-cycle":
        notes.append(f"from here on, the learning rate is that of one cycle over {options.epochs} epochs, not {before}")
    check_data_root(options.data, options)
    data = stored_data(options, saved)
    plan = planned(options, data)
    begun_with = about_part(saved, "code")
    notes += [f"{code} has changed since the run began"
              for code, checksum in about(plan)["code"].items() if begun_with.get(code) != checksum]  # fmt: skip
    say(notes)
    with locked(file.parent):
        train_into(file.parent, plan, file, resume=True)


def train_into(folder: Path, plan: Plan, file: Path, resume: bool = False) -> None:
    """Trains, and leaves a checkpoint, a history and a picture in a folder."""
    options, data = plan.options, plan.data
    history = run(plan, file, nothing_shown if options.quiet or options.json else progress, resume=resume)
    columns = named_columns(history, options)
    write_history(folder / "history.csv", columns)
    rule = {run_label(options.rule): columns}
    picture = draw_if_possible(folder / "curves.png", figures.curves, rule, run_title(options))
    value = evaluate(plan.net, data, metric_of(data)) if len(data.x_test) else math.nan
    if options.json:
        print(json.dumps(as_json(folder / file.name, value, plan, columns)))
    else:
        result = f"{part_of(options)} {score(value, data)} on {len(data.x_test)}" if len(data.x_test) else "no test"
        print(f"{'' if options.quiet else chr(10)}{result} samples of {data.name}")
        print(f"in {folder}: {file.name}, history.csv{picture}")
    plan.check_growth()


def as_json(file: Path, value: float, plan: Plan, columns: History) -> dict[str, Any]:
    """The result of a run for other programs; None stands for NaN."""
    metric = name_of(metric_of(plan.data))
    return {
        "checkpoint": str(file),
        f"{part_of(plan.options)}_{metric}": None if math.isnan(value) else value,
        "samples": len(plan.data.x_test),
        "classes": list(plan.data.class_names) or None,
        "options": about(plan)["options"],
        "history": {name: [None if number != number else number for number in column.tolist()]
                    for name, column in columns.items()},
    }  # fmt: skip


# ---- a run, of train and of compare


def data_to_train_on(options: argparse.Namespace) -> datasets.Dataset:
    """The data that the options describe; says how they were read, and what cannot be learned from them.

    Raises ValueError where the training part has one class only.
    """
    check_data_root(options.data, options)
    data = load_data(options)
    notes = list(data.notes)
    if data.notes and not options.standardise and (note := uneven(data.x_train)):
        notes.append(note)
    if not data.is_regression:
        seen = np.unique(data.y_train)
        if len(seen) == 1:
            raise ValueError(f"the training part of {data.name} has one class only, {data.names[seen[0]]}: there is "
                             "nothing to tell apart")  # fmt: skip
        if unseen := [name for label, name in enumerate(data.names) if label not in seen]:
            notes.append(f"no training sample of class {listed(unseen)}: its outputs stay untrained")
    elif data.scaling and data.scaling.y:
        mean, deviation = data.scaling.y
        notes.append(f"targets are scaled to mean 0 and deviation 1 (they are {mean:.4g} and {deviation:.4g})")
    say(notes)
    return data


def planned(options: argparse.Namespace, data: datasets.Dataset) -> Plan:
    """The run that the options describe; options that depend on others are filled in.

    Raises ValueError for options that make no sense, alone or together, with these data.
    """
    net = build(options, data)
    options.rule = options.rule or usual_rule(options)
    options.reward = options.reward or usual_reward(options, data.is_regression)
    if not own_code.is_own(options.reward):
        if is_spiking(options) != (options.reward in SPIKE_REWARDS):
            raise ValueError(f"--reward {options.reward} is not for the outputs of {options.model}")
        if data.is_regression != (options.reward == NUMBER_REWARD):
            targets = "numbers to predict" if data.is_regression else "classes"
            raise ValueError(f"--reward {options.reward} is not for {targets}, which {data.name} has")
    reward = own_code.reward(options.reward)
    if own_code.is_gradient(options.rule) and options.learning != "share":
        raise ValueError(f"--learning {options.learning} is for LFP rules, not for {options.rule}")
    rule = own_code.rule(options.rule, net, options.learning)
    resolve(rule, net)
    check_reward(reward, rule)
    if options.clip is not None:
        check_number("--clip", options.clip, 0)
    kind = "sgd" if options.optimizer == "sgd" else "adam"
    usual = LEARNING_RATES[spiking_kind(options) if is_spiking(options) else "step" if is_step(options) else kind]
    if options.lr is None and (is_spiking(options) or is_step(options)) and kind == "sgd":
        of = options.model if is_spiking(options) else "step activations"
        raise ValueError(f"no learning rate is known to suit sgd on {of}: choose one with --lr")
    lr = options.lr if options.lr is not None else usual[rules.is_gradient(rule)]
    more = {"momentum": 0.9} if kind == "sgd" else {}
    if options.weight_decay is not None:
        more["weight_decay"] = check_number("--weight-decay", options.weight_decay, 0)
    optimizer = names.OPTIMIZERS[options.optimizer](net.parameters(), lr, **more)
    return Plan(options, data, net, rule, reward, optimizer, lr)


def about(plan: Plan) -> dict[str, Any]:
    """What a run's checkpoint holds besides its state: options, and what was made of the data."""
    return {"options": {key: getattr(plan.options, key) for key in STORED} | {"lr": plan.lr},
            "data": about_data(plan.data),
            "code": own_code.fingerprints(plan.options.rule, plan.options.reward)}  # fmt: skip


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
    with shown() as (on_step, log):
        if log:
            log(f"{options.model} ({neurons(options)}) on {data.name}: rule {options.rule}, reward {options.reward}, "
                f"{options.optimizer} {lr:g}, batches of {batch_size}")  # fmt: skip
        return train(
            plan.net, data, optimizer=plan.optimizer, epochs=options.epochs, rule=plan.rule, reward=plan.reward,
            batch_size=batch_size, reduction=options.reduction, clip=options.clip, metric=metric_of(data),
            augment=augment, seed=options.seed,
            schedule=optim.one_cycle(lr, steps) if options.schedule == "one-cycle" else None,
            checkpoint=checkpoint, resume=resume, about=about(plan), on_step=on_step,
            log=log and (lambda line: log(line.replace("  test ", f"  {part_of(options)} "))),
        )  # fmt: skip


def nothing_shown() -> AbstractContextManager[Progress]:
    """No progress at all, in place of `progress`."""
    return nullcontext((None, None))


def spiking_kind(options: argparse.Namespace) -> str:
    """The spiking network whose learning rates a spiking network takes."""
    return options.model if options.model in LEARNING_RATES else "spiking-cnn"
