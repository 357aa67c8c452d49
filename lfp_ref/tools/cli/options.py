"""The options of lfp-ref train: on the command line, in the grid of a sweep, in a checkpoint."""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from lfp_ref import checkpoints, names
from lfp_ref.datasets.augment import AUGMENTATIONS
from lfp_ref.datasets.own import SUFFIXES, TASKS
from lfp_ref.layers.lif import RESETS
from lfp_ref.rules.rule import LEARNING
from lfp_ref.tools.cli import own_code
from lfp_ref.tools.cli.common import DATA, NEURON, is_spiking, is_step, split_column

RULES = f"{', '.join([*names.RULES, *names.COMPOSITES])}; epsilon:0.1 sets a rule's number; your own: FILE.py:NAME"
# Without --rule. Step activations need a larger stabiliser, because of outputs near the threshold (layers/step.py).
USUAL_RULE, STEP_RULE = "epsilon", "epsilon:0.5"

# Rewards for several classes, for the spikes of spiking networks, and for numbers to predict.
SPIKE_REWARDS, NUMBER_REWARD = ("rate-coded", "spike-counts"), "squared-error"
REWARDS = ("softmax", "bounded-softmax", "sigmoid", "correct-class", "misclassification", "maximise", "minimise",
           *SPIKE_REWARDS, NUMBER_REWARD)  # fmt: skip

# Every option of train and compare, with its value where it is not given: parsers hold none, so what they return was
# given. None: depends on others.
USUAL: dict[str, Any] = {
    "data": "digits", "data_root": None, "task": None, "standardise": False, "validate": False, "limit": None,
    "augment": None,
    "model": "mlp", "activation": None, "dropout": 0.0, **dict.fromkeys(NEURON),
    "rule": None, "lr": None, "against": None, "gradient_lr": None, "learning": "share", "reward": None,
    "optimizer": "adam", "weight_decay": None, "epochs": 30, "batch_size": None, "clip": None, "reduction": "mean",
    "schedule": "one-cycle", "dtype": "float32", "seed": 0, "out": None, "resume": None,
    "quiet": False, "json": False,
}  # fmt: skip

# Options that a run goes on with: they stand in its checkpoint.
STORED = ("data", "task", "standardise", "validate", "limit", "augment", "model", "activation", "dropout", *NEURON,
          "rule", "learning", "reward", "optimizer", "weight_decay", "epochs", "batch_size", "clip", "reduction",
          "schedule", "dtype", "seed")  # fmt: skip


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
    """A type for options: a data set's name, or own data, absolute, so that a stored run finds them again."""
    if text in DATA:
        return text
    file, column = split_column(text)
    if column == "":
        raise argparse.ArgumentTypeError(f"must have the name of a column behind the colon, got {text!r}")
    if not file.lower().endswith(SUFFIXES) and os.sep not in file and not (file and Path(file).is_dir()):
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(DATA)}, a file that ends in .npz or .csv, or a folder of pictures, got {text!r}"
        )
    return str(Path(file).absolute()) + (f":{column}" if column else "")


def model_name(text: str) -> str:
    """A type for options: a network's name, or a line of layers."""
    try:
        names.network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def rule_name(text: str) -> str:
    """A type for options: a rule's name, which is looked up when there is a network, or FILE.py:NAME."""
    return own_code.absolute(text) if own_code.is_own(text) else not_empty(text)


def reward_name(text: str) -> str:
    """A type for options: a reward's name, or FILE.py:NAME."""
    if own_code.is_own(text):
        return own_code.absolute(text)
    if text not in REWARDS:
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(REWARDS)} or FILE.py:NAME, got {text!r}")
    return text


def augmentations(text: str) -> str:
    """A type for options: names of augmentations, with commas between them."""
    for name in text.split(","):
        if name not in AUGMENTATIONS:
            raise argparse.ArgumentTypeError(f"must be some of {','.join(AUGMENTATIONS)}, got {text!r}")
    return text


# ---- parsers


class Help(argparse.HelpFormatter):
    """Help of 80 columns at most; names with hyphens stay whole, as do indented lines, which are to be copied."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=22, width=min(80, shutil.get_terminal_size().columns) - 1)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for is_prose, block in itertools.groupby(text.splitlines(), lambda line: line[:1].strip() != ""):
            several = list(block)
            lines += textwrap.wrap(" ".join(several), width, break_on_hyphens=False) if is_prose else several
        return "\n".join(indent + line for line in lines)


def add_command(commands: Any, name: str, summary: str, text: str, end: str, **options: Any) -> argparse.ArgumentParser:
    """A command's parser. summary: in the list of commands. text, end: before and after its options in its own help."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=text, epilog=end.strip("\n"), formatter_class=Help, **options
    )
    return parser


def usual(name: str) -> str:
    """An option's value where it is not given, for its help."""
    return f"(default: {USUAL[name]})"


