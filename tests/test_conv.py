import numba
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Flat, Gamma, Gradient
from tests import oracle
from tests.common import assert_close, batches, compare, dtypes, fill, numbers, rules, seeds

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(
    batches, st.integers(1, 3), st.integers(1, 3), st.tuples(st.integers(1, 6), st.integers(1, 6)), pairs, pairs,
    st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(1, 2), st.integers(1, 2)), st.booleans(),
    dtypes, rules, seeds,
)  # fmt: skip
def test_equals_the_oracle(n, channels, outputs, size, kernel, stride, padding, dilation, bias, dtype, rule, seed):
    assume(all(size[i] + 2 * padding[i] >= dilation[i] * (kernel[i] - 1) + 1 for i in (0, 1)))
    layer = lfp.Conv2d(channels, outputs, kernel, stride, padding, dilation, bias=bias, dtype=dtype)
    fill(layer, seed)
    restated = oracle.Conv(oracle.exact(layer.weight.value), bias and oracle.exact(layer.bias.value),
                           stride, padding, dilation)  # fmt: skip
    restated.bias = restated.bias if bias else None
    compare(layer, restated, numbers([seed, 9], n, channels, *size, dtype=dtype), [seed, 10], rule)


@pytest.mark.parametrize("each", [1, 2])
@given(
    n=st.integers(1, 3), groups=st.integers(1, 4), outputs=st.integers(1, 2), kernel=pairs,
    stride=st.tuples(st.integers(1, 2), st.integers(1, 2)), padding=st.tuples(st.integers(0, 1), st.integers(0, 2)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)), bias=st.booleans(), dtype=dtypes, rule=rules, seed=seeds,
)  # fmt: skip
def test_groups_equal_the_oracle(each, n, groups, outputs, kernel, stride, padding, dilation, bias, dtype, rule, seed):
    """One channel each is a depthwise convolution."""
    size = [max(1, dilation[i] * (kernel[i] - 1) + 2 - padding[i]) for i in (0, 1)]
    layer = lfp.Conv2d(groups * each, groups * outputs, kernel, stride, padding, dilation, bias, dtype, groups=groups)
    fill(layer, seed)
    parameters = [oracle.exact(p.value) for p in layer.parameters()]
    restated = oracle.Conv(*parameters, **({} if bias else {"bias": None}), stride=stride, padding=padding,
                           dilation=dilation, groups=groups)  # fmt: skip
    compare(layer, restated, numbers([seed, 9], n, groups * each, *size, dtype=dtype), [seed, 10], rule)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("taps", [1, 7, 8, 9, 16, 17])
def test_number_of_taps_around_the_eight_of_a_pass(taps, dtype):
    layer = fill(lfp.Conv2d(taps, 2, 1, dtype=dtype), 0)
    restated = oracle.Conv(oracle.exact(layer.weight.value), oracle.exact(layer.bias.value))
    compare(layer, restated, numbers(1, 3, taps, 2, 2, dtype=dtype), 2, lfp.rules.Epsilon())


@given(
    st.sampled_from([1, 3, 47, 48, 97, 192, 195]), st.sampled_from([1, 2, 4]), st.integers(1, 2), st.integers(1, 5),
    pairs, pairs, st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(1, 2), st.integers(1, 3)),
    st.integers(1, 2), dtypes, seeds,
)  # fmt: skip
@settings(max_examples=60)
def test_all_three_sums_are_exact_on_a_grid(
    n, groups, each, outputs, kernel, stride, padding, dilation, threads, dtype, seed
):
    """Bit for bit, whatever the pieces, tiles and threads: rows shorter and longer than a piece, any geometry."""
    size = (dilation[0] * (kernel[0] - 1) + 3, dilation[1] * (kernel[1] - 1) + 4)
    layer = lfp.Conv2d(groups * each, groups * outputs, kernel, stride, padding, dilation, dtype=dtype, groups=groups)
    fill(layer, seed)
    x = numbers([seed, 9], n, groups * each, *size, dtype=dtype)
    usual = numba.get_num_threads()
    numba.set_num_threads(min(threads, usual))
    try:
        z = layer.forward(x)
        s = numbers([seed, 10], *z.shape, dtype=dtype, largest=1)
        g = layer.feedback(s, Gradient())
    finally:
        numba.set_num_threads(usual)
    w, b = layer.weight.value.astype(float), layer.bias.value.astype(float)
    padded = np.pad(x.astype(float), ((0, 0), (0, 0), *((p, p) for p in padding)))
    expected_z, expected_g = np.zeros(z.shape) + b[:, None, None], np.zeros(padded.shape)
    expected_w = np.zeros(w.shape)
    for group, i, j in np.ndindex(groups, *kernel):
        y, u = i * dilation[0], j * dilation[1]
        channels, of = slice(group * each, (group + 1) * each), slice(group * outputs, (group + 1) * outputs)
        seen = np.s_[:, channels, y : y + stride[0] * (z.shape[2] - 1) + 1 : stride[0],
                     u : u + stride[1] * (z.shape[3] - 1) + 1 : stride[1]]  # fmt: skip
        expected_z[:, of] += np.einsum("oc,nchw->nohw", w[of, :, i, j], padded[seen])
        expected_g[seen] += np.einsum("oc,nohw->nchw", w[of, :, i, j], s[:, of])
        expected_w[of, :, i, j] = np.einsum("nohw,nchw->oc", s[:, of], padded[seen])
    inside = np.s_[:, :, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]
    assert np.array_equal(z, expected_z) and np.array_equal(g, expected_g[inside])
    assert np.array_equal(layer.weight.feedback, expected_w)
    assert np.array_equal(layer.bias.feedback, s.sum(axis=(0, 2, 3)))


