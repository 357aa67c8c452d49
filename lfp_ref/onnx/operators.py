"""The layer that an operator of a file is: a function for each kind of operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.layers.average import AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool2d
from lfp_ref.layers.conv import Conv1d, Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.joining import Identity
from lfp_ref.layers.layer_norm import GroupNorm, LayerNorm
from lfp_ref.layers.norm import BatchNorm
from lfp_ref.layers.pool import MaxPool2d
from lfp_ref.layers.tokens import ClassToken, Positions, SelectToken
from lfp_ref.layers.upsampling import ConvTranspose2d, Upsample
from lfp_ref.network import Sequential
from lfp_ref.onnx.graph import Join, Max, Product, Reshape, Sum, Transpose
from lfp_ref.onnx.pools import region_means, whole_windows


@dataclass
class Operator:
    """An operator. constants: of each input, None for a value of the pass. shapes: of those values; out: the output.

    What operators before or behind it do to it: padding_value, of a padding before a convolution; factor, of a mean.
    """

    kind: str
    options: dict[str, Any]
    constants: list[np.ndarray | None]
    shapes: list[tuple[int, ...]]
    out: tuple[int, ...]
    padding_value: float = 0.0
    factor: np.ndarray | None = None

    def option(self, name: str, usual: Any = None) -> Any:
        value = self.options.get(name, usual)
        return value.decode() if isinstance(value, bytes) else value

    def expect(self, **usual: Any) -> None:
        """Raises ValueError for an attribute of another value than the one that there is a layer for."""
        for name, value in usual.items():
            if self.option(name, value) != value:
                raise ValueError(f"attribute {name} = {self.option(name)!r}, supported is {value!r}")

    def constant(self, number: int) -> np.ndarray | None:
        return self.constants[number] if number < len(self.constants) else None

    def weight(self, number: int) -> np.ndarray:
        """An input that must be a constant of single or double precision. Raises ValueError for another."""
        w = self.constant(number)
        if w is None:
            raise ValueError(f"its input number {number + 1} must be a constant")
        if w.dtype not in (np.float32, np.float64):
            raise ValueError(f"weights of {w.dtype}, supported are float32 and float64")
        return w


class Undrawn(np.random.Generator):
    """Zeros in place of initial values that are overwritten next: 3 s and 800 MB for VGG-16."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return np.zeros(size, np.float32)


UNDRAWN = Undrawn()


def filled(layer: Layer, **state: np.ndarray | None) -> Layer:
    """The layer with these numbers."""
    layer.load_state_dict({name: array for name, array in state.items() if array is not None})
    return layer


def dense(w: np.ndarray, b: np.ndarray | None) -> Layer:
    """w (O, I), b (O,) or None."""
    if w.ndim != 2:
        raise ValueError(f"a weight of shape {w.shape}")
    layer = Dense(w.shape[1], w.shape[0], bias=b is not None, dtype=w.dtype, rng=UNDRAWN)
    return filled(layer, weight=w, bias=None if b is None else np.broadcast_to(b.reshape(-1), w.shape[:1]))


def _gemm(op: Operator) -> Layer:
    op.expect(alpha=1.0, beta=1.0, transA=0)
    w = op.weight(1)
    return dense(w if op.option("transB", 0) else w.T, op.weight(2) if len(op.constants) > 2 else None)


def _convolution(op: Operator) -> Layer:
    op.expect(auto_pad="NOTSET")
    w = op.weight(1)
    axes = w.ndim - 2
    if axes not in (1, 2):
        raise ValueError(f"a weight of shape {w.shape}, supported are convolutions of rows and images")
    steps = {"stride": op.option("strides", [1] * axes), "dilation": op.option("dilations", [1] * axes)}
    pads = op.option("pads", [0] * 2 * axes)
    groups = op.option("group", 1)
    options: dict[str, Any] = {"padding": tuple(pads[:axes]), "bias": len(op.constants) > 2, "groups": groups}
    options["padding_value"] = op.padding_value
    kind: Any = Conv1d if axes == 1 else Conv2d
    if pads[:axes] != pads[axes:]:
        options["padding"] = "same"
    try:
        layer = kind(w.shape[1] * groups, len(w), w.shape[2:], **steps, **options, dtype=w.dtype, rng=UNDRAWN)
    except ValueError as error:
        raise ValueError(f"pads = {pads}, or another size: {error}") from None
    if options["padding"] == "same":
        ours = [*layer.padding, *(p + more for p, more in zip(layer.padding, layer.more_behind, strict=True))]
        if ours != list(pads):
            raise ValueError(f"pads = {pads}, different in front and behind")
    return filled(layer, weight=w, bias=op.weight(2) if len(op.constants) > 2 else None)


