"""What the theory in proofs/ promises of training, as properties of the real layers."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from tests.common import numbers, seeds
from tests.test_properties import inputs_for, linears, nets, no_sum_is_0


def passes(net, x, slope):
    """(d of LFP-0, dJ/dw) of every parameter, for J with dJ/dz = slope."""
    net.feedback(net.forward(x) * slope, Epsilon(0.0))
    feedback = [p.feedback.copy() for p in net.parameters()]
    net.feedback(slope, Gradient())
    return feedback, [p.feedback.copy() for p in net.parameters()]


def total(arrays):
    return sum(float(a.sum()) for a in arrays)


def inputs_of(net, tape, x):
    """Input of every layer of a chain, by its place."""
    return dict(
        zip([str(k) for k in range(len(net))], [x, *(tape.output(str(k)) for k in range(len(net) - 1))], strict=True)
    )


def something_flows_through_zero(net, x):
    """True where a sum is 0 although something flows into it: where the theorem ends. Linear layers: where z is 0."""
    tape = net.record(x)
    inputs = inputs_of(net, tape, x)
    for path, layer in net.named_layers():
        if isinstance(layer, lfp.Residual):
            yield np.any((tape.output(path) == 0) & (tape.output(f"{path}.body") != 0))
        elif isinstance(layer, lfp.AvgPool2d):
            sizes = lfp.AvgPool2d(layer.kernel_size, layer.stride).forward(np.abs(inputs[path]))
            yield np.any((tape.output(path) == 0) & (sizes != 0))
        elif isinstance(layer, lfp.Dense | lfp.Conv2d):
            yield np.any(tape.output(path) == 0)


@given(nets, st.integers(1, 9), seeds)
def test_homogeneous_networks_climb_at_any_depth_and_batch(net, n, seed):
    """d = |w| dJ/dw, so <d, dJ/dw> = sum |w| (dJ/dw)^2: dense, convolution, both poolings, residual sums.

    To the last digit: all values are multiples of small powers of two, and r / z of such a product r gives its factor.
    """
    x = inputs_for(net, n, seed) + 1 / 64  # off the grid on which sums meet 0
    slope = numbers([seed, 5], *net.forward(x).shape)
    assume(not any(something_flows_through_zero(net, x)))
    for d, g, p in zip(*passes(net, x, slope), net.parameters(), strict=True):
        assert np.array_equal(d, np.abs(p.value) * g)
        assert np.all(d * g >= 0) and np.array_equal(d * g > 0, (p.value != 0) & (g != 0))


def region(net, x):
    """The side of every kink, the winners of every pool: there the network is one polynomial."""
    tape = net.record(x)
    inputs = inputs_of(net, tape, x)
    found = []
    for path, layer in net.named_layers():
        if isinstance(layer, lfp.ReLU | lfp.LeakyReLU):
            found.append(tape.output(path) > 0)
        elif isinstance(layer, lfp.MaxPool2d):
            pool = lfp.MaxPool2d(layer.kernel_size, layer.stride)
            pool.forward(inputs[path])
            found.append(pool.feedback(np.ones_like(tape.output(path))) != 0)
    return found


def curvature(net, x):
    """L of J = -|t - z|^2 / 2 in the last layer's weights and bias: z is linear in them, L <= sum of |inputs|^2 + 1."""
    tape = net.record(x)
    last = inputs_of(net, tape, x)[str(len(net) - 1)]
    return float((last**2).sum() + len(x))


@given(nets, st.integers(1, 5), st.floats(0.05, 1.95), seeds)
def test_j_rises_at_every_step_size_below_the_proved_one(net, n, part, seed):
    """The last layer alone, where L is known: J rises by at least lr (1 - lr L M / 2) sum |w| g^2, six steps on end."""
    x = inputs_for(net, n, seed) + 1 / 64
    target = np.random.default_rng(seed).normal(size=net.forward(x).shape)
    last, smooth = linears(net)[-1].parameters(), curvature(net, x)
    for _ in range(6):
        z = net.forward(x)
        assume(np.all(z != 0))
        feedback, gradients = passes(net, x, target - z)
        number = [k for k, p in enumerate(net.parameters()) if any(p is q for q in last)]
        largest = max(np.abs(p.value).max() for p in last)
        assume(largest > 0)
        lr = part / (smooth * largest)
        squares = total(np.abs(p.value) * gradients[k] ** 2 for k, p in zip(number, last, strict=True))
        for k, parameter in zip(number, last, strict=True):
            parameter.feedback[...] = feedback[k]
        lfp.optim.SGD(last, lr).step()
        before, after = -((target - z) ** 2).sum() / 2, -((target - net.forward(x)) ** 2).sum() / 2
        promised = lr * (1 - lr * smooth * largest / 2) * squares
        assert after - before >= promised - 1e-9 * max(abs(before), 1)


@given(nets, st.integers(1, 5), seeds)
def test_j_rises_along_lfp_inside_a_linear_region(net, n, seed):
    """All layers at once: halve the step until no kink is crossed; then J rises by half its slope or more."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=inputs_for(net, n, seed).shape)  # off the grid: no pool ties but between silent units
    z = net.forward(x)
    assume(no_sum_is_0(net, x))
    target = z + rng.normal(size=z.shape)
    inside = region(net, x)
    feedback, gradients = passes(net, x, target - z)
    slope = total(d * g for d, g in zip(feedback, gradients, strict=True))
    assume(slope > 1e-6)
    start, before = [p.value.copy() for p in net.parameters()], -((target - z) ** 2).sum() / 2
    lr, rises = 1.0, []
    for _ in range(60):
        for parameter, value, d in zip(net.parameters(), start, feedback, strict=True):
            parameter.value = value + lr * d
        rise = -((target - net.forward(x)) ** 2).sum() / 2 - before
        if all(np.array_equal(a, b) for a, b in zip(region(net, x), inside, strict=True)) and rise >= 0.5 * lr * slope:
            rises.append(lr)
            if len(rises) == 4:
                break
        else:
            rises.clear()
        lr /= 2
    assert len(rises) == 4


@pytest.mark.parametrize("act", [lfp.ReLU, lfp.LeakyReLU, lfp.ELU, lfp.Tanh, lfp.Softsign])
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), seeds)
def test_under_the_condition_one_hidden_layer_and_one_sample_climb(act, inputs, hidden, outputs, seed):
    """Weight by weight, and for any number of outputs, whatever the reward's objective."""
    rng = np.random.default_rng(seed)
    kind = {"dtype": np.float64, "rng": rng}
    net = lfp.Sequential(lfp.Dense(inputs, hidden, **kind), act(), lfp.Dense(hidden, outputs, **kind))
    x, slope = rng.normal(size=(1, inputs)), rng.normal(size=(1, outputs))
    feedback, gradients = passes(net, x, slope)
    for d, g in zip(feedback, gradients, strict=True):
        # a sign may be lost only where a sum over the outputs cancels to rounding, 1e-15 of its terms of order 1
        assert np.all((d * g >= 0) | (np.abs(g) < 1e-12))


def test_a_batch_or_another_layer_takes_the_promise_away():
    """tanh, two samples, all weights 1: LFP descends; the exact witnesses are in proofs/witnesses."""
    kind = {"bias": False, "dtype": np.float64}
    net = lfp.Sequential(lfp.Dense(1, 1, **kind), lfp.Tanh(), lfp.Dense(1, 1, **kind))
    for parameter in net.parameters():
        parameter.value = [[1.0]]
    assert total(d * g for d, g in zip(*passes(net, np.array([[2.0], [-1.0]]), np.ones((2, 1))), strict=True)) < -0.01
