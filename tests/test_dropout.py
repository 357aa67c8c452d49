import numpy as np
import pytest

import lfp_ref as lfp


def test_keeps_scales_and_conserves():
    layer = lfp.Dropout(0.25, rng=np.random.default_rng(0))
    x = np.ones((100, 100))
    out = layer.forward(x, training=True)
    kept = out != 0
    assert np.all(out[kept] == 1 / 0.75)
    # 10,000 draws: the kept fraction is within 5 standard deviations of 3/4
    assert abs(kept.mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 10_000)
    reward = np.random.default_rng(1).normal(size=x.shape)
    assert np.array_equal(layer.feedback(reward), np.where(kept, reward, 0))
    assert np.array_equal(layer.feedback(reward, lfp.rules.Gradient()), np.where(kept, reward * (1 / 0.75), 0))


def test_does_nothing_outside_training():
    layer = lfp.Dropout(0.9)
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert np.array_equal(layer.forward(x), x) and np.array_equal(layer.feedback(x), x)


def test_p_is_a_probability():
    for bad in (1, -0.1, float("nan"), "half"):
        with pytest.raises(ValueError, match="p must be a finite number >= 0 and < 1"):
            lfp.Dropout(bad)
