"""One layer of LIF neurons against its restatement; what must hold for spiking networks is in test_spiking.py."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.layers.lif import RESETS
from lfp_ref.rules import Epsilon, FastSigmoidSurrogate
from tests import oracle
from tests.common import assert_close, batches, dtypes, fill, numbers, seeds

resets = st.sampled_from(list(RESETS))
betas = st.sampled_from(
    [0.0, 0.5, 1.0]
)  # a bit a step: with inputs on eighths, potentials are exact in either precision
thresholds = st.sampled_from([0.5, 1.0, 1.625])  # on the grid of the potentials: some meet it exactly
steps = st.integers(1, 5)
given_over_time = st.booleans()
rules = st.sampled_from([Epsilon(), Epsilon(0.0), Epsilon(0.25), FastSigmoidSurrogate(2.0)])


def dense(dtype, bias=True):
    return lfp.Dense(5, 4, bias=bias, dtype=dtype), (5,)


def conv(dtype, bias=True):
    return lfp.Conv2d(2, 3, (2, 3), stride=(1, 2), padding=(1, 0), bias=bias, dtype=dtype), (2, 3, 5)


def restate(layer):
    weight = oracle.exact(layer.weight.value)
    bias = oracle.exact(layer.bias.value) if layer.bias else None
    if isinstance(layer, lfp.Dense):
        return oracle.Dense(weight, bias)
    return oracle.Conv(weight, bias, layer.stride, layer.padding, layer.dilation)


def exact_rule(rule, dtype):
    if isinstance(rule, FastSigmoidSurrogate):
        return oracle.fast_sigmoid, Fraction(rule.slope)
    return Fraction(float(dtype(rule.epsilon)))


@given(st.sampled_from([dense, conv]), betas, thresholds, resets, steps, given_over_time, batches, st.booleans(), rules,
       st.sampled_from([0.0, 0.5, 1.0]), dtypes, seeds)  # fmt: skip
def test_equals_the_oracle(make, beta, threshold, reset, steps, over_time, n, bias, rule, rewarded, dtype, seed):
    """Spikes and membranes to the last digit, feedback to rounding; constant inputs and inputs over time; rewards for
    all neurons in all samples, for some, for none."""
    layer, shape = make(dtype, bias)
    fill(layer, seed)
    net = lfp.Spiking(lfp.LIF(layer, beta, threshold, reset), steps=steps, inputs="given" if over_time else "constant")
    restated = oracle.LIF(restate(layer), Fraction(beta), Fraction(threshold), reset)
    x = numbers([seed, 9], *((steps, n) if over_time else (n,)), *shape, dtype=dtype)
    net.feedback(net.forward(-x), rule)  # a pass before, so that memory is used for the second time
    spikes = net.forward(x)
    assert spikes.dtype == dtype
    expected = restated.forward(oracle.exact(x if over_time else np.stack([x] * steps)))
    assert np.array_equal(spikes, expected.astype(dtype))
    assert np.array_equal(net[0].spikes, spikes)
    assert np.array_equal(net[0].membrane, np.stack(restated.u).astype(dtype))
    reward = numbers([seed, 10], *spikes.shape, dtype=dtype)
    reward[:, np.random.default_rng([seed, 11]).random(spikes.shape[1:]) >= rewarded] = 0
    handed = net.feedback(reward, rule)
    exact = restated.feedback(oracle.exact(reward), exact_rule(rule, dtype))
    term = 4 * float(restated.largest_s)
    assert_close(handed, exact if over_time else exact.sum(axis=0), "input's reward", steps * term)
    assert_close(layer.weight.feedback, restated.d_weight, "feedback of weight", steps * term)
    if bias:
        assert_close(layer.bias.feedback, restated.d_bias, "feedback of bias", steps * term)


@given(betas, thresholds, resets, steps, given_over_time, st.sampled_from([0.0, 1e-6, 0.25]), st.booleans(), seeds)
def test_what_it_keeps_is_accounted_for(beta, threshold, reset, steps, over_time, epsilon, bias, seed):
    """Reward in = handed on + bias + stabiliser + membrane + nothing flowed: exactly so in the oracle, and its amounts
    are the balance sheet's."""
    layer, shape = conv(np.float64, bias)
    fill(layer, seed)
    net = lfp.Spiking(lfp.LIF(layer, beta, threshold, reset), steps=steps, inputs="given" if over_time else "constant")
    restated = oracle.LIF(restate(layer), Fraction(beta), Fraction(threshold), reset)
    x = numbers([seed, 9], *((steps, 3) if over_time else (3,)), *shape)
    spikes = net.forward(x)
    restated.forward(oracle.exact(x if over_time else np.stack([x] * steps)))
    reward = numbers([seed, 10], *spikes.shape)
    net.feedback(reward, Epsilon(epsilon))
    handed = restated.feedback(oracle.exact(reward), Fraction(epsilon))
    for n in range(3):
        assert handed[:, n].sum() + sum(kept[n] for kept in restated.kept.values()) == oracle.exact(reward)[:, n].sum()
    (line,) = lfp.balance(net).lines
    largest = max(1.0, float(restated.largest_s))
    for cause, kept in restated.kept.items():
        assert np.abs(line.kept[cause] - kept.astype(float)).max() <= 1e-9 * largest, cause
    assert np.abs(line.residue).max() <= 1e-9 * largest


