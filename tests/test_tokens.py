import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.testing import check_layer
from tests import oracle
from tests.common import assert_close, batches, compare, dtypes, fill, numbers, rules, seeds

KIND = {"dtype": np.float64}


@given(batches, st.integers(1, 4), st.integers(1, 3), dtypes, rules, seeds)
def test_a_class_token_equals_the_oracle(n, tokens, features, dtype, rule, seed):
    layer = fill(lfp.ClassToken(features, dtype=dtype), seed)
    restated = oracle.ClassToken(oracle.exact(layer.weight.value))
    compare(layer, restated, numbers([seed, 1], n, tokens, features, dtype=dtype), [seed, 2], rule)
    if not rule.is_gradient:
        assert_close(lfp.balance(layer).kept("class token").astype(dtype), restated.kept["class token"], "", 2)


@given(batches, st.integers(1, 4), st.integers(1, 3), dtypes, rules, seeds)
def test_positions_equal_the_oracle(n, tokens, features, dtype, rule, seed):
    layer = fill(lfp.Positions(tokens, features, dtype=dtype), seed)
    restated = oracle.Positions(oracle.exact(layer.weight.value))
    compare(layer, restated, numbers([seed, 1], n, tokens, features, dtype=dtype), [seed, 2], rule)
    if not rule.is_gradient:
        sheet, term = lfp.balance(layer), 4 * float(restated.largest_s)
        for cause, amounts in restated.kept.items():
            assert_close(np.asarray(sheet.kept(cause), dtype), amounts, cause, term)


@given(batches, dtypes, rules, seeds)
def test_a_class_token_under_positions_gets_what_a_sum_gives_it(n, dtype, rule, seed):
    """d_cls = |cls| sum_n s with the s of the positions: the two layers together are one sum of three parameters."""
    cls, pos = fill(lfp.ClassToken(3, dtype=dtype), seed), fill(lfp.Positions(3, 3, dtype=dtype), seed + 1)
    net = lfp.Sequential(cls, pos)
    z = net.forward(numbers([seed, 1], n, 2, 3, dtype=dtype))
    reward = numbers([seed, 2], *z.shape, dtype=dtype)
    net.feedback(reward, rule)
    if rule.is_gradient:
        assert_close(cls.weight.feedback[0, 0], reward[:, 0].sum(axis=0, dtype=float), "", 2 * n)
        return
    shifted = z[:, 0] + dtype(rule.epsilon) * np.where(z[:, 0] >= 0, 1, -1)
    s = np.divide(reward[:, 0], shifted, out=np.zeros_like(shifted), where=shifted != 0).astype(float)
    expected = np.abs(cls.weight.value[0, 0]) * s.sum(axis=0)
    assert_close(cls.weight.feedback[0, 0], expected, "", 4 * np.abs(s).max())


@given(batches, st.integers(1, 3), dtypes, rules, seeds)
def test_patches_are_a_dense_layer_on_the_pixels_of_each(n, channels, dtype, rule, seed):
    """Also on images that are no whole number of patches."""
    layer = fill(lfp.PatchEmbedding(channels, 4, (2, 3), dtype=dtype), seed)
    x = numbers([seed, 1], n, channels, 5, 7, dtype=dtype)
    z = layer.forward(x)
    patches = x[:, :, :4, :6].reshape(n, channels, 2, 2, 2, 3).transpose(0, 2, 4, 1, 3, 5).reshape(n, 4, -1)
    dense = lfp.Dense(channels * 6, 4, dtype=dtype)
    dense.weight.value, dense.bias.value = (p.value.reshape(4, -1).squeeze() for p in layer.parameters())
    assert np.array_equal(z, dense.forward(patches))
    reward = numbers([seed, 2], *z.shape, dtype=dtype)
    handed, expected = layer.feedback(reward, rule), dense.feedback(reward, rule)
    expected = expected.reshape(n, 2, 2, channels, 2, 3).transpose(0, 3, 1, 4, 2, 5).reshape(n, channels, 4, 6)
    assert_close(handed[:, :, :4, :6], expected.astype(float))
    assert not handed[:, :, 4].any() and not handed[..., 6].any()
    term = float(np.abs(dense.feedback(reward, lfp.rules.Epsilon(0.0))).max(initial=0))
    for one, other in zip(layer.parameters(), dense.parameters(), strict=True):
        dense.feedback(reward, rule)
        assert_close(one.feedback.reshape(other.feedback.shape), other.feedback.astype(float), "", term)


def test_a_selected_token_gets_all_of_the_reward():
    layer, x = lfp.SelectToken(1), numbers(1, 2, 3, 4)
    assert np.array_equal(layer.forward(x), x[:, 1])
    handed = layer.feedback(np.ones((2, 4)), lfp.rules.Flat())
    assert np.array_equal(handed, np.ones((2, 1, 4)) * np.array([0, 1, 0])[:, None])


def test_a_way_through_tokens_is_right():
    rng = np.random.default_rng(0)
    net = lfp.Sequential(
        lfp.PatchEmbedding(1, 5, 2, rng=rng, **KIND), lfp.ClassToken(5, rng=rng, **KIND),
        lfp.Positions(5, 5, rng=rng, **KIND), lfp.Dense(5, 4, rng=rng, **KIND), lfp.Tanh(), lfp.SelectToken(),
        lfp.Dense(4, 3, rng=rng, **KIND),
    )  # fmt: skip
    check_layer(net, rng.uniform(-1, 1, (3, 1, 4, 4)))
    net.feedback(net.forward(rng.uniform(-1, 1, (3, 1, 4, 4))))
    sheet = lfp.balance(net)
    assert np.abs(sheet.residue).max() < 1e-12 and sheet.kept("class token").any() and sheet.kept("positions").any()


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match=r"\(N, 3, 2\), got \(1, 2, 2\)"):
        lfp.Positions(3, 2).forward(np.ones((1, 2, 2)))
    with pytest.raises(ValueError, match=r"\(N, T, 3\), got \(1, 2, 2\)"):
        lfp.ClassToken(3).forward(np.ones((1, 2, 2)))
    with pytest.raises(ValueError, match=r"T at least 3, got \(1, 2, 2\)"):
        lfp.SelectToken(2).forward(np.ones((1, 2, 2)))
    with pytest.raises(ValueError, match=r"H x W at least 4 x 4, got \(1, 1, 3, 4\)"):
        lfp.PatchEmbedding(1, 2, 4).forward(np.ones((1, 1, 3, 4)))
    layer = lfp.Positions(2, 2)
    layer.forward(np.ones((1, 2, 2)))
    with pytest.raises(ValueError, match="a Positions shares by Epsilon"):
        layer.feedback(np.ones((1, 2, 2)), lfp.rules.ZPlus())
