"""Names in text become rules, rewards, activations, optimisers and networks."""

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import names, rewards
from lfp_ref.rules import Epsilon, Gamma, Gradient


def test_rules_take_their_numbers():
    assert (
        names.rule("epsilon") == Epsilon()
        and names.rule("epsilon:0.5") == Epsilon(0.5)
        and names.rule("gradient") == Gradient()
    )
    for text, says in (("lrp", "known: epsilon, gamma"), ("epsilon:1,2", "epsilon:1,2"), ("epsilon:x", "could not"),
                       ("epsilon:-1", ">= 0"), ("gradient:1", "gradient:1")):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            names.rule(text)


def test_rule_or_composite_with_one_way_of_learning_throughout():
    net = lfp.models.small_cnn((1, 8, 8), 10)
    assert names.rule_or_composite("gamma:0.5", net) == Gamma(0.5)
    for text in ("gamma", "epsilon-plus"):
        found = names.rule_or_composite(text, net, "hebbian")
        assert all(rule.learning == "hebbian" for rule in (found.values() if isinstance(found, dict) else [found]))
    with pytest.raises(ValueError, match=r"unknown rule 'lrp'.*composites: epsilon-plus"):
        names.rule_or_composite("lrp", net)


def test_rewards_have_their_functions_names():
    assert all(name.replace("-", "_") == reward.__name__ for name, reward in names.REWARDS.items())
    assert names.reward("correct-class") is rewards.correct_class
    with pytest.raises(ValueError, match="unknown reward 'pride'; known: softmax"):
        names.reward("pride")


def test_every_activation_has_a_name():
    for name in names.ACTIVATIONS:
        for prefix in ("", "negated-", "reflected-"):
            assert names.activation(prefix + name)().forward(np.ones((1, 2))).shape == (1, 2)
    z = np.array([[-2.0, 0.5]])
    assert np.array_equal(names.activation("identity")().forward(z), z)
    with pytest.raises(ValueError, match="unknown activation 'relo'; known: relu, leaky-relu"):
        names.activation("relo")


def test_an_activation_takes_its_number():
    assert [names.activation(name)().low for name in ("step", "step:0", "step:-1")] == [-1, 0, -1]
    assert names.activation("leaky-relu:0.2")().parameter == 0.2
    assert np.array_equal(names.activation("negated-step:0")().forward([[-1.0, 1.0]]), [[0, -1]])
    for name, says in (("step:2", "low must be -1 or 0"), ("relu:1", "takes no parameter"), ("elu:x", "could not")):
        with pytest.raises(ValueError, match=f"activation '{name}': .*{says}"):
            names.activation(name)