def one_neuron(beta, threshold, reset, steps, dtype=np.float64):
    """A neuron whose input is its current."""
    layer = lfp.Dense(1, 1, bias=False, dtype=dtype)
    layer.weight.value = np.ones((1, 1))
    return lfp.Spiking(lfp.LIF(layer, beta, threshold, reset), steps=steps, inputs="given")


@given(st.floats(0, 1), resets, st.integers(1, 9), st.sampled_from([0.0, 1e-6, 0.5]), seeds)
def test_shares_are_no_more_than_the_reward_and_move_the_membrane_its_way(beta, reset, steps, epsilon, seed):
    """Sub-conservation: den >= beta |v| + |I|, so a reward at one step hands on shares that add up to it at most, at
    this and all earlier steps together. Direction: there, an update moves u the way the reward says."""
    rng = np.random.default_rng(seed)
    net, current = one_neuron(beta, 0.7, reset, steps), rng.normal(size=(steps, 1, 1))
    net.forward(current)
    for t in range(steps):
        alone = np.zeros_like(current)
        alone[t] = rng.normal()
        shares = net.feedback(alone, Epsilon(epsilon))
        assert np.abs(shares).sum() <= abs(alone[t, 0, 0]) * (1 + 1e-12)
        assert np.all(shares[t + 1 :] == 0)
        # this step's part of the update is lr |w| s x, which moves u by lr |w| s x^2; the share is x w s
        assert shares[t, 0, 0] * current[t, 0, 0] * alone[t, 0, 0] >= 0


def run(current, **options):
    """Spikes and membrane of one neuron, as lists."""
    net = one_neuron(**({"beta": 0.5, "threshold": 1.0, "reset": "subtract"} | options), steps=len(current))
    spikes = net.forward(np.array(current, float).reshape(-1, 1, 1))
    return spikes.ravel().tolist(), net[0].membrane.ravel().tolist()


def test_the_recursion_by_hand():
    """beta 1/2, threshold 1. The reset comes a step later; it takes the whole threshold; zero forgets before decay."""
    current = [2, 0.5, 0.5, 0.5]
    assert run(current) == ([1, 0, 0, 0], [2, 0.5, 0.75, 0.875])  # 0.5 * 2 + 0.5 - 1
    assert run(current, reset="zero") == ([1, 0, 0, 0], [2, 0.5, 0.75, 0.875])
    assert run(current, reset="none") == ([1, 1, 1, 1], [2, 1.5, 1.25, 1.125])
    assert run([4, 0.5, 0.5], reset="zero") == ([1, 0, 0], [4, 0.5, 0.75])
    assert run([4, 0.5, 0.5]) == ([1, 1, 0], [4, 1.5, 0.25])


def test_a_threshold_met_exactly_is_no_spike():
    assert run([1, 0.5, 0.5]) == ([0, 0, 0], [1, 1, 1])
    assert run([1 + 2**-52, 0.5])[0] == [1, 0]


def test_without_leak_it_counts():
    """beta = 1: what is above the threshold is not lost at a reset, and met exactly (at the eighth step) it waits."""
    spikes, membrane = run([0.375] * 9, beta=1.0)
    assert membrane == [0.375, 0.75, 1.125, 0.5, 0.875, 1.25, 0.625, 1.0, 1.375]
    assert spikes == [0, 0, 1, 0, 0, 1, 0, 0, 1]


def test_feedback_by_hand():
    """beta 1/2, currents 1 and 1, so u = 1, 1.5; a reward of 4 for the spike at the end.

    den[1] = |1| + |1.5 - 1| = 1.5, s[1] = 8/3: 8/3 to the current, 0.5 * 8/3 = 4/3 to the membrane before: nothing is
    kept. That in turn came from its current alone: den[0] = |0| + |1 - 0|.
    """
    net = one_neuron(0.5, 1.0, "subtract", 2)
    net.forward(np.ones((2, 1, 1)))
    shares = net.feedback(np.array([0.0, 4.0]).reshape(2, 1, 1), Epsilon(0.0))
    np.testing.assert_allclose(shares.ravel(), [4 / 3, 8 / 3], rtol=1e-15)
    np.testing.assert_allclose(net.parameters()[0].feedback, [[4.0]], rtol=1e-15)


def test_zero_forgets_so_nothing_flows_from_before_the_reset():
    """u = 4, then 0.5 alone: the reward at the end stays with the current, none goes to the step that fired."""
    for reset, expected in (("zero", [0.0, 3.0]), ("subtract", [3 * 2 / 5.5 * 1, 3 * 0.5 / 5.5])):
        net = one_neuron(0.5, 1.0, reset, 2)
        net.forward(np.array([4.0, 0.5]).reshape(2, 1, 1))
        shares = net.feedback(np.array([0.0, 3.0]).reshape(2, 1, 1), Epsilon(0.0))
        # subtract: u = 4, 1.5; den = |4| + |1.5 + 1 - 4| = 5.5; carry 0.5 * 4 s = 2 s, all of it handed on by step 0
        np.testing.assert_allclose(shares.ravel(), expected, rtol=1e-15)


