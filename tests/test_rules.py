import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.core.assignment import resolve
from lfp_ref.rules import Epsilon, Gradient, Group, Rule, Term, is_gradient
from tests import oracle
from tests.common import assert_close, fill, numbers


def network():
    return lfp.Sequential(
        lfp.Conv2d(1, 2, 3), lfp.ReLU(), lfp.Flatten(), lfp.Dense(8, 4), lfp.Sequential(lfp.Dense(4, 3))
    )


def by_path(rule):
    net = network()
    chosen = resolve(rule, net)
    return chosen if isinstance(chosen, dict) else {path: chosen for path, _ in net.named_layers()}


def test_one_rule_is_everyones():
    assert set(by_path(Epsilon(0.5)).values()) == {Epsilon(0.5)}


def test_the_longest_prefix_wins_over_the_nearest_class():
    chosen = by_path({lfp.Layer: Epsilon(1.0), lfp.Dense: Epsilon(2.0), "4": Epsilon(3.0), "4.0": Epsilon(4.0)})
    assert [chosen[path].epsilon for path in ("0", "1", "3", "4", "4.0")] == [1, 1, 2, 3, 4]
    assert (
        by_path({lfp.Conv2d: Epsilon(1.0), lfp.Dense: Epsilon(2.0)})["1"] == Epsilon()
    )  # no parameters, no key: default


def test_mappings_that_do_not_fit():
    with pytest.raises(ValueError, match=r"no rule for 3 \(Dense\), 4\.0 \(Dense\)"):
        by_path({lfp.Conv2d: Epsilon()})
    with pytest.raises(ValueError, match=r"match no layer: \['7'\]"):
        by_path({lfp.Layer: Epsilon(), "7": Epsilon()})
    with pytest.raises(ValueError, match="cannot be mixed"):
        by_path({lfp.Layer: Epsilon(), "0": Gradient()})
    for wrong in ("epsilon", None, {lfp.Dense: "epsilon"}, {3: Epsilon()}):
        with pytest.raises(TypeError):
            by_path(wrong)


def test_a_mapping_reaches_the_kernels():
    net, x = fill(network(), 0), numbers(1, 3, 1, 4, 4, dtype=np.float32)
    reward = numbers(2, 3, 3, dtype=np.float32)
    net.forward(x)
    net.feedback(reward, {"0": Epsilon(0.5), lfp.Layer: Epsilon()})
    mixed = net[0].weight.feedback.copy(), net[3].weight.feedback.copy()
    for number, epsilon in ((0, 0.5), (1, 1e-6)):
        net.forward(x)
        net.feedback(reward, Epsilon(epsilon))
        if number:
            assert np.array_equal(mixed[1], net[3].weight.feedback)
            assert not np.array_equal(mixed[0], net[0].weight.feedback)


class TwoGroups(Rule):
    """Positive inputs and negative inputs each share their own part of the reward, 3/4 and 1/4."""

    def groups(self):
        positive = Term(lambda a: np.maximum(a, 0), lambda w: 2 * w)
        negative = Term(lambda a: np.minimum(a, 0), bias=np.zeros_like)
        masked = Term(lambda a: np.minimum(a, 0), np.abs, np.zeros_like)
        return Group((positive, negative), 0.75), Group((masked,), 0.25, mask=lambda z: z > 0)


