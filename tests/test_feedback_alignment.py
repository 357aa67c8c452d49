"""Feedback alignment, direct or not: backpropagation with other matrices on the way back."""

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import DirectFeedbackAlignment, FeedbackAlignment, Gradient
from lfp_ref.rules.gradient import fixed_matrix
from tests.common import numbers

KIND = {"dtype": np.float64}


def network(seed=0):
    """A convolution, a transposed one, batch normalisation, pools, dense layers: what a reward passes on its way."""
    rng = np.random.default_rng(seed)
    kind = KIND | {"rng": rng}
    return lfp.Sequential(
        lfp.Conv2d(1, 3, 3, padding=1, **kind), lfp.BatchNorm(3, **kind), lfp.ReLU(), lfp.MaxPool2d(2),
        lfp.ConvTranspose2d(3, 2, 2, 2, **kind), lfp.Tanh(), lfp.AvgPool2d(2), lfp.Flatten(),
        lfp.Dense(8, 6, **kind), lfp.Tanh(), lfp.Dense(6, 4, **kind),
    )  # fmt: skip


WEIGHTED = (lfp.Dense, lfp.Conv2d, lfp.ConvTranspose2d)


def by_hand(net, x, gradient, handed_by):
    """Feedback of all parameters, layer by layer: each is given what the one after it hands on.

    handed_by: (path, layer with weights, its input, what it got) -> what it hands on in place of W^T s.
    """
    tape = net.record(x, training=True)
    inputs = {"0": x} | {str(k + 1): tape.output(str(k)) for k in range(len(net) - 1)}
    found, told = {}, gradient
    for k in reversed(range(len(net))):
        layer, path = net[k], str(k)
        passed = layer.record(inputs[path], training=True).feedback(told, Gradient())
        found |= {f"{path}.{name}": p.feedback.copy() for name, p in layer.named_parameters()}
        told = handed_by(path, layer, inputs[path], told) if isinstance(layer, WEIGHTED) else passed
    return found, told


def compare(net, rule, handed_by):
    x = np.random.default_rng(1).uniform(-1, 1, (5, 1, 4, 4))
    tape = net.record(x, training=True)
    gradient = lfp.rewards.softmax.gradient(tape.outputs, np.arange(5) % 4)
    handed = tape.feedback(gradient, rule)
    found = {name: p.feedback.copy() for name, p in net.named_parameters()}
    expected, told = by_hand(net, x, gradient, handed_by)
    assert set(found) == set(expected)
    for name, d in expected.items():
        np.testing.assert_allclose(found[name], d, rtol=1e-10, atol=1e-13, err_msg=name)
    np.testing.assert_allclose(handed, told, rtol=1e-10, atol=1e-13)


def test_feedback_alignment_is_backpropagation_with_another_weight_on_the_way_back():
    def through_b(path, layer, x, told):
        twin = lfp.Sequential(layer)
        w = layer.weight.value.copy()
        layer.weight.value = fixed_matrix(3, path, w.shape, 1 / np.sqrt(w[0].size), w.dtype)
        twin.forward(x)
        handed = twin.feedback(told, Gradient())
        layer.weight.value = w
        return handed

    compare(network(), FeedbackAlignment(3), through_b)


def test_direct_feedback_alignment_hands_each_layer_the_outputs_gradient():
    net, x = network(), np.random.default_rng(1).uniform(-1, 1, (5, 1, 4, 4))
    gradient = lfp.rewards.softmax.gradient(net.forward(x, training=True), np.arange(5) % 4)

    def from_output(path, layer, x, told):
        size = x[0].size
        b = fixed_matrix(7, path, (4, size), 1 / np.sqrt(size), x.dtype)
        return (gradient @ b).reshape(x.shape)

    net = network()  # with the running statistics of before
    compare(net, DirectFeedbackAlignment(7), from_output)


def test_matrices_are_drawn_once_apart_from_the_weights_and_each_for_its_place():
    rule, w = FeedbackAlignment(1), numbers(0, 40, 50) + 0.01
    b = rule.backward_weight(w, "0")
    assert (
        np.array_equal(b, rule.backward_weight(w, "0")) and np.abs(b).max() <= 1 / np.sqrt(50) < 1.1 * np.abs(b).max()
    )
    for other in (rule.backward_weight(w, "2"), FeedbackAlignment(2).backward_weight(w, "0")):
        assert abs(np.corrcoef(b.ravel(), other.ravel())[0, 1]) < 0.1
    assert rule.backward_weight(w.astype(np.float32), "0").dtype == np.float32


@pytest.mark.parametrize("rule", [FeedbackAlignment(), DirectFeedbackAlignment()])
def test_both_train(rule):
    data = lfp.datasets.load_digits()
    net = lfp.models.mlp((64,), 10, act=lfp.Tanh, rng=np.random.default_rng(0))
    lfp.train(net, data, rule=rule, optimizer=lfp.optim.Adam(net.parameters(), lr=0.003), epochs=20, log=None)
    assert lfp.evaluate(net, data) > 0.93


def test_tokens_and_attention_pass_it_on():
    rng = np.random.default_rng(0)
    net = lfp.Sequential(
        lfp.PatchEmbedding(1, 6, 2, rng=rng, **KIND), lfp.Residual(lfp.MultiHeadAttention(6, 2, rng=rng, **KIND)),
        lfp.LayerNorm(6, rng=rng, **KIND), lfp.Dense(6, 5, rng=rng, **KIND), lfp.SelectToken(),
        lfp.Dense(5, 3, rng=rng, **KIND),
    )  # fmt: skip
    x = rng.uniform(-1, 1, (3, 1, 4, 4))
    for rule in (FeedbackAlignment(), DirectFeedbackAlignment()):
        z = net.forward(x)
        assert np.isfinite(net.feedback(np.ones_like(z), rule)).all()
        assert all(p.feedback.any() for _, p in net.named_parameters())


def test_what_has_no_derivative_is_refused_and_other_seeds_too():
    net = lfp.Spiking(lfp.LIF(lfp.Dense(3, 2)), steps=2)
    net.forward(np.ones((1, 3)))
    with pytest.raises(ValueError, match="feedback alignment needs a derivative, and a spike has none"):
        net.feedback(np.ones((2, 1, 2)), FeedbackAlignment())
    for seed in (-1, 0.5, np.inf):
        with pytest.raises(ValueError, match="FeedbackAlignment: seed must be an integer >= 0, got"):
            FeedbackAlignment(seed)
    assert lfp.names.rule("feedback-alignment:3").seed == 3
