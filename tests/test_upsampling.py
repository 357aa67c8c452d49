from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.rules import AlphaBeta, Flat, Gamma
from lfp_ref.testing import check_layer
from tests import oracle
from tests.common import compare, dtypes, fill, numbers, rules, seeds

KIND = {"dtype": np.float64}
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
small = st.tuples(st.integers(0, 2), st.integers(0, 2))
SOME = [(Gamma(), oracle.gamma(Fraction(1, 4))), (AlphaBeta(), oracle.alpha_beta(2, 1)), (Flat(), oracle.flat())]


def pair_of(groups, each, kernel, stride, padding, more, dilation, bias, dtype, seed):
    """A layer and its restatement."""
    layer = fill(lfp.ConvTranspose2d(2 * groups, each * groups, kernel, stride, padding, more, groups, bias, dilation,
                                     dtype), seed)  # fmt: skip
    parameters = [oracle.exact(p.value) for p in layer.parameters()]
    options = {"stride": stride, "padding": padding, "more": more, "groups": groups, "dilation": dilation}
    return layer, oracle.ConvTranspose(*parameters, **options)


@given(
    n=st.integers(1, 3), size=pairs, groups=st.integers(1, 2), each=st.integers(1, 2), kernel=pairs, stride=pairs,
    padding=small, more=small, dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)), bias=st.booleans(),
    dtype=dtypes, rule=rules, seed=seeds,
)  # fmt: skip
def test_transposed_convolution_equals_the_oracle(
    n, size, groups, each, kernel, stride, padding, more, dilation, bias, dtype, rule, seed
):
    more = tuple(min(m, max(s, d) - 1) for m, s, d in zip(more, stride, dilation, strict=True))
    layer, restated = pair_of(groups, each, kernel, stride, padding, more, dilation, bias, dtype, seed)
    assume(min(layer.output_size((0, *size))) > 0)
    compare(layer, restated, numbers([seed, 9], n, 2 * groups, *size, dtype=dtype), [seed, 10], rule)


@pytest.mark.parametrize(("rule", "restated_rule"), SOME)
@given(stride=pairs, padding=st.tuples(st.integers(0, 1), st.integers(0, 1)), dtype=dtypes, seed=seeds)
def test_by_any_rule(rule, restated_rule, stride, padding, dtype, seed):
    layer, restated = pair_of(1, 3, (3, 2), stride, padding, (0, 0), (1, 1), True, dtype, seed)
    assume(min(layer.output_size((0, 2, 3))) > 0)
    compare(layer, restated, numbers([seed, 9], 2, 2, 2, 3, dtype=dtype), [seed, 10], rule, restated_rule)


def test_both_are_right():
    rng = np.random.default_rng(0)
    layer = lfp.ConvTranspose2d(2, 3, 3, 2, 1, 1, rng=rng, **KIND)
    check_layer(layer, rng.uniform(-1, 1, (3, 2, 3, 4)))
    check_layer(lfp.Upsample((2, 3)), rng.uniform(-1, 1, (3, 2, 3, 4)))
    decoder = lfp.Sequential(layer, lfp.ReLU(), lfp.Upsample(2), lfp.Conv2d(3, 1, 3, padding=1, rng=rng, **KIND))
    check_layer(decoder, rng.uniform(-1, 1, (2, 2, 2, 3)))


def test_a_pixel_gets_what_its_copies_get():
    layer, x = lfp.Upsample((2, 3)), numbers(1, 2, 3, 2, 2)
    z = layer.forward(x)
    assert np.array_equal(z, x.repeat(2, axis=2).repeat(3, axis=3))
    reward = numbers(2, *z.shape)
    expected = reward.reshape(2, 3, 2, 2, 2, 3).sum(axis=(3, 5))
    for rule in (lfp.rules.Epsilon(), lfp.rules.Gradient(), lfp.rules.ZPlus()):
        assert np.array_equal(layer.feedback(reward, rule), expected)


def test_a_transposed_convolution_is_the_adjoint_of_a_convolution():
    """With the convolution's weights, of its stride: what one hands back under Gradient the other computes."""
    rng = np.random.default_rng(0)
    down = lfp.Conv2d(2, 3, 3, stride=2, padding=1, bias=False, rng=rng, **KIND)
    up = lfp.ConvTranspose2d(3, 2, 3, stride=2, padding=1, bias=False, **KIND)
    up.weight.value = down.weight.value
    x = rng.normal(size=(2, 2, 5, 7))
    z = down.forward(x)
    s = rng.normal(size=z.shape)
    np.testing.assert_allclose(up.forward(s), down.feedback(s, lfp.rules.Gradient()), rtol=1e-12, atol=1e-12)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="groups must divide in_channels and out_channels, 3 and 2, got 2"):
        lfp.ConvTranspose2d(3, 2, 3, groups=2)
    with pytest.raises(ValueError, match="output_padding must be below stride or dilation, got 2"):
        lfp.ConvTranspose2d(1, 1, 3, 2, output_padding=2)
    with pytest.raises(ValueError, match=r"\(N, 2, H, W\), got \(1, 3, 2, 2\)"):
        lfp.ConvTranspose2d(2, 1, 3).forward(np.ones((1, 3, 2, 2)))
    with pytest.raises(ValueError, match=r"so large that padding leaves an output, got \(1, 1, 1, 1\)"):
        lfp.ConvTranspose2d(1, 1, 1, padding=1).forward(np.ones((1, 1, 1, 1)))
    with pytest.raises(ValueError, match="scale"):
        lfp.Upsample(0)
