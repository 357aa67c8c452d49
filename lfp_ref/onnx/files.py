"""ONNX files of others: their operators and weights, read with bounds. What is wrong with one is a ValueError.

Weights are taken out of the file's content one by one; what remains, a skeleton of a few kilobytes, is checked by
onnx.checker and given the shapes of all values. Nothing of a size that only the file's words promise is allocated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

LARGEST = 2**31  # bytes of an .onnx file, protobuf's own limit
SMALL = 1024  # numbers of a weight that the skeleton keeps: a shape, an axis, a scale
BATCH = 2  # samples, where a file leaves their number open
LARGEST_VALUE = 2**31  # numbers of a value, of BATCH samples; nothing is allocated for them here


@dataclass
class Content:
    """What a file holds. model: without its weights, which are among the constants. batch: samples of the input.

    shapes: of values, as far as they are known. nodes: the operators that are left to read, in their order.
    counts: the number of inputs of these that see a value. weights, computed: numbers of constants in the file, and of
    those computed from them.
    """

    model: Any
    constants: dict[str, np.ndarray]
    input: str
    outputs: list[str]
    batch: int
    opset: int
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    nodes: list[Any] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    weights: int = 0
    computed: int = 0


def read(onnx: Any, path: Path) -> Content:
    """The content of a file. Raises FileNotFoundError, and ValueError for one that is damaged or made to do harm."""
    if not path.is_file():
        raise FileNotFoundError(f"no network at {path}")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes, more than an .onnx file can have")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
        constants = _weights(onnx, model.graph, path.parent)
        return _content(onnx, model, constants)
    except Exception as error:  # of whatever kind: protobuf's and the checker's have no common base
        raise ValueError(f"{path} is damaged or no .onnx file that is read here: {_short(error)}") from None


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) < 400 else f"{text[:400]}..."


def _weights(onnx: Any, graph: Any, folder: Path) -> dict[str, np.ndarray]:
    """The weights by name; the graph keeps the small ones, and of others the shape, as if they were inputs."""
    if graph.sparse_initializer:
        raise ValueError("it has sparse weights")
    constants: dict[str, np.ndarray] = {}
    small = []
    names = {each.name for each in graph.input}
    while graph.initializer:
        tensor = graph.initializer.pop()
        if tensor.name in constants:
            raise ValueError(f"two weights are called {tensor.name!r}")
        values = constants[tensor.name] = array(onnx, tensor, folder)
        if values.size <= SMALL:
            small.append(onnx.numpy_helper.from_array(values, tensor.name))
        elif tensor.name not in names:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    graph.initializer.extend(small)
    return constants


def array(onnx: Any, tensor: Any, folder: Path | None) -> np.ndarray:
    """A weight, whose bytes are counted first; kept in the file, or in one of the folder if there is one."""
    name, shape = tensor.name, tuple(tensor.dims)
    if min(shape, default=1) < 0 or tensor.data_type == onnx.TensorProto.STRING:
        raise ValueError(f"weight {name!r} has the shape {shape} of kind {tensor.data_type}")
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    size = math.prod(shape) * dtype.itemsize
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        values = _external(tensor, dtype, size, folder).reshape(shape)
    else:
        raw = tensor.raw_data  # a copy
        fields = ("float_data", "double_data", "int32_data", "int64_data", "uint64_data")
        held = len(raw) + dtype.itemsize * sum(len(getattr(tensor, each)) for each in fields)
        if held != size:
            raise ValueError(f"weight {name!r} of shape {shape} has {size:,} bytes, the file holds {held:,}")
        little = np.dtype(dtype).newbyteorder("<")
        values = np.frombuffer(raw, little).reshape(shape) if raw else onnx.numpy_helper.to_array(tensor)
        values = values.astype(dtype, copy=False)
    if dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"weight {name!r} has NaN or infinity")
    return values


def _external(tensor: Any, dtype: np.dtype, size: int, folder: Path | None) -> np.ndarray:
    """A weight's numbers from a file in the same folder."""
    where = {entry.key: entry.value for entry in tensor.external_data}
    if folder is None:
        raise ValueError("a constant is kept in another file")
    file, offset = folder / where.get("location", ""), int(where.get("offset", 0))
    if file.resolve().parent != folder.resolve() or not file.is_file():
        raise ValueError(f"weight {tensor.name!r} is kept in {where.get('location')!r}, no file in the same folder")
    if int(where.get("length", size)) != size or offset < 0 or offset + size > file.stat().st_size:
        raise ValueError(f"weight {tensor.name!r} needs {size:,} bytes from {offset:,} on of {file.name}, "
                         f"which has {file.stat().st_size:,}")  # fmt: skip
    return np.fromfile(file, dtype, size // dtype.itemsize, offset=offset)


def _content(onnx: Any, model: Any, constants: dict[str, np.ndarray]) -> Content:
    graph = model.graph
    if model.functions:
        raise ValueError("it has functions of its own; onnx.inliner.inline_local_functions takes them out")
    inputs = [each for each in graph.input if each.name not in constants]
    if len(inputs) != 1 or not graph.output:
        raise ValueError(f"it has {len(inputs)} inputs and {len(graph.output)} outputs, not one input and an output")
    sizes = inputs[0].type.tensor_type.shape.dim
    if len(sizes) < 2 or any(size.dim_value < 1 for size in sizes[1:]):
        raise ValueError(f"its input {inputs[0].name!r} must have a batch and fixed sizes, it has "
                         f"{[size.dim_value or size.dim_param or '?' for size in sizes]}")  # fmt: skip
    if sizes[0].dim_value < 1:
        sizes[0].dim_value = BATCH
    onnx.checker.check_model(model)
    opset = next((each.version for each in model.opset_import if not each.domain), 0)
    outputs = [each.name for each in graph.output]
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")  # a batch that was left open there
    model = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    weights = sum(array.size for array in constants.values())
    return Content(model, constants, inputs[0].name, outputs, sizes[0].dim_value, opset, weights=weights)


def infer_shapes(onnx: Any, content: Content) -> None:
    """Sets the shapes of all values that they follow for. Raises ValueError for one that is too large."""
    model = onnx.ModelProto()
    model.CopyFrom(content.model)
    del model.graph.value_info[:]
    for node in model.graph.node:
        if node.op_type == "GroupNormalization":  # onnx does not know that it keeps the shape
            node.op_type = "Relu"
            del node.input[1:], node.attribute[:]
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    for each in (*graph.value_info, *graph.output, *graph.input):
        kind = each.type.tensor_type
        if kind.HasField("shape") and all(size.HasField("dim_value") for size in kind.shape.dim):
            shape = content.shapes[each.name] = tuple(size.dim_value for size in kind.shape.dim)
            if min(shape, default=1) < 1 or math.prod(shape) > LARGEST_VALUE:
                raise ValueError(f"value {each.name!r} has the shape {shape}")


def set_constants(onnx: Any, content: Content, nodes: list[Any]) -> None:
    """Leaves these operators; what others computed are constants now."""
    graph = content.model.graph
    for node in graph.node:
        for name in node.output:
            array = content.constants.get(name)
            if array is not None and array.size <= SMALL:
                graph.initializer.append(onnx.numpy_helper.from_array(array, name))
            elif array is not None:
                kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
                graph.input.append(onnx.helper.make_tensor_value_info(name, kind, array.shape))
    kept = onnx.GraphProto()
    kept.node.extend(nodes)
    del graph.node[:]
    graph.node.extend(kept.node)
