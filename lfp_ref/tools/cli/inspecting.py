"""lfp-ref evaluate, lfp-ref explain, lfp-ref balance: accuracy and explanations of a trained network."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

import lfp_ref
from lfp_ref import checkpoints, datasets
from lfp_ref.balance import balance
from lfp_ref.datasets.base import listed
from lfp_ref.explain import explain
from lfp_ref.layers.flatten import Flatten
from lfp_ref.network import Sequential, Spiking
from lfp_ref.tools import figures
from lfp_ref.tools.cli import own_code
from lfp_ref.tools.cli.common import (
    build,
    check_data_root,
    metric_of,
    named_data,
    part_of,
    say,
    score,
    stored_data,
)
from lfp_ref.tools.cli.folders import checkpoint_file, draw
from lfp_ref.tools.cli.options import (
    NUMBER_REWARD,
    RULES,
    add_command,
    data_name,
    not_empty,
    path,
    rule_name,
    stored_options,
)
from lfp_ref.training import evaluate


def add_commands(commands: Any) -> None:
    test = add_command(
        commands, "evaluate", "test a trained network",
        "Accuracy of a checkpoint, with your own data also of each class; R2 where it predicts numbers.", """
Examples:
  lfp-ref evaluate runs/digits-mlp-relu-epsilon-seed0
  lfp-ref evaluate runs/mine --data others.csv
""",
    )  # fmt: skip
    shared_options(test)
    test.set_defaults(command=run_evaluate)

    why = add_command(
        commands, "explain", "show which pixels an output is due to",
        "Heat maps of relevance (LRP) for test samples, one per class, and the balance of each. For points, such as "
        "the lines of a table, the columns of most relevance.", """
Example:
  lfp-ref explain runs/cnn --sample 0 7 --target 3 8 --rule epsilon-plus

A line a map: the output, the relevance of the input, what was kept on the way by which cause, and the residue, which is
rounding.
""",
    )  # fmt: skip
    shared_options(why)
    why.add_argument("--sample", type=int, nargs="+", default=[0], metavar="K", help="test samples (default: 0)")
    why.add_argument("--target", type=not_empty, nargs="+", metavar="CLASS",
                     help="classes to explain, by name (default: all)")  # fmt: skip
    why.add_argument("--rule", type=rule_name, default="epsilon", metavar="NAME", help=f"{RULES} (default: epsilon)")
    why.add_argument("--out", type=path, metavar="FILE", help="PNG file (default: explain.png beside the checkpoint)")
    why.set_defaults(command=run_explain)

    sheet = add_command(
        commands, "balance", "show where the reward goes, layer by layer",
        "What comes into each layer, what is handed on, and what is kept by which cause.", """
Example:
  lfp-ref balance runs/cnn --sample 7 --rule alpha-beta

