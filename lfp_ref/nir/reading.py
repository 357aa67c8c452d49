"""Spiking networks from NIR files, read with bounds: nodes of a chain become layers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.core.checks import check_int, check_number
from lfp_ref.core.layer import Layer
from lfp_ref.layers.average import AvgPool2d
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.lif import LIF, RESETS
from lfp_ref.network import Spiking
from lfp_ref.nir.package import DT, nir_package
from lfp_ref.reading import check_unpacked

DEEPEST = 8  # groups within groups in a file


def load(
    path: str | os.PathLike[str], dt: float | None = None, steps: int | None = None, inputs: str | None = None
) -> Spiking:
    """The spiking network of a .nir file: a chain of Affine, Linear, Conv2d, AvgPool2d, Flatten, LIF and IF.

    dt: seconds in a step; steps, inputs: as of lfp.Spiking. None is what the file's metadata say, which other programs
    leave out: then 1e-4, 15 and "given". Weights keep their dtype.
    Raises FileNotFoundError; ValueError for a damaged file, and for nodes that have no layer here, all of them at once;
    MissingExtra without the package nir.
    """
    nir, path = nir_package(), Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no network at {path}")
    graph = _read(nir, path)
    about = {"dt": DT, "steps": 15, "inputs": "given", **{k: _plain(v) for k, v in graph.metadata.items()}}
    asked = {"dt": dt, "steps": steps, "inputs": inputs}
    about |= {key: value for key, value in asked.items() if value is not None}
    try:
        dt = check_number("dt", about["dt"], 0, above=True)
        layers = _layers(nir, chain(graph), dt)
        net = Spiking(*layers, steps=check_int("steps", about["steps"]), inputs=about["inputs"])
        first = next(node for node in graph.nodes.values() if isinstance(node, nir.Input))
        net.input_shape = tuple(int(size) for size in np.ravel(first.input_type["input"]))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise ValueError(f"{path}: {error}") from None
    return net


def _read(nir: Any, path: Path) -> Any:
    """The graph of a file, read once its arrays are known to be no larger than it can hold."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            check_unpacked(path, sum(_sizes(file)))
        graph = nir.read(path)
        if not isinstance(graph, nir.NIRGraph):
            raise ValueError(f"it holds a {type(graph).__name__}, no graph")
        return graph
    except Exception as error:  # of whatever kind: nir and h5py check little themselves
        raise ValueError(f"{path} is damaged or no NIR file: {type(error).__name__}: {error}") from None


def _sizes(group: Any, depth: int = 0) -> Iterator[int]:
    """Bytes of each array. Raises ValueError for links, arrays kept in other files, and groups nested too deep."""
    import h5py

    if depth > DEEPEST:
        raise ValueError("groups are nested too deep")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{name} is a link")
        entry = group[name]
        if isinstance(entry, h5py.Group):
            yield from _sizes(entry, depth + 1)
        elif entry.is_virtual or entry.external:
            raise ValueError(f"{name} is kept in another file")
        else:
            yield entry.nbytes


def chain(graph: Any) -> list[tuple[str, Any]]:
    """The nodes from input to output. Raises ValueError for a graph that is not a chain."""
    after: dict[str, str] = {}
    for source, target in graph.edges:
        if source not in graph.nodes or target not in graph.nodes:
            raise ValueError(f"the edge {source} to {target} has an end that is no node")
        if source in after or target in after.values():
            raise ValueError(f"not a chain: {source if source in after else target} has several edges")
        after[source] = target
    (name,) = [name for name in graph.nodes if name not in after.values()] or [""]
    chain = []
    while name in after:
        name = after.pop(name)
        chain.append((name, graph.nodes[name]))
    if after or len(chain) + 1 != len(graph.nodes):
        raise ValueError("not a chain: some nodes cannot be reached from the input")
    return chain[:-1]


def _layers(nir: Any, chain: list[tuple[str, Any]], dt: float) -> list[Layer]:
    layers: list[Layer] = []
    problems = []
    for name, node in chain:
        kind = type(node).__name__
        try:
            if isinstance(node, nir.LIF | nir.IF):
                if not layers or not isinstance(layers[-1], Dense | Conv2d):
                    raise ValueError("its current must come from an Affine, Linear or Conv2d right before it")
                layers[-1] = _neurons(node, layers[-1], dt)
            elif kind in READ:
                layers.append(READ[kind](node))
            else:
                raise ValueError(f"no layer here; there are {', '.join(READ)}, LIF, IF")
        except (ValueError, TypeError) as error:
            problems.append(f"node {name}, {kind}: {error}")
    if problems:
        raise ValueError("not supported:\n  " + "\n  ".join(problems))
    return layers


