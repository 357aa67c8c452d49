"""Networks as ONNX files: a function for each kind of layer, which adds its operators to the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.files import written_whole
from lfp_ref.layers import activations
from lfp_ref.layers.attention import MultiHeadAttention
from lfp_ref.layers.average import AdaptiveAvgPool2d
from lfp_ref.layers.conv import Convolution
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.dropout import Dropout
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.joining import Concatenate, Identity
from lfp_ref.layers.layer_norm import GroupNorm, LayerNorm
from lfp_ref.layers.maximum import Maximum
from lfp_ref.layers.norm import BatchNorm
from lfp_ref.layers.pool import MaxPool2d, Pool2d
from lfp_ref.layers.residual import Residual
from lfp_ref.layers.step import Step
from lfp_ref.layers.tokens import ClassToken, PatchEmbedding, Positions, SelectToken
from lfp_ref.layers.upsampling import ConvTranspose2d, Upsample
from lfp_ref.models.resnet import BasicBlock
from lfp_ref.network import Sequential, Spiking
from lfp_ref.onnx.graph import INPUT, Graph, Join, Product, Reshape, Transpose
from lfp_ref.onnx.package import onnx_package
from lfp_ref.onnx.pools import pads, region_means, whole_windows

OPSET = 21  # the first with group normalisation of a weight for each channel; onnxruntime 1.18 and later have it
IR_VERSION = 10  # of the file format, that opset's
LARGEST = 2**31 - 2**20  # bytes of one file, which protobuf limits to 2 GiB


def save(net: Layer, path: str | os.PathLike[str], input_shape: tuple[int, ...] | None = None) -> None:
    """Writes a network, as it runs outside of training, into an .onnx file for any batch size.

    net: of the package's layers but spiking ones; dropout is left out. input_shape: of one sample; None is the shape
    the network was built for. Weights keep their names (net.state_dict()), shapes and dtype; the input is called
    "input", the output "output". path holds the old file or the new one, whole; it is checked before it is written.
    Raises TypeError for a spiking network, ValueError for layers that have no operators, naming all of them, and for
    weights of more than 2 GiB; MissingExtra without the package onnx.
    """
    onnx = onnx_package()
    if isinstance(net, Spiking):
        raise TypeError("ONNX has no spiking neurons: lfp.nir.save writes a spiking network")
    shape = getattr(net, "input_shape", None) if input_shape is None else tuple(input_shape)
    if shape is None:
        raise ValueError("save needs the shape of one sample, as in lfp.onnx.save(net, path, (1, 28, 28))")
    tape = net.record(np.zeros((1, *shape), net.dtype or np.float32))
    root = next(tape.nodes())
    writer = Writer(onnx, net, tape.outputs.dtype)
    writer.add("Identity", writer.layer(root, "input"), output="output")
    if writer.problems:
        raise ValueError("not supported in ONNX files:\n  " + "\n  ".join(writer.problems))
    content = writer.model(shape, tape.outputs.shape[1:]).SerializeToString()
    onnx.checker.check_model(content, full_check=True)
    with written_whole(Path(path)) as file:
        file.write(content)


class Writer:
    """Operators and weights of the file that is written. problems: layers that have none."""

    def __init__(self, onnx: Any, net: Layer, dtype: np.dtype) -> None:
        self.onnx = onnx
        self.dtype = dtype
        self.operators: list[Any] = []
        self.weights: dict[str, np.ndarray] = {}
        self.problems: list[str] = []
        self._names = {id(parameter): name for name, parameter in net.named_parameters()}

    def layer(self, node: Node, x: str) -> str:
        """The output's name for a layer whose input has that name."""
        kind = next((kind for kind in type(node.layer).__mro__ if kind in WRITERS), None)
        if kind is None or not type(node.layer).__module__.startswith("lfp_ref."):  # who knows what a subclass does
            self.problems.append(f"layer {node.path}, {node.layer!r}" if node.path else repr(node.layer))
            return x
        return WRITERS[kind](self, node, x)

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Adds an operator; returns its output's name."""
        output = output or f"{operator}_{len(self.operators)}"
        self.operators.append(self.onnx.helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def constant(self, value: Any, dtype: Any = None) -> str:
        """The name of a constant, by default of the network's dtype."""
        name = f"constant_{len(self.weights)}"
        self.weights[name] = np.asarray(value, dtype or self.dtype)
        return name

    def integers(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def weight(self, node: Node, name: str) -> str:
        """The name of a layer's parameter or buffer, which is that in the network's state."""
        parameter = node.layer.own_parameters().get(name)
        full = self._names[id(parameter)] if parameter else f"{node.path}.{name}".lstrip(".")
        self.weights[full] = parameter.value if parameter else node.layer.buffers()[name]
        return full

    def model(self, shape: tuple[int, ...], output_shape: tuple[int, ...]) -> Any:
        """The file's content. Raises ValueError where it is too large for one file."""
        size = sum(array.nbytes for array in self.weights.values())
        if size > LARGEST:
            raise ValueError(f"an .onnx file holds at most 2 GiB of weights, these are {size:,} bytes")
        from lfp_ref import __version__

        helper = self.onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        inputs = [helper.make_tensor_value_info("input", kind, ["N", *shape])]
        outputs = [helper.make_tensor_value_info("output", kind, ["N", *output_shape])]
        weights = [self.onnx.numpy_helper.from_array(array, name) for name, array in self.weights.items()]
        graph = helper.make_graph(self.operators, "lfp_ref", inputs, outputs, weights)
        about = {"producer_name": "lfp_ref", "producer_version": __version__, "ir_version": IR_VERSION}
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], **about)


