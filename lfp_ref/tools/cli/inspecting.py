"""lfp-ref evaluate, lfp-ref explain, lfp-ref balance: accuracy and explanations of a trained network."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

import lfp_ref
from lfp_ref import checkpoints, datasets, names
from lfp_ref.balance import balance
from lfp_ref.explain import explain
from lfp_ref.layers.flatten import Flatten
from lfp_ref.network import Sequential, Spiking
from lfp_ref.tools import figures
from lfp_ref.tools.cli.common import build, check_data_root, load_data, named_data
from lfp_ref.tools.cli.folders import checkpoint_file, draw
from lfp_ref.tools.cli.options import RULES, data_name, not_empty, path, stored_options
from lfp_ref.training import evaluate


def add_commands(commands: Any) -> None:
    test = commands.add_parser("evaluate", help="test a trained network", description="Accuracy of a checkpoint.")
    shared_options(test)
    test.set_defaults(command=run_evaluate)

    why = commands.add_parser(
        "explain",
        help="show which pixels an output is due to",
        description="Heat maps of relevance (LRP) for test samples, one per class, and the balance of each.",
    )
    shared_options(why)
    why.add_argument("--sample", type=int, nargs="+", default=[0], metavar="K", help="test samples (%(default)s)")
    why.add_argument("--target", type=int, nargs="+", metavar="CLASS", help="classes to explain (default: all)")
    why.add_argument("--rule", type=not_empty, default="epsilon", help=f"{RULES} (%(default)s)")
    why.add_argument("--out", type=path, help="PNG file (default: explain.png beside the checkpoint)")
    why.set_defaults(command=run_explain)

    sheet = commands.add_parser(
        "balance",
        help="show where the reward goes, layer by layer",
        description="What comes into each layer, what is handed on, and what is kept by which cause.",
    )
    shared_options(sheet)
    sheet.add_argument("--samples", type=int, default=256, metavar="N", help="first N test samples (%(default)s)")
    sheet.add_argument("--sample", type=int, metavar="K", help="one of them alone (default: their sum)")
    sheet.add_argument("--rule", type=not_empty, help=f"{RULES} (default: the run's own)")
    sheet.add_argument("--out", type=path, help="PNG file (default: balance.png beside the checkpoint)")
    sheet.set_defaults(command=run_balance)


def shared_options(sub: argparse.ArgumentParser) -> None:
    """Adds the options that all three commands share."""
    sub.add_argument(
        "checkpoint", type=not_empty, help="a checkpoint file, the folder of a run, or an .onnx or .nir file"
    )
    sub.add_argument("--data", type=data_name, metavar="NAME", help="other data than the run's own, of the same shape")
    sub.add_argument("--data-root", type=not_empty, help="folder of the MNIST or CIFAR files (default: as train)")


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
    stored = argparse.Namespace(data_root=options.data_root, seed=0, rule="epsilon", reward="softmax")
    data = named_data(options.data, stored)
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
    if outputs != data.classes:
        raise ValueError(f"this network has {outputs} outputs, {data.name} has {data.classes} classes")
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
    own = load_data(stored)
    net = build(stored, own)
    net.load_state_dict(saved.net)
    checkpoints.restore_random(saved, net)  # a rate code then draws what it drew after training
    other = named_data(options.data, stored) if options.data else own
    if (other.input_shape, other.classes) != (own.input_shape, own.classes):
        raise ValueError(f"this network takes samples {own.input_shape} of {own.classes} classes, "
                         f"{options.data} has {other.input_shape} of {other.classes}")  # fmt: skip
    if not len(other.x_test):
        raise ValueError(f"{other.name} has no test samples")
    return net, other, stored


def tested(options: argparse.Namespace) -> tuple[Sequential, datasets.Dataset, argparse.Namespace]:
    """The network of a checkpoint or of another kind of file, its data or those named, its options."""
    return network_and_data(options) if Path(options.checkpoint).suffix in NETWORKS else stored_run(options)


def run_evaluate(options: argparse.Namespace) -> None:
    net, data, _ = tested(options)
    print(f"test accuracy {evaluate(net, data):.2%} on {len(data.x_test)} samples of {data.name}")


def run_explain(options: argparse.Namespace) -> None:
    net, data, _ = tested(options)
    targets = options.target if options.target is not None else list(range(data.classes))
    for kind, chosen, count in (("sample", options.sample, len(data.x_test)), ("target", targets, data.classes)):
        if wrong := [k for k in chosen if not 0 <= k < count]:
            raise ValueError(f"--{kind} must be in 0..{count - 1}, got {wrong[0]}")
    if len(data.input_shape) != 3:
        raise ValueError(f"explain draws heat maps of images; samples of {data.name} have shape {data.input_shape}")
    rule = names.rule_or_composite(options.rule, net)
    labels = data.y_test[options.sample]
    x = np.repeat(data.x_test[options.sample], len(targets), axis=0)
    asked = np.tile(targets, len(options.sample))
    relevance = explain(net, x, asked, rule)
    sheet = balance(net)
    captions = []
    for k in range(len(x)):
        sample, target = options.sample[k // len(targets)], asked[k]
        kept = sheet.came[k] - sheet.handed[k] - sheet.residue[k]
        parts = [f"input {sheet.handed[k]:.4f}", *(f"{cause} {sheet.kept(cause)[k]:.4f}" for cause in sheet.causes)]
        print(f"sample {sample} (label {labels[k // len(targets)]}), output {target} = {sheet.came[k]:.4f}: "
              + ", ".join([*parts, f"residue {sheet.residue[k]:.0e}"]))  # fmt: skip
        captions.append(f"{sheet.came[k]:.2f} = {sheet.handed[k]:.2f} {'-' if kept < 0 else '+'} {abs(kept):.2f}")
    rows = [f"sample {sample}\nlabel {label}" for sample, label in zip(options.sample, labels, strict=True)]
    shape = (len(options.sample), len(targets))
    maps = relevance.sum(axis=1).reshape(*shape, *data.input_shape[1:])
    out = options.out or beside(options.checkpoint, "explain.png")
    images = data.x_test[options.sample]
    heading = f"relevance under {options.rule}, by class; below: output = input's relevance + kept on the way"
    said = draw(out, figures.relevance, images, maps, rows, targets, np.reshape(captions, shape), heading)
    print(f"in {out.parent}: {said.removeprefix(', ')}")


def run_balance(options: argparse.Namespace) -> None:
    net, data, stored = tested(options)
    name = options.rule or stored.rule
    x, y = data.x_test[: options.samples], data.y_test[: options.samples]
    if options.samples < 1 or (options.sample is not None and not 0 <= options.sample < len(x)):
        raise ValueError(f"--samples must be at least 1 and --sample below it, got {options.samples}, {options.sample}")
    outputs = net.forward(x)
    net.feedback(names.REWARDS[stored.reward](outputs, y), names.rule_or_composite(name, net))
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
