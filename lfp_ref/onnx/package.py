"""The package onnx, where it is installed."""

from __future__ import annotations

from typing import Any

from lfp_ref.extras import MissingExtra


def onnx_package() -> Any:
    """The module onnx with what is used of it. Raises MissingExtra without it."""
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
        import onnx.reference
        import onnx.shape_inference
    except ImportError:
        raise MissingExtra("An .onnx file", "onnx", "onnx", "Without it, .npz files work.") from None
    return onnx