def _transposed(op: Operator) -> Layer:
    op.expect(auto_pad="NOTSET")
    w = op.weight(1)
    pads = op.option("pads", [0] * 4)
    if w.ndim != 4 or pads[:2] != pads[2:]:
        raise ValueError(f"a weight of shape {w.shape} and pads = {pads}: supported are images, padded equally")
    names = {"stride": "strides", "output_padding": "output_padding", "dilation": "dilations"}
    options: Any = {name: op.option(theirs, [int(name != "output_padding")] * 2) for name, theirs in names.items()}
    groups, bias = op.option("group", 1), op.weight(2) if len(op.constants) > 2 else None
    layer = ConvTranspose2d(len(w), w.shape[1] * groups, w.shape[2:], padding=tuple(pads[:2]), groups=groups,
                            bias=bias is not None, dtype=w.dtype, rng=UNDRAWN, **options)  # fmt: skip
    return filled(layer, weight=w, bias=bias)


def _batch_norm(op: Operator) -> Layer:
    op.expect(training_mode=0)
    names = ("weight", "bias", "running_mean", "running_var")
    state = {name: op.weight(number) for number, name in enumerate(names, 1)}
    w = state["weight"]
    options = {"momentum": 1 - op.option("momentum", 0.9), "eps": op.option("epsilon", 1e-5)}
    return filled(BatchNorm(len(w), dtype=w.dtype, **options), **state)


def _layer_norm(op: Operator) -> Layer:
    w = op.weight(1)
    if op.option("axis", -1) not in (-1, len(op.out) - 1) or w.ndim != 1:
        raise ValueError(f"attribute axis = {op.option('axis')} over {w.shape}, supported is the last one")
    bias = op.weight(2) if len(op.constants) > 2 else np.zeros_like(w)
    return filled(LayerNorm(len(w), op.option("epsilon", 1e-5), w.dtype), weight=w, bias=bias)


def _group_norm(op: Operator) -> Layer:
    w = op.weight(1)
    if len(w) != op.out[1]:
        raise ValueError(f"weights for each of {len(w)} groups, supported are those for each channel (opset 21)")
    layer = GroupNorm(op.option("num_groups"), len(w), op.option("epsilon", 1e-5), w.dtype)
    return filled(layer, weight=w, bias=op.weight(2))


def _pool(op: Operator) -> Layer:
    op.expect(auto_pad="NOTSET", storage_order=0, dilations=[1, 1])
    kernel, pads = op.option("kernel_shape"), op.option("pads", [0] * 4)
    if len(kernel) != 2:
        raise ValueError(f"attribute kernel_shape = {kernel}, supported are images")
    uneven = pads[:2] != pads[2:]
    options: dict[str, Any] = {"stride": op.option("strides", [1, 1]), "padding": tuple(pads[:2])}
    options["ceil_mode"] = uneven or bool(op.option("ceil_mode", 0))
    if op.kind == "AveragePool":
        options["count_include_pad"] = bool(op.option("count_include_pad", 0))
        if not any(pads):  # ours counts, or does not, what is not there
            options["count_include_pad"] = True
    layer: Any = (MaxPool2d if op.kind == "MaxPool" else AvgPool2d)(tuple(kernel), **options)
    shape = (*op.shapes[0][1:], 1)
    right = [len(each.counts) for each in layer.windows(shape)] == list(op.out[2:])
    cut = uneven and bool(options.get("count_include_pad"))
    if right and (cut or op.factor is not None):
        right = cut and np.allclose(whole_windows(layer, shape), 1 if op.factor is None else op.factor, rtol=1e-6)
    if not right:
        raise ValueError(f"attributes pads = {pads}, ceil_mode = {op.option('ceil_mode', 0)} together")
    return layer


def _mean(op: Operator) -> Layer:
    axes = op.constant(1) if len(op.constants) > 1 else np.array(op.option("axes", []))
    if len(op.shapes[0]) != 4 or axes is None or sorted(int(axis) % 4 for axis in axes) != [2, 3]:
        raise ValueError("supported is the mean over height and width")
    return GlobalAvgPool2d() if op.option("keepdims", 1) else Sequential(GlobalAvgPool2d(), Flatten())


def cut_pool(mean: Operator, product: Operator) -> Layer | None:
    """Means over whole windows times a number for each window: those of windows that the image's end cuts off."""
    mean.factor = next((each for each in product.constants if each is not None), None)
    if mean.factor is None or mean.factor.shape[-2:] != mean.out[2:]:
        return None
    return _pool(mean)


def region_pool(by_columns: Operator, by_rows: Operator) -> Layer:
    """Two products with constants, rows @ (image @ columns): means of regions."""
    w, layer = (by_rows.constants[0], by_columns.weight(1).T), AdaptiveAvgPool2d((by_rows.out[2], by_rows.out[3]))
    means = region_means(layer, (*by_columns.shapes[0][1:], 1))
    for ours, theirs in zip(means, w, strict=True):
        if theirs is None or ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=1e-6):
            raise ValueError("a product with a constant in front, that takes no means of regions")
    return layer