@pytest.mark.parametrize("bias", [True, False])
def test_groups_and_terms_against_the_formula_in_fractions(bias):
    layer = fill(lfp.Dense(5, 4, bias=bias, dtype=np.float64), 3)
    x, reward = numbers(4, 6, 5), numbers(5, 6, 4)
    z = oracle.exact(layer.forward(x))
    layer.feedback(2 * reward, TwoGroups())  # a second pass must not see the first's sums
    layer.forward(x)
    handed = layer.feedback(reward, TwoGroups())
    a, w, r = map(oracle.exact, (x, layer.weight.value, reward))
    b = oracle.exact(layer.bias.value) if bias else oracle.zeros((4,))
    epsilon = oracle.Fraction(1e-6)
    expected, d_w, d_b = oracle.zeros(x.shape), oracle.zeros(w.shape), oracle.zeros(b.shape)
    positive = (lambda v: max(v, 0), lambda v: 2 * v, lambda v: v)
    negative = (lambda v: min(v, 0), lambda v: v, lambda v: 0)
    masked = (lambda v: min(v, 0), abs, lambda v: 0)
    groups = [
        (oracle.Fraction(3, 4), lambda z: True, [positive, negative]),
        (oracle.Fraction(1, 4), lambda z: z > 0, [masked]),
    ]
    largest = 0
    for c, mask, terms in groups:
        for n, j in np.ndindex(reward.shape):
            denominator = sum(sum(k_w(w[j, i]) * k_a(a[n, i]) for i in range(5)) + k_b(b[j]) for k_a, k_w, k_b in terms)
            s = c * mask(z[n, j]) * oracle.quotient(r[n, j], denominator, epsilon)
            largest = max(largest, abs(s))
            for k_a, k_w, k_b in terms:
                d_b[j] += oracle.sgn(b[j]) * k_b(b[j]) * s
                for i in range(5):
                    expected[n, i] += k_a(a[n, i]) * k_w(w[j, i]) * s
                    d_w[j, i] += oracle.sgn(w[j, i]) * k_w(w[j, i]) * k_a(a[n, i]) * s
    assert_close(handed, expected, "input's reward", 8 * float(largest))
    assert_close(layer.weight.feedback, d_w, "feedback of weight", 8 * float(largest))
    if bias:
        assert_close(layer.bias.feedback, d_b, "feedback of bias", 8 * float(largest))


def test_gradient_is_told_apart():
    assert is_gradient(Gradient()) and is_gradient({lfp.Layer: Gradient()})
    assert not is_gradient(Epsilon()) and not is_gradient({lfp.Layer: Epsilon()}) and not is_gradient(None)


def test_a_prefix_ends_at_a_dot():
    net = lfp.Sequential(*(lfp.Dense(2, 2) for _ in range(11)))
    chosen = resolve({lfp.Layer: Epsilon(), "1": Epsilon(2.0)}, net)
    assert chosen["10"] == Epsilon() and chosen["1"] == Epsilon(2.0)


def test_every_pass_follows_the_rule_it_is_given():
    """One rule for all is looked up once; another one, and what a mapping says by now, are seen all the same."""
    layer, x, reward = fill(lfp.Dense(5, 4, dtype=np.float64), 3), numbers(4, 6, 5), numbers(5, 6, 4)
    layer.forward(x)
    epsilon, gradient, mapping = Epsilon(), Gradient(), {lfp.Dense: Epsilon()}
    told = {rule: fill(lfp.Dense(5, 4, dtype=np.float64), 3) for rule in (epsilon, gradient)}
    expected = {}
    for rule, alone in told.items():
        alone.forward(x)
        expected[rule] = alone.feedback(reward, rule)
    assert not np.array_equal(expected[epsilon], expected[gradient])
    for rule in (epsilon, gradient, epsilon, epsilon):
        assert np.array_equal(layer.feedback(reward, rule), expected[rule])
    assert np.array_equal(layer.feedback(reward, mapping), expected[epsilon])
    mapping[lfp.Dense] = gradient
    assert np.array_equal(layer.feedback(reward, mapping), expected[gradient])


class Twice(Rule):
    """Two groups that are the epsilon rule each: the first must leave the reward to the second."""

    def groups(self):
        return Group(), Group()


def test_a_group_leaves_the_reward_to_the_next():
    layer, x, reward = fill(lfp.Dense(5, 4, dtype=np.float64), 3), numbers(4, 6, 5), numbers(5, 6, 4)
    layer.forward(x)
    once, d_w = layer.feedback(reward), layer.weight.feedback.copy()
    layer.forward(x)
    assert np.array_equal(layer.feedback(reward, Twice()), 2 * once)
    assert np.array_equal(layer.weight.feedback, 2 * d_w)