def _dense(node: Any) -> Dense:
    w = _weights("weight", node.weight, 2)
    return _filled(Dense(w.shape[1], w.shape[0], bias=hasattr(node, "bias"), dtype=w.dtype), node)


def _conv(node: Any) -> Conv2d:
    w = _weights("weight", node.weight, 4)
    options = {key: _sizes_of(getattr(node, key)) for key in ("stride", "padding", "dilation")}
    groups = int(node.groups)
    return _filled(Conv2d(w.shape[1] * groups, len(w), w.shape[2:], **options, groups=groups, dtype=w.dtype), node)


def _pool(node: Any) -> AvgPool2d:
    return AvgPool2d(*(_sizes_of(getattr(node, key)) for key in ("kernel_size", "stride", "padding")))


def _flatten(node: Any) -> Flatten:
    axes = np.size(node.input_type["input"])
    start, end = int(node.start_dim), int(node.end_dim)
    if start != 0 or end not in (-1, axes - 1):
        raise ValueError(f"flattens the axes {start} to {end} of a sample, not all")
    return Flatten()


READ: Mapping[str, Callable[[Any], Layer]] = {
    "Affine": _dense, "Linear": _dense, "Conv2d": _conv, "AvgPool2d": _pool, "Flatten": _flatten,
}  # fmt: skip


def _neurons(node: Any, current: Any, dt: float) -> LIF:
    """LIF neurons around their current, whose weights take what differs from neuron to neuron."""
    has_leak = hasattr(node, "tau")
    threshold = np.asarray(node.v_threshold, float)
    if np.any(np.asarray(node.v_reset)):
        raise ValueError("v_reset other than 0")
    betas = 1 - dt / np.asarray(node.tau, float) if has_leak else np.ones(1)
    factor = np.asarray(node.r, float) * (1 - betas if has_leak else dt)
    leak = (1 - betas) * np.asarray(node.v_leak, float) if has_leak else np.zeros(1)
    beta = float(betas.flat[0])
    largest = np.abs(betas - beta).max()
    if not largest < 1e-6:
        raise ValueError("tau that differs from neuron to neuron")
    about = {key: _plain(value) for key, value in (node.metadata or {}).items()}
    if abs(about.get("beta", np.inf) - beta) < 1e-6:  # the number itself, which tau holds to rounding
        beta = about["beta"]
    least = float(about.get("threshold", threshold.flat[0]))
    scale = factor * least / threshold
    if not np.allclose(scale, 1, rtol=1e-6, atol=0) or leak.any():
        _rescale(current, scale, leak * least / threshold)
    reset = about.get("reset", "zero")
    return LIF(current, min(max(beta, 0.0), 1.0), least, reset if reset in RESETS else "zero")


def _rescale(current: Any, scale: np.ndarray, shift: np.ndarray) -> None:
    """w <- scale w, b <- scale b + shift, one number each for an output or channel."""
    outputs = len(current.weight.value)
    each = []
    for array in (scale, shift):
        rows = array.reshape(outputs, -1) if array.size % outputs == 0 else np.full((outputs, 1), array.flat[0])
        if np.ptp(rows, axis=1).any() or (array.size % outputs and np.ptp(array)):
            raise ValueError("r, v_leak or v_threshold that differs from place to place of a channel")
        each.append(rows[:, 0])
    weight, bias = current.weight, current.bias
    if bias is None and each[1].any():
        raise ValueError("v_leak other than 0 behind a Linear: an Affine has the bias it needs")
    weight.value = weight.value * each[0].reshape(-1, *(1,) * (weight.value.ndim - 1))
    if bias is not None:
        bias.value = bias.value * each[0] + each[1]


def _filled(layer: Any, node: Any) -> Any:
    state = {"weight": np.asarray(node.weight)}
    if layer.bias is not None:
        state["bias"] = np.asarray(node.bias)
    layer.load_state_dict(state)
    return layer


def _weights(name: str, array: Any, axes: int) -> np.ndarray:
    w = np.asarray(array)
    if w.ndim != axes or w.dtype not in (np.float32, np.float64) or 0 in w.shape:
        raise ValueError(f"{name} must have {axes} axes of float32 or float64, it has {w.shape} of {w.dtype}")
    return w


def _sizes_of(value: Any) -> Any:
    """An integer or a pair, as integers; padding may be a word."""
    value = _plain(value)
    if isinstance(value, str):
        return 0 if value == "valid" else value
    sizes = [int(size) for size in np.ravel(value)]
    return sizes[0] if len(sizes) == 1 else tuple(sizes)


def _plain(value: Any) -> Any:
    """NumPy's scalars and bytes as Python's."""
    if isinstance(value, bytes):
        return value.decode("utf8", "replace")
    return (
        value.item() if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0) else value
    )
