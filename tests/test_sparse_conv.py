"""The kernels that skip zeros: against the oracle directly, and that a layer chooses them without a difference."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.layers import conv, sparse_conv
from lfp_ref.layers.base import batch_first
from lfp_ref.rules import Epsilon, Gradient
from tests import oracle
from tests.common import assert_close, dtypes, fill, numbers, seeds
from tests.test_conv import pairs

around_a_block = st.sampled_from([1, 2, sparse_conv.BLOCK - 1, sparse_conv.BLOCK, sparse_conv.BLOCK + 1])


def inside(x, parts):
    """x (N, ...) as the kernels take it, (P, ..., N)."""
    return np.ascontiguousarray(np.moveaxis(x.reshape(parts, -1, *x.shape[1:]), 1, -1))


def mostly_zero(seed, *shape, dtype, fraction=0.2):
    """A few numbers on eighths among zeros."""
    values = numbers(seed, *shape, dtype=dtype)
    return np.where(np.random.default_rng([seed, 1]).random(shape) < fraction, values, 0).astype(dtype)


@given(st.integers(1, 2), around_a_block, st.integers(1, 3), st.integers(1, 9),
       st.tuples(st.integers(1, 6), st.integers(1, 6)), pairs, st.integers(1, 3), dtypes, seeds)  # fmt: skip
def test_every_sum_equals_the_oracle(parts, n, channels, outputs, size, kernel, threads, dtype, seed):
    assume(all(size[i] >= kernel[i] for i in (0, 1)))
    w, b = numbers([seed, 0], outputs, channels, *kernel, dtype=dtype), numbers([seed, 1], outputs, dtype=dtype)
    restated = oracle.Conv(oracle.exact(w), oracle.exact(b), (1, 1))
    x = mostly_zero(seed, parts * n, channels, *size, dtype=dtype)
    a = inside(x, parts)

    z = np.full((parts, *restated.output_shape(x.shape[1:]), n), np.nan, dtype)
    reversed_columns = np.ascontiguousarray(w[..., ::-1].transpose(2, 1, 3, 0))
    orders = sparse_conv.in_order(a.shape[1:4], (2, 1, 0)), sparse_conv.in_order(z.shape[1:4], (1, 2, 0))
    orders = orders[0], orders[1].reshape(z.shape[2], -1)
    sparse_conv.forward(a, reversed_columns, b, kernel, *orders, z, threads)
    assert_close(batch_first(z), restated.forward(oracle.exact(x)), "forward")

    s = numbers([seed, 2], parts * n, *z.shape[1:-1], dtype=dtype)
    handed = restated.feedback(oracle.exact(s), oracle.GRADIENT)
    r, g_b = np.zeros_like(a), np.full((threads, outputs), np.nan, dtype)
    g_w = np.full((threads, *w.shape), np.nan, dtype)
    sparse_conv.feedback(reversed_columns, inside(s, parts), a, kernel, orders[1], r, g_w, g_b, threads)
    assert_close(batch_first(r), oracle.exact(x) * handed, "input", term=4)
    assert_close(g_w.sum(axis=0), restated.d_weight, "weight", term=4)
    assert_close(g_b.sum(axis=0), restated.d_bias, "bias", term=2)


def listening(kernel, used, what):
    def listen(*arguments):
        used.append(what)
        return kernel(*arguments)

    return listen


@pytest.mark.parametrize("rule", [Epsilon(), Gradient()])
@pytest.mark.parametrize("padding", [0, (1, 2)])
def test_a_layer_gives_the_same_either_way(monkeypatch, rule, padding):
    """An input with few events takes the kernels that skip the rest; forbidden to, it takes the others. So does a
    gradient: it wants to know of inputs that are 0, too."""
    monkeypatch.setattr(conv, "get_num_threads", lambda: 3)  # parts to add up, however many threads there are
    used = []
    back = {("conv", "feedback_input"), ("conv", "feedback_parameters")}
    skipping = {("sparse_conv", "forward")} | ({("sparse_conv", "feedback")} if rule.shares else back)
    for module in (sparse_conv, conv):
        name = module.__name__.rsplit(".", 1)[1]
        for kernel in ("forward", "feedback", "feedback_input", "feedback_parameters"):
            if hasattr(module, kernel):
                monkeypatch.setattr(module, kernel, listening(getattr(module, kernel), used, (name, kernel)))
    layer = fill(lfp.Conv2d(40, 32, (3, 2), padding=padding, dtype=np.float64), 0)
    x = mostly_zero(1, sparse_conv.BLOCK + 8, 40, 6, 5, dtype=np.float64, fraction=0.1)
    reward = mostly_zero(2, *layer.forward(x).shape, dtype=np.float64, fraction=0.1)
    results = {}
    for way, fraction, kernels in (("sparse", 0.2, skipping), ("dense", 0.0, {("conv", "forward")} | back)):
        monkeypatch.setattr(sparse_conv, "FEW", fraction)
        used.clear()
        z = layer.forward(x)
        results[way] = z, layer.feedback(reward, rule), *(p.feedback.copy() for p in layer.parameters())
        assert set(used) == kernels
    for sparse, dense in zip(results["sparse"], results["dense"], strict=True):
        np.testing.assert_allclose(sparse, dense, rtol=1e-12, atol=1e-12 * np.abs(dense).max())


def test_what_does_not_pay_is_left_to_the_others():
    def chooses(layer, x):
        return layer._few_events(inside(x, 1))

    few, many = (mostly_zero(3, sparse_conv.BLOCK, 40, 6, 6, dtype=np.float32, fraction=p) for p in (0.1, 0.5))
    assert chooses(lfp.Conv2d(40, 32, 3), few)
    assert not chooses(lfp.Conv2d(40, 32, 3), many)
    assert not chooses(lfp.Conv2d(40, 32, 3), few[:-1])
    assert not chooses(lfp.Conv2d(40, 32, 3, dilation=2), few)
    assert not chooses(lfp.Conv2d(40, 32, 3, stride=2), few)
    assert not chooses(lfp.Conv2d(40, 31, 3), few)


@pytest.mark.parametrize("fraction", [0.1, 0.5])
@pytest.mark.parametrize("rule", [Epsilon(), Gradient()])
def test_spikes_in_bytes_give_the_same_as_spikes_in_numbers(rule, fraction):
    """Few or many, shared or differentiated; padded, so that what is few inside may be fewer outside."""
    spikes = np.random.default_rng(4).random((1, 40, 6, 5, sparse_conv.BLOCK)) < fraction
    reward = numbers(5, 1, 32, 6, 6, sparse_conv.BLOCK, dtype=np.float32)
    results = {}
    for dtype in (np.uint8, np.float32):
        layer = fill(lfp.Conv2d(40, 32, (3, 2), padding=1, dtype=np.float32), 0)
        z = layer.propagate(spikes.astype(dtype), False).copy()
        results[dtype] = (
            z,
            layer.hand_back(reward.copy(), {layer: rule}, True),
            *(p.feedback for p in layer.parameters()),
        )
    for ours, expected in zip(results[np.uint8], results[np.float32], strict=True):
        assert ours.dtype == expected.dtype and np.array_equal(ours, expected)


def test_nan_is_no_zero():
    """What diverges must be seen."""
    layer = lfp.Conv2d(40, 32, 3)
    a = np.zeros((1, 40, 4, 4, sparse_conv.BLOCK), np.float32)
    a[0, 3, 2, 2, 5] = np.nan
    z = layer.total(a, layer.weight.value, layer.bias.value, "z")
    assert np.isnan(z[..., 5]).all() and np.isfinite(z[..., :5]).all() and np.isfinite(z[..., 6:]).all()
