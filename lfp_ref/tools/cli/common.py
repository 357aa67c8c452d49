"""Shared by the commands: data and networks by option, stored runs, folders, progress."""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref import checkpoints, datasets, names
from lfp_ref.datasets.augment import AUGMENTATIONS
from lfp_ref.network import Sequential

RULES = f"{', '.join([*names.RULES, *names.COMPOSITES])}; epsilon:0.1 sets a rule's number"

DATA: dict[str, Callable[[argparse.Namespace], datasets.Dataset]] = {
    "digits": lambda options: datasets.load_digits(),
    "mnist": lambda options: mnist(options.data_root or os.environ.get("LFP_REF_DATA"), "mnist"),
    "fashion-mnist": lambda options: mnist(options.data_root, "fashion-mnist"),
    "cifar10": lambda options: cifar(options.data_root, "cifar10"),
    "cifar100": lambda options: cifar(options.data_root, "cifar100"),
    "blobs": lambda options: datasets.blobs(seed=options.seed),
    "circles": lambda options: datasets.circles(seed=options.seed),
    "swirls": lambda options: datasets.swirls(seed=options.seed),
}


def mnist(folder: str | None, name: str) -> datasets.Dataset:
    """The data set of that name, from a folder or fetched."""
    return replace(datasets.load_mnist(folder), name=name) if folder else datasets.fetch(name)


def cifar(folder: str | None, name: str) -> datasets.Dataset:
    """The data set of that name, from a folder or fetched."""
    return datasets.load_cifar(folder, name) if folder else datasets.fetch(name)


def data_name(text: str) -> str:
    """A type for options: a data set's name, or an .npz file, absolute, so that a stored run finds it again."""
    if text.endswith(".npz"):
        return str(Path(text).absolute())
    if text not in DATA:
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(DATA)} or an .npz file, got {text!r}")
    return text


def named_data(name: str, options: argparse.Namespace) -> datasets.Dataset:
    return DATA[name](options) if name in DATA else datasets.load_arrays(name)


def load_data(options: argparse.Namespace) -> datasets.Dataset:
    data = named_data(options.data, options)
    data = data.holdout(0.1, options.seed) if options.validate else data
    limit = getattr(options, "limit", None)  # runs from before there was one have none
    return data if limit is None else data.subset(limit)


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


NEURON = ("steps", "beta", "threshold", "reset", "code")  # options of spiking networks alone


def build(options: argparse.Namespace, data: datasets.Dataset) -> Sequential:
    """The network that the options describe. Raises ValueError for options of another kind of network."""
    kind = {"dtype": options.dtype, "rng": np.random.default_rng(options.seed)}
    neuron = {key: value for key in NEURON if (value := getattr(options, key, None)) is not None}
    make = names.network(options.model)
    dropout = getattr(options, "dropout", 0.0)
    if is_spiking(options):
        if options.activation is not None:
            raise ValueError(f"--activation is not for {options.model}: its neurons spike")
        if dropout:
            raise ValueError(f"--dropout is not for {options.model}: use --code rate")
        return make(data.input_shape, data.classes, **neuron, **kind)
    if neuron:
        raise ValueError(
            f"--{next(iter(neuron))} is for spiking networks: --model {' or '.join(names.SPIKING_NETWORKS)}"
        )
    act = names.activation(neurons(options))
    return make(data.input_shape, data.classes, act, dropout=dropout, **kind)


def is_spiking(options: argparse.Namespace) -> bool:
    return names.is_spiking(options.model)


def is_step(options: argparse.Namespace) -> bool:
    return "step" in neurons(options)


def neurons(options: argparse.Namespace) -> str:
    """The kind of the network's neurons: "lif" or the name of its activation."""
    return "lif" if is_spiking(options) else options.activation or names.usual_activation(options.model)


