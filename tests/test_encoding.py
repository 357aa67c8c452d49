import numpy as np
import pytest

import lfp_ref as lfp


def encoded(encoding, x, steps):
    """Its spikes (T, N, ...), seen through a network whose neurons repeat each input (no leak from step to step)."""
    count = x.shape[1]
    layer = lfp.Dense(count, count, bias=False, dtype=np.float64)
    layer.weight.value = np.eye(count)
    net = lfp.Spiking(encoding, lfp.LIF(layer, beta=0.0, threshold=0.5, reset="none"), steps=steps)
    return net.forward(x), net


def test_rate_spikes_with_the_probability_that_it_is_given():
    p, steps = np.array([[0.0, 0.1, 0.5, 0.9, 1.0]] * 8), 1000
    spikes, _ = encoded(lfp.RateCode(rng=np.random.default_rng(0)), p, steps)
    rate = spikes.mean(axis=(0, 1))
    assert rate[0] == 0 and rate[-1] == 1
    # 8000 draws each: five standard deviations
    np.testing.assert_array_less(np.abs(rate - p[0])[1:-1], 5 * np.sqrt(p[0] * (1 - p[0]) / 8000)[1:-1])
    one = spikes[:, 0, 2]  # drawn anew for each step, sample and input
    for other in (np.roll(one, 1), spikes[:, 1, 2], spikes[:, 0, 1], spikes[:, 0, 3]):
        assert np.abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(steps)


def test_rate_is_seeded_and_goes_on_from_pass_to_pass():
    p = np.full((4, 3), 0.5)
    first, again = (encoded(lfp.RateCode(rng=np.random.default_rng(1)), p, 9) for _ in range(2))
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], first[1].forward(p))


def test_latency_spikes_once_and_the_larger_the_earlier():
    spikes, _ = encoded(lfp.LatencyCode(-1.0, 1.0), np.array([[1.0, 0.5, 0.4, 0.0, -0.9, -1.0]]), 5)
    # (1 - p) * 4 = 0, 1, 1.2, 2, 3.8, and p = 0 for the last
    assert spikes[:, 0].argmax(axis=0)[:5].tolist() == [0, 1, 1, 2, 4]
    assert spikes[:, 0].sum(axis=0).tolist() == [1, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("make", [lfp.RateCode, lfp.LatencyCode])
def test_the_reward_of_an_input_is_that_of_its_spikes(make):
    x = np.random.default_rng(0).random((4, 3))
    spikes, net = encoded(make(), x, 6)
    reward = np.random.default_rng(1).normal(size=spikes.shape)
    handed = net.feedback(reward, lfp.rules.Epsilon(0.0))
    # without leak, weight 1 and no bias a spike's reward is its input's; a silent one's has nowhere to go
    before = np.concatenate([np.zeros((1, 4, 3)), spikes[:-1]])
    shared = spikes * reward / np.where(spikes == 1, np.maximum(before + np.abs(spikes - before), 1), 1)
    np.testing.assert_allclose(handed, shared.sum(axis=0), rtol=1e-12, atol=1e-12)
    assert np.abs(lfp.balance(net).residue).max() <= 1e-12


def test_images_keep_their_shape():
    net = lfp.Spiking(lfp.RateCode(), lfp.LIF(lfp.Conv2d(1, 2, 2)), lfp.Flatten(), lfp.LIF(lfp.Dense(8, 2)), steps=4)
    assert net.forward(np.full((5, 1, 3, 3), 0.5)).shape == (4, 5, 2)
    assert net.feedback(np.ones((4, 5, 2))).shape == (5, 1, 3, 3)


def test_what_makes_no_sense_is_said():
    for make in (lfp.RateCode, lfp.LatencyCode):
        with pytest.raises(ValueError, match=rf"{make.__name__} needs low < high, got 1 and 0"):
            make(1, 0)
        for limits in ((float("-inf"), 1), (0, float("inf")), (0, float("nan"))):
            with pytest.raises(ValueError, match=r"(low|high) must be a finite number"):
                make(*limits)
        with pytest.raises(ValueError, match=r"input must be in 0\.0\.\.1\.0, got -0\.5\.\.1\.0"):
            encoded(make(), np.array([[-0.5, 1.0]]), 3)
        with pytest.raises(ValueError, match=r"input must be in 0\.0\.\.1\.0, got 0\.0\.\.1\.5"):
            encoded(make(), np.array([[0.0, 1.5]]), 3)
        with pytest.raises(RuntimeError, match=r"put it into lfp\.Spiking"):
            make().forward(np.ones((1, 2)))
        with pytest.raises(ValueError, match="not yet over time"):
            lfp.Spiking(lfp.RateCode(), make(), lfp.LIF(lfp.Dense(2, 2))).forward(np.ones((3, 2)))
    with pytest.raises(TypeError, match="rng must be a numpy Generator"):
        lfp.RateCode(rng=0)