# ---- layers


def _chain(w: Writer, node: Node, x: str) -> str:
    for child in node.children.values():
        x = w.layer(child, x)
    return x


def _graph(w: Writer, node: Node, x: str) -> str:
    values = {INPUT: x}
    for name, sources in node.layer.sources.items():
        child, inputs = node.children[name], [values[source] for source in sources]
        if isinstance(child.layer, Join) and len(sources) == child.layer.branches:
            values[name] = _joined(w, child.layer, inputs)
        else:
            values[name] = w.layer(child, inputs[0] if len(inputs) == 1 else w.add("Concat", *inputs, axis=1))
    return values[name]


def _joined(w: Writer, layer: Join, branches: list[str]) -> str:
    if not isinstance(layer, Product):
        return w.add(type(layer).__name__, *branches)
    product, *others = branches
    for other in others:
        product = w.add("Mul", product, other)
    return product


def _dense(w: Writer, node: Node, x: str) -> str:
    weight, bias = w.weight(node, "weight"), [w.weight(node, "bias")] if node.layer.bias else []
    if len(node.input_shape) == 2:
        return w.add("Gemm", x, weight, *bias, transB=1)
    z = w.add("MatMul", x, w.add("Transpose", weight, perm=[1, 0]))
    return w.add("Add", z, *bias) if bias else z


def _convolution(w: Writer, node: Node, x: str) -> str:
    layer = node.layer
    around = [*layer.padding, *(p + more for p, more in zip(layer.padding, layer.more_behind, strict=True))]
    if layer.padding_value:
        of_all_axes = w.integers(0, 0, *around[: layer.axes], 0, 0, *around[layer.axes :])
        x, around = w.add("Pad", x, of_all_axes, w.constant(layer.padding_value)), [0] * len(around)
    weights = [w.weight(node, name) for name in layer.own_parameters()]
    options = {"kernel_shape": layer.kernel_size, "strides": layer.stride, "dilations": layer.dilation}
    return w.add("Conv", x, *weights, pads=around, group=layer.groups, **options)


def _transposed(w: Writer, node: Node, x: str) -> str:
    layer = node.layer
    weights = [w.weight(node, name) for name in layer.own_parameters()]
    options = {"kernel_shape": layer.kernel_size, "strides": layer.stride, "dilations": layer.dilation}
    options |= {"pads": [*layer.padding] * 2, "output_padding": layer.output_padding}
    return w.add("ConvTranspose", x, *weights, group=layer.groups, **options)


def _batch_norm(w: Writer, node: Node, x: str) -> str:
    names = ("weight", "bias", "running_mean", "running_var")
    options = {"epsilon": node.layer.eps, "momentum": 1 - node.layer.momentum}
    return w.add("BatchNormalization", x, *(w.weight(node, name) for name in names), **options)


def _layer_norm(w: Writer, node: Node, x: str) -> str:
    return w.add("LayerNormalization", x, *(w.weight(node, name) for name in ("weight", "bias")),
                 axis=-1, epsilon=node.layer.eps)  # fmt: skip


def _group_norm(w: Writer, node: Node, x: str) -> str:
    return w.add("GroupNormalization", x, *(w.weight(node, name) for name in ("weight", "bias")),
                 num_groups=node.layer.groups, epsilon=node.layer.eps)  # fmt: skip


def _activation(w: Writer, node: Node, x: str) -> str:
    return _activated(w, node.layer, x)


def _activated(w: Writer, phi: Any, x: str) -> str:
    if isinstance(phi, activations.Reflected):
        return _activated(w, phi.activation, w.add("Neg", x))
    if isinstance(phi, activations.Negated):
        return w.add("Neg", _activated(w, phi.activation, x))
    if isinstance(phi, Step):
        above = w.add("GreaterOrEqual" if phi.low else "Greater", x, w.constant(0))
        return w.add("Where", above, w.constant(1), w.constant(phi.low))
    if isinstance(phi, activations.SiLU):
        return w.add("Mul", x, w.add("Sigmoid", x))
    name = {"LeakyReLU": "LeakyRelu", "ELU": "Elu", "ReLU": "Relu", "GELU": "Gelu"}
    kind = type(phi).__name__
    return w.add(name.get(kind, kind), x, **({} if phi.parameter is None else {"alpha": phi.parameter}))


