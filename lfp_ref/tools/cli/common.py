"""Shared by the commands: data and networks by option, progress."""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from lfp_ref import datasets, names
from lfp_ref.checkpoints import Checkpoint
from lfp_ref.datasets.base import listed
from lfp_ref.datasets.scaling import Scaling
from lfp_ref.network import Sequential
from lfp_ref.rehearsal import Metric
from lfp_ref.training import accuracy

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


def split_column(text: str) -> tuple[str, str | None]:
    """The file, and the column of targets, that "FILE.csv:COLUMN" names; None without a column."""
    file, colon, column = text.rpartition(":")
    return (file, column) if colon and file.lower().endswith(".csv") else (text, None)


def named_data(name: str, options: argparse.Namespace, whole: bool = False) -> datasets.Dataset:
    """The data set of that name, or those in a file or folder: a part of them, or the whole, is to test.

    Raises ValueError for a --task that is not theirs.
    """
    if name not in DATA:
        return datasets.load_own(*split_column(name), options.task, whole)
    if options.task == "regression":
        raise ValueError(f"--task regression is for data of your own; {name} has classes")
    return DATA[name](options)


def load_data(options: argparse.Namespace, scaling: Scaling | None = None) -> datasets.Dataset:
    """The data that the options describe; scaled as they say, or as a stored run's were."""
    data = named_data(options.data, options)
    data = data.holdout(0.1, options.seed) if options.validate else data
    data = data if options.limit is None else data.subset(options.limit)
    if scaling is None and (options.standardise or data.is_regression):
        scaling = Scaling.of(
            data.x_train if options.standardise else None, data.y_train if data.is_regression else None
        )
    return data if scaling is None else data.scaled(scaling)


def about_data(data: datasets.Dataset) -> dict[str, Any]:
    """What a checkpoint holds of a run's data."""
    return {
        "class_names": data.class_names,
        "columns": data.columns,
        "scaling": data.scaling.as_json() if data.scaling else None,
    }


def about_part(saved: Checkpoint, name: str) -> dict[str, Any]:
    """A part of what a checkpoint says about its run; empty for runs of version 0.1. Raises ValueError for another."""
    part = saved.about.get(name, {})
    if not isinstance(part, dict):
        raise ValueError(f"the checkpoint is not of lfp-ref train, or damaged: its {name} is {part!r:.80}")
    return part


def stored_data(options: argparse.Namespace, saved: Checkpoint) -> datasets.Dataset:
    """A stored run's data, scaled as they were. Raises ValueError where their file is another by now."""
    about = about_part(saved, "data")
    data = load_data(options, Scaling.from_json(about["scaling"]) if about.get("scaling") else None)
    for name, found in (("classes", data.class_names), ("columns", data.columns)):
        stored = about.get("class_names" if name == "classes" else name) or found
        if list(found) != list(stored):
            raise ValueError(f"{options.data} has the {name} {listed(found)}; when the run began, they were "
                             f"{listed(stored)}")  # fmt: skip
    return data


def say(notes: Iterable[str]) -> None:
    """Notes for the user, on standard error: results alone go to standard output."""
    for note in notes:
        print(f"lfp-ref: {note}", file=sys.stderr)


# ---- what is measured


def metric_of(data: datasets.Dataset) -> Metric:
    """Accuracy, or R2 for numbers: 1 - mean squared error / variance of the targets.

    The variance is that of the test part; for a batch of the training part, too small for its own, that of the part.
    """

    def r2(outputs: np.ndarray, targets: np.ndarray) -> float:
        part = targets if targets is data.y_test else data.y_train
        variance = part.var(dtype=np.float64)
        error = np.square(outputs[:, 0] - targets, dtype=np.float64).mean()
        return float(1 - error / variance) if variance else math.nan

    return r2 if data.is_regression else accuracy


def part_of(options: argparse.Namespace) -> str:
    """The name of what a run is tested on: held-out training samples are not the test part."""
    return "validation" if options.validate else "test"


def score(value: float, data: datasets.Dataset) -> str:
    """The metric in words: "accuracy 97.50%", or R2 with the error in the targets' own unit."""
    if not data.is_regression:
        return f"accuracy {value:.2%}"
    deviation = data.scaling.y[1] if data.scaling and data.scaling.y else 1.0
    error = math.sqrt(max(1 - value, 0) * data.y_test.var(dtype=np.float64)) * deviation
    return f"R2 {value:.4f} (root mean squared error {error:.4g})"


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
        if data.is_regression:
            raise ValueError(f"--model {options.model} counts spikes for classes; {data.name} has numbers to predict")
        return make(data.input_shape, data.classes, **neuron, **kind)
    if neuron:
        raise ValueError(
            f"--{next(iter(neuron))} is for spiking networks: --model {' or '.join(names.SPIKING_NETWORKS)}"
        )
    act = names.activation(neurons(options))
    return make(data.input_shape, data.outputs, act, dropout=dropout, **kind)


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
