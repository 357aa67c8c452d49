"""What of ascent survives the optimisers: their kernels on numbers with few digits, so that nothing is rounded."""

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.core.state import Parameter


def parameter(*values):
    return Parameter(np.array(values, np.float64))


def step(optimiser, held, feedback):
    """The value before and after one step with this feedback."""
    before = held.value.copy()
    held.feedback[...] = feedback
    optimiser.step()
    return before, held.value.copy()


def test_weight_decay_is_an_l1_penalty():
    """w moves by lr |w| (g - decay sgn(w)), to the last bit; where J is at its maximum it leaves it."""
    held, g = parameter(1.0, -0.5, 2.0, 0.0), np.array([0.25, 1.0, -0.5, 3.0])
    optimiser = lfp.optim.SGD([held], lr=0.5, weight_decay=0.125)
    before, after = step(optimiser, held, np.abs(held.value) * g)
    assert np.array_equal(after - before, 0.5 * np.abs(before) * (g - 0.125 * np.sign(before)))
    held = parameter(1.0)  # J = -(1 - w)^2 / 2
    _, after = step(lfp.optim.SGD([held], lr=1.0, weight_decay=0.125), held, [0.0])
    assert after == [0.875]


def test_momentum_leaves_a_maximum():
    """J = -(2 - w)^2 / 2 from w = 1, momentum 1/2, lr = 1: 2, where d = 0, then 2.5; J falls by 1/8."""
    held = parameter(1.0)
    optimiser = lfp.optim.SGD([held], lr=1.0, momentum=0.5)
    for reached in (2.0, 2.5):
        _, after = step(optimiser, held, np.abs(held.value) * (2 - held.value))
        assert after == [reached]


@pytest.mark.parametrize("make", [lfp.optim.Adam, lambda p, **k: lfp.optim.AdamW(p, weight_decay=0.0, **k)])
def test_adams_first_step_goes_with_the_feedback(make):
    """lr d / (|d| + eps), a few roundings; a weight of 0 stays."""
    held, feedback = parameter(1.0, 2.0, 0.0, -3.0), np.array([0.5, -0.25, 0.0, 1e-9])
    before, after = step(make([held], lr=0.125, eps=1e-3), held, feedback)
    moved = 0.125 * feedback / (np.abs(feedback) + 1e-3)
    assert np.allclose(after - before, moved, rtol=0, atol=8 * 2.0**-53 * 3)  # 8 roundings of numbers up to 3
    assert np.all((after - before) * feedback >= 0) and after[2] == 0


def test_adams_second_step_may_go_against_it():
    """betas (1/2, 0): feedback 1, then -1/4: the mean is 1/8."""
    held = parameter(1.0)
    optimiser = lfp.optim.Adam([held], lr=0.125, betas=(0.5, 0.0))
    step(optimiser, held, [1.0])
    before, after = step(optimiser, held, [-0.25])
    assert after > before


def test_minibatches_climb_on_average():
    """Each sample of a batch in two of three minibatches: their <d, g> sum to twice the batch's; one of them is < 0."""
    net = lfp.Sequential(lfp.Dense(2, 1, bias=False, dtype=np.float64))
    w = net[0].weight
    w.value = [[1.0, -0.5]]
    x, slope = np.array([[2.0, 1.0], [-1.0, 0.5], [-0.5, 0.25]]), np.array([[1.0], [1.0], [0.5]])

    def direction(samples):
        net.feedback(net.forward(x[samples]) * slope[samples], lfp.rules.Epsilon(0.0))
        return w.feedback.copy()

    d = direction([0, 1, 2])
    g = d / np.abs(w.value)
    products = [(direction(chosen) * g).sum() for chosen in ([0, 1], [0, 2], [1, 2])]
    assert sum(products) == 2 * (d * g).sum() > 0 > min(products)
