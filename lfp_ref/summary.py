"""A network as a table: its layers, their outputs' shapes, parameters, multiplications."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.layers.lif import LIF
from lfp_ref.layers.weighted import WeightedLayer


@dataclass(frozen=True)
class Row:
    """One layer. shape: of its output for one sample (and one step of time). multiplications: for one sample."""

    path: str
    layer: str
    shape: tuple[int, ...]
    parameters: int
    multiplications: int


def rows(net: Layer, input_shape: tuple[int, ...]) -> list[Row]:
    """A row for each layer that has no layers inside or has parameters of its own, from input to output.

    input_shape: of one sample. Multiplications are those of weighted sums, one for each input of each output; of a
    spiking network in one step of time, as if all its inputs spiked. What is left out (normalisation, activations,
    sums of branches) is a few for each output. Runs a forward pass of one sample of zeros.
    """
    over_time = (getattr(net, "steps"),) if net.sample_axis else ()  # noqa: B009, only a spiking network has steps
    tape = net.record(np.zeros((*over_time, 1, *input_shape), net.dtype or np.float32))
    found = []
    counted: set[int] = set()
    neurons: dict[str, str] = {}  # LIF neurons have their current's path
    for node in tape.nodes():
        layer, own = node.layer, node.layer.own_parameters()
        if isinstance(layer, LIF):
            neurons[node.path] = repr(layer)
        if layer.children() and not own:
            continue
        parameters = sum(p.value.size for p in own.values() if id(p) not in counted)  # shared ones once
        counted |= {id(p) for p in own.values()}
        shape = node.output.shape[1:] if layer.batch_first else node.output.shape[:-1]
        found.append(Row(node.path, neurons.get(node.path, repr(layer)), shape, parameters, _multiplications(node)))
    return found


def table(net: Layer, input_shape: tuple[int, ...]) -> str:
    """The rows and their sums as text."""
    found = rows(net, input_shape)
    total = Row("", "network", found[-1].shape, sum(r.parameters for r in found), sum(r.multiplications for r in found))
    lines = [("", "layer", "output", "parameters", "multiplications"), ("", "input", _text(input_shape), "", "")]
    for row in [*found, total]:
        counts = [f"{number:,}" if number else "" for number in (row.parameters, row.multiplications)]
        lines.append((row.path, row.layer, _text(row.shape), counts[0], counts[1]))
    wide = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        f"{path:{wide[0]}s}  {layer:{wide[1]}s}  {shape:{wide[2]}s}  {parameters:>{wide[3]}s}  {products:>{wide[4]}s}"
        for path, layer, shape, parameters, products in lines
    )


def _multiplications(node: Node) -> int:
    """One for each weight of each output: (O, ...) outputs of w (O, inputs of an output)."""
    layer = node.layer
    if not isinstance(layer, WeightedLayer) or not layer.weight:
        return 0
    batch = node.output.shape[-1]
    return node.output.size // batch * layer.weight.value[0].size


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
