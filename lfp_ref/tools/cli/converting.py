"""lfp-ref convert: a network from one kind of file into another."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import lfp_ref
from lfp_ref import names
from lfp_ref.network import Sequential, Spiking
from lfp_ref.tools.cli.common import say
from lfp_ref.tools.cli.inspecting import NETWORKS, loaded_network, stored_run
from lfp_ref.tools.cli.options import add_command, not_empty, path
from lfp_ref.weights import load_weights, save_weights

WEIGHTS = (".npz", ".safetensors")


def add_commands(commands: Any) -> None:
    convert = add_command(
        commands, "convert", "write a network into another kind of file",
        "From a run of lfp-ref train, an .onnx or a .nir file into an .onnx or .nir file, or its weights "
        "into a .safetensors or .npz file. From weights alone with --model, which says what network they are of.", """
Examples:
  lfp-ref convert runs/cnn cnn.onnx
  lfp-ref convert weights.npz lenet.onnx --model lenet --input-shape 1 28 28
""",
    )  # fmt: skip
    convert.add_argument("checkpoint", type=not_empty, metavar="A", help="a file to read, or the folder of a run")
    convert.add_argument("target", type=path, metavar="B", help="a file to write: .onnx, .nir, .safetensors or .npz")
    convert.add_argument("--model", type=not_empty, metavar="NAME", help="the network of weights, as in lfp-ref train")
    convert.add_argument("--input-shape", type=int, nargs="+", metavar="SIZE", help="of one sample, as in 1 28 28")
    convert.add_argument(
        "--classes", type=int, default=10, metavar="N", help="outputs of --model (default: %(default)s)"
    )
    convert.set_defaults(command=run_convert, data=None, data_root=None)


def run_convert(options: argparse.Namespace) -> None:
    target = options.target
    if target.suffix not in (*NETWORKS, *WEIGHTS):
        raise ValueError(f"B must end in {', '.join((*NETWORKS, *WEIGHTS))}, got {target}")
    net = source_network(options)
    shape = tuple(options.input_shape) if options.input_shape else None
    if target.suffix in WEIGHTS:
        save_weights(net, target)
    elif target.suffix == ".onnx":
        lfp_ref.onnx.save(net, target, shape)
    elif isinstance(net, Spiking):
        lfp_ref.nir.save(net, target, shape)
    else:
        raise ValueError(f"{target}: .nir files hold spiking networks, {options.checkpoint} is none")
    count = sum(parameter.value.size for parameter in net.parameters())
    print(f"{target}: {count:,} parameters of {len(net)} layers")


def source_network(options: argparse.Namespace) -> Sequential:
    """The network of A. Raises ValueError for weights without a network, and for a network with a --model."""
    source = Path(options.checkpoint)
    if options.model is None:
        if source.suffix == ".safetensors":
            raise ValueError(f"{source} holds weights and no layers: say with --model what network they are of")
        if source.suffix in NETWORKS:
            return loaded_network(source)
        net, data, _ = stored_run(options)
        if data.scaling is not None:
            what = " and ".join(name for name in ("x", "y") if getattr(data.scaling, name) is not None)
            say([f"this run's {what} are scaled, which is not in the file: the checkpoint's about[\"data\"] has the "
                 "means and deviations"])  # fmt: skip
        return net
    if source.suffix not in WEIGHTS or not options.input_shape:
        raise ValueError("--model and --input-shape go together, with a .safetensors or .npz file of weights")
    net = names.network(options.model)(tuple(options.input_shape), options.classes)
    load_weights(net, source)
    return net
