"""Networks from ONNX files: operators one by one, or in groups, become layers; layers a chain or a graph."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.joining import Identity
from lfp_ref.network import Sequential
from lfp_ref.onnx import files, values
from lfp_ref.onnx.files import Content
from lfp_ref.onnx.graph import INPUT, Graph
from lfp_ref.onnx.operators import (
    OPERATORS,
    PASSED_ON,
    Operator,
    cut_pool,
    dense,
    padded_convolution,
    region_pool,
)
from lfp_ref.onnx.package import onnx_package

# From scores to probabilities, labels and dictionaries: what is behind a classifier's scores is left off.
ENDINGS = ("Softmax", "LogSoftmax", "ArgMax", "ZipMap", "Normalizer")
BEHIND = (*ENDINGS, "ArrayFeatureExtractor", "Cast", "Identity", "Reshape")
PAIRED = ("AveragePool", "MatMul", "Pad")  # may be one layer together with the operator behind


def load(path: str | os.PathLike[str], output: str | None = None) -> Sequential:
    """The network of an .onnx file: Sequential if its layers are a chain, otherwise a Graph.

    output: the value to load the network up to, where there are several. Of a classifier, softmax, argmax and labels at
    the end are left off: the outputs are its scores. Weights are copied, in single or double precision, from the file
    or files beside it; a layer is named after its weight or value, "conv1.weight" is in the layer "conv1".
    Raises FileNotFoundError; ValueError for a damaged file, and for operators that have no layer here, naming all of
    them; MissingExtra without the package onnx.
    """
    onnx, path = onnx_package(), Path(path)
    content = files.read(onnx, path)
    try:
        values.fold(onnx, content)
        end = _end(content, output)
        content.nodes = _needed(content.nodes, end)
        for node in content.nodes:
            for name in node.input:
                content.counts[name] = content.counts.get(name, 0) + 1
        content.counts[end] = content.counts.get(end, 0) + 1
        net = Reader(onnx, content).network(end)
        net.input_shape = content.shapes[content.input][1:]
    except Exception as error:  # of whatever kind: onnx's have no common base
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ValueError(f"{path}: {said}") from None
    return net


def _end(content: Content, output: str | None) -> str:
    """The value that the network is loaded up to."""
    makers = {name: node for node in content.nodes for name in node.output}
    if output is not None:
        if output not in makers:
            raise ValueError(f"no value is called {output!r}; outputs are {', '.join(content.outputs)}")
        return output
    ends = sorted({_scores(content, makers, name) for name in content.outputs})
    if len(ends) > 1 or ends[0] not in makers:
        raise ValueError(f"output must name one of {', '.join(ends)}")
    return ends[0]


def _scores(content: Content, makers: dict[str, Any], name: str) -> str:
    """The value behind which there are only endings; the value itself if there are none."""
    found = name
    while name in makers:
        node = makers[name]
        inputs = [each for each in node.input if each not in content.constants]
        complement = node.op_type == "Concat" and len(inputs) == 2 and makers.get(inputs[0])
        if complement and complement.op_type == "Sub" and complement.input[1] == inputs[1]:  # (1 - p, p)
            found = name = inputs[1]
        elif node.op_type in BEHIND and len(inputs) == 1:
            name = inputs[0]
            found = name if node.op_type in ENDINGS else found
        else:
            break
    return found


def _needed(nodes: Sequence[Any], end: str) -> list[Any]:
    """The operators that the value depends on."""
    needed, kept = {end}, []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]


class Reader:
    """Layers, their names and sources, from operators. problems: those that have no layer."""

    def __init__(self, onnx: Any, content: Content) -> None:
        self.onnx = onnx
        self.content = content
        self.layers: dict[str, Layer] = {}
        self.sources: dict[str, list[str]] = {}
        self.places = {content.input: INPUT}  # the layer that makes a value
        self.problems: list[str] = []

    def network(self, end: str) -> Sequential:
        """The layers of all operators as a network."""
        done: set[int] = set()
        for number, node in enumerate(self.content.nodes):
            if number in done:
                continue
            try:
                done |= self.read(number)
                self.forget(node)
            except (ValueError, TypeError, KeyError, IndexError) as error:
                self.problems.append(f"{node.op_type} {node.name or node.output[0]!r}: {error}")
                known = [self.places[name] for name in node.input if name in self.places]
                self.places.update(dict.fromkeys(node.output, known[0] if known else INPUT))
        if self.problems:
            raise ValueError("not supported:\n  " + "\n  ".join(self.problems))
        if not self.layers:
            raise ValueError("it has no layers")
        order = [INPUT, *self.layers]
        if all(self.sources[name] == [before] for before, name in zip(order, self.layers, strict=False)):
            return Sequential(self.layers)
        if self.places[end] != order[-1]:
            self.add("output", Identity(), [self.places[end]])
        return Graph(self.layers, self.sources)

    def forget(self, node: Any) -> None:
        """Frees the weights that no operator needs any more: of VGG-16 half of its peak memory."""
        for name in node.input:
            self.content.counts[name] -= 1
            if not self.content.counts[name] and self.content.constants.get(name, np.empty(0)).size > files.SMALL:
                self.content.constants[name] = np.empty(0)

    def read(self, number: int) -> set[int]:
        """Adds the layer of an operator, or of a group that begins with it; returns the numbers of its operators."""
        node, content = self.content.nodes[number], self.content
        data = [name for name in node.input if name and name not in content.constants]
        if not data:
            raise ValueError("a constant that is too large, or of a kind that is not computed here")
        if node.op_type in PASSED_ON:
            self.places[node.output[0]] = self.places[data[0]]
            return {number}
        for operators, recognise in ((values.ELEMENTWISE, values.activation), (values.ATTENTION, values.attention)):
            if node.op_type not in operators:
                continue
            for group in values.groups(content, content.nodes, number, operators):
                found: Layer | None = recognise(self.onnx, content, group, data[0])
                if found:
                    self.add(self.name(node, group[-1]), found, [self.places[data[0]]], group[-1].output[0])
                    return {k for k in range(number, len(content.nodes)) if content.nodes[k] in group}
        if node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx"):
            raise ValueError(f"no layer here{f' (domain {node.domain})' if node.domain else ''}")
        return {number} | self.single(number, data)

    def single(self, number: int, data: list[str]) -> set[int]:
        """Adds the layer of one operator, and of the one behind that belongs to it; returns the number of that one."""
        node = self.content.nodes[number]
        behind: Any = self.behind(node) if node.op_type in PAIRED else None
        layer = self.pair(node, behind) if behind else None
        last, of_weight = (behind, behind if node.op_type == "Pad" else node) if layer else (node, node)
        layer = layer or OPERATORS[node.op_type](self.operator(node))
        flat = isinstance(layer, Flatten) and len(self.content.shapes[data[0]]) == 2
        if (isinstance(layer, Identity) and len(data) == 1) or flat:
            self.places[node.output[0]] = self.places[data[0]]
        else:
            self.add(self.name(of_weight, last), layer, [self.places[name] for name in data], last.output[0])
        return {k for k in range(number + 1, len(self.content.nodes)) if self.content.nodes[k] is last}

    def operator(self, node: Any) -> Operator:
        content = self.content
        data = [name for name in node.input if name and name not in content.constants]
        if unknown := [name for name in (*data, node.output[0]) if name not in content.shapes]:
            known = [
                np.shape(content.constants[n]) if n in content.constants else content.shapes.get(n) for n in node.input
            ]
            raise ValueError(f"the shape of {unknown[0]!r} does not follow from those of its inputs, {known}")
        options = {each.name: self.onnx.helper.get_attribute_value(each) for each in node.attribute}
        constants = [content.constants.get(name) for name in node.input]
        shapes = [content.shapes[name] for name in data]
        return Operator(node.op_type, options, constants, shapes, content.shapes[node.output[0]])

    def behind(self, node: Any) -> Any:
        """The operator that sees what this one makes, if it is the only one."""
        seen = [other for other in self.content.nodes if node.output[0] in other.input]
        return seen[0] if len(seen) == 1 and self.content.counts[node.output[0]] == 1 else None

    def pair(self, node: Any, behind: Any) -> Layer | None:
        """The layer of two operators that belong together, if they do."""
        match node.op_type, behind.op_type:
            case "MatMul", "Add":
                return self.product_and_bias(node, behind)
            case "MatMul", "MatMul" if behind.input[0] in self.content.constants:
                return region_pool(self.operator(node), self.operator(behind))
            case "Pad", "Conv":
                return padded_convolution(self.operator(node), self.operator(behind))
            case "AveragePool", "Mul":
                return cut_pool(self.operator(node), self.operator(behind))
        return None

    def product_and_bias(self, product: Any, addition: Any) -> Layer | None:
        w = self.content.constants.get(product.input[1])
        b = next((self.content.constants[name] for name in addition.input if name in self.content.constants), None)
        if w is None or b is None or w.ndim != 2 or b.shape[-1:] != w.shape[1:] or b.size != w.shape[1]:
            return None
        return dense(self.operator(product).weight(1).T, b)

    def name(self, first: Any, last: Any) -> str:
        """A layer's name: its weight's without the end, or else its output's; no dots, and not taken."""
        weights = [name for name in first.input if name in self.content.constants and name.endswith(".weight")]
        text = weights[0].removesuffix(".weight") if weights else last.output[0]
        text = re.sub(r"[./:]+", "_", text).strip("_") or "layer"
        others = (text if k == 1 else f"{text}_{k}" for k in range(1, len(self.layers) + 3))
        return next(name for name in others if name not in self.layers and name != INPUT)

    def add(self, name: str, layer: Layer, sources: list[str], value: str | None = None) -> None:
        self.layers[name] = layer
        self.sources[name] = sources
        if value is not None:
            self.places[value] = name
