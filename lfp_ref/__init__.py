"""Layer-wise Feedback Propagation (LFP), from scratch, on NumPy and Numba.

    net = lfp.Sequential(lfp.Dense(64, 120), lfp.Step(-1), lfp.Dense(120, 10))
    z = net.forward(x)
    net.feedback(lfp.rewards.softmax(z, labels), lfp.rules.Epsilon(0.5))
    lfp.optim.SGD(net.parameters(), lr=0.1).step()

Source of the method: Weber et al., Efficient and Flexible Neural Network Training through Layer-wise Feedback
Propagation, TMLR 2025, arXiv:2308.12053.
"""

from lfp_ref import startup  # noqa: F401  (first: see there)

# isort: split

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lfp_ref import composites, datasets, models, names, optim, rewards, rules, testing
from lfp_ref.balance import balance
from lfp_ref.core.layer import Layer
from lfp_ref.core.state import Parameter
from lfp_ref.explain import explain
from lfp_ref.layers.activations import (
    ELU,
    GELU,
    LeakyReLU,
    Negated,
    Reflected,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
)
from lfp_ref.layers.attention import MultiHeadAttention
from lfp_ref.layers.average import AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool2d
from lfp_ref.layers.conv import Conv1d, Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.dropout import Dropout
from lfp_ref.layers.encoding import LatencyCode, RateCode
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.joining import Concatenate, Identity
from lfp_ref.layers.layer_norm import GroupNorm, LayerNorm
from lfp_ref.layers.lif import LIF
from lfp_ref.layers.maximum import Maximum
from lfp_ref.layers.norm import BatchNorm
from lfp_ref.layers.pool import MaxPool2d
from lfp_ref.layers.residual import Residual
from lfp_ref.layers.step import Step
from lfp_ref.layers.tokens import ClassToken, PatchEmbedding, Positions, SelectToken
from lfp_ref.layers.upsampling import ConvTranspose2d, Upsample
from lfp_ref.network import Sequential, Spiking
from lfp_ref.training import DivergenceError, evaluate, train
from lfp_ref.weights import load_weights, save_weights

if TYPE_CHECKING:
    from lfp_ref import nir, onnx

presets = composites  # their name in version 0.1


def __getattr__(name: str) -> Any:
    """The formats of others are imported when first asked for: they take 4 % as long as all the rest."""
    if name in ("nir", "onnx"):
        return import_module(f"lfp_ref.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__version__ = "0.1.0"

__all__ = [
    "ELU",
    "GELU",
    "LIF",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BatchNorm",
    "ClassToken",
    "Concatenate",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "Dense",
    "DivergenceError",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "GroupNorm",
    "Identity",
    "LatencyCode",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool2d",
    "Maximum",
    "MultiHeadAttention",
    "Negated",
    "Parameter",
    "PatchEmbedding",
    "Positions",
    "RateCode",
    "ReLU",
    "Reflected",
    "Residual",
    "SelectToken",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Spiking",
    "Step",
    "Tanh",
    "Upsample",
    "balance",
    "composites",
    "datasets",
    "evaluate",
    "explain",
    "load_weights",
    "models",
    "names",
    "nir",
    "onnx",
    "optim",
    "presets",
    "rewards",
    "rules",
    "save_weights",
    "testing",
    "train",
]