def _pool(w: Writer, node: Node, x: str) -> str:
    layer = node.layer
    options = {"kernel_shape": layer.kernel_size, "strides": layer.stride, "pads": pads(layer, node.input_shape)}
    if isinstance(layer, MaxPool2d):
        return w.add("MaxPool", x, **options)
    z = w.add("AveragePool", x, count_include_pad=int(layer.count_include_pad), **options)
    factor = whole_windows(layer, node.input_shape)
    return z if (factor == 1).all() else w.add("Mul", z, w.constant(factor))


def _adaptive(w: Writer, node: Node, x: str) -> str:
    sizes, outputs = node.input_shape[1:3], node.layer.output_size
    if outputs == (1, 1):
        return w.add("GlobalAveragePool", x)
    if not any(size % count for size, count in zip(sizes, outputs, strict=True)):
        kernel = [size // count for size, count in zip(sizes, outputs, strict=True)]
        return w.add("AveragePool", x, kernel_shape=kernel, strides=kernel)
    rows, columns = region_means(node.layer, node.input_shape)
    return w.add("MatMul", w.constant(rows), w.add("MatMul", x, w.constant(columns.T)))


def _residual(w: Writer, node: Node, x: str) -> str:
    u = w.layer(node.children["body"], x)
    return w.add("Add", u, w.layer(node.children["shortcut"], x) if "shortcut" in node.children else x)


def _block(w: Writer, node: Node, x: str) -> str:
    children = dict(node.children)
    end, down = children.pop("act2"), children.pop("downsample", None)
    u = x
    for child in children.values():
        u = w.layer(child, u)
    return w.layer(end, w.add("Add", u, w.layer(down, x) if down else x))


def _maximum(w: Writer, node: Node, x: str) -> str:
    u = w.layer(node.children["body"], x)
    return w.add("Max", u, w.layer(node.children["shortcut"], x) if "shortcut" in node.children else x)


def _concatenate(w: Writer, node: Node, x: str) -> str:
    return w.add("Concat", *(w.layer(child, x) for child in node.children.values()), axis=1)


def _patches(w: Writer, node: Node, x: str) -> str:
    z = w.layer(node.children["projection"], x)
    features = len(node.children["projection"].output)
    return w.add("Transpose", w.add("Reshape", z, w.integers(0, features, -1)), perm=[0, 2, 1])


def _class_token(w: Writer, node: Node, x: str) -> str:
    shape = w.add("Concat", w.add("Shape", x, start=0, end=1), w.integers(1, node.layer.features), axis=0)
    return w.add("Concat", w.add("Expand", w.weight(node, "weight"), shape), x, axis=1)


def _attention(w: Writer, node: Node, x: str) -> str:
    heads, features = node.layer.heads, node.layer.features
    z = w.layer(node.children["in_proj"], x)
    split = w.add("Reshape", z, w.integers(0, 0, 3, heads, features // heads))
    by_head = w.add("Transpose", split, perm=[2, 0, 3, 1, 4])
    q, k, v = (w.add("Gather", by_head, w.constant(number, np.int64), axis=0) for number in range(3))
    scores = w.add("MatMul", q, w.add("Transpose", k, perm=[0, 1, 3, 2]))
    p = w.add("Softmax", w.add("Mul", scores, w.constant(node.layer.scale)), axis=-1)
    c = w.add("Transpose", w.add("MatMul", p, v), perm=[0, 2, 1, 3])
    return w.layer(node.children["out_proj"], w.add("Reshape", c, w.integers(0, 0, features)))


def _upsample(w: Writer, node: Node, x: str) -> str:
    scales = w.constant([1, 1, *node.layer.scale], np.float32)
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return w.add("Resize", x, "", scales, **how)


WRITERS: dict[type[Layer], Callable[[Writer, Any, str], str]] = {
    Sequential: _chain, Graph: _graph, BasicBlock: _block, Residual: _residual, Maximum: _maximum,
    Concatenate: _concatenate, Dense: _dense, Convolution: _convolution, ConvTranspose2d: _transposed,
    BatchNorm: _batch_norm, LayerNorm: _layer_norm, GroupNorm: _group_norm, activations.Activation: _activation,
    Pool2d: _pool, AdaptiveAvgPool2d: _adaptive, PatchEmbedding: _patches, ClassToken: _class_token,
    MultiHeadAttention: _attention, Upsample: _upsample,
    Dropout: lambda w, node, x: x,
    Identity: lambda w, node, x: x,
    Flatten: lambda w, node, x: w.add("Flatten", x, axis=1),
    Positions: lambda w, node, x: w.add("Add", x, w.weight(node, "weight")),
    SelectToken: lambda w, node, x: w.add("Gather", x, w.constant(node.layer.index, np.int64), axis=1),
    Reshape: lambda w, node, x: w.add("Reshape", x, w.integers(0, *node.layer.shape)),
    Transpose: lambda w, node, x: w.add("Transpose", x, perm=[0, *(axis + 1 for axis in node.layer.axes)]),
}  # fmt: skip
