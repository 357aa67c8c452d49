"""Networks in ONNX, the open format for neural networks, and from it (extra `onnx`; docs/onnx.md).

lfp.onnx.save(net, "net.onnx", (1, 28, 28))     onnxruntime and others run it
net = lfp.onnx.load("net.onnx")                 of PyTorch, scikit-learn and others, to explain or to train here
"""

from lfp_ref.onnx.graph import Graph, Max, Product, Reshape, Sum, Transpose
from lfp_ref.onnx.reading import load
from lfp_ref.onnx.writing import save

__all__ = ["Graph", "Max", "Product", "Reshape", "Sum", "Transpose", "load", "save"]
