import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.rules import AlphaBeta, Epsilon, Flat, Gamma, Gradient, Rule, WSquare, ZBox, ZPlus
from tests import oracle
from tests.common import fill, numbers, seeds
from tests.test_lrp_rules import RULES


def network(seed=0, dropout=0.25):
    rng, kind = np.random.default_rng(seed), {"dtype": np.float64}
    net = lfp.Sequential(
        lfp.Conv2d(1, 4, 3, padding=1, **kind), lfp.BatchNorm(4, **kind), lfp.ReLU(), lfp.AvgPool2d(2),
        lfp.Residual(lfp.Sequential(lfp.Conv2d(4, 4, 3, padding=1, **kind), lfp.ReLU()), lfp.Conv2d(4, 4, 1, **kind)),
        lfp.MaxPool2d(2), lfp.Flatten(), lfp.Dropout(dropout, rng=rng), lfp.Dense(16, 5, **kind),
    )  # fmt: skip
    for parameter in net.parameters():
        parameter.value = rng.normal(size=parameter.value.shape)
    return net


MIXED = {"0": ZBox(-1.0, 1.0), "4": Flat(), lfp.Conv2d: Gamma(), lfp.Layer: Epsilon(0.1)}


@pytest.mark.parametrize(
    "rule", [Epsilon(0.0), Epsilon(), Epsilon(0.5), Gamma(), AlphaBeta(), ZPlus(), WSquare(), Flat(), MIXED, None]
)
@given(seed=seeds, training=st.booleans())
def test_what_comes_in_is_handed_on_or_kept_by_a_named_cause(rule, seed, training):
    """Per layer and per sample, for every rule, through every kind of layer: nothing is left over but rounding."""
    if isinstance(rule, Rule) and not rule.is_plain:
        rule = {lfp.BatchNorm: Epsilon(), lfp.Layer: rule}  # batch normalisation has no form of it
    net = network(seed)
    x = np.random.default_rng([seed, 1]).uniform(-1, 1, (6, 1, 8, 8))
    reward = np.random.default_rng([seed, 2]).normal(size=net.forward(x, training=training).shape)
    handed = net.feedback(reward, rule)
    feedback = [p.feedback.copy() for p in net.parameters()]
    sheet = lfp.balance(net)
    np.testing.assert_allclose(sheet.came, reward.sum(axis=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(sheet.handed, handed.sum(axis=(1, 2, 3)), rtol=1e-9, atol=1e-9 * np.abs(handed).max())
    assert all(np.array_equal(p.feedback, kept) for p, kept in zip(net.parameters(), feedback, strict=True))
    largest = max(np.abs(line.came).max() for line in sheet.lines)
    largest = max(
        [largest, np.abs(handed).sum(axis=(1, 2, 3)).max()]
        + [np.abs(k).max() for line in sheet.lines for k in line.kept.values()]
    )
    for line in sheet.lines:
        # rewards of single neurons cancel within a layer: 1e-9 of the largest amount, against 1e-16 of rounding each
        assert np.abs(line.residue).max() <= 1e-9 * largest, line.path
    assert np.abs(sheet.residue).max() <= 1e-9 * largest
    by_path = {line.path: line for line in sheet.lines}
    branches = by_path["4.body.0"].came + by_path["4.shortcut"].came  # a ReLU hands on what it gets
    assert np.abs(branches - by_path["4"].handed).max() <= 1e-9 * largest
    below = by_path["4.body.0"].handed + by_path["4.shortcut"].handed
    assert np.abs(below - by_path["3"].came).max() <= 1e-9 * largest
    assert any("batch statistics" in line.kept for line in sheet.lines) == training


@pytest.mark.parametrize("name", RULES)
@given(n=st.integers(1, 4), seed=seeds)
def test_each_cause_equals_the_oracles(name, n, seed):
    rule, restated_rule = RULES[name]
    layer = fill(lfp.Dense(5, 4, dtype=np.float64), seed)
    layer.bias.value[0] = 0
    layer.weight.value[0] = np.abs(layer.weight.value[0])  # a neuron without negative contributions, at positive inputs
    x = np.abs(numbers([seed, 1], n, 5))
    reward = numbers([seed, 2], *layer.forward(x).shape)
    layer.feedback(reward, rule)
    (line,) = lfp.balance(layer).lines
    restated = oracle.Dense(oracle.exact(layer.weight.value), oracle.exact(layer.bias.value))
    restated.forward(oracle.exact(x))
    handed = restated.feedback(oracle.exact(reward), restated_rule)
    for sample in range(n):
        kept = sum(amounts[sample] for amounts in restated.kept.values())
        assert handed[sample].sum() + kept == oracle.exact(reward)[sample].sum()  # exactly
    scale = 4 * max(float(restated.largest_s), 1)
    for cause, amounts in restated.kept.items():
        assert np.abs(line.kept[cause] - amounts.astype(float)).max() <= 1e-12 * scale, cause


def test_the_table_names_every_cause_once_and_adds_up():
    net = network()
    net.forward(np.random.default_rng(0).uniform(-1, 1, (3, 1, 8, 8)), training=True)
    net.feedback(np.ones((3, 5)), {lfp.BatchNorm: Epsilon(), lfp.Layer: AlphaBeta()})
    sheet = lfp.balance(net)
    table = sheet.table().splitlines()
    assert all(table[0].count(cause) == 1 for cause in ("came in", "handed on", "bias", "stabiliser", "residue"))
    assert len(table) == len(sheet.lines) + 2 and table[-1].startswith("network")
    one = sheet.table(sample=1)
    assert f"{sheet.came[1]:.6f}" in one and f"{sheet.came.sum():.6f}" in sheet.table()


def test_before_feedback_and_under_gradient_there_is_none():
    net = network()
    with pytest.raises(RuntimeError, match="needs a forward pass first"):
        lfp.balance(net)
    net.forward(np.zeros((1, 1, 8, 8)))
    with pytest.raises(RuntimeError, match="needs a feedback pass of this forward pass first"):
        lfp.balance(net)
    net.feedback(np.ones((1, 5)), Gradient())
    with pytest.raises(ValueError, match="no balance to draw up"):
        lfp.balance(net)


def test_a_balance_is_of_the_pass_it_belongs_to():
    """After another forward pass, of another batch size, or an update: refused, or the account of its own pass."""
    net, rng = network(), np.random.default_rng(0)
    x, reward = rng.uniform(-1, 1, (3, 1, 8, 8)), rng.normal(size=(3, 5))
    tape = net.record(x)
    tape.feedback(reward)
    before = tape.balance()
    net.forward(x[:2])
    with pytest.raises(RuntimeError, match="needs a feedback pass of this forward pass first"):
        lfp.balance(net)
    again = tape.balance()
    assert np.array_equal(again.came, before.came) and np.array_equal(again.handed, before.handed)
    assert np.abs(again.residue).max() <= 1e-9 * max(
        np.abs(k).max() for line in again.lines for k in line.kept.values()
    )
    lfp.optim.SGD(net.parameters(), lr=0.1).step()
    with pytest.raises(RuntimeError, match=r"0\.weight has changed since this forward pass"):
        tape.balance()
    with pytest.raises(RuntimeError, match=r"0\.weight has changed since this forward pass"):
        tape.feedback(reward)
