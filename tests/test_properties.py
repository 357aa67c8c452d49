"""What must hold for whole networks, on the real kernels: conservation, equivalence, sign, sparsity, linearity."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import lfp_ref as lfp
from tests import oracle
from tests.common import fill, numbers, seeds

EPSILON = 1e-6


def dense_net(widths, act, seed):
    layers = [lfp.Flatten()]
    for inputs, outputs in itertools.pairwise(widths):
        layers += [lfp.Dense(inputs, outputs, dtype=np.float64), act()]
    return fill(lfp.Sequential(*layers[:-1]), seed)


def conv_net(act, pool, seed):
    """Convolution, pooling, a residual block, dense: input (N, 2, 6, 5), output (N, 3)."""
    kind = {"dtype": np.float64}
    return fill(
        lfp.Sequential(
            lfp.Conv2d(2, 3, (3, 2), padding=1, **kind), act(), pool(2),
            lfp.Residual(lfp.Sequential(lfp.Conv2d(3, 3, 3, padding=1, **kind), act()), lfp.Conv2d(3, 3, 1, **kind)),
            act(), lfp.Flatten(), lfp.Dense(27, 3, **kind),
        ),
        seed,
    )  # fmt: skip


def leaky():
    """With a slope of 1/4 sums on the grid of eighths stay exact."""
    return lfp.LeakyReLU(0.25)


ACTS = st.sampled_from([lfp.ReLU, leaky])
POOLS = st.sampled_from([lfp.MaxPool2d, lfp.AvgPool2d])
nets = st.one_of(
    st.builds(dense_net, st.lists(st.integers(1, 9), min_size=2, max_size=5), ACTS, seeds),
    st.builds(conv_net, ACTS, POOLS, seeds),
)


def inputs_for(net, n, seed):
    first = next(layer for layer in net.layers if layer.parameters())
    shape = (2, 6, 5) if isinstance(first, lfp.Conv2d) else (first.in_features,)
    return numbers([seed, 3], n, *shape)


def linears(net):
    return [layer for _, layer in net.named_layers() if isinstance(layer, lfp.Dense | lfp.Conv2d)]


def no_sum_is_0(net, x):
    """True if no pre-activation of a dense layer or convolution is exactly 0."""
    tape = net.record(x)
    paths = [path for path, layer in net.named_layers() if isinstance(layer, lfp.Dense | lfp.Conv2d)]
    return all(np.all(tape.output(path) != 0) for path in paths)


def feedbacks(net):
    return [p.feedback.copy() for p in net.parameters()]


def close(actual, expected, scale):
    """Equal up to the rounding of sums whose terms are at most `scale`: 1e-10 leaves room for 2**20 roundings."""
    return np.abs(np.asarray(actual) - expected).max(initial=0) <= 1e-10 * max(scale, 1e-300)


@given(nets, st.integers(1, 9), seeds)
def test_c1_every_neuron_hands_on_what_it_got_less_its_own_shares(net, n, seed):
    """sum_i r_(i<-j) + b_j s_j + epsilon sgn(z_j) s_j = r_j, neuron by neuron, with a weight row at a time."""
    layer = linears(net)[0]
    x = numbers([seed, 4], n, 2, 6, 5) if isinstance(layer, lfp.Conv2d) else numbers([seed, 4], n, layer.in_features)
    z = layer.forward(x)
    reward = numbers([seed, 5], *z.shape)
    s = reward / (z + EPSILON * np.where(z >= 0, 1, -1))
    for j in range(z.shape[1]):  # the reward of one neuron (of one channel) alone
        alone = np.zeros_like(reward)
        alone[:, j] = reward[:, j]
        layer.forward(x)
        handed = layer.feedback(alone, lfp.rules.Epsilon(EPSILON))
        own = layer.bias.value[j] * s[:, j] + EPSILON * np.where(z[:, j] >= 0, 1, -1) * s[:, j]
        axes = tuple(range(1, x.ndim)), tuple(range(1, own.ndim))
        scale = np.abs(s[:, j]).max(initial=0) * 64
        assert close(handed.sum(axis=axes[0]) + own.sum(axis=axes[1]), reward[:, j].sum(axis=axes[1]), scale)


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4), st.integers(1, 3), st.sampled_from([0.0, EPSILON, 0.25]), seeds
)
def test_c2_input_reward_plus_all_shares_is_output_reward(widths, n, epsilon, seed):
    """Per sample, through the whole network; the shares kept on the way come from the exact restatement."""
    net = dense_net(widths, lfp.ReLU, seed)
    layers = []
    for dense in linears(net):
        layers += [oracle.Dense(oracle.exact(dense.weight.value), oracle.exact(dense.bias.value)), oracle.relu()]
    restated = oracle.Sequential(*layers[:-1])
    x = inputs_for(net, n, seed)
    z = net.forward(x)
    restated.forward(oracle.exact(x))
    reward = numbers([seed, 5], *z.shape)
    exact = restated.feedback(oracle.exact(reward), oracle.Fraction(epsilon))
    for sample in range(n):
        assert exact[sample].sum() + restated.kept[sample] == oracle.exact(reward)[sample].sum()  # not a digit missing
    handed = net.feedback(reward, lfp.rules.Epsilon(epsilon))
    kept = restated.kept.astype(float)
    scale = max(np.abs(exact.astype(float)).max(), np.abs(kept).max(), np.abs(reward).max())
    assert close(handed.sum(axis=1) + kept, reward.sum(axis=1), scale)


@given(nets, st.integers(1, 5), seeds)
def test_e1_lfp_0_is_the_absolute_weight_times_the_gradient(net, n, seed):
    """For ReLU-like networks, max and average pooling, residual sums: d_w = |w| dJ/dw wherever no z is 0."""
    x = inputs_for(net, n, seed) + 1 / 64  # off the grid on which sums meet 0
    z = net.forward(x)
    assume(no_sum_is_0(net, x))
    direction = numbers([seed, 5], *z.shape)
    net.feedback(direction, lfp.rules.Gradient())
    gradients = feedbacks(net)
    net.forward(x)
    net.feedback(z * direction, lfp.rules.Epsilon(0.0))
    for parameter, gradient in zip(net.parameters(), gradients, strict=True):
        expected = np.abs(parameter.value) * gradient
        # r = z dJ/dz and its division by z round once each; sums over up to 30 inputs per layer of size up to 2
        assert np.abs(parameter.feedback - expected).max() <= 1e-9 * max(np.abs(expected).max(), 1)


@given(nets, st.integers(1, 5), seeds)
def test_s1_zero_absorbs_signs_survive_and_what_is_silent_stays(net, n, seed):
    x = inputs_for(net, n, seed)
    x[:, 0] = 0  # an input (channel) that is never active
    z = net.forward(x)
    net.feedback(numbers([seed, 5], *z.shape))
    first = linears(net)[0]
    assert np.all(first.weight.feedback[:, 0] == 0)
    largest = max(np.abs(p.feedback[p.value != 0] / p.value[p.value != 0]).max(initial=0) for p in net.parameters())
    before = [p.value.copy() for p in net.parameters()]
    lfp.optim.SGD(net.parameters(), lr=0.5 / max(largest, 1e-300)).step()  # lr |g| <= 1/2 < 1
    for old, parameter in zip(before, net.parameters(), strict=True):
        assert np.array_equal(np.sign(parameter.value), np.sign(old))


@given(st.integers(1, 9), st.integers(1, 9), seeds)
def test_s1_an_output_without_reward_changes_nothing(inputs, outputs, seed):
    layer = fill(lfp.Dense(inputs, outputs, dtype=np.float64), seed)
    z = layer.forward(numbers([seed, 3], 4, inputs))
    reward = numbers([seed, 5], *z.shape)
    reward[:, 0] = 0
    layer.feedback(reward)
    assert np.all(layer.weight.feedback[0] == 0) and layer.bias.feedback[0] == 0


@given(st.integers(1, 9), st.floats(1e-6, 1e6), seeds)
def test_n1_a_positive_reward_drives_a_neuron_away_from_zero(inputs, lr, seed):
    """At fixed inputs z moves by lr s (sum |w| a^2 + |b|), s of the sign of r z: away from 0 or towards (past) it."""
    neuron = fill(lfp.Dense(inputs, 1, dtype=np.float64), seed)
    x = numbers([seed, 3], 1, inputs)
    z, reward = neuron.forward(x), numbers([seed, 5], 1, 1)
    neuron.feedback(reward, lfp.rules.Epsilon(EPSILON))
    s = reward / (z + EPSILON * (1 if z >= 0 else -1))
    leverage = (np.abs(neuron.weight.value) * x**2).sum() + np.abs(neuron.bias.value).sum()
    lfp.optim.SGD(neuron.parameters(), lr).step()
    moved, expected = neuron.forward(x) - z, lr * s * leverage
    size = np.abs(z).max() + np.abs(expected).max() + 64
    assert np.abs(moved - expected).max() <= 1e-12 * size
    if np.abs(expected) > 1e-11 * size:
        assert np.sign(moved) == np.sign(reward) * np.where(z >= 0, 1, -1)


@given(nets, st.integers(1, 5), st.sampled_from([-2.0, 0.5, 4.0]), seeds)
def test_feedback_is_linear_in_the_reward(net, n, factor, seed):
    x = inputs_for(net, n, seed)
    z = net.forward(x)
    one, other = numbers([seed, 5], *z.shape), numbers([seed, 6], *z.shape)
    results = []
    for reward in (one, other, factor * one + other):
        net.forward(x)
        handed = net.feedback(reward)
        results.append([handed, *feedbacks(net)])
    for r_one, r_other, r_both in zip(*results, strict=True):
        scale = max(np.abs(factor * r_one).max(), np.abs(r_other).max())
        assert np.abs(factor * r_one + r_other - r_both).max() <= 1e-9 * max(scale, 1)


@given(nets, st.integers(2, 9), seeds)
def test_the_order_of_the_batch_does_not_matter(net, n, seed):
    x = inputs_for(net, n, seed)
    z = net.forward(x)
    reward = numbers([seed, 5], *z.shape)
    handed, order = net.feedback(reward), np.random.default_rng(seed).permutation(n)
    straight = feedbacks(net)
    # samples do not meet, but a place in a vector decides what is fused, and so how it rounds
    assert np.array_equal(net.forward(x[order]), z[order])  # exact on this grid
    scale = max(np.abs(handed).max(), 1)
    assert np.abs(net.feedback(reward[order]) - handed[order]).max() <= 1e-9 * scale
    for one, other in zip(straight, feedbacks(net), strict=True):
        assert np.abs(one - other).max() <= 1e-9 * max(np.abs(one).max(), scale)


@pytest.mark.parametrize(
    "act", [lfp.Tanh, lfp.SiLU, lfp.GELU, lfp.ELU, lfp.Softplus, lfp.Sigmoid, lfp.Softsign, lfp.ReLU]
)
def test_gradient_is_the_derivative(act):
    """Against central differences of the objective that the softmax reward belongs to."""
    net = conv_net(act, lfp.AvgPool2d, 1)
    rng = np.random.default_rng(2)
    for parameter in net.parameters():
        parameter.value[...] = rng.normal(size=parameter.value.shape) / 2
    x, labels = rng.normal(size=(4, 2, 6, 5)), np.array([0, 2, 1, 1])

    def objective():
        z = net.forward(x)
        return (z[np.arange(4), labels] - np.log(np.exp(z).sum(axis=1))).sum()

    handed_in = lfp.rewards.softmax.gradient(net.forward(x), labels)
    net.feedback(handed_in, lfp.rules.Gradient())
    for parameter in net.parameters():
        gradient, flat = parameter.feedback.copy().reshape(-1), parameter.value.reshape(-1)
        for k in rng.choice(flat.size, min(flat.size, 5), replace=False):
            kept, values = flat[k], []
            for h in (1e-5, -1e-5):
                flat[k] = kept + h
                values.append(objective())
            flat[k] = kept
            # central difference: error of order h^2 = 1e-10 and of rounding 1e-15 / h = 1e-10, times moderate factors
            assert abs((values[0] - values[1]) / 2e-5 - gradient[k]) <= 1e-7 * max(1, np.abs(gradient).max())
