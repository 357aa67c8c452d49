"""The options of lfp-ref train: on the command line, in the grid of a sweep, in a checkpoint."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from lfp_ref import checkpoints, names, rules
from lfp_ref.datasets.augment import AUGMENTATIONS
from lfp_ref.layers.lif import RESETS
from lfp_ref.rules.rule import LEARNING
from lfp_ref.tools.cli.common import DATA, NEURON, is_spiking, is_step

RULES = f"{', '.join([*names.RULES, *names.COMPOSITES])}; epsilon:0.1 sets a rule's number"
# Without --rule. Step activations need a larger stabiliser, because of outputs near the threshold (layers/step.py).
USUAL_RULE, STEP_RULE = "epsilon", "epsilon:0.5"

# Rewards for several classes: all named networks are classifiers. SPIKE_REWARDS are for spiking networks.
SPIKE_REWARDS = ("rate-coded", "spike-counts")
REWARDS = ("softmax", "bounded-softmax", "sigmoid", "correct-class", "misclassification", "maximise", "minimise",
           *SPIKE_REWARDS)  # fmt: skip

# Every option of train and compare, with its value where it is not given: parsers hold none, so what they return was
# given. None: depends on others.
USUAL: dict[str, Any] = {
    "data": "digits", "data_root": None, "validate": False, "limit": None, "augment": None,
    "model": "mlp", "activation": None, "dropout": 0.0, **dict.fromkeys(NEURON),
    "rule": None, "lr": None, "against": None, "gradient_lr": None, "learning": "share", "reward": None,
    "optimizer": "adam", "epochs": 30, "batch_size": None, "clip": None, "reduction": "mean",
    "schedule": "one-cycle", "dtype": "float32", "seed": 0, "out": None, "resume": None,
}  # fmt: skip

# Options that a run goes on with: they stand in its checkpoint.
STORED = ("data", "validate", "limit", "augment", "model", "activation", "dropout", *NEURON, "rule", "learning",
          "reward", "optimizer", "epochs", "batch_size", "clip", "reduction", "schedule", "dtype", "seed")  # fmt: skip


def completed(options: argparse.Namespace) -> argparse.Namespace:
    """The options given, with the usual values of the others."""
    return argparse.Namespace(**USUAL | vars(options))


# ---- types


def at_least(least: int) -> Callable[[str], int]:
    """A type for options: an integer of at least that."""

    def parse(text: str) -> int:
        if not text.lstrip("-").isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be an integer >= {least}, got {text!r}")
        return int(text)

    return parse


def not_empty(text: str) -> str:
    """A type for options: a text; an empty one is most often a variable of the shell that is not set."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def path(text: str) -> Path:
    return Path(not_empty(text))


def data_name(text: str) -> str:
    """A type for options: a data set's name, or an .npz file, absolute, so that a stored run finds it again."""
    if text.endswith(".npz"):
        return str(Path(text).absolute())
    if text not in DATA:
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(DATA)} or an .npz file, got {text!r}")
    return text


def model_name(text: str) -> str:
    """A type for options: a network's name, or a line of layers."""
    try:
        names.network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def augmentations(text: str) -> str:
    """A type for options: names of augmentations, with commas between them."""
    for name in text.split(","):
        if name not in AUGMENTATIONS:
            raise argparse.ArgumentTypeError(f"must be some of {','.join(AUGMENTATIONS)}, got {text!r}")
    return text


# ---- parsers


