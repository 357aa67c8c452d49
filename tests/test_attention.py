"""Attention: each form against the oracle, what they conserve, and a whole transformer."""

import math
from fractions import Fraction

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import AttnLRP, AutogradAttention, ConstantAttention, Epsilon, Gamma, Gradient
from lfp_ref.testing import check_layer
from tests import oracle
from tests.common import assert_close, fill, numbers

KIND = {"dtype": np.float64}
FORMS = (Epsilon, AttnLRP, ConstantAttention, AutogradAttention)
RULES = [Gradient(), *(form(epsilon) for form in FORMS for epsilon in (0.25, 1e-6))]


def restated(layer, form):
    """exp is the only function that is not exact: rounded to double precision."""
    dense = [oracle.Dense(*map(oracle.exact, (d.weight.value, d.bias.value))) for d in (layer.in_proj, layer.out_proj)]
    scale = Fraction(1 / math.sqrt(layer.features // layer.heads))
    return oracle.Attention(*dense, layer.heads, scale, lambda v: Fraction(math.exp(v)), form)


@pytest.mark.parametrize(("tokens", "features", "heads"), [(1, 4, 1), (3, 4, 2), (2, 3, 3), (4, 6, 2)])
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_equals_the_oracle(rule, tokens, features, heads):
    """One token, one feature a head, and a scale that is no fraction."""
    layer = fill(lfp.MultiHeadAttention(features, heads, **KIND), [tokens, features])
    twin = restated(layer, rule.attention)
    x = numbers([tokens, 5], 3, tokens, features, largest=1)
    z = layer.forward(x)
    assert_close(z, twin.forward(oracle.exact(x)), "forward")
    reward = numbers([tokens, 6], *z.shape)
    handed = layer.feedback(reward, rule)
    exact_rule = oracle.GRADIENT if rule.is_gradient else Fraction(rule.epsilon)
    expected = twin.feedback(oracle.exact(reward), exact_rule)
    term = 64 * float(twin.largest_s)  # |q|, |k|, |v| are at most 14
    assert_close(handed, expected, "input's reward", term)
    for ours, theirs in ((layer.in_proj, twin.inner), (layer.out_proj, twin.outer)):
        assert_close(ours.weight.feedback, theirs.d_weight, "feedback of a weight", term)
        assert_close(ours.bias.feedback, theirs.d_bias, "feedback of a bias", term)
    if not rule.is_gradient:
        own = next(line for line in lfp.balance(layer).lines if line.layer.startswith("Multi"))
        for cause, amounts in twin.own.items():
            assert_close(own.kept.get(cause, np.zeros(3)), amounts, cause, 4 * term)


@pytest.mark.parametrize("rule", RULES[1:], ids=repr)
def test_each_form_is_right(rule):
    """Linear in the reward, conserving or saying why not, its derivative under Gradient a difference's limit."""
    rng = np.random.default_rng(0)
    check_layer(lfp.MultiHeadAttention(6, 3, rng=rng, **KIND), rng.uniform(-1, 1, (3, 4, 6)), rule)
    check_layer(lfp.MultiHeadAttention(4, 1, bias=False, rng=rng, **KIND), rng.uniform(-1, 1, (2, 1, 4)), rule)


def attended(rule, seed=0):
    """In-projection's feedback and its reward's sums, of one pass under a rule."""
    rng = np.random.default_rng(seed)
    layer = lfp.MultiHeadAttention(6, 2, rng=rng, **KIND)
    tape = layer.record(rng.uniform(-1, 1, (3, 5, 6)))
    tape.feedback(rng.uniform(-1, 1, tape.outputs.shape), rule)
    return layer.in_proj.weight.feedback.copy()


def test_with_no_stabiliser_attn_lrp_is_gradient_times_input_halved_for_values_and_quartered_for_the_rest():
    """Each product halves what it hands on; the softmax's expansion times Z / M is its derivative times the scale."""
    plain, taylor = attended(Epsilon(1e-14)), attended(AttnLRP(1e-14))
    np.testing.assert_allclose(taylor[12:], plain[12:] / 2, rtol=1e-9)
    np.testing.assert_allclose(taylor[:12], plain[:12] / 4, rtol=1e-9)


def test_constant_attention_teaches_values_alone():
    found, plain = attended(ConstantAttention(1e-6)), attended(Epsilon(1e-6))
    assert not found[:12].any() and np.array_equal(found[12:], plain[12:])


def transformer(seed=0, norm=lfp.LayerNorm, act=lfp.ReLU):
    """Two blocks of width 6 and 3 heads over four patches of a 4 x 4 image."""
    rng = np.random.default_rng(seed)
    kind = KIND | {"rng": rng}

    def block():
        attention = lfp.Sequential(norm(6, **kind), lfp.MultiHeadAttention(6, 3, **kind))
        mlp = lfp.Sequential(norm(6, **kind), lfp.Dense(6, 9, **kind), act(), lfp.Dense(9, 6, **kind))
        return lfp.Residual(attention), lfp.Residual(mlp)

    return lfp.Sequential(
        lfp.PatchEmbedding(1, 6, 2, **kind), lfp.ClassToken(6, **kind), lfp.Positions(5, 6, **kind),
        *block(), *block(), norm(6, **kind), lfp.SelectToken(), lfp.Dense(6, 3, **kind),
    )  # fmt: skip


def test_a_transformer_trains_by_the_absolute_weight_times_the_gradient():
    """For every parameter, positions and class token too; the key's bias has a gradient of exactly 0."""
    net, rng = transformer(), np.random.default_rng(1)
    tape = net.record(rng.uniform(-1, 1, (3, 1, 4, 4)))
    slope = rng.uniform(-1, 1, tape.outputs.shape)
    gradient = tape.feedback(slope, Gradient())
    expected = {name: np.abs(p.value) * p.feedback for name, p in net.named_parameters()}
    handed = tape.feedback(tape.outputs * slope, Epsilon(1e-13))
    x = tape.output("") * 0  # the shape of the outputs
    assert x.shape == slope.shape and handed.shape == gradient.shape
    for name, parameter in net.named_parameters():
        scale = np.abs(expected[name]).max()
        assert np.abs(parameter.feedback - expected[name]).max() <= 1e-8 * scale, name
        if name.endswith("in_proj.bias"):
            assert np.abs(expected[name][6:12]).max() <= 1e-14 < scale


@pytest.mark.parametrize("epsilon", [1.0, 1e-3])
def test_the_conserving_composite_accounts_for_all_of_a_transformers_reward(epsilon):
    """Input + biases + class token + positions + stabiliser = output, nothing made or kept for another cause."""
    net = transformer(act=lfp.GELU)
    x = np.random.default_rng(1).uniform(-1, 1, (4, 1, 4, 4))
    outputs = net.forward(x)
    net.feedback(outputs, lfp.composites.conserving_transformer(net, epsilon))
    sheet = lfp.balance(net)
    assert set(sheet.causes) == {"bias", "stabiliser", "class token", "positions"}
    scale = max(np.abs(sheet.kept(cause)).max() for cause in sheet.causes)
    assert np.abs(sheet.residue).max() <= 1e-12 * scale


def test_the_balance_of_training_names_what_norms_keep_and_attention_makes():
    net = transformer()
    net.feedback(net.forward(np.random.default_rng(1).uniform(-1, 1, (4, 1, 4, 4))))
    sheet = lfp.balance(net)
    assert {"statistics", "attention weights"} <= set(sheet.causes)
    largest = max(np.abs(line.came).max() for line in sheet.lines)
    assert np.abs(sheet.residue).max() <= 1e-10 * largest


def test_explaining_uses_attn_lrp_unless_told_otherwise():
    net, x = transformer(), np.random.default_rng(1).uniform(-1, 1, (2, 1, 4, 4))
    assert np.array_equal(lfp.explain(net, x, 1), lfp.explain(net, x, 1, AttnLRP()))
    assert not np.array_equal(lfp.explain(net, x, 1), lfp.explain(net, x, 1, Epsilon()))
    composite = lfp.composites.gamma_attn_lrp(net)
    assert composite == {lfp.Layer: AttnLRP(), "0.projection": Gamma()}
    assert np.isfinite(lfp.explain(net, x, 1, composite)).all()
    mlp, x = lfp.models.mlp((4,), 3, rng=np.random.default_rng(0)), np.ones((1, 4))
    assert np.array_equal(lfp.explain(mlp, x), lfp.explain(mlp, x, rule=Epsilon()))


def test_single_precision_overflows_nowhere_and_a_sum_of_weights_is_one():
    layer = lfp.MultiHeadAttention(2, 1)
    layer.in_proj.weight.value[...] = 40
    x = np.array([[[30.0, 1.0], [-30.0, 2.0]]], np.float32)
    assert np.isfinite(layer.forward(x)).all()


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="heads must divide features, 6, got 4"):
        lfp.MultiHeadAttention(6, 4)
    with pytest.raises(ValueError, match=r"\(N, T, 6\), got \(2, 6\)"):
        lfp.MultiHeadAttention(6, 3).forward(np.ones((2, 6)))
    layer = lfp.MultiHeadAttention(6, 3)
    layer.forward(np.ones((2, 1, 6)))
    with pytest.raises(ValueError, match="a MultiHeadAttention shares by Epsilon"):
        layer.feedback(np.ones((2, 1, 6)), Gamma())
    layer.feedback(np.ones((2, 1, 6)), {lfp.Dense: Gamma(), lfp.Layer: AttnLRP()})
