"""Vision transformers: patches of the image as tokens, a class token, learned positions, blocks of attention.

The names of parameters are torchvision's (class_token, conv_proj, encoder.layers.encoder_layer_0.ln_1, heads.head);
paths of layers, in a mapping of rules or a balance sheet, are those of the layers here, which also say where sums of
branches are (encoder.layers.encoder_layer_0.attention.body.ln_1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lfp_ref.core.state import Parameter
from lfp_ref.layers import activations
from lfp_ref.layers.attention import MultiHeadAttention
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.dropout import Dropout
from lfp_ref.layers.layer_norm import LayerNorm
from lfp_ref.layers.residual import Residual
from lfp_ref.layers.tokens import ClassToken, PatchEmbedding, Positions, SelectToken
from lfp_ref.models.arguments import checked
from lfp_ref.models.line import Make, check_image
from lfp_ref.network import Sequential

# What a parameter's path here has that torchvision's name has not, or has otherwise.
RENAMED = (
    (r"^conv_proj\.projection\.", "conv_proj."),
    (r"^(class_token|encoder\.pos_embedding)\.weight$", r"\1"),
    (r"\.(attention|feed_forward)\.body\.", "."),
    (r"\.in_proj\.", ".in_proj_"),
)
# Names in torchvision's older files.
FORMER = ((r"\.mlp\.linear_1\.", ".mlp.0."), (r"\.mlp\.linear_2\.", ".mlp.3."))


class VisionTransformer(Sequential):
    """A vision transformer whose parameters go by torchvision's names; input (N, C, H, W), output (N, classes).

    size: (blocks, heads, features, features of the feed-forward network). dropout: of what a block adds to its input.
    Source: Dosovitskiy et al. 2021, arXiv:2010.11929; names, eps and order as in torchvision.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        classes: int,
        patch: int,
        size: tuple[int, int, int, int],
        act: Make,
        dropout: float,
        **options: Any,
    ) -> None:
        channels, height, width = check_image(input_shape, patch)
        blocks, heads, features, inner = size
        tokens = (height // patch) * (width // patch) + 1
        layers = {
            f"encoder_layer_{number}": _block(heads, features, inner, act, dropout, options) for number in range(blocks)
        }
        super().__init__({
            "conv_proj": PatchEmbedding(channels, features, patch, **options),
            "class_token": ClassToken(features, **options),
            "encoder": Sequential({
                "pos_embedding": Positions(tokens, features, **options),
                "layers": Sequential(layers),
                "ln": LayerNorm(features, eps=1e-6, **options),
            }),
            "select": SelectToken(0),
            "heads": Sequential({"head": Dense(features, classes, **options)}),
        })  # fmt: skip
        self.input_shape = input_shape

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        for path, parameter in super().named_parameters():
            yield _renamed(path, RENAMED), parameter

    def state_dict(self) -> dict[str, np.ndarray]:
        return {_renamed(path, RENAMED): array for path, array in super().state_dict().items()}

    def load_state_dict(self, mapping: Mapping[str, ArrayLike]) -> None:
        paths = {_renamed(path, RENAMED): path for path in super().state_dict()}
        state = {_renamed(name, FORMER): array for name, array in mapping.items()}
        super().load_state_dict({paths.get(name, name): array for name, array in state.items()})


@checked
def vit_tiny(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.GELU, dropout: float = 0.0, **options: Any
) -> VisionTransformer:
    """Four blocks, width 128, four heads, patches of a seventh of the image: 49 tokens of 28 x 28 pixels.

    dropout: of what a block adds to its input.
    """
    _, height, width = check_image(input_shape, 1)
    patch = max(1, min(height, width) // 7)
    return VisionTransformer(input_shape, classes, patch, (4, 4, 128, 512), act, dropout, **options)


@checked
def vit_b_16(
    input_shape: tuple[int, ...], classes: int, act: Make = activations.GELU, dropout: float = 0.0, **options: Any
) -> VisionTransformer:
    """ViT-B/16: twelve blocks, width 768, twelve heads, patches of 16 x 16 pixels. dropout: as vit_tiny."""
    return VisionTransformer(input_shape, classes, 16, (12, 12, 768, 3072), act, dropout, **options)


def _block(heads: int, features: int, inner: int, act: Make, dropout: float, options: dict[str, Any]) -> Sequential:
    """x + attention(norm(x)), and the same with two dense layers for each token."""
    drop = {"dropout": Dropout(dropout, options.get("rng"))} if dropout else {}
    attention = Sequential({
        "ln_1": LayerNorm(features, eps=1e-6, **options),
        "self_attention": MultiHeadAttention(features, heads, **options), **drop,
    })  # fmt: skip
    feed_forward = Sequential({
        "ln_2": LayerNorm(features, eps=1e-6, **options),
        "mlp": Sequential({"0": Dense(features, inner, **options), "1": act(), "3": Dense(inner, features, **options)}),
        **drop,
    })  # fmt: skip
    return Sequential({"attention": Residual(attention), "feed_forward": Residual(feed_forward)})


def _renamed(name: str, substitutions: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in substitutions:
        name = re.sub(pattern, replacement, name)
    return name
