import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lfp_ref as lfp
from lfp_ref import names, rewards
from tests.common import numbers, seeds


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def softmax(row):
    total = sum(math.exp(z) for z in row)
    return [math.exp(z) / total for z in row]


def sign(z):
    return (z > 0) - (z < 0)


# The table of rewards restated for one output: (row of outputs, label, index) -> reward
RESTATED = {
    "softmax": lambda row, label, o: row[o] * ((o == label) - softmax(row)[o]),
    "sigmoid": lambda row, label, o: row[o] * ((o == label) - sigmoid(row[o])),
    "bounded-softmax": lambda row, label, o: row[o] * ((o == label) - softmax(row)[o]),
    "correct-class": lambda row, label, o: (o == label) * (max(row) == row[label]) * sign(row[o]),
    "misclassification": lambda row, label, o: -(row[o] > row[label]) * sign(row[o]),
    "maximise": lambda row, label, o: (o == label) * sign(row[o]) * (1 - sigmoid(row[o])),
    "minimise": lambda row, label, o: -(o == label) * sign(row[o]) * (1 - sigmoid(row[o])),
}


@pytest.mark.parametrize("name", RESTATED)
@given(n=st.integers(1, 5), classes=st.integers(1, 5), seed=seeds)
def test_equals_the_formula(name, n, classes, seed):
    z, labels = numbers(seed, n, classes), np.random.default_rng(seed).integers(0, classes, n)
    expected = [
        [RESTATED[name](row, label, o) for o in range(classes)]
        for row, label in zip(z.tolist(), labels.tolist(), strict=True)
    ]
    np.testing.assert_allclose(names.REWARDS[name](z, labels), expected, rtol=1e-13, atol=1e-15)


@given(st.integers(1, 5), seeds)
def test_rewards_with_other_targets(n, seed):
    z, bits, wanted = numbers(seed, n, 1), np.arange(n) % 2, numbers([seed, 1], n, 1)
    one_by_one = [[row[0] * (bit - sigmoid(row[0]))] for row, bit in zip(z.tolist(), bits, strict=True)]
    np.testing.assert_allclose(rewards.binary_sigmoid(z, bits), one_by_one, rtol=1e-13, atol=1e-15)
    assert np.array_equal(rewards.squared_error(z, wanted), z * (wanted - z))
    assert np.array_equal(rewards.squared_error(z, wanted[:, 0]), z * (wanted - z))
    everywhere = [[sign(row[0]) * (1 - sigmoid(row[0]))] for row in z.tolist()]
    np.testing.assert_allclose(rewards.maximise(z), everywhere, rtol=1e-13, atol=1e-15)


def test_bounds_of_bounded_softmax():
    z = np.array([[5.0, -5.0, 0.0]])  # probabilities about 0.993, 0.00005, 0.007
    p = softmax(z[0])
    bounded = rewards.bounded_softmax(z, np.array([0]), low=0.005, high=0.9)
    np.testing.assert_allclose(bounded, [[0, 0, 0 * -p[2]]], atol=1e-15)  # sure enough: nothing left to say
    signs = rewards.bounded_softmax(z, np.array([1]), low=0.005, high=0.9, sign_only=True)
    np.testing.assert_allclose(signs, [[-1, -1, 0]], atol=1e-15)