def stored_options(saved: checkpoints.Checkpoint, path: Path) -> argparse.Namespace:
    """The command line's options in a checkpoint."""
    if "options" not in saved.about:
        raise ValueError(f"{path} was not written by lfp-ref train; load it with lfp_ref.checkpoints.load")
    return argparse.Namespace(**saved.about["options"])


def checkpoint_file(path: str) -> Path:
    """The checkpoint that a file, or the folder of a run, means. Raises ValueError for a folder with several others."""
    file = Path(path, "checkpoint.npz") if Path(path).is_dir() else Path(path)
    others = sorted(other.name for other in file.parent.glob("*.npz"))
    if not file.exists() and Path(path).is_dir() and others:
        raise ValueError(f"{path} holds {', '.join(others)}: name one of them")
    return file


def stored_run(
    path: str, data: str | None, data_root: str | None
) -> tuple[Sequential, datasets.Dataset, argparse.Namespace]:
    """The trained network of a checkpoint (a file, or the folder of a run), its data or those named, its options."""
    file = checkpoint_file(path)
    saved = checkpoints.load(file)
    options = stored_options(saved, file)
    options.data_root = data_root
    own = load_data(options)
    net = build(options, own)
    net.load_state_dict(saved.net)
    checkpoints.restore_random(saved, net)  # a rate code then draws what it drew after training
    other = named_data(data, options) if data else own
    if (other.input_shape, other.classes) != (own.input_shape, own.classes):
        raise ValueError(f"this network takes samples {own.input_shape} of {own.classes} classes, "
                         f"{data} has {other.input_shape} of {other.classes}")  # fmt: skip
    return net, other, options


def new_folder(chosen: Path | None, usual: str) -> Path:
    """The folder for results, made now. Raises ValueError where the chosen one holds a run already."""
    usual = re.sub(r"[^\w.-]+", "-", usual)
    folder = chosen or Path("runs", usual)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; --out takes a folder")
    number = 1
    while folder.exists() and any(folder.glob("*.npz")):
        if chosen:
            raise ValueError(
                f"{folder} holds a run already: choose another --out, or go on with train --resume {folder}"
            )
        number += 1
        folder = Path("runs", f"{usual}-{number}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def at_least(least: int) -> Callable[[str], int]:
    """A type for options: an integer of at least that."""

    def parse(text: str) -> int:
        if not text.lstrip("-").isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be an integer >= {least}, got {text!r}")
        return int(text)

    return parse


def draw(path: Path, figure: Callable[..., None], *arguments: Any) -> str:
    """Draws a figure into a file; returns its name for the closing message, or a hint if matplotlib is missing."""
    try:
        figure(path, *arguments)
    except ImportError:
        return "\n(the picture of this needs matplotlib: pip install matplotlib)"
    return f", {path.name}"


# (on_step, log), as train takes them
Progress = tuple[Callable[[int, int, int], None] | None, Callable[[str], None] | None]


@contextmanager
def progress() -> Iterator[Progress]:
    """(on_step, log) for train: a bar over the steps of each epoch, and lines that do not break it."""
    waiting = threading.Timer(2, print, ["compiling kernels: once per machine, some seconds"], {"flush": True})
    waiting.daemon = True
    waiting.start()
    try:
        with _bar(waiting.cancel) as functions:
            yield functions
    finally:
        waiting.cancel()


@contextmanager
def _bar(started: Callable[[], None]) -> Iterator[Progress]:
    try:
        from tqdm import tqdm
    except ImportError:
        print("(a progress bar needs tqdm: pip install tqdm)")
        yield lambda *_: started(), lambda line: print(line, flush=True)
        return
    with tqdm(leave=False, unit="step", disable=not sys.stderr.isatty()) as bar:

        def on_step(epoch: int, step: int, steps: int) -> None:
            started()
            if step == 1 or bar.total != steps:
                bar.reset(steps)
                bar.set_description(f"epoch {epoch + 1}")
            bar.update(step - bar.n)

        def log(line: str) -> None:
            tqdm.write(line, file=sys.stdout)
            sys.stdout.flush()

        yield on_step, log