def training_options(sub: argparse.ArgumentParser) -> None:
    """Adds the options that train and compare share, to a parser without default values."""

    def usual(name: str) -> str:
        return f"({USUAL[name]})"

    sub.add_argument("--data", type=data_name, metavar="NAME",
                     help=f"{', '.join(DATA)}, or your own FILE.npz with arrays x, y {usual('data')}")  # fmt: skip
    sub.add_argument("--data-root", type=not_empty, help="folder of the MNIST or CIFAR files (default: $LFP_REF_DATA "
                     "for mnist; else they are fetched, with the extra data)")  # fmt: skip
    sub.add_argument("--validate", action="store_true", default=argparse.SUPPRESS,
                     help="test on a held-out tenth of the training set: for choosing options")  # fmt: skip
    sub.add_argument("--limit", type=at_least(1), metavar="N", help="train on the first N samples alone (all)")
    sub.add_argument("--augment", type=augmentations, metavar="NAMES",
                     help=f"change training images at random: {','.join(AUGMENTATIONS)} or some (none)")  # fmt: skip
    sub.add_argument("--model", type=model_name, metavar="NAME",
                     help=f"network: {', '.join(names.NETWORKS)}, or a line of layers: 32c3-p2-64c3-p2-120-10 has "
                     "filters of 3 x 3 (32c3+1: padding 1), pools of 2 x 2, dense, 10 outputs "
                     f"{usual('model')}")  # fmt: skip
    sub.add_argument("--activation", type=not_empty, metavar="NAME",
                     help=f"{', '.join(names.ACTIVATIONS)}, negated-... or reflected-...; step:0 sets an activation's "
                     "number, here the output of a silent unit (relu)")  # fmt: skip
    sub.add_argument("--dropout", type=float, metavar="P",
                     help=f"part of the inputs dropped at random while training {usual('dropout')}")  # fmt: skip
    spiking = sub.add_argument_group("spiking networks")
    spiking.add_argument("--steps", type=at_least(1), metavar="T", help="time steps (15)")
    spiking.add_argument("--beta", type=float, help="decay of the membrane potential in a step, 0 to 1 (0.9)")
    spiking.add_argument("--threshold", type=float, help="a neuron spikes above it (1; spiking-vgg, -resnet: 0.3)")
    spiking.add_argument("--reset", choices=RESETS, help="of the membrane after a spike (subtract)")
    spiking.add_argument("--code", choices=("constant", "rate", "latency"), help="what pixels are over time (constant)")
    sub.add_argument("--learning", choices=LEARNING,
                     help=f"where weights take their feedback from {usual('learning')}")  # fmt: skip
    sub.add_argument("--reward", choices=REWARDS, metavar="NAME",
                     help=f"reward of the output: {', '.join(REWARDS)} (softmax; for spikes, rate-coded under LFP, "
                     "spike-counts under gradient rules)")  # fmt: skip
    sub.add_argument("--optimizer", choices=names.OPTIMIZERS, help=usual("optimizer"))
    sub.add_argument("--epochs", type=at_least(1), help=usual("epochs"))
    sub.add_argument("--batch-size", type=at_least(1), help="(32, or 128 from 10,000 training samples on)")
    sub.add_argument("--clip", type=float, help="largest norm of all feedback together (none)")
    sub.add_argument("--reduction", choices=("mean", "sum"), help=f"over the batch {usual('reduction')}")
    sub.add_argument("--schedule", choices=("one-cycle", "constant"), help=usual("schedule"))
    sub.add_argument("--dtype", choices=("float32", "float64"), help=usual("dtype"))
    sub.add_argument("--seed", type=at_least(0), help=f"of initial weights and shuffling {usual('seed')}")


def rule_options(sub: argparse.ArgumentParser) -> None:
    """Adds the options of train's one rule."""
    sub.add_argument("--rule", type=not_empty, help=f"{RULES} ({USUAL_RULE}; with step activations {STEP_RULE})")
    sub.add_argument("--lr", type=float, help="largest learning rate (default: depends on optimiser and rule)")


class StrictParser(argparse.ArgumentParser):
    """A parser for texts of files: no abbreviations, no --help, and ValueError where a command would exit."""

    def __init__(self) -> None:
        super().__init__(allow_abbrev=False, add_help=False, argument_default=argparse.SUPPRESS)
        training_options(self)
        rule_options(self)

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def parsed(settings: dict[str, Any]) -> argparse.Namespace:
    """The options that settings of one run by name mean, as in {"lr": 0.1, "validate": true}. Raises ValueError."""
    arguments = []
    for name, value in settings.items():
        option = f"--{name.replace('_', '-')}"
        if value is not False:
            arguments.append(option if value is True else f"{option}={value}")
    return completed(StrictParser().parse_args(arguments))


# ---- options that are not given


def usual_rule(options: argparse.Namespace) -> str:
    return STEP_RULE if is_step(options) else USUAL_RULE


def usual_reward(options: argparse.Namespace) -> str:
    return SPIKE_REWARDS[is_gradient(options.rule)] if is_spiking(options) else "softmax"


def is_gradient(rule: str) -> bool:
    """Whether the rule of that name is gradient descent, with a surrogate or without."""
    return issubclass(names.RULES.get(rule.partition(":")[0], rules.Rule), rules.Gradient)


# ---- options in a checkpoint


def stored_options(saved: checkpoints.Checkpoint, file: Path) -> argparse.Namespace:
    """The options of a run of lfp-ref train. Raises ValueError where the checkpoint is not one."""
    stored = saved.about.get("options")
    if not isinstance(stored, dict):
        raise ValueError(f"{file} was not written by lfp-ref train; load it with lfp_ref.checkpoints.load")
    missing = [name for name in ("rule", "reward", "lr") if stored.get(name) is None]
    try:
        if missing:
            raise ValueError(f"no {missing[0]}")
        return parsed({name: value for name, value in stored.items() if value is not None})
    except ValueError as error:
        raise ValueError(f"{file} holds options that lfp-ref train does not take: {error}") from None
