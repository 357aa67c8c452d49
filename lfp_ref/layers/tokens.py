"""Tokens of a vision transformer: patches of an image, a class token before them, learned positions, the way out.

    PatchEmbedding:  token t = pixel t, row by row, of a convolution whose stride is its kernel's size
    ClassToken:      y = (cls, x_1, ..., x_T)          d_cls = sgn(cls) * sum_n r_cls, which is the |cls| * sum_n s of
                                                       a class token that a layer behind it divided by
    Positions:       y = x + pos, s = r / stab(y, epsilon)     r_x = x s         d_pos = |pos| * sum_n s
    SelectToken:     y = x_t, the other tokens' reward is 0

Tokens are (N, T, D) to the user; inside, with the batch last, (T, D, N). What the class token and the positions get is
no input's: the balance sheet names it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from lfp_ref.core.checks import check_int, check_pair
from lfp_ref.core.layer import Layer
from lfp_ref.core.node import Node
from lfp_ref.core.state import uniform_init
from lfp_ref.layers.conv import Conv2d


class PatchEmbedding(Layer):
    """Patches of images as tokens: input (N, in_channels, H, W), output (N, T, features), patches row by row.

    patch_size: one integer or a pair (height, width); rows and columns that fill no patch are left out. The convolution
    is `projection`, with the parameters projection.weight (features, in_channels, PH, PW) and projection.bias.
    dtype: float32 or float64. rng: a numpy Generator for initial values.
    Source: Dosovitskiy et al. 2021; the rule is the convolution's.
    """

    batch_first = False

    def __init__(
        self,
        in_channels: int,
        features: int,
        patch_size: int | tuple[int, int],
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        check_int("features", features)
        size = check_pair("patch_size", patch_size)
        self.projection = Conv2d(in_channels, features, size, stride=size, dtype=dtype, rng=rng)

    def __repr__(self) -> str:
        return f"PatchEmbedding({self.projection!r})"

    @property
    def account_name(self) -> str:
        return ""

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        z = node.forward("projection", a)
        node.saved = z.shape
        return np.ascontiguousarray(z.reshape(len(z), -1, z.shape[-1]).swapaxes(0, 1))

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        return node.feedback("projection", np.ascontiguousarray(reward.swapaxes(0, 1)).reshape(node.saved))


class ClassToken(Layer):
    """A learned token before all others: input (N, T, features), output (N, T + 1, features).

    weight: (1, 1, features), U(-k, k) with k = 1/sqrt(features): what starts at 0 would never move.
    dtype: float32 or float64. rng: a numpy Generator for initial values.
    Source: Dosovitskiy et al. 2021; its feedback is this project's (no peer has one).
    """

    batch_first = False

    def __init__(self, features: int, dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None) -> None:
        self.features = check_int("features", features)
        self.weight = uniform_init((1, 1, self.features), self.features, dtype, rng)

    def __repr__(self) -> str:
        return f"ClassToken({self.features})"

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        node.expect(a.ndim == 3 and a.shape[1] == self.features, a, f"(N, T, {self.features})")
        out = node.scratch("a", (len(a) + 1, *a.shape[1:]), a.dtype)
        out[0] = self.weight.value.reshape(-1, 1)
        out[1:] = a
        return out

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        w = self.weight
        node.absorb("class token", reward[0])
        node.learn(w, node.times_weight(reward[0].sum(axis=-1).reshape(w.value.shape), w.value, np.ones_like(w.value)))
        return reward[1:]


class Positions(Layer):
    """A learned number for each feature of each token, added to it: input and output (N, tokens, features).

    weight: (1, tokens, features), U(-k, k) with k = 1/sqrt(features): what starts at 0 would never move.
    dtype: float32 or float64. rng: a numpy Generator for initial values.
    Raises ValueError for another number of tokens or features, and for a rule other than epsilon or gradient descent.
    Source: Dosovitskiy et al. 2021; the rule for sums. Its feedback is this project's (no peer has one).
    """

    batch_first = False

    def __init__(
        self, tokens: int, features: int, dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None
    ) -> None:
        self.tokens = check_int("tokens", tokens)
        self.features = check_int("features", features)
        self.weight = uniform_init((1, self.tokens, self.features), self.features, dtype, rng)

    def __repr__(self) -> str:
        return f"Positions({self.tokens}, {self.features})"

    def check_rule(self, node: Node) -> None:
        node.expect_plain_rule()

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        node.expect(a.shape[:-1] == (self.tokens, self.features), a, f"(N, {self.tokens}, {self.features})")
        y = np.add(a, self.weight.value[0, :, :, None], out=node.scratch("y", a.shape, a.dtype))
        node.saved = a, y
        return y

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        (a, y), w = node.saved, self.weight
        s = node.divide_by_output(reward, y, out=reward)
        node.absorb("positions", lambda: s * w.value[0, :, :, None])
        node.learn(w, node.times_weight(s.sum(axis=-1)[None], w.value))
        return node.times_input(s, a, out=s)


class SelectToken(Layer):
    """One token of all: input (N, T, features), output (N, features); the others get a reward of 0.

    index: 0 is the class token. Raises ValueError for an index below 0, and for too few tokens.
    Source: the class token's way out (Dosovitskiy et al. 2021); a slice hands its reward to what it shows.
    """

    batch_first = False

    def __init__(self, index: int = 0) -> None:
        self.index = check_int("index", index, 0)

    def __repr__(self) -> str:
        return f"SelectToken({self.index})"

    @property
    def account_name(self) -> str:
        return ""

    def propagate(self, a: np.ndarray, node: Node) -> np.ndarray:
        node.expect(a.ndim == 3 and len(a) > self.index, a, f"(N, T, features) with T at least {self.index + 1}")
        return a[self.index]

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        r = node.scratch("r", node.input_shape, reward.dtype)
        r[...] = 0
        r[self.index] = reward
        return r