@given(st.integers(1, 6), st.integers(1, 3), st.integers(1, 4), seeds)
def test_rate_coded_spikes(steps, n, classes, seed):
    rng = np.random.default_rng(seed)
    spikes, labels = rng.integers(0, 2, (steps, n, classes)).astype(float), rng.integers(0, classes, n)
    reward = rewards.rate_coded(spikes, labels)
    for t, sample, o in np.ndindex(spikes.shape):
        ones = sum(spikes[:, sample, o])
        if o == labels[sample]:
            expected = 1 - sigmoid(ones - steps // 2)
        else:
            expected = -spikes[t, sample, o] * (1 - sigmoid(steps - ones - steps // 2))
        assert abs(reward[t, sample, o] - expected) <= 1e-15


@given(st.integers(1, 6), st.integers(1, 3), st.integers(1, 4), seeds)
def test_spike_counts(steps, n, classes, seed):
    """The softmax's derivative at the counts, at every step; as a reward, for the spikes alone."""
    rng = np.random.default_rng(seed)
    spikes, labels = rng.integers(0, 2, (steps, n, classes)).astype(float), rng.integers(0, classes, n)
    gradient, reward = rewards.spike_counts.gradient(spikes, labels), rewards.spike_counts(spikes, labels)
    for t, sample, o in np.ndindex(spikes.shape):
        counts = [sum(spikes[:, sample, k]) for k in range(classes)]
        expected = (o == labels[sample]) - softmax(counts)[o]
        assert abs(gradient[t, sample, o] - expected) <= 1e-15
        assert reward[t, sample, o] == spikes[t, sample, o] * gradient[t, sample, o]


@pytest.mark.parametrize("name", ["softmax", "sigmoid", "binary-sigmoid", "squared-error"])
def test_gradient_is_the_derivative_of_the_objective(name):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(4, 1 if name == "binary-sigmoid" else 3))
    targets = {"binary-sigmoid": np.array([0, 1, 1, 0]), "squared-error": rng.normal(size=(4, 3))}.get(
        name, np.arange(4) % 3
    )

    def objective(z):
        y = np.eye(z.shape[1])[targets] if name in ("softmax", "sigmoid") else targets.reshape(z.shape)
        return {
            "softmax": lambda: (y * z).sum() - np.log(np.exp(z).sum(axis=1)).sum(),
            "squared-error": lambda: -((y - z) ** 2).sum() / 2,
        }.get(name, lambda: (y * z - np.log1p(np.exp(z))).sum())()

    reward = names.REWARDS[name]
    gradient = reward.gradient(z, targets)
    assert np.array_equal(reward(z, targets), z * gradient)
    for index in np.ndindex(z.shape):
        h = np.zeros_like(z)
        h[index] = 1e-5
        assert abs((objective(z + h) - objective(z - h)) / 2e-5 - gradient[index]) < 1e-8


@given(st.integers(1, 5), st.integers(2, 4), seeds)
def test_a_teachers_opinion_moves_outputs_its_way(n, classes, seed):
    """s = r / z is the opinion; one on an answer is shared out among the outputs so that its sum is 0."""
    z, opinion = numbers([seed, 1], n, classes), numbers([seed, 2], n)
    z[z == 0] = 0.25
    handed = rewards.teacher(lambda outputs, targets: opinion)(z, None)
    for row, q, given_row in zip(z, opinion, handed, strict=True):
        answer = max(range(classes), key=lambda o: (row[o], -o))
        for o in range(classes):
            assert given_row[o] == pytest.approx(row[o] * q * ((o == answer) - softmax(row)[o]), abs=1e-12)
        assert sum(given_row / row) == pytest.approx(0, abs=1e-12)
    each = numbers([seed, 3], n, classes)
    assert np.array_equal(rewards.teacher(lambda outputs, targets: each)(z, None), z * each)


def test_right_or_wrong_is_enough_to_learn_the_digits():
    """Also from a teacher who errs one time in five."""
    rng, data = np.random.default_rng(0), lfp.datasets.load_digits()

    def opinion(outputs, labels):
        return np.where(outputs.argmax(axis=1) == labels, 1, -1) * np.where(rng.random(len(labels)) < 0.2, -1, 1)

    net = lfp.models.mlp(data.input_shape, data.classes, rng=np.random.default_rng(0))
    optimizer = lfp.optim.Adam(net.parameters(), 0.003)
    lfp.train(net, data, optimizer=optimizer, reward=rewards.teacher(opinion), epochs=20, batch_size=32, log=None)
    assert lfp.evaluate(net, data) > 0.93


@pytest.mark.parametrize(
    "said, error",
    [
        (np.ones((2, 2)), r"the opinion must have shape \(3,\) or \(3, 2\), got \(2, 2\)"),
        (np.full(3, np.nan), "the opinion"),
        ("right", "the opinion must be an array of real numbers"),
    ],
)
def test_opinions_that_are_none(said, error):
    with pytest.raises((ValueError, TypeError), match=error):
        rewards.teacher(lambda outputs, targets: said)(np.ones((3, 2)), np.zeros(3, int))
    with pytest.raises(TypeError, match="opinion must be a function"):
        rewards.teacher("right")


def test_precision_is_the_outputs():
    z, labels = np.ones((2, 3), np.float32), np.array([0, 1])
    for name in RESTATED:
        assert names.REWARDS[name](z, labels).dtype == np.float32
    for reward in (rewards.rate_coded, rewards.spike_counts, rewards.spike_counts.gradient):
        assert reward(np.ones((4, 2, 3), np.float32), labels).dtype == np.float32


def test_targets_that_do_not_fit():
    z = np.ones((2, 3))
    with pytest.raises(ValueError, match=r"labels must be in 0\.\.2, got 0\.\.3"):
        rewards.softmax(z, [0, 3])
    with pytest.raises(ValueError, match=r"labels must be in 0\.\.2, got -1\.\.0"):
        rewards.softmax(z, [0, -1])
    with pytest.raises(ValueError, match=r"shape \(N, 1\)"):
        rewards.binary_sigmoid(z, np.ones((2, 3)))
    for outputs in (np.ones(3), np.ones((0, 3))):
        with pytest.raises(ValueError, match=r"outputs must be floats of shape \(N, O\)"):
            rewards.softmax(outputs, [0])
    with pytest.raises(ValueError, match="2 integers, one for each row of outputs"):
        rewards.softmax(z, [0, 1, 2])
    with pytest.raises(ValueError, match=r"2 integers, one for each row of outputs, .*float64"):
        rewards.sigmoid(z, [0.0, 1.0])
    with pytest.raises(ValueError, match="targets must be 0 or 1"):
        rewards.binary_sigmoid(z[:, :1], [0, 2])
    with pytest.raises(ValueError, match=r"outputs' shape \(2, 3\), got \(2,\)"):
        rewards.squared_error(z, [0.0, 1.0])
    for reward in (rewards.rate_coded, rewards.spike_counts):
        with pytest.raises(ValueError, match=r"outputs must be spikes, 0 or 1, of shape \(T, N, O\)"):
            reward(z, [0, 1])