Columns: came in, the reward of a layer's output; handed on, that of its input; then what the layer kept, by cause:
bias, the share of biases; stabiliser, that of epsilon in the denominator; mask, what the rule hands to nobody;
empty group, where nothing flowed; padding, dropout, statistics and so on, of layers that have them; membrane, of
spiking neurons. residue is what is left over: rounding.
""",
    )  # fmt: skip
    shared_options(sheet)
    sheet.add_argument("--samples", type=int, default=256, metavar="N", help="first N test samples (default: 256)")
    sheet.add_argument("--sample", type=int, metavar="K", help="one of them alone (default: their sum)")
    sheet.add_argument("--rule", type=rule_name, metavar="NAME", help=f"{RULES} (default: the run's own)")
    sheet.add_argument("--out", type=path, metavar="FILE", help="PNG file (default: balance.png beside the checkpoint)")
    sheet.set_defaults(command=run_balance)


def shared_options(sub: argparse.ArgumentParser) -> None:
    """Adds the options that all three commands share."""
    sub.add_argument(
        "checkpoint", type=not_empty, metavar="RUN",
        help="the folder of a run, a checkpoint file, or an .onnx or .nir file",
    )  # fmt: skip
    sub.add_argument("--data", type=data_name, metavar="DATA",
                     help="other data than the run's own, of the same shape and with classes of the same names, as in "
                     "train; of a file or folder, all samples")  # fmt: skip
    sub.add_argument("--data-root", type=not_empty, metavar="FOLDER",
                     help="of the MNIST or CIFAR files (default: as train)")  # fmt: skip


NETWORKS = (".onnx", ".nir")  # files that hold a network, and no data or options


def loaded_network(file: Path) -> Sequential:
    """The network of an .onnx or .nir file."""
    return lfp_ref.onnx.load(file) if file.suffix == ".onnx" else lfp_ref.nir.load(file)


def network_and_data(options: argparse.Namespace) -> tuple[Sequential, datasets.Dataset, argparse.Namespace]:
    """As stored_run, of an .onnx or .nir file, whose data are those named.

    Raises ValueError without data, and where the network does not take them.
    """
    if options.data is None:
        raise ValueError(f"{options.checkpoint} does not say what its data are: name them with --data")
    check_data_root(options.data, options)
    stored = argparse.Namespace(data_root=options.data_root, seed=0, rule="epsilon", task=None, validate=False)
    data = named_data(options.data, stored)
    say(data.notes)
    stored.reward = NUMBER_REWARD if data.is_regression else "softmax"
    net = loaded_network(Path(options.checkpoint))
    if net.input_shape == (math.prod(data.input_shape),) != data.input_shape:
        if isinstance(net, Spiking):
            net = Spiking(Flatten(), *net.layers, steps=net.steps, inputs=net.inputs)
        else:
            net = Sequential({"flatten_input": Flatten(), "network": net})
    elif net.input_shape != data.input_shape:
        raise ValueError(f"this network takes samples {net.input_shape}, {data.name} has {data.input_shape}")
    if isinstance(net, Spiking) and net.inputs == "given":  # samples have no time: they are shown unchanged
        net = Spiking(*net.layers, steps=net.steps)
    if not len(data.x_test):
        raise ValueError(f"{data.name} has no test samples")
    outputs = net.forward(data.x_test[:1]).shape[-1]
    if outputs != data.outputs:
        wanted = "a number to predict" if data.is_regression else f"{data.classes} classes"
        raise ValueError(f"this network has {outputs} outputs, {data.name} has {wanted}")
    return net, data, stored


def stored_run(options: argparse.Namespace) -> tuple[Sequential, datasets.Dataset, argparse.Namespace]:
    """The trained network of a checkpoint (a file, or the folder of a run), its data or those named, its options.

    Raises ValueError where the network does not take the data, or there are no test samples.
    """
    file = checkpoint_file(options.checkpoint)
    saved = checkpoints.load(file)
    stored = stored_options(saved, file)
    stored.data_root = options.data_root
    check_data_root(options.data or stored.data, options)
    own = stored_data(stored, saved)
    net = build(stored, own)
    net.load_state_dict(saved.net)
    checkpoints.restore_random(saved, net)  # a rate code then draws what it drew after training
    other = other_data(options.data, own, stored) if options.data else own
    if not len(other.x_test):
        raise ValueError(f"{other.name} has no test samples")
    return net, other, stored


def other_data(name: str, own: datasets.Dataset, stored: argparse.Namespace) -> datasets.Dataset:
    """The data of that name, scaled and labelled as a run's own; of another file than the run's, all samples.

    Raises ValueError where they do not fit the run's.
    """
    if name == stored.data:
        return own
    if own.is_regression:
        stored.task = "regression"
    other = named_data(name, stored, whole=True)
    say(other.notes)
    if own.columns and other.columns and own.columns != other.columns:
        raise ValueError(f"{name} has the columns {listed(other.columns)}, the run's data {listed(own.columns)}")
    if (own.class_names or other.class_names) and not own.is_regression:
        other = other.relabelled(own.names)
    if (other.input_shape, other.outputs) != (own.input_shape, own.outputs):
        raise ValueError(f"this network takes samples {own.input_shape} of {own.outputs} classes, "
                         f"{name} has {other.input_shape} of {other.outputs}")  # fmt: skip
    return other if own.scaling is None else other.scaled(own.scaling)


def tested(options: argparse.Namespace) -> tuple[Sequential, datasets.Dataset, argparse.Namespace]:
    """The network of a checkpoint or of another kind of file, its data or those named, its options."""
    return network_and_data(options) if Path(options.checkpoint).suffix in NETWORKS else stored_run(options)


def run_evaluate(options: argparse.Namespace) -> None:
    net, data, stored = tested(options)
    part = "test" if options.data else part_of(stored)
    print(f"{part} {score(evaluate(net, data, metric_of(data)), data)} on {len(data.x_test)} samples of {data.name}")
    wide = max(map(len, data.class_names), default=0)
    for label, name in enumerate(data.class_names):
        chosen = data.y_test == label
        if chosen.any():
            print(
                f"  {name:{wide}s} {evaluate(net, (data.x_test[chosen], data.y_test[chosen])):7.2%} of {chosen.sum()}"
            )


def run_explain(options: argparse.Namespace) -> None:
    net, data, _ = tested(options)
    if wrong := [k for k in options.sample if not 0 <= k < len(data.x_test)]:
        raise ValueError(f"--sample must be in 0..{len(data.x_test) - 1}, got {wrong[0]}")
    names = ("prediction",) if data.is_regression else data.names
    if unknown := [name for name in options.target or () if name not in names]:
        known = f"one of {listed(names)}" if data.class_names or data.is_regression else f"in 0..{data.classes - 1}"
        raise ValueError(f"--target must be {known}, got {unknown[0]}")
    targets = [names.index(name) for name in options.target or names]
    if len(data.input_shape) != 3 and options.out:
        raise ValueError(f"--out is for heat maps of images; samples of {data.name} have shape {data.input_shape}")
    rule = own_code.rule(options.rule, net)
    labels = [target_name(y, data) for y in data.y_test[options.sample]]
    x = np.repeat(data.x_test[options.sample], len(targets), axis=0)
    asked = np.tile(targets, len(options.sample))
    relevance = explain(net, x, asked, rule)
    sheet = balance(net)
    captions = []
    for k in range(len(x)):
        sample, target = options.sample[k // len(targets)], asked[k]
        kept = sheet.came[k] - sheet.handed[k] - sheet.residue[k]
        parts = [f"input {sheet.handed[k]:.4f}", *(f"{cause} {sheet.kept(cause)[k]:.4f}" for cause in sheet.causes)]
        print(f"sample {sample} (label {labels[k // len(targets)]}), output {names[target]} = {sheet.came[k]:.4f}: "
              + ", ".join([*parts, f"residue {sheet.residue[k]:.0e}"]))  # fmt: skip
        if relevance.ndim == 2:
            print(f"  {by_column(relevance[k], data.columns)}")
        captions.append(f"{sheet.came[k]:.2f} = {sheet.handed[k]:.2f} {'-' if kept < 0 else '+'} {abs(kept):.2f}")
    if relevance.ndim == 2:
        return
    rows = [f"sample {sample}\nlabel {label}" for sample, label in zip(options.sample, labels, strict=True)]
    shape = (len(options.sample), len(targets))
    maps = relevance.sum(axis=1).reshape(*shape, *data.input_shape[1:])
    out = options.out or beside(options.checkpoint, "explain.png")
    images = data.x_test[options.sample]
    heading = f"relevance under {options.rule}, by class; below: output = input's relevance + kept on the way"
    columns = [names[target] if data.class_names or data.is_regression else f"class {target}" for target in targets]
    said = draw(out, figures.relevance, images, maps, rows, columns, np.reshape(captions, shape), heading)
    print(f"in {out.parent}: {said.removeprefix(', ')}")


def target_name(y: Any, data: datasets.Dataset) -> str:
    """The class of a sample, or the number to predict, in its own unit and as the network sees it."""
    if not data.is_regression:
        return data.names[y]
    return f"{data.scaling.unscale_y(float(y)):.4g}, scaled {y:.4f}" if data.scaling else f"{y:.4g}"


def by_column(relevance: np.ndarray, columns: tuple[str, ...], most: int = 10) -> str:
    """The largest relevances (I,) of one sample, each with the name of its column, or its number from 1."""
    largest = np.argsort(-np.abs(relevance), kind="stable")
    names = columns or tuple(str(k + 1) for k in range(len(relevance)))
    return listed([f"{names[k]} {relevance[k]:.4f}" for k in largest], most)


def run_balance(options: argparse.Namespace) -> None:
    net, data, stored = tested(options)
    name = options.rule or stored.rule
    x, y = data.x_test[: options.samples], data.y_test[: options.samples]
    if options.samples < 1 or (options.sample is not None and not 0 <= options.sample < len(x)):
        raise ValueError(f"--samples must be at least 1 and --sample below it, got {options.samples}, {options.sample}")
    outputs = net.forward(x)
    net.feedback(own_code.reward(stored.reward)(outputs, y), own_code.rule(name, net))
    sheet = balance(net)
    of = f"sample {options.sample}" if options.sample is not None else f"the sum over {len(x)} samples"
    print(f"reward {stored.reward}, rule {name}, {of} of {data.name}\n\n{sheet.table(options.sample)}\n")
    out = options.out or beside(options.checkpoint, "balance.png")
    heading = f"Where the reward goes: {stored.reward} reward, {name}, {of}"
    said = draw(out, figures.balance, sheet, options.sample, heading)
    print(f"in {out.parent}: {said.removeprefix(', ')}")


def beside(checkpoint: str, file: str) -> Path:
    """A file in the folder of the checkpoint."""
    return (Path(checkpoint) if Path(checkpoint).is_dir() else Path(checkpoint).parent) / file
