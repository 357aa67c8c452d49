"""Shared by the commands: data and networks by option, progress."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from lfp_ref import datasets, names
from lfp_ref.network import Sequential

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
NEED_ROOT = ("mnist", "fashion-mnist", "cifar10", "cifar100")


def mnist(folder: str | None, name: str) -> datasets.Dataset:
    """The data set of that name, from a folder or fetched."""
    return replace(datasets.load_mnist(folder), name=name) if folder else datasets.fetch(name)


def cifar(folder: str | None, name: str) -> datasets.Dataset:
    """The data set of that name, from a folder or fetched."""
    return datasets.load_cifar(folder, name) if folder else datasets.fetch(name)


def named_data(name: str, options: argparse.Namespace) -> datasets.Dataset:
    return DATA[name](options) if name in DATA else datasets.load_arrays(name)


def load_data(options: argparse.Namespace) -> datasets.Dataset:
    """The data that the options describe."""
    data = named_data(options.data, options)
    data = data.holdout(0.1, options.seed) if options.validate else data
    return data if options.limit is None else data.subset(options.limit)


def check_data_root(data: str, options: argparse.Namespace) -> None:
    """Raises ValueError for a --data-root that these data do not need."""
    if options.data_root is not None and data not in NEED_ROOT:
        raise ValueError(f"--data-root is for --data {' or '.join(NEED_ROOT)}, not for {data}")


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