@given(st.sampled_from([0.0, 1e-6, 0.25]), seeds)
def test_one_step_without_memory_is_dense_and_step(epsilon, seed):
    """T = 1: the spikes are Step's at I > threshold, the shares are Dense's up to the sign of I."""
    n = 6
    layer = fill(lfp.Dense(5, 4, dtype=np.float64), seed)
    net = lfp.Spiking(lfp.LIF(layer, beta=0.0, threshold=0.5), steps=1)
    x = numbers([seed, 9], n, 5)
    spikes, reward = net.forward(x), numbers([seed, 10], 1, n, 4)
    plain = lfp.Dense(5, 4, dtype=np.float64)
    plain.load_state_dict(layer.state_dict())
    current = plain.forward(x)
    assert np.array_equal(spikes[0], current > 0.5)
    handed = net.feedback(reward, Epsilon(epsilon))
    expected = plain.feedback(reward[0] * np.where(current >= 0, 1, -1), Epsilon(epsilon))
    np.testing.assert_allclose(handed, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    for ours, theirs in zip(layer.parameters(), plain.parameters(), strict=True):
        largest = np.abs(theirs.feedback).max()
        np.testing.assert_allclose(ours.feedback, theirs.feedback, rtol=1e-12, atol=1e-12 * largest)


def test_silent_and_always_firing_neurons_have_finite_feedback():
    for x in (0.0, -1.0, 100.0):
        for reset in RESETS:
            for epsilon in (0.0, 1e-6):
                net = one_neuron(0.9, 1.0, reset, 7)
                spikes = net.forward(np.full((7, 2, 1), x))
                assert np.all(spikes == (x > 1))
                shares = net.feedback(np.ones_like(spikes), Epsilon(epsilon))
                assert np.isfinite(shares).all()
                assert np.all(shares[:] == 0) == (x == 0)  # nothing flowed where there was no current


def test_where_nothing_flows_the_stabiliser_keeps_the_reward_or_without_one_an_empty_group():
    for epsilon, cause in ((0.25, "stabiliser"), (0.0, "empty group")):
        net = one_neuron(0.5, 1.0, "subtract", 3)
        net.forward(np.zeros((3, 1, 1)))
        net.feedback(np.ones((3, 1, 1)), Epsilon(epsilon))
        (line,) = lfp.balance(net).lines
        nothing = dict.fromkeys(("bias", "stabiliser", "empty group", "membrane"), 0.0)
        assert {name: kept[0] for name, kept in line.kept.items()} == nothing | {cause: 3.0}


def test_nan_is_no_silence():
    """What diverges must be seen."""
    net = one_neuron(0.5, 1.0, "subtract", 3)
    net.parameters()[0].value[...] = np.nan
    assert np.isnan(net.forward(np.ones((3, 1, 1)))).all()


def test_spikes_and_membrane_are_the_callers_own():
    net = one_neuron(0.5, 1.0, "subtract", 3)
    net.forward(np.full((3, 1, 1), 1.5))
    for name in ("spikes", "membrane"):
        before = getattr(net[0], name).copy()
        getattr(net[0], name)[...] = 7
        assert np.array_equal(getattr(net[0], name), before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": 1.01}, r"beta must be a finite number >= 0 and <= 1, got 1.01"),
        ({"beta": -0.1}, "beta"),
        ({"beta": float("nan")}, "beta"),
        ({"beta": "0.9"}, "beta"),
        ({"threshold": 0}, "threshold must be a finite number > 0, got 0"),
        ({"threshold": float("inf")}, "threshold"),
        ({"reset": "hard"}, "reset must be one of subtract, zero, none, got 'hard'"),
    ],
)
def test_numbers_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        lfp.LIF(lfp.Dense(2, 2), **options)


def test_what_it_cannot_be_put_around_or_into():
    for wrong in (lfp.LIF(lfp.Dense(2, 2)), lfp.ReLU(), None):
        with pytest.raises(TypeError, match=r"LIF takes the Dense or Conv2d layer"):
            lfp.LIF(wrong)
    with pytest.raises(RuntimeError, match=r"runs over time: put it into lfp.Spiking"):
        lfp.LIF(lfp.Dense(2, 2)).forward(np.ones((1, 2)))
    for name in ("spikes", "membrane"):
        with pytest.raises(RuntimeError, match="no spikes and no membrane before a forward pass"):
            getattr(lfp.LIF(lfp.Dense(2, 2)), name)


def test_how_it_is_shown():
    assert repr(lfp.LIF(lfp.Dense(2, 3))) == "LIF(Dense(2, 3))"
    assert repr(lfp.LIF(lfp.Dense(2, 3), 0.5, reset="zero")) == "LIF(Dense(2, 3), beta=0.5, reset='zero')"
    assert repr(lfp.LIF(lfp.Dense(2, 3), threshold=0.5)) == "LIF(Dense(2, 3), threshold=0.5)"
