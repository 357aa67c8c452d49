"""Checkpoints: a training run on disk, complete enough to go on to the same numbers as if it had never stopped.

One .npz file: the network's state ("net.<name>"), the optimiser's ("optimizer.<name>"), the history's columns
("history.<name>"), and a JSON text ("about") with the position in the run, the state of every random generator, and
whatever the caller wants back. It is written beside its place and moved there whole; nothing is ever unpickled.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.files import written_whole
from lfp_ref.optim import Optimizer
from lfp_ref.reading import read_json, read_npz

VERSION = 1


@dataclass
class Checkpoint:
    """What a file holds. about: JSON-like. net, optimizer, history: arrays by name."""

    about: dict[str, Any] = field(default_factory=dict)
    net: dict[str, np.ndarray] = field(default_factory=dict)
    optimizer: dict[str, np.ndarray] = field(default_factory=dict)
    history: dict[str, np.ndarray] = field(default_factory=dict)


PARTS = ("net", "optimizer", "history")


def save(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Writes a checkpoint; whatever happens, `path` holds the old file or the new one, whole."""
    arrays = {f"{part}.{name}": a for part in PARTS for name, a in getattr(checkpoint, part).items()}
    about = json.dumps({**checkpoint.about, "lfp_ref": VERSION}, default=lambda array: array.tolist())
    with written_whole(Path(path)) as file:
        np.savez(file, about=np.array(about), **arrays)


def load(path: str | os.PathLike[str]) -> Checkpoint:
    """Reads a checkpoint. Raises FileNotFoundError, or ValueError for a file that is no whole checkpoint."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        arrays = read_npz(Path(path))
        about = read_json(str(arrays.pop("about")))
        if about.pop("lfp_ref") != VERSION:
            raise ValueError("another version")
        parts: dict[str, dict[str, np.ndarray]] = {part: {} for part in PARTS}
        for key, array in arrays.items():
            part, _, name = key.partition(".")
            parts[part][name] = array
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a checkpoint of lfp_ref, or damaged ({error})") from None
    return Checkpoint(about, **parts)


def random_states(net: Layer) -> dict[str, Any]:
    """The state of every layer's random generator, by path."""
    return {path: rng.bit_generator.state for path, rng in _generators(net).items()}


def _generators(net: Layer) -> dict[str, np.random.Generator]:
    found = {path: getattr(layer, "rng", None) for path, layer in net.named_layers()}
    return {path: rng for path, rng in found.items() if isinstance(rng, np.random.Generator)}


def restore(checkpoint: Checkpoint, net: Layer, optimizer: Optimizer) -> None:
    """Puts a run's arrays and random states back. Raises ValueError where they do not fit this network or optimiser."""
    pairs = _matched(checkpoint, net)
    before = net.state_dict()
    net.load_state_dict(checkpoint.net)
    try:
        optimizer.load_state_dict(checkpoint.optimizer)
    except ValueError:
        net.load_state_dict(before)
        raise
    for rng, state in pairs:
        rng.bit_generator.state = state


def restore_random(checkpoint: Checkpoint, net: Layer) -> None:
    """Puts the random states alone back. Raises ValueError where they do not fit this network."""
    for rng, state in _matched(checkpoint, net):
        rng.bit_generator.state = state


def _matched(checkpoint: Checkpoint, net: Layer) -> list[tuple[np.random.Generator, dict[str, Any]]]:
    """The network's random generators, each with its state in the checkpoint."""
    generators, states = _generators(net), checkpoint.about.get("random", {})
    try:
        if generators.keys() != states.keys():
            raise ValueError("other places")
        for path, rng in generators.items():
            type(rng.bit_generator)().state = states[path]  # the first of these that fails changes nothing
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise ValueError("the checkpoint's random generators are not this network's") from None
    return [(rng, states[path]) for path, rng in generators.items()]
