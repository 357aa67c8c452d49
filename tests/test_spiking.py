"""Whole spiking networks: against the restatement, gradients against differences, and how they are used."""

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref.rules import AtanSurrogate, Epsilon, FastSigmoidSurrogate, Gamma, Gradient
from tests import oracle
from tests.common import assert_close, fill, numbers, seeds
from tests.test_lif import resets, restate

KIND = {"dtype": np.float64}


def network(pool=lfp.MaxPool2d, steps=4, inputs="constant", seed=0, dtype=np.float64, **neuron):
    """Convolution, pooling, dense: input (N, 1, 5, 4) or (T, N, 1, 5, 4), output (T, N, 3)."""
    kind = {"dtype": dtype}
    net = lfp.Spiking(
        lfp.LIF(lfp.Conv2d(1, 2, 2, **kind), **neuron), pool((2, 1)), lfp.Flatten(),
        lfp.LIF(lfp.Dense(12, 3, **kind), **neuron), steps=steps, inputs=inputs,
    )  # fmt: skip
    return fill(net, seed)


def restated(net, beta, threshold, reset):
    lifs = [oracle.LIF(restate(layer.layer), beta, threshold, reset) for layer in net if isinstance(layer, lfp.LIF)]
    pools = {lfp.MaxPool2d: oracle.MaxPool, lfp.AvgPool2d: oracle.AvgPool}
    pool = oracle.OverTime(lambda: pools[type(net[1])]((2, 1), (2, 1)))
    return lifs, oracle.Sequential(lifs[0], pool, oracle.OverTime(oracle.Flatten), lifs[1])


@given(st.sampled_from([lfp.MaxPool2d, lfp.AvgPool2d]), st.sampled_from([0.0, 0.5, 1.0]), resets,
       st.sampled_from(["constant", "given"]), st.sampled_from([Epsilon(), Epsilon(0.25), FastSigmoidSurrogate(2.0)]),
       st.integers(1, 3), seeds)  # fmt: skip
def test_equals_the_oracle(pool, beta, reset, inputs, rule, n, seed):
    net = network(pool, inputs=inputs, seed=seed, beta=beta, threshold=0.5, reset=reset)
    lifs, exact = restated(net, Fraction(beta), Fraction(1, 2), reset)
    x = numbers([seed, 9], *((4, n) if inputs == "given" else (n,)), 1, 5, 4)
    over_time = oracle.exact(x if inputs == "given" else np.stack([x] * 4))
    spikes = net.forward(x)
    assert np.array_equal(spikes, exact.forward(over_time).astype(float))
    reward = numbers([seed, 10], *spikes.shape)
    handed = net.feedback(reward, rule)
    lfp_rule = (oracle.fast_sigmoid, Fraction(2)) if rule == FastSigmoidSurrogate(2.0) else Fraction(rule.epsilon)
    told, expected = oracle.exact(reward), None
    for layer in reversed(exact.layers):
        told = expected = layer.feedback(told, lfp_rule)
    # what a layer is told is off by a rounding of the layer above's terms, and is divided again
    term = 16 * float(max(lif.largest_s for lif in lifs)) if isinstance(lfp_rule, Fraction) else 64.0
    assert_close(handed, expected if inputs == "given" else expected.sum(axis=0), "input's reward", term)
    for lif, layer in zip(lifs, (net[0].layer, net[3].layer), strict=True):
        assert_close(layer.weight.feedback, lif.d_weight, "feedback of weight", term)
        assert_close(layer.bias.feedback, lif.d_bias, "feedback of bias", term)


@given(st.sampled_from([lfp.MaxPool2d, lfp.AvgPool2d]), resets, st.sampled_from(["constant", "given"]),
       st.sampled_from([0.0, 1e-6, 0.5]), seeds)  # fmt: skip
def test_what_comes_in_is_handed_on_or_kept_by_a_named_cause(pool, reset, inputs, epsilon, seed):
    net = network(pool, inputs=inputs, seed=seed, beta=0.9, threshold=0.5, reset=reset)
    x = numbers([seed, 9], *((4, 3) if inputs == "given" else (3,)), 1, 5, 4)
    reward = numbers([seed, 10], 4, 3, 3)
    net.forward(x)
    handed = net.feedback(reward, Epsilon(epsilon))
    sheet = lfp.balance(net)
    np.testing.assert_allclose(sheet.came, reward.sum(axis=(0, 2)), rtol=1e-12, atol=1e-12)
    own = handed.sum(axis=(0, 2, 3, 4) if inputs == "given" else (1, 2, 3))
    largest = max([np.abs(own).max(), 1.0] + [np.abs(k).max() for line in sheet.lines for k in line.kept.values()])
    np.testing.assert_allclose(sheet.handed, own, rtol=0, atol=1e-9 * largest)
    for line in sheet.lines:
        assert np.abs(line.residue).max() <= 1e-9 * largest, line.path
    assert np.abs(sheet.residue).max() <= 1e-9 * largest