def training_options(sub: argparse.ArgumentParser) -> None:
    """Adds the options that train and compare share, to a parser without default values."""
    data = sub.add_argument_group("data")
    data.add_argument("--data", type=data_name, metavar="DATA",
                      help=f"{', '.join(DATA)}; or your own: FILE.npz with arrays x and y, FILE.csv (the last column "
                      "is the target, or the one named: FILE.csv:COLUMN), or a folder with a folder of pictures for "
                      f"each class {usual('data')}")  # fmt: skip
    data.add_argument("--data-root", type=not_empty, metavar="FOLDER",
                      help="of the MNIST or CIFAR files (default: $LFP_REF_DATA for mnist; else they are fetched, with "
                      "the extra data)")  # fmt: skip
    data.add_argument("--task", choices=TASKS, metavar="TASK",
                      help="classification or regression, of your own data (default: classification if targets are "
                      "text or whole numbers)")  # fmt: skip
    data.add_argument("--standardise", action="store_true", default=argparse.SUPPRESS,
                      help="scale each column (of images, each channel) to mean 0 and deviation 1 of the training "
                      "part")  # fmt: skip
    data.add_argument("--validate", action="store_true", default=argparse.SUPPRESS,
                      help="test on a held-out tenth of the training set: for choosing options")  # fmt: skip
    data.add_argument(
        "--limit", type=at_least(1), metavar="N", help="train on the first N samples alone (default: all)"
    )
    data.add_argument("--augment", type=augmentations, metavar="NAMES",
                      help=f"change training images at random: {','.join(AUGMENTATIONS)} or some "
                      "(default: none)")  # fmt: skip
    net = sub.add_argument_group("network")
    net.add_argument("--model", type=model_name, metavar="NAME",
                     help=f"{', '.join(names.NETWORKS)}; or a line of layers: 300-100-10 has two dense layers and 10 "
                     "outputs, 32c3-p2-64c3-p2-120-10 also filters of 3 x 3 (32c3+1: padding 1) and pools of 2 x 2 "
                     f"{usual('model')}")  # fmt: skip
    net.add_argument("--activation", type=not_empty, metavar="NAME",
                     help=f"{', '.join(names.ACTIVATIONS)}, negated-... or reflected-...; step:0 sets an activation's "
                     "number, here the output of a silent unit (default: relu; of vit networks gelu)")  # fmt: skip
    net.add_argument("--dropout", type=float, metavar="P",
                     help=f"part of the inputs dropped at random while training {usual('dropout')}")  # fmt: skip
    spiking = sub.add_argument_group("spiking networks")
    spiking.add_argument("--steps", type=at_least(1), metavar="T", help="time steps (default: 15)")
    spiking.add_argument("--beta", type=float, metavar="B",
                         help="decay of the membrane potential in a step, 0 to 1 (default: 0.9)")  # fmt: skip
    spiking.add_argument("--threshold", type=float, metavar="U",
                         help="a neuron spikes above it (default: 1; of spiking-vgg, spiking-resnet 0.3)")  # fmt: skip
    spiking.add_argument("--reset", choices=RESETS, help="of the membrane after a spike (default: subtract)")
    spiking.add_argument("--code", choices=("constant", "rate", "latency"),
                         help="pixels over time (default: constant)")  # fmt: skip
    training = sub.add_argument_group("training")
    training.add_argument("--learning", choices=LEARNING,
                          help=f"where weights take their feedback from {usual('learning')}")  # fmt: skip
    training.add_argument("--reward", type=reward_name, metavar="NAME",
                          help=f"of the output: {', '.join(REWARDS)}; your own: FILE.py:NAME (default: softmax; for "
                          "numbers squared-error; for spikes rate-coded under LFP, spike-counts under gradient "
                          "rules)")  # fmt: skip
    training.add_argument("--optimizer", choices=names.OPTIMIZERS, help=usual("optimizer"))
    training.add_argument("--weight-decay", type=float, metavar="D",
                          help="pull of each weight towards 0, in proportion to it (default: 0; of adamw "
                          "0.01)")  # fmt: skip
    training.add_argument("--epochs", type=at_least(1), metavar="N", help=usual("epochs"))
    training.add_argument("--batch-size", type=at_least(1), metavar="N",
                          help="(default: 32; from 10,000 training samples on 128)")  # fmt: skip
    training.add_argument("--clip", type=float, metavar="NORM",
                          help="largest norm of all feedback together (default: none)")  # fmt: skip
    training.add_argument("--reduction", choices=("mean", "sum"), help=f"over the batch {usual('reduction')}")
    training.add_argument("--schedule", choices=("one-cycle", "constant"),
                          help=f"of the learning rate {usual('schedule')}")  # fmt: skip
    training.add_argument("--dtype", choices=("float32", "float64"), help=usual("dtype"))
    training.add_argument("--seed", type=at_least(0), metavar="N",
                          help=f"of initial weights and shuffling {usual('seed')}")  # fmt: skip


def rule_options(sub: argparse.ArgumentParser) -> None:
    """Adds the options of train's one rule."""
    rule = sub.add_argument_group("rule")
    rule.add_argument("--rule", type=rule_name, metavar="NAME",
                      help=f"{RULES} (default: {USUAL_RULE}; with step activations {STEP_RULE})")  # fmt: skip
    rule.add_argument("--lr", type=float, metavar="RATE",
                      help="largest learning rate (default: depends on optimiser and rule)")  # fmt: skip


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


def usual_reward(options: argparse.Namespace, is_regression: bool) -> str:
    if is_spiking(options):
        return SPIKE_REWARDS[own_code.is_gradient(options.rule)]
    return NUMBER_REWARD if is_regression else "softmax"


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
