"""Spiking networks as NIR files: a function for each kind of layer."""

from __future__ import annotations

import io
import itertools
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.core.checks import check_bool, check_number
from lfp_ref.core.layout import batch_first_shape
from lfp_ref.core.node import Node
from lfp_ref.files import written_whole
from lfp_ref.layers.average import AvgPool2d
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.dropout import Dropout
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.joining import Identity
from lfp_ref.layers.lif import LIF
from lfp_ref.network import Sequential, Spiking
from lfp_ref.nir.package import DT, nir_package


def save(
    net: Spiking,
    path: str | os.PathLike[str],
    input_shape: tuple[int, ...] | None = None,
    dt: float = DT,
    exact: bool = True,
) -> None:
    """Writes a spiking network into a .nir file; path holds the old file or the new one, whole.

    net: lfp.Spiking of LIF around Dense or Conv2d, AvgPool2d, Flatten; dropout is left out.
    input_shape: of one sample in one step; None is the shape the network was built for. dt: seconds in a step.
    exact: refuses a reset other than to zero, as NIR has no other. False writes it as one to zero, with a warning, and
    names the reset in the metadata, so that load reads it back; other programs run another network.
    Raises ValueError for what NIR cannot say, all of it at once, and MissingExtra without the package nir.
    """
    nir = nir_package()
    if not isinstance(net, Spiking):
        raise TypeError(f"NIR holds spiking networks, lfp.Spiking, got {type(net).__name__}: lfp.onnx.save has others")
    shape = net.input_shape if input_shape is None else tuple(input_shape)
    if shape is None:
        raise ValueError("save needs the shape of one sample in one step, as in input_shape=(784,)")
    dt = check_number("dt", dt, 0, above=True)
    over_time = (net.steps,) if net.inputs == "given" else ()
    tape = net.record(np.zeros((*over_time, 1, *shape), net.dtype or np.float32))
    kept, problems = [], []
    for node in _leaves(next(tape.nodes())):
        try:
            kept += _written(nir, node, dt, check_bool("exact", exact))
        except ValueError as error:
            problems.append(f"layer {node.path}, {error}")
    if problems:
        raise ValueError("NIR cannot say:\n  " + "\n  ".join(problems))
    resets = sorted({node.layer.reset for node in tape.nodes() if isinstance(node.layer, LIF)} - {"zero"})
    if resets:
        warnings.warn(f"NIR has no reset {' or '.join(map(repr, resets))}: other programs reset to zero", stacklevel=2)
    nodes = {"input": nir.Input({"input": np.array(shape)}), **dict(kept)}
    nodes["output"] = nir.Output({"output": np.array(_shape(next(tape.nodes())))})
    about = {"producer": "lfp_ref", "dt": dt, "steps": net.steps, "inputs": net.inputs}
    graph = nir.NIRGraph(nodes, list(itertools.pairwise(nodes)), metadata=about)
    content = io.BytesIO()  # HDF5 reads what it has written
    nir.write(content, graph)
    with written_whole(Path(path)) as file:
        file.write(content.getbuffer())


def _leaves(node: Node) -> Iterator[Node]:
    """The layers in their order, those of a network within the network included."""
    for child in node.children.values():
        yield from _leaves(child) if isinstance(child.layer, Sequential) else [child]


def _shape(node: Node) -> tuple[int, ...]:
    """Of one sample's output in one step."""
    return batch_first_shape(node.output.shape)[1:]


def _written(nir: Any, node: Node, dt: float, exact: bool) -> list[tuple[str, Any]]:
    """One layer as NIR's nodes, by name. Raises ValueError that says what NIR does not have."""
    layer, name = node.layer, node.path.replace(".", "_")
    inputs = node.input_shape[:-1]
    if isinstance(layer, LIF):
        if exact and layer.reset != "zero":
            raise ValueError(f"{layer!r}: NIR has no reset {layer.reset!r}, only to zero; exact=False writes it as "
                             "one to zero, and names it in the metadata")  # fmt: skip
        current = _written_weights(nir, layer.layer, inputs)
        return [(f"{name}_current", current), (name, _written_neurons(nir, layer, _shape(node), dt))]
    if isinstance(layer, Dense | Conv2d):
        return [(name, _written_weights(nir, layer, inputs))]
    if isinstance(layer, AvgPool2d):
        if layer.ceil_mode or (any(layer.padding) and not layer.count_include_pad):
            raise ValueError(f"{layer!r}: NIR has no ceil_mode, and its padding counts")
        return [(name, nir.AvgPool2d(*map(np.array, (layer.kernel_size, layer.stride, layer.padding))))]
    if isinstance(layer, Flatten):
        return [(name, nir.Flatten({"input": np.array(inputs)}, 0, -1))]
    if isinstance(layer, Dropout | Identity):
        return []
    raise ValueError(f"{layer!r}: NIR has no such node")


def _written_weights(nir: Any, layer: Any, inputs: tuple[int, ...]) -> Any:
    w = layer.weight.value.copy()
    if isinstance(layer, Dense):
        return nir.Affine(w, layer.bias.value.copy()) if layer.bias else nir.Linear(w)
    right = isinstance(layer, Conv2d) and layer.groups == 1 and not any(layer.more_behind)
    if not right or len(set(layer.kernel_size)) > 1:  # the package nir takes a kernel's height for its width
        raise ValueError(f"{layer!r}: of convolutions NIR has Conv2d, of square kernels, without groups and with equal "
                         "padding on both sides")  # fmt: skip
    b = layer.bias.value.copy() if layer.bias else np.zeros(len(w), w.dtype)
    return nir.Conv2d(tuple(inputs[1:]), w, layer.stride, layer.padding, layer.dilation, 1, b)


def _written_neurons(nir: Any, lif: LIF, shape: tuple[int, ...], dt: float) -> Any:
    """A number for each neuron, as other programs need it; zeros in front of what NIR has and lif.py has not."""
    number = lif.layer.dtype

    def full(value: float) -> np.ndarray:
        return np.full(shape, value, number)

    about = {"beta": lif.beta, "threshold": lif.threshold, "reset": lif.reset}
    zero, threshold = full(0), full(lif.threshold)
    if lif.beta == 1:
        return nir.IF(r=full(1 / dt), v_threshold=threshold, v_reset=zero, metadata=about)
    keys = {"tau": full(dt / (1 - lif.beta)), "r": full(1 / (1 - lif.beta))}
    return nir.LIF(**keys, v_leak=zero, v_threshold=threshold, v_reset=full(0), metadata=about)