@given(batches, st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), dtypes, rules, seeds)
def test_each_group_is_a_convolution_of_its_own(n, groups, each, outputs, dtype, rule, seed):
    layer = fill(lfp.Conv2d(groups * each, groups * outputs, 3, padding=1, dtype=dtype, groups=groups), seed)
    x = numbers([seed, 9], n, groups * each, 4, 5, dtype=dtype)
    tape = layer.record(x)
    reward = numbers([seed, 10], *tape.outputs.shape, dtype=dtype)
    handed = tape.feedback(reward, rule)
    for group in range(groups):
        alone = lfp.Conv2d(each, outputs, 3, padding=1, dtype=dtype)
        channels, of = slice(group * each, (group + 1) * each), slice(group * outputs, (group + 1) * outputs)
        alone.weight.value, alone.bias.value = layer.weight.value[of], layer.bias.value[of]
        part = alone.record(x[:, channels])
        assert np.array_equal(part.outputs, tape.outputs[:, of])
        assert np.array_equal(part.feedback(reward[:, of], rule), handed[:, channels])
        # sums over the batch's pieces may be cut among threads elsewhere
        assert_close(layer.weight.feedback[of], alone.weight.feedback, "feedback", np.abs(alone.weight.feedback).max())


def test_rows_are_images_of_height_1():
    rows = fill(lfp.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, dtype=np.float64), 0)
    images = lfp.Conv2d(4, 6, (1, 3), (1, 2), (0, 1), (1, 2), groups=2, dtype=np.float64)
    images.weight.value, images.bias.value = rows.weight.value[:, :, None], rows.bias.value
    x = numbers(1, 5, 4, 9)
    z = rows.forward(x)
    assert np.array_equal(z, images.forward(x[:, :, None])[:, :, 0])
    for rule in (Epsilon(), Gradient(), Gamma(), Flat()):
        assert np.array_equal(rows.feedback(z, rule), images.feedback(z[:, :, None], rule)[:, :, 0])
        assert np.array_equal(rows.weight.feedback, images.weight.feedback[:, :, 0])
    with pytest.raises(ValueError, match=r"\(N, 4, L\) with L at least 3, got \(2, 4, 2\)"):
        rows.forward(np.ones((2, 4, 2)))


def test_a_kernel_as_large_as_the_image_is_a_dense_layer():
    layer, dense = fill(lfp.Conv2d(2, 5, (3, 4)), 0), lfp.Dense(24, 5)
    dense.load_state_dict({"weight": layer.weight.value.reshape(5, 24), "bias": layer.bias.value})
    x, reward = numbers(1, 6, 2, 3, 4, dtype=np.float32), numbers(2, 6, 5, dtype=np.float32)
    assert np.array_equal(layer.forward(x).reshape(6, 5), dense.forward(x.reshape(6, 24)))
    r_conv, r_dense = layer.feedback(reward.reshape(6, 5, 1, 1)), dense.feedback(reward)
    # float32: 24 products of size up to 2 * 2 / 1e-6, each rounded to 2**-24
    np.testing.assert_allclose(r_conv.reshape(6, 24), r_dense, rtol=1e-5, atol=1e-5 * np.abs(r_dense).max())
    np.testing.assert_allclose(layer.weight.feedback.reshape(5, 24), dense.weight.feedback,
                               rtol=1e-5, atol=1e-5 * np.abs(dense.weight.feedback).max())  # fmt: skip