# ---- surrogate gradients

INTEGRALS = {
    AtanSurrogate: lambda rule, x: np.arctan(np.pi / 2 * rule.slope * x) / np.pi,
    FastSigmoidSurrogate: lambda rule, x: x / (1 + rule.slope * np.abs(x)),
}


def stand_in(net, rule, x, base=None):
    """The network with smooth spikes, in plain numpy: at the point `base` it has the real spikes, and around it moves
    as the surrogate's integral does; the resets stay those of that point. Returns spikes and what they came from."""
    out, seen = x, []
    for number, lif in enumerate(net):
        weight, bias = lif.layer.weight.value, lif.layer.bias.value
        before, spikes, potentials = np.zeros((x.shape[1], len(weight))), [], []
        for t, now in enumerate(out):
            at = base[number] if base else None
            fired = (at[0][t - 1] > lif.threshold if base else before > lif.threshold) if t else np.zeros(before.shape)
            left = before * (1 - fired) if lif.reset == "zero" else before
            taken = lif.threshold * fired if lif.reset == "subtract" else 0
            before = lif.beta * left + now @ weight.T + bias - taken
            spike = (before > lif.threshold).astype(float)
            if base:
                curve = INTEGRALS[type(rule)]
                spike = at[1][t] + curve(rule, before - lif.threshold) - curve(rule, at[0][t] - lif.threshold)
            potentials.append(before)
            spikes.append(spike)
        out = np.stack(spikes)
        seen.append((potentials, spikes))
    return out, seen


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize(
    "rule", [AtanSurrogate(), AtanSurrogate(0.7), FastSigmoidSurrogate(5.0), FastSigmoidSurrogate(2.0)]
)
def test_surrogate_gradients_are_the_derivatives_of_a_smooth_stand_in(rule, reset):
    """All parameters and inputs, by central differences. The sum J is off by 1e-14 of rounding, so they are by 1e-8."""
    rng = np.random.default_rng(0)
    sizes = ((5, 6), (6, 4), (4, 3))
    lifs = [lfp.LIF(lfp.Dense(*size, rng=rng, **KIND), 0.8, 0.3, reset) for size in sizes]
    net = lfp.Spiking(*lifs, steps=6, inputs="given")
    x = rng.normal(size=(6, 2, 5)) * 2
    direction = rng.normal(size=(6, 2, 3))
    spikes, base = stand_in(net, rule, x)
    assert np.array_equal(net.forward(x), spikes) and 0 < spikes.mean() < 1
    to_input = net.feedback(direction, rule)
    pairs = [(x, to_input)] + [(p.value, p.feedback) for p in net.parameters()]
    for array, gradient in pairs:
        found = np.empty_like(gradient)
        for index in np.ndindex(array.shape):
            kept, ends = array[index], []
            for step in (1e-6, -1e-6):
                array[index] = kept + step
                ends.append(float((direction * stand_in(net, rule, x, base)[0]).sum()))
            array[index] = kept
            found[index] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(gradient, found, rtol=1e-5, atol=1e-8)


def test_without_a_surrogate_no_gradient_passes_a_spike():
    net = network()
    net.forward(numbers(0, 2, 1, 5, 4))
    assert np.all(net.feedback(np.ones((4, 2, 3)), Gradient()) == 0)
    assert all(np.all(p.feedback == 0) for p in net.parameters())


def test_surrogates_serve_steps_too():
    net = lfp.Sequential(lfp.Dense(3, 4, **KIND), lfp.Step(), lfp.Dense(4, 2, **KIND))
    x, direction = numbers(0, 5, 3), numbers(1, 5, 2)
    net.forward(x)
    net.feedback(direction, AtanSurrogate(3.0))
    z = x @ net[0].weight.value.T + net[0].bias.value
    curve = 1.5 / (1 + (np.pi / 2 * 3 * z) ** 2)
    np.testing.assert_allclose(net[0].bias.feedback, (direction @ net[2].weight.value * curve).sum(axis=0), rtol=1e-12)
    net.forward(x)
    net.feedback(direction, lfp.rules.StraightThrough(0.5))
    box = np.abs(z) <= 0.5
    np.testing.assert_allclose(net[0].bias.feedback, (direction @ net[2].weight.value * box).sum(axis=0), rtol=1e-12)


