"""Groups of operators recognised by what they compute: constants, activations, self-attention.

Exporters write one layer in many ways: a GELU as five operators or as one, attention as twenty in any order. So a group
of operators between one value and one value is run, by onnx's own reference, on a few numbers, and is taken for the
layer that gives the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.layers import activations
from lfp_ref.layers.attention import MultiHeadAttention
from lfp_ref.layers.step import Step
from lfp_ref.onnx.files import Content, array, infer_shapes, set_constants

LARGEST_CONSTANTS = 2**24  # numbers of all constants that are computed, besides four times the weights
LARGEST_TRIAL = 2**24  # numbers of a value when a group is tried
LONGEST = 64  # operators of a group
ELEMENTWISE = {
    "Abs", "Add", "Cast", "Clip", "Div", "Elu", "Equal", "Erf", "Exp", "Gelu", "Greater", "GreaterOrEqual",
    "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Min", "Mul", "Neg",
    "Not", "Pow", "Reciprocal", "Relu", "Selu", "Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt", "Sub", "Tanh",
    "Where",
}  # fmt: skip
FOLDABLE = ELEMENTWISE | {
    "And", "Concat", "Constant", "ConstantOfShape", "Expand", "Flatten", "Gather", "Mod", "Or", "Reshape", "Slice",
    "Split", "Squeeze", "Transpose", "Unsqueeze",
}  # fmt: skip
ATTENTION = {
    "Add", "Cast", "Div", "Dropout", "Gather", "Gemm", "Identity", "MatMul", "Mul", "Reshape", "Slice", "Softmax",
    "Split", "Sqrt", "Squeeze", "Transpose", "Unsqueeze",
}  # fmt: skip

PLAIN: tuple[Any, ...] = (
    activations.ReLU(), activations.GELU(), activations.SiLU(), activations.Tanh(), activations.Sigmoid(),
    activations.Softplus(), activations.Softsign(), Step(0), Step(-1),
)  # fmt: skip


def fold(onnx: Any, content: Content) -> None:
    """Computes what depends on weights and shapes alone; content.nodes are the other operators.

    Constants tell shapes, and shapes constants: round after round, until nothing is new.
    """
    while True:
        infer_shapes(onnx, content)
        content.nodes = _fold_once(onnx, content)
        if len(content.nodes) == len(content.model.graph.node):
            return
        set_constants(onnx, content, content.nodes)


def _fold_once(onnx: Any, content: Content) -> list[Any]:
    rest = []
    for node in content.model.graph.node:
        inputs = [name for name in node.input if name]
        tensor = next((each.t for each in node.attribute if each.name == "value"), None)
        if node.op_type == "Constant" and tensor is not None:
            content.constants[node.output[0]] = array(onnx, tensor, None)
        elif node.op_type == "Shape" and inputs[0] in content.shapes:
            content.constants[node.output[0]] = _shape(onnx, node, content.shapes[inputs[0]])
        elif node.op_type in FOLDABLE and all(name in content.constants for name in inputs):
            content.computed += _largest(node, [content.constants[name] for name in inputs])
            if content.computed > LARGEST_CONSTANTS + 4 * content.weights:
                raise ValueError(f"{node.op_type} {node.name or node.output[0]!r}: its constants are too large")
            content.constants.update(zip(node.output, run(onnx, content, [node], {}), strict=True))
        else:
            rest.append(node)
    return rest


def _largest(node: Any, inputs: Sequence[np.ndarray]) -> int:
    """So many numbers an output has at most, known before it is computed."""
    kind, total = node.op_type, sum(each.size for each in inputs)
    if kind in ("ConstantOfShape", "Expand"):
        return total * math.prod(abs(int(size)) for size in inputs[-1].reshape(-1))
    if kind in ELEMENTWISE or kind in ("And", "Or", "Mod"):
        return math.prod(np.broadcast_shapes(*(each.shape for each in inputs)))
    return inputs[0].size * max(1, inputs[1].size) if kind == "Gather" else total


def _shape(onnx: Any, node: Any, shape: tuple[int, ...]) -> np.ndarray:
    options = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    return np.array(shape[options.get("start", 0) : options.get("end", len(shape))], np.int64)


def run(onnx: Any, content: Content, nodes: Sequence[Any], given: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The outputs of the last of these operators, from constants and the values given."""
    helper = onnx.helper
    made = {name for node in nodes for name in node.output}
    needed = {name for node in nodes for name in node.input if name} - made - set(given)
    values = {**{name: content.constants[name] for name in needed}, **given}
    inputs = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), None)
              for name, array in values.items()]  # fmt: skip
    outputs = [helper.make_empty_tensor_value_info(name) for name in nodes[-1].output]
    graph = helper.make_graph(list(nodes), "group", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", content.opset)])
    with np.errstate(all="ignore"):
        return onnx.reference.ReferenceEvaluator(model).run(None, values)


def groups(content: Content, nodes: Sequence[Any], start: int, operators: set[str]) -> Iterator[list[Any]]:
    """Groups of operators from that one on which see one value and of which one value is seen, longest first."""
    x = next((name for name in nodes[start].input if name and name not in content.constants), None)
    if x is None:
        return
    group: list[Any] = []
    inside = {x}
    found = []
    for node in nodes[start : start + 2 * LONGEST]:
        values = [name for name in node.input if name and name not in content.constants]
        if values and inside.issuperset(values) and node.op_type in operators and len(group) < LONGEST:
            group.append(node)
            inside.update(node.output)
            if _is_closed(content, group):
                found.append(list(group))
    yield from reversed(found)


def _is_closed(content: Content, group: Sequence[Any]) -> bool:
    """True if nothing outside of the group sees a value of it but the last."""
    uses: dict[str, int] = {}
    for node in group:
        for name in node.input:
            uses[name] = uses.get(name, 0) + 1
    return all(uses.get(name, 0) == content.counts.get(name, 0) for node in group[:-1] for name in node.output if name)


# ---- activations


def activation(onnx: Any, content: Content, group: Sequence[Any], x: str) -> Layer | None:
    """The activation that a group of elementwise operators is; None if there is none of its values."""
    constants = [name for node in group for name in node.input if name and name in content.constants]
    if any(content.constants[name].size > 1 for name in constants):
        return None
    far = np.array([1e-6, 1e-3, 0.1, 10, 80, 1e4])  # a clipped ReLU is none; beyond 80 exponentials overflow
    z = np.concatenate([np.linspace(-6, 6, 97), far, -far]).astype(np.float32)
    try:
        (y,) = run(onnx, content, group, {x: z})
    except Exception:  # onnx's reference has no common base for its errors
        return None
    if y.shape != z.shape or y.dtype != z.dtype or not np.isfinite(y[np.abs(z) <= 80]).all():
        return None
    finite = np.isfinite(y)
    for phi in _candidates(z, y):
        theirs = np.empty_like(z)
        phi.activate(z, theirs)
        if (np.abs(theirs - y)[finite] <= 1e-5 * np.maximum(1, np.abs(y[finite]))).all():
            return phi
    return None


def _candidates(z: np.ndarray, y: np.ndarray) -> Iterator[Any]:
    """Activations, as they are, negated and reflected; numbers of those that have one are taken from z = -1."""
    at_minus_1, at_1 = float(y[z == -1][0]), float(y[z == 1][0])
    for wrap, value in ((None, at_minus_1), (activations.Negated, -at_minus_1), (activations.Reflected, at_1)):
        below = max(0.0, -value)
        for phi in (*PLAIN, activations.LeakyReLU(below), activations.ELU(below / (1 - math.exp(-1)))):
            yield wrap(phi) if wrap else phi


# ---- attention


def attention(onnx: Any, content: Content, group: Sequence[Any], x: str) -> MultiHeadAttention | None:
    """The self-attention that a group of operators around one softmax is; None if it computes something else."""
    scores = [node for node in group if node.op_type == "Softmax"]
    shape, out = content.shapes.get(x, ()), content.shapes.get(group[-1].output[0])
    if len(scores) != 1 or len(shape) != 3 or out != shape:
        return None
    if any(math.prod(content.shapes.get(node.output[0], (LARGEST_TRIAL + 1,))) > LARGEST_TRIAL for node in group):
        return None
    samples, tokens, features = shape
    rows = math.prod(content.shapes[scores[0].output[0]][:-1])
    heads = rows // (samples * tokens)
    maps = _linear_maps(onnx, content, group)
    sizes = [w.shape for w, _ in maps]
    if sizes == [(features, features)] * 4:
        w, b = (np.concatenate(parts) for parts in zip(*maps[:3], strict=True))
        maps = [(w, b), maps[3]]
    elif sizes != [(3 * features, features), (features, features)]:
        return None
    if heads < 1 or features % heads or heads * samples * tokens != rows:
        return None
    dtype = maps[0][0].dtype
    found = MultiHeadAttention(features, heads, dtype=dtype)
    for dense, (w, b) in zip((found.in_proj, found.out_proj), maps, strict=True):
        dense.load_state_dict({"weight": w, "bias": b})
    few = np.random.default_rng(0).normal(size=shape).astype(dtype)
    try:
        (y,) = run(onnx, content, group, {x: few})
    except Exception:  # as above
        return None
    limit = 1e-4 * max(1e-30, float(np.abs(y).max()))
    return found if y.shape == few.shape and np.abs(found.forward(few) - y).max() <= limit else None


def _linear_maps(onnx: Any, content: Content, group: Sequence[Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """(w, b) of each product with a constant, w (O, I), b zeros where none is added."""
    found = []
    for node in group:
        if node.op_type not in ("MatMul", "Gemm") or node.input[1] not in content.constants:
            continue
        w = content.constants[node.input[1]]
        is_transposed = any(each.name == "transB" and each.i for each in node.attribute)
        w = w if is_transposed or w.ndim != 2 else w.T
        b = content.constants.get(node.input[2]) if len(node.input) > 2 else None
        for other in group if b is None else ():
            if other.op_type == "Add" and node.output[0] in other.input:
                b = next((content.constants[name] for name in other.input if name in content.constants), None)
        found.append((w, np.zeros(len(w), w.dtype) if b is None else b.reshape(-1)))
    return found
