import numpy as np
import pytest

import lfp_ref as lfp
from tests.common import fill, numbers


def test_relevance_is_each_inputs_contribution_in_a_linear_network():
    layer = fill(lfp.Dense(6, 4, bias=False, dtype=np.float64), 0)
    x = numbers(1, 5, 6)
    for target in (2, np.array([0, 3, 1, 1, 2])):
        relevance = lfp.explain(layer, x, target, lfp.rules.Epsilon(0.0))
        expected = x * layer.weight.value[np.broadcast_to(target, 5)]
        expected[expected.sum(axis=1) == 0] = 0  # z = 0 has nothing to explain
        np.testing.assert_allclose(relevance, expected, atol=1e-14)


def test_without_a_target_it_explains_the_largest_output():
    net = lfp.models.small_cnn((1, 8, 8), 10, rng=np.random.default_rng(0))
    x = lfp.datasets.load_digits().x_test[:4]
    largest = net.forward(x).argmax(axis=1)
    rule = lfp.composites.epsilon_plus(net)
    assert np.array_equal(lfp.explain(net, x, rule=rule), lfp.explain(net, x, largest, rule))
    assert lfp.explain(net, x).shape == x.shape


def test_parameters_feedback_stays_as_it_is():
    net = lfp.models.small_cnn((1, 8, 8), 10, rng=np.random.default_rng(0))
    x = lfp.datasets.load_digits().x_test[:4]
    net.forward(x)
    net.feedback(np.ones((4, 10)))
    before = [parameter.feedback.copy() for parameter in net.parameters()]
    rules = lfp.rules
    for rule in (rules.Epsilon(), rules.Gamma(), rules.Epsilon(learning="hebbian")):
        relevance = lfp.explain(net, x, 3, rule)
        assert all(np.array_equal(p.feedback, kept) for p, kept in zip(net.parameters(), before, strict=True))
        z = net.forward(x)
        assert np.array_equal(net.feedback(z * (np.arange(10) == 3), rule), relevance)
        for parameter, kept in zip(net.parameters(), before, strict=True):
            parameter.feedback[...] = kept


def test_targets_that_are_none():
    net = lfp.Dense(3, 2)
    for target in (2, -1, 0.5, np.array([0, 5])):
        with pytest.raises(ValueError, match=r"0\.\.1"):
            lfp.explain(net, np.ones((2, 3)), target)
    with pytest.raises(ValueError, match="sensitivities"):
        lfp.explain(net, np.ones((2, 3)), 0, lfp.rules.Gradient())
