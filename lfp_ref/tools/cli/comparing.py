"""lfp-ref compare: the same network trained by LFP and by gradient descent."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.rewards import name_of
from lfp_ref.tools import figures
from lfp_ref.tools.cli import own_code, training
from lfp_ref.tools.cli.common import is_spiking, is_step, metric_of, neurons, part_of
from lfp_ref.tools.cli.folders import draw_if_possible, new_folder
from lfp_ref.tools.cli.histories import COLUMNS, named_columns, run_label, run_title, write_history
from lfp_ref.tools.cli.options import (
    RULES,
    STEP_RULE,
    USUAL_RULE,
    add_command,
    completed,
    path,
    rule_name,
    training_options,
    usual_rule,
)


def add_commands(commands: Any) -> None:
    both = add_command(
        commands, "compare", "train with LFP and with gradient descent",
        "Same network, seed and data, two rules. Spikes have no gradient: a surrogate's is taken.", f"""
Example:
  lfp-ref compare --data mnist --model lenet --epochs 5
{COLUMNS}""", argument_default=argparse.SUPPRESS,
    )  # fmt: skip
    training_options(both)
    both.add_argument("--rule", type=rule_name, metavar="NAME",
                      help=f"compared with gradient descent: {RULES} (default: {USUAL_RULE}; with step activations "
                      f"{STEP_RULE})")  # fmt: skip
    both.add_argument("--against", type=rule_name, metavar="NAME",
                      help="gradient, or with a surrogate for steps and spikes atan-surrogate, fast-sigmoid-surrogate "
                      "or straight-through (default: gradient; with step activations straight-through, for spiking "
                      "networks atan-surrogate)")  # fmt: skip
    both.add_argument("--lr", type=float, metavar="RATE",
                      help="largest learning rate of LFP (default: depends on the optimiser)")  # fmt: skip
    both.add_argument("--gradient-lr", type=float, metavar="RATE",
                      help="largest learning rate of gradient descent (default: likewise)")  # fmt: skip
    both.add_argument("--out", type=path, metavar="FOLDER", help="for results (default: a new one below runs/)")
    both.set_defaults(command=run_compare)


def run_compare(given: argparse.Namespace) -> None:
    options = completed(given)
    options.rule = options.rule or usual_rule(options)
    by_neurons = "atan-surrogate" if is_spiking(options) else "straight-through" if is_step(options) else "gradient"
    against = options.against or by_neurons
    if own_code.is_gradient(options.rule) or not own_code.is_gradient(against):
        raise ValueError("compare trains by an LFP rule (--rule) and by a gradient rule (--against)")
    data = training.data_to_train_on(options)
    usual = vars(options)
    others = {"rule": against, "lr": options.gradient_lr, "learning": "share"}
    plans = [training.planned(argparse.Namespace(**each), data) for each in (usual, usual | others)]
    name_of_run = ["compare", Path(options.data).stem, options.model, neurons(options), f"seed{options.seed}"]
    with new_folder(options.out, "-".join(name_of_run)) as folder:
        histories = {}
        for plan in plans:
            rule = plan.options.rule
            print(f"{run_label(rule)}:", flush=True)
            file = own_code.short(rule).partition(":")[0]
            histories[run_label(rule)] = named_columns(training.run(plan, folder / f"{file}.npz"), options)
            write_history(folder / f"{file}.csv", histories[run_label(rule)])
        picture = draw_if_possible(folder / "compare.png", figures.curves, histories, run_title(options))
        tested, trained = (f"{part}_{name_of(metric_of(data))}" for part in (part_of(options), "train"))
        kind = ".4f" if data.is_regression else ".2%"
        wide = max(14, len(tested) + 1)
        print(f"\n{'':18s}{tested.replace('_', ' '):>{wide}s}  {trained.replace('_', ' '):>14s}  untouched  "
              "seconds an epoch")  # fmt: skip
        for label, history in histories.items():
            print(f"{label:18s}{history[tested][-1]:{wide}{kind}}  {history[trained][-1]:14{kind}}  "
                  f"{history['untouched'][-1]:9.1%}  {np.median(history['seconds']):16.3f}")  # fmt: skip
        print(f"in {folder}: a checkpoint and a history each{picture}")
    for plan in plans:
        plan.check_growth()