def padded_convolution(pad: Operator, convolution: Operator) -> Layer:
    """A convolution behind a padding of its own, by another number than 0 too."""
    pad.expect(mode="constant")
    constants = {number: w for number, w in enumerate(pad.constants) if w is not None}
    value = float(np.squeeze(constants.get(2, pad.option("value", 0.0))))  # attributes before opset 11
    around = np.reshape(constants.get(1, pad.option("pads", ())), (2, -1))
    own = convolution.option("pads", [0] * 2 * (around.shape[1] - 2))
    if len(pad.constants) > 3 or around[:, :2].any() or around.min() < 0 or (value and any(own)):
        raise ValueError(f"pads = {around.ravel().tolist()}, supported is one padding of height and width")
    convolution.options["pads"] = (around[:, 2:].ravel() + own).tolist()
    convolution.padding_value = value
    return _convolution(convolution)


def _padding(op: Operator) -> Layer:
    raise ValueError("supported is padding before a convolution alone")


def _reshape(op: Operator) -> Layer:
    shape = op.shapes[0]
    if op.out[0] != shape[0] or len(op.out) < 2:
        raise ValueError(f"from {shape} to {op.out} it mixes samples")
    if op.out == shape:
        return Identity()
    return Flatten() if len(op.out) == 2 else Reshape(*op.out[1:])


def _transpose(op: Operator) -> Layer:
    axes = op.option("perm", list(range(len(op.out)))[::-1])
    if axes[0] != 0:
        raise ValueError(f"attribute perm = {axes}, supported are those that leave samples the first axis")
    return Transpose(*(axis - 1 for axis in axes[1:]))


def _gather(op: Operator) -> Layer:
    index = op.constant(1)
    op.expect(axis=1)
    if len(op.shapes[0]) != 3 or index is None or index.ndim or len(op.out) != 2:
        raise ValueError("supported is one token of many, of constant index")
    return SelectToken(int(index) % op.shapes[0][1])


def _resize(op: Operator) -> Layer:
    op.expect(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    scale = [out / size for out, size in zip(op.out, op.shapes[0], strict=True)]
    if len(scale) != 4 or scale[:2] != [1, 1] or any(each % 1 or each < 1 for each in scale):
        raise ValueError(f"scales {scale}, supported are whole ones of height and width")
    return Upsample((int(scale[2]), int(scale[3])))


JOINS: dict[str, type[Join]] = {"Mul": Product, "Max": Max}


def _join(op: Operator) -> Layer:
    """Of several values; of a value and a constant only the positions of tokens."""
    shapes, other = op.shapes, next((each for each in op.constants if each is not None), None)
    if other is not None:
        tokens = shapes[0]
        if op.kind != "Add" or len(shapes) != 1 or len(tokens) != 3 or other.size != tokens[1] * tokens[2]:
            raise ValueError(f"with a constant of shape {other.shape}")
        return filled(Positions(*tokens[1:], dtype=other.dtype), weight=other.reshape(1, *tokens[1:]))
    if len(set(shapes)) > 1:
        raise ValueError(f"branches of different shapes, {shapes}")
    return JOINS.get(op.kind, Sum)(len(shapes))


def _concatenate(op: Operator) -> Layer:
    axis = op.option("axis", 1)
    if axis % len(op.out) != 1:
        raise ValueError(f"attribute axis = {axis}, supported is 1")
    first = op.constants[0]
    if all(each is None for each in op.constants):
        return Identity()
    rows = None if first is None else first.reshape(len(first), -1)
    if (
        rows is None
        or len(op.shapes) != 1
        or first is None
        or first.shape[1:] != (1, op.out[2])
        or np.ptp(rows, 0).any()
    ):
        raise ValueError("with a constant that is not a class token before the others")
    return filled(ClassToken(op.out[2], first.dtype), weight=first[:1])


OPERATORS: dict[str, Callable[[Operator], Layer]] = {
    "Add": _join, "AveragePool": _pool, "BatchNormalization": _batch_norm, "Concat": _concatenate,
    "Conv": _convolution, "ConvTranspose": _transposed, "Flatten": _reshape, "Gather": _gather, "Gemm": _gemm,
    "GlobalAveragePool": lambda op: GlobalAvgPool2d(), "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm, "MatMul": lambda op: dense(op.weight(1).T, None), "Max": _join, "MaxPool": _pool,
    "Mul": _join, "Pad": _padding, "ReduceMean": _mean, "Reshape": _reshape, "Resize": _resize, "Squeeze": _reshape,
    "Sum": _join, "Transpose": _transpose, "Unsqueeze": _reshape,
}  # fmt: skip
PASSED_ON = ("Cast", "Dropout", "Identity")