def test_straight_through_ends_at_its_slope():
    step, x = lfp.Step(), np.array([[-0.75, -0.5, 0.0, 0.5, 0.75]])
    step.forward(x)
    assert step.feedback(np.ones_like(x), lfp.rules.StraightThrough(0.5)).tolist() == [[0, 1, 1, 1, 0]]


# ---- how they are used


def test_a_constant_input_is_the_same_input_given_at_every_step():
    net, x = network(), numbers(0, 3, 1, 5, 4)
    over_time = lfp.Spiking(*net.layers, steps=4, inputs="given")
    for rule in (Epsilon(), AtanSurrogate()):
        spikes, reward = over_time.forward(np.stack([x] * 4)), numbers(1, 4, 3, 3)
        handed = over_time.feedback(reward, rule)
        feedback = [p.feedback.copy() for p in over_time.parameters()]
        constant = lfp.Spiking(*net.layers, steps=4)
        assert np.array_equal(constant.forward(x), spikes)
        largest = np.abs(handed).max()
        np.testing.assert_allclose(
            constant.feedback(reward, rule), handed.sum(axis=0), rtol=1e-12, atol=1e-12 * largest
        )
        for p, expected in zip(constant.parameters(), feedback, strict=True):
            np.testing.assert_allclose(p.feedback, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_results_are_the_callers_own_and_memory_is_used_again_at_any_batch_size():
    net = network(dtype=np.float32)
    fresh = {n: copy.deepcopy(net) for n in (5, 1, 7)}
    kept = {}
    for n in (5, 1, 7):
        x, reward = numbers(n, n, 1, 5, 4, dtype=np.float32), numbers(n + 1, 4, n, 3, dtype=np.float32)
        kept[n] = net.forward(x), net.feedback(reward), net[0].membrane, *(p.feedback.copy() for p in net.parameters())
        twin = fresh[n]
        expected = twin.forward(x), twin.feedback(reward), twin[0].membrane, *(p.feedback for p in twin.parameters())
        assert all(np.array_equal(a, b) for a, b in zip(kept[n], expected, strict=True))
    x = numbers(5, 5, 1, 5, 4, dtype=np.float32)
    assert np.array_equal(net.forward(x), kept[5][0])


def test_dropout_average_pooling_normalisation_and_residuals_work_between_spiking_layers():
    rng = np.random.default_rng(0)

    def lif(layer):
        return lfp.LIF(layer, threshold=0.3)

    net = lfp.Spiking(
        lif(lfp.Conv2d(1, 4, 3, padding=1, rng=rng)), lfp.AvgPool2d(2), lfp.BatchNorm(4),
        lfp.Residual(lif(lfp.Conv2d(4, 4, 3, padding=1, rng=rng)), lfp.Conv2d(4, 4, 1)),
        lfp.Dropout(0.25, rng=rng), lfp.Flatten(), lif(lfp.Dense(16, 3, rng=rng)), steps=5,
    )  # fmt: skip
    x = rng.normal(size=(6, 1, 4, 4))
    spikes = net.forward(x, training=True)
    assert spikes.shape == (5, 6, 3) and 0 < spikes.mean() < 1
    assert net.feedback(np.ones_like(spikes)).shape == x.shape
    assert all(np.any(p.feedback != 0) for p in net.parameters())
    sheet = lfp.balance(net)
    largest = max(np.abs(k).max() for line in sheet.lines for k in line.kept.values())
    assert np.abs(sheet.residue).max() <= 1e-5 * largest  # float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_spikes_are_0_or_1_in_the_networks_dtype_between_all_layers(dtype):
    rng = np.random.default_rng(0)

    def lif(layer):
        return lfp.LIF(layer, threshold=0.1)

    def conv():
        return lif(lfp.Conv2d(2, 2, 1, dtype=dtype, rng=rng))

    net = lfp.Spiking(
        conv(), lfp.MaxPool2d(2), conv(), lfp.Sequential(conv(), conv()), lfp.Residual(conv(), conv()),
        lfp.Flatten(), lif(lfp.Dense(8, 3, dtype=dtype, rng=rng)), steps=5,
    )  # fmt: skip
    tape = net.record(rng.random((4, 2, 4, 4)))
    spikes = tape.outputs
    assert spikes.dtype == net[0].spikes.dtype == net[0].membrane.dtype == tape.output("1").dtype == dtype
    assert set(np.unique(spikes)) == {0, 1} and set(np.unique(net[0].spikes)) == {0, 1}
    assert tape.feedback(spikes).dtype == dtype and all(p.feedback.dtype == dtype for p in net.parameters())


def test_nan_in_a_hidden_layer_is_seen_at_the_output():
    net = network()
    net.parameters()[0].value[0] = np.nan
    assert np.isnan(net.forward(np.ones((2, 1, 5, 4)))).all()
    net.parameters()[0].value[0] = 1
    assert np.isfinite(net.forward(np.ones((2, 1, 5, 4)))).all()


def digits(inputs="constant", encoding=(), steps=6, threshold=1.0):
    rng = np.random.default_rng(0)
    return lfp.Spiking(
        lfp.Flatten(), *encoding, lfp.LIF(lfp.Dense(64, 40, rng=rng), threshold=threshold), lfp.Dropout(0.1, rng=rng),
        lfp.LIF(lfp.Dense(40, 10, rng=rng), threshold=threshold), steps=steps, inputs=inputs,
    )  # fmt: skip


def fit(net, data, rule=None, reward=lfp.rewards.rate_coded, epochs=6, **options):
    return lfp.train(net, data, optimizer=lfp.optim.Adam(net.parameters(), 0.01), rule=rule, reward=reward, log=None,
                     epochs=epochs, batch_size=32, **options)  # fmt: skip


@pytest.mark.parametrize(
    ("options", "rule", "reward", "least"),
    [
        ({}, None, lfp.rewards.rate_coded, 0.9),
        ({}, AtanSurrogate(), lfp.rewards.spike_counts, 0.9),
        ({"encoding": [lfp.RateCode(-1, 1, np.random.default_rng(0))], "steps": 10}, None, lfp.rewards.rate_coded, 0.8),
        ({"encoding": [lfp.LatencyCode(-1, 1)], "threshold": 0.3}, None, lfp.rewards.rate_coded, 0.7),
    ],
)
def test_they_learn_digits(options, rule, reward, least):
    """Chance is 10 %. Inputs that are spikes carry less than the numbers themselves."""
    net = digits(**options)
    history = fit(net, lfp.datasets.load_digits(), rule, reward)
    assert history["test_accuracy"][-1] > least
    for path in (path for path, layer in net.named_layers() if isinstance(layer, lfp.LIF)):
        assert np.all((history[f"spike_rate_{path}"] > 0) & (history[f"spike_rate_{path}"] < 1))


def test_a_run_is_the_same_again_and_goes_on_where_it_stopped(tmp_path):
    """Encoding and dropout draw at random: their generators are part of a checkpoint."""
    data = lfp.datasets.load_digits().subset(100)

    def make():
        return digits(encoding=(lfp.RateCode(-1, 1, rng=np.random.default_rng(3)),))

    whole, again, parts = make(), make(), make()
    histories = [fit(net, data, epochs=3) for net in (whole, again)]
    fit(parts, data, epochs=2, checkpoint=tmp_path / "run.npz")
    resumed = make()
    history = fit(resumed, data, epochs=3, checkpoint=tmp_path / "run.npz", resume=True)
    for name, column in histories[0].items():
        if name != "seconds":
            assert np.array_equal(column, histories[1][name], equal_nan=True), name
            assert np.array_equal(column, history[name], equal_nan=True), name
    for a, b, c in zip(*(net.parameters() for net in (whole, again, resumed)), strict=True):
        assert np.array_equal(a.value, b.value) and np.array_equal(a.value, c.value)


def test_inputs_given_over_time_are_trained_and_evaluated_by_sample():
    """Samples are the second axis then: (T, N, ...)."""
    data = lfp.datasets.load_digits().subset(300)
    constant, over_time = digits(), digits(inputs="given")
    x = np.stack([data.x_train] * 6)
    one, other = fit(constant, (data.x_train, data.y_train), epochs=2), fit(over_time, (x, data.y_train), epochs=2)
    np.testing.assert_allclose(one["train_accuracy"], other["train_accuracy"], atol=0.02)  # sums round differently
    test = np.stack([data.x_test] * 6)
    assert abs(lfp.evaluate(over_time, (test, data.y_test)) - lfp.evaluate(constant, data)) < 0.02
    with pytest.raises(
        ValueError, match=r"need as many targets as inputs and at least one, got x of shape .* and y of shape"
    ):
        lfp.evaluate(over_time, (x, data.y_train[:6]))


def test_a_relevance_map_explains_the_spikes_of_a_class():
    net, data = digits(), lfp.datasets.load_digits()
    fit(net, data, epochs=2)
    relevance = lfp.explain(net, data.x_test[:8])
    assert relevance.shape == data.x_test[:8].shape
    spikes = net.forward(data.x_test[:8])
    chosen = spikes.sum(axis=0).argmax(axis=1)  # one class of each sample: the one with the most spikes
    assert np.array_equal(relevance, net.feedback(spikes * (np.arange(10) == chosen[:, None])))
    with pytest.raises(ValueError, match=r"target must be an output's index, 0\.\.9"):
        lfp.explain(net, data.x_test[:2], 10)


def test_activity_counts_spikes_and_what_they_set_in_motion():
    """By hand: 2 samples, 3 steps; a constant input meets its weights once, a spike each time."""
    first, second = lfp.Dense(2, 3, bias=False), lfp.Dense(3, 4, bias=False)
    first.weight.value = [[2, 0], [0, 2], [0, 0]]
    net = lfp.Spiking(lfp.LIF(first, beta=0.0, reset="none"), lfp.LIF(second), steps=3)
    net.forward(np.array([[1.0, 0.0], [1.0, 1.0]]))
    # sample 0: neuron 0 fires at each of 3 steps; sample 1: neurons 0 and 1. Inputs that are not 0: 1 and 2
    activity = net.activity()
    assert activity["spike_rate_0"] == pytest.approx(9 / 18)
    assert activity["operations"] == pytest.approx((3 * 3 + 9 * 4) / 2)
    assert set(activity) == {"spike_rate_0", "spike_rate_1", "operations"}


def test_activity_of_convolutions_and_of_neurons_inside_other_layers():
    """Every output of a convolution adds up a weight for each input of its window that is not 0."""
    net = lfp.Spiking(
        lfp.LIF(lfp.Conv2d(2, 3, 2)), lfp.Flatten(), lfp.Residual(lfp.LIF(lfp.Dense(12, 12))),
        lfp.LIF(lfp.Dense(12, 1)), steps=4,
    )  # fmt: skip
    x = np.ones((5, 2, 3, 3))
    net.forward(x)
    assert set(net.activity()) == {"spike_rate_0", "spike_rate_2.body", "spike_rate_3", "operations"}
    both = net.activity()["operations"]
    x[:, 1] = 0
    net[0].layer.weight.value[:, 1] = 0  # so that the same neurons spike
    reference = net.activity()["operations"]
    assert both == reference >= 3 * 2 * 2 * 2 * 2 * 2


def test_the_history_has_the_activity_on_the_whole_test_part_or_else_on_the_last_batch():
    """359 test samples are two batches of different size."""
    net, data = digits(), lfp.datasets.load_digits()
    history = fit(net, data, epochs=1)
    net.forward(data.x_test)
    for name, value in net.activity().items():
        assert history[name][-1] == pytest.approx(value, rel=1e-12), name
    history = fit(net, (data.x_test, data.y_test), epochs=1)
    assert len(net.last_tape().outputs[0]) == 359 % 32
    assert {name: column[-1] for name, column in history.items() if name in net.activity()} == net.activity()


def test_names_state_copies_and_pickles():
    net = network()
    names = ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert [name for name, _ in net.named_parameters()] == names and list(net.state_dict()) == names
    x = numbers(0, 2, 1, 5, 4)
    spikes = net.forward(x)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert np.array_equal(twin.forward(x), spikes)
        twin.forward(x[:1])  # a pass of its own
        assert net.last_tape().outputs.shape[1] == 2
    assert repr(net).endswith("LIF(Dense(12, 3)), steps=4)")


def test_rules_by_prefix_and_class():
    net = network()
    spikes = net.forward(numbers(0, 2, 1, 5, 4))
    reward = np.ones_like(spikes)
    one = net.feedback(reward, {"0": Epsilon(0.5), lfp.Dense: Epsilon(0.25)})
    other = net.feedback(reward, {lfp.Conv2d: Epsilon(0.5), "3": Epsilon(0.25)})
    assert np.array_equal(one, other)
    assert not np.array_equal(one, net.feedback(reward, Epsilon(0.5)))


@pytest.mark.parametrize("rule", [Gamma(), Epsilon(learning="hebbian"), {"0": Gamma(), lfp.Layer: Epsilon()}])
def test_a_rule_without_a_form_for_spikes_is_refused_before_anything_changes(rule):
    net = network()
    spikes = net.forward(numbers(0, 2, 1, 5, 4))
    net.feedback(np.ones_like(spikes))
    before = [p.feedback.copy() for p in net.parameters()]
    with pytest.raises(ValueError, match=r"a LIF shares by Epsilon \(or a gradient rule\), got"):
        net.feedback(np.ones_like(spikes), rule)
    assert all(np.array_equal(p.feedback, b) for p, b in zip(net.parameters(), before, strict=True))


def test_what_makes_no_sense_is_said():
    lif = lfp.LIF(lfp.Dense(2, 2))
    with pytest.raises(ValueError, match=r"the last layer must be a LIF, for an output of spikes; got ReLU\(\)"):
        lfp.Spiking(lif, lfp.ReLU())
    for steps in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="steps must be an integer >= 1"):
            lfp.Spiking(lif, steps=steps)
    with pytest.raises(ValueError, match="inputs must be one of constant, given"):
        lfp.Spiking(lif, inputs="spikes")
    with pytest.raises(ValueError, match="constant inputs need a LIF or an encoding of their own to enter time"):
        lfp.Spiking(lfp.Residual(lfp.LIF(lfp.Dense(2, 2))), lfp.LIF(lfp.Dense(2, 2)))
    over_time = lfp.Spiking(lfp.Residual(lfp.LIF(lfp.Dense(2, 2))), lfp.LIF(lfp.Dense(2, 2)), steps=3, inputs="given")
    assert over_time.forward(np.ones((3, 1, 2))).shape == (3, 1, 2)  # these are in time already
    with pytest.raises(ValueError, match="a LIF shares by Epsilon"):
        over_time.feedback(np.ones((3, 1, 2)), {"0": Gamma(), "1": Epsilon()})
    with pytest.raises(ValueError, match="a spiking network is a network of its own"):
        lfp.Sequential(lfp.Spiking(lfp.LIF(lfp.Dense(2, 2)))).forward(np.ones((1, 2)))
    net = network()
    with pytest.raises(RuntimeError, match="needs a forward pass first"):
        net.feedback(np.ones((4, 2, 3)))
    spikes = net.forward(numbers(0, 2, 1, 5, 4))
    with pytest.raises(ValueError, match=r"reward must have the output's shape \(4, 2, 3\), got \(2, 3\)"):
        net.feedback(np.ones((2, 3)))
    assert net.feedback(spikes).shape == (2, 1, 5, 4)  # what failed has changed nothing
    with pytest.raises(ValueError, match="NaN or infinity"):
        net.forward(np.full((7, 1, 5, 4), np.nan))
    with pytest.raises(ValueError, match="expected input of shape"):
        net.forward(np.ones((7, 3, 5, 4)))
    with pytest.raises(RuntimeError, match="needs a forward pass first"):  # not a mixture of two passes
        net.feedback(spikes)
    over_time = network(inputs="given")
    for shape in ((3, 2, 1, 5, 4), (4,), (4, 2)):
        with pytest.raises(ValueError, match=r"x must have shape \(4, N, \.\.\.\), got"):
            over_time.forward(np.ones(shape))
    with pytest.raises(ValueError, match=r"outputs must be spikes, 0 or 1, of shape \(T, N, O\)"):
        fit(lfp.Sequential(lfp.Flatten(), lfp.Dense(64, 10)), lfp.datasets.load_digits().subset(40))


def test_the_number_of_steps_may_be_changed():
    net = network(inputs="given")
    net.steps = 9
    spikes = net.forward(np.ones((9, 2, 1, 5, 4)))
    assert spikes.shape == (9, 2, 3) and net.feedback(spikes).shape == (9, 2, 1, 5, 4)
    net.steps = 0
    with pytest.raises(ValueError, match="steps must be an integer >= 1"):
        net.forward(np.ones((9, 2, 1, 5, 4)))
