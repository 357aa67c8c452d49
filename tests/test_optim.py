import math

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.optim import SGD, Adam, AdamW, clip_norm, one_cycle


def parameters(*sizes, dtype=np.float64):
    made = []
    for number, size in enumerate(sizes):
        parameter = lfp.Parameter(np.random.default_rng([0, number]).normal(size=size).astype(dtype))
        parameter.feedback[...] = np.random.default_rng([1, number]).normal(size=size)
        made.append(parameter)
    return made


def descend(rule, values, gradients, **o):
    """Textbook optimisers, number by number, on the gradient -d."""
    state = [dict.fromkeys("vms", 0.0) for _ in values]
    for t, gradient in enumerate(gradients, 1):
        for i, g in enumerate(gradient):
            w, s = values[i], state[i]
            if rule == "sgd":
                s["v"] = o["momentum"] * s["v"] + g + o["decay"] * w
                values[i] = w - o["lr"] * s["v"]
                continue
            if rule == "adam":
                g = g + o["decay"] * w
            s["m"] = o["betas"][0] * s["m"] + (1 - o["betas"][0]) * g
            s["s"] = o["betas"][1] * s["s"] + (1 - o["betas"][1]) * g * g
            step = o["lr"] * (s["m"] / (1 - o["betas"][0] ** t)) / (math.sqrt(s["s"] / (1 - o["betas"][1] ** t)) + 1e-8)
            values[i] = w - step - (o["lr"] * o["decay"] * w if rule == "adamw" else 0)
    return values


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_equals_the_textbook(kind):
    (p,) = parameters(17)
    make = {
        "sgd": lambda: SGD([p], 0.1, momentum=0.8, weight_decay=0.05),
        "adam": lambda: Adam([p], 0.1, (0.8, 0.95), weight_decay=0.05),
        "adamw": lambda: AdamW([p], 0.1, (0.8, 0.95), weight_decay=0.05),
    }
    optimizer, start = make[kind](), p.value.tolist()
    feedback = np.random.default_rng(2).normal(size=(5, 17))
    for row in feedback:
        p.feedback[...] = row
        optimizer.step()
        assert np.array_equal(p.feedback, row)
    expected = descend(kind, start, (-feedback).tolist(), lr=0.1, momentum=0.8, betas=(0.8, 0.95), decay=0.05)
    np.testing.assert_allclose(p.value, expected, rtol=1e-12)


def test_feedback_strengthens_what_was_rewarded():
    for optimizer in (SGD, Adam, AdamW):
        (p,) = parameters(9)
        p.value[...], p.feedback[...] = 0, [1, -1, 2, -2, 3, -3, 0, 4, -4]
        optimizer([p], 0.1).step()
        assert np.array_equal(np.sign(p.value), np.sign(p.feedback))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_untouched_counts_weights_that_stayed_exactly(dtype):
    one, other = parameters(1000, 7, dtype=dtype)
    one.feedback[:300] = 0
    other.feedback[0] = np.finfo(dtype).eps * other.value[0] / 8  # too small to show
    optimizer = SGD([one, other], 1.0)
    before = np.concatenate([one.value, other.value])
    optimizer.step()
    assert optimizer.untouched == 301 == np.sum(before == np.concatenate([one.value, other.value]))


def test_clipping_scales_everything_together():
    params = parameters((30, 40), 5)
    norm = math.sqrt(math.fsum((p.feedback.astype(float) ** 2).sum() for p in params))
    kept = [p.feedback.copy() for p in params]
    assert clip_norm(params, 2 * norm) == pytest.approx(norm, rel=1e-13)
    assert all(np.array_equal(p.feedback, k) for p, k in zip(params, kept, strict=True))
    clip_norm(params, norm / 4)
    for p, k in zip(params, kept, strict=True):
        np.testing.assert_allclose(p.feedback, k / 4, rtol=1e-13)


def test_one_cycle_rises_and_falls():
    rate = one_cycle(1.0, 100)
    rates = [rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 25) and rates[29] == pytest.approx(1) and rates[99] == pytest.approx(4e-6)
    assert np.all(np.diff(rates[:30]) > 0) and np.all(np.diff(rates[29:]) < 0)
    assert rates[14] == pytest.approx(1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * 14 / 29)) / 2)
    for steps in (1, 2, 3):
        assert all(0 < one_cycle(1.0, steps)(step) <= 1 for step in range(steps))


def test_state_goes_round_and_foreign_states_are_refused():
    p, q = parameters(5)[0], parameters(5)[0]
    one, other = Adam([p], 0.1), Adam([q], 0.1)
    one.step()
    q.value[...] = p.value
    other.load_state_dict(one.state_dict())
    one.step()
    other.step()
    assert np.array_equal(p.value, q.value)
    with pytest.raises(ValueError, match="not of SGD"):
        SGD([p], 0.1).load_state_dict(one.state_dict())


def test_numbers_out_of_range():
    (p,) = parameters(3)
    for make in (
        lambda: SGD([p], -1),
        lambda: SGD([p], math.nan),
        lambda: SGD([p], 0.1, momentum=2),
        lambda: Adam([p], 0.1, betas=(0.9, 1.1)),
        lambda: clip_norm([p], -1),
        lambda: one_cycle(1, 0),
    ):
        with pytest.raises(ValueError, match="must be a"):
            make()
    with pytest.raises(ValueError, match="no parameters"):
        SGD([], 0.1)


def test_adamw_decays_weights_without_feedback():
    (p,) = parameters(3)
    p.feedback[...], before = 0, p.value.copy()
    AdamW([p], 0.1).step()
    np.testing.assert_allclose(p.value, before * (1 - 0.1 * 0.01), rtol=1e-15)


def test_clipping_does_not_overflow_in_single_precision():
    (p,) = parameters(4, dtype=np.float32)
    p.feedback[...] = 1e30
    assert clip_norm([p], 1.0) == pytest.approx(2e30, rel=1e-6)
    np.testing.assert_allclose(p.feedback, 0.5, rtol=1e-6)


@pytest.mark.parametrize(
    "name, value, says",
    [
        ("mean.1", [np.nan, 0], "mean.1 must be finite"),
        ("mean.1", [np.inf, 0], "mean.1 must be finite"),
        ("square.1", [1e300, 0], "square.1 must be finite real numbers in float32"),
        ("square.1", [-1, 0], "square.1 is a mean of squares"),
        ("mean.1", [1j, 0], "mean.1 must be finite real"),
        ("mean.1", ["a", "b"], "mean.1 must be finite real"),
        ("mean.1", [True, False], "mean.1 must be finite real"),
        ("steps", -5, "steps must be an integer >= 0, got -5"),
        ("steps", 1.5, "steps must be an integer >= 0, got 1.5"),
        ("steps", np.nan, "steps must be an integer"),
        ("steps", 2**64 - 1, "steps must be an integer"),
        ("mean.1", [1, 2, 3], "not of Adam"),
    ],
)
def test_a_state_that_no_optimiser_can_have_changes_nothing(name, value, says):
    optimizer = Adam(parameters(3, 2, dtype=np.float32))
    optimizer.step()
    before = optimizer.state_dict()
    state = {key: array + 1 for key, array in before.items()}
    with pytest.raises(ValueError, match=says):
        optimizer.load_state_dict({**state, name: np.array(value)})
    assert all(np.array_equal(array, before[key]) for key, array in optimizer.state_dict().items())
    optimizer.load_state_dict(state)
    assert all(np.array_equal(array, state[key]) for key, array in optimizer.state_dict().items())