def test_wrong_inputs_are_named():
    layer = lfp.Conv2d(3, 4, 5, dilation=2)
    with pytest.raises(ValueError, match=r"expected input of shape \(N, 3, H, W\), got \(2, 1, 9, 9\)"):
        layer.forward(np.ones((2, 1, 9, 9)))
    with pytest.raises(ValueError, match="at least 9 x 9, got"):
        layer.forward(np.ones((2, 3, 8, 9)))
    for name, bad in (("kernel_size", 0), ("stride", (1, 0)), ("padding", -1), ("dilation", (1, 2, 3))):
        with pytest.raises(ValueError, match=name):
            lfp.Conv2d(**{"in_channels": 3, "out_channels": 4, "kernel_size": 5, name: bad})


def test_initial_values_are_uniform_within_one_over_root_fan_in():
    layer, k = lfp.Conv2d(20, 50, (2, 9), rng=np.random.default_rng(0)), 1 / np.sqrt(20 * 2 * 9)
    for parameter in layer.parameters():
        assert np.abs(parameter.value).max() <= k and np.all(parameter.value != 0)
        assert abs(parameter.value.std() * np.sqrt(3) / k - 1) < 5 / np.sqrt(parameter.value.size)


@given(
    st.integers(1, 3), pairs, st.tuples(st.integers(1, 2), st.integers(1, 3)), st.integers(1, 2), dtypes, rules, seeds
)
def test_padding_same_keeps_the_size_and_equals_the_oracle(n, kernel, dilation, groups, dtype, rule, seed):
    """Where the padding cannot be even, one more is behind the image, as in PyTorch."""
    layer = fill(lfp.Conv2d(2, 2, kernel, padding="same", dilation=dilation, groups=groups, dtype=dtype), seed)
    extents = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    before, behind = [e // 2 for e in extents], [e - e // 2 for e in extents]
    parameters = [oracle.exact(p.value) for p in layer.parameters()]
    restated = oracle.Conv(*parameters, padding=before, dilation=dilation, groups=groups, behind=behind)
    x = numbers([seed, 9], n, 2, 3, 4, dtype=dtype)
    assert layer.forward(x).shape == x.shape
    compare(layer, restated, x, [seed, 10], rule)


@pytest.mark.parametrize("value", [0.5, -2.0])
@given(pairs, pairs, st.tuples(st.integers(0, 2), st.integers(1, 2)), dtypes, rules, seeds)
def test_a_padding_value_is_a_wider_image_whose_rim_keeps_its_reward(value, kernel, stride, padding, dtype, rule, seed):
    layer = fill(lfp.Conv2d(2, 3, kernel, stride, padding, dtype=dtype, padding_value=value), seed)
    wide = fill(lfp.Conv2d(2, 3, kernel, stride, dtype=dtype), seed)
    (py, px), x = padding, numbers([seed, 9], 2, 2, 3, 4, dtype=dtype)
    z = layer.forward(x)
    assert np.array_equal(z, wide.forward(np.pad(x, ((0, 0), (0, 0), (py, py), (px, px)), constant_values=value)))
    reward = numbers([seed, 10], *z.shape, dtype=dtype)
    handed, of_all = layer.feedback(reward, rule), wide.feedback(reward, rule)
    inside = of_all[:, :, py : py + 3, px : px + 4]
    scale = 1000 * np.finfo(dtype).eps * max(1, np.abs(of_all).max())
    assert np.abs(handed - inside).max() <= scale
    for one, other in zip(layer.parameters(), wide.parameters(), strict=True):
        assert np.abs(one.feedback - other.feedback).max() <= 1000 * np.finfo(dtype).eps * max(
            1, np.abs(other.feedback).max()
        )
    if not rule.is_gradient:
        sheet = lfp.balance(layer)
        rim = of_all.sum(axis=(1, 2, 3), dtype=float) - inside.sum(axis=(1, 2, 3), dtype=float)
        assert np.abs(sheet.kept("padding") - rim).max() <= 100 * scale
        assert np.abs(sheet.residue).max() <= 100 * scale


def test_options_of_padding_that_do_not_fit_are_refused():
    assert repr(lfp.Conv2d(1, 2, 2, padding="same")) == "Conv2d(1, 2, (2, 2), padding='same')"
    with pytest.raises(ValueError, match='padding="same" needs a stride of 1, got 2'):
        lfp.Conv2d(1, 1, 3, stride=2, padding="same")
    with pytest.raises(ValueError, match="padding must be an integer"):
        lfp.Conv2d(1, 1, 3, padding="valid")
    with pytest.raises(ValueError, match="padding_value must be a finite number, got nan"):
        lfp.Conv2d(1, 1, 3, padding=1, padding_value=float("nan"))
    layer = lfp.Conv2d(1, 1, 3, padding=1, padding_value=1.0)
    layer.forward(np.ones((1, 1, 3, 3)))
    with pytest.raises(ValueError, match="a Conv2d shares by Epsilon"):
        layer.feedback(np.ones((1, 1, 3, 3)), Flat())
    with pytest.raises(TypeError, match="padded by 0"):
        lfp.LIF(layer)
