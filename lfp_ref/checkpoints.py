"""Checkpoints: a training run on disk, complete enough to go on to the same numbers as if it had never stopped.

One .npz file: the network's state ("net.<name>"), the optimiser's ("optimizer.<name>"), the history's columns
("history.<name>"), and a JSON text ("about") with the position in the run, the state of every random generator, and
whatever the caller wants back. It is written beside its place and moved there whole; nothing is ever unpickled.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.layers.base import Layer
from lfp_ref.optim import Optimizer

VERSION = 1


@dataclass
class Checkpoint:
    """What a file holds. about: JSON-like. net, optimizer, history: arrays by name."""

    about: dict[str, Any] = field(default_factory=dict)
    net: dict[str, np.ndarray] = field(default_factory=dict)
    optimizer: dict[str, np.ndarray] = field(default_factory=dict)
    history: dict[str, np.ndarray] = field(default_factory=dict)


PARTS = ("net", "optimizer", "history")


def save(path: str | os.PathLike, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint; whatever happens, `path` holds the old file or the new one, whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"{part}.{name}": a for part in PARTS for name, a in getattr(checkpoint, part).items()}
    about = json.dumps({"lfp_ref": VERSION, **checkpoint.about})
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            np.savez(file, about=np.array(about), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def load(path: str | os.PathLike) -> Checkpoint:
    """Reads a checkpoint. Raises FileNotFoundError, or ValueError for a file that is no whole checkpoint."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")))
        if about.pop("lfp_ref") != VERSION:
            raise ValueError("it was written by another version of lfp_ref")
        parts: dict[str, dict[str, np.ndarray]] = {part: {} for part in PARTS}
        for key, array in arrays.items():
            part, _, name = key.partition(".")
            parts[part][name] = array
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a checkpoint of lfp_ref: {error}") from None
    return Checkpoint(about, **parts)


def random_states(net: Layer) -> dict[str, Any]:
    """The state of every layer's random generator, by path."""
    return {path: layer.rng.bit_generator.state for path, layer in net.named_layers() if hasattr(layer, "rng")}


def restore(checkpoint: Checkpoint, net: Layer, optimizer: Optimizer) -> None:
    """Puts a run's arrays and random states back. Raises ValueError where they do not fit this network or optimiser."""
    generators = {path: layer.rng for path, layer in net.named_layers() if hasattr(layer, "rng")}
    if generators.keys() != checkpoint.about["random"].keys():
        raise ValueError("the checkpoint's random generators are not this network's")
    before = net.state_dict()
    net.load_state_dict(checkpoint.net)
    try:
        optimizer.load_state_dict(checkpoint.optimizer)
    except ValueError:
        net.load_state_dict(before)
        raise
    for path, rng in generators.items():
        rng.bit_generator.state = checkpoint.about["random"][path]
