"""Augmentation: each function against what it says, done image by image; and runs that draw the same again."""

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.datasets import cutout, mirror, shift
from lfp_ref.datasets.augment import AUGMENTATIONS
from tests.runs import same_history, same_state

X = np.random.default_rng(0).normal(size=(1000, 3, 8, 12)).astype(np.float32)


def test_a_shift_is_a_crop_of_the_image_with_its_edge_repeated():
    shifted, found = shift(X, np.random.default_rng(1)), set()
    for image, result in zip(X, shifted, strict=True):
        padded = np.pad(image, ((0, 0), (1, 1), (2, 2)), mode="edge")  # an eighth of 8 and 12, rounded up
        crops = {(i, j): padded[:, i : i + 8, j : j + 12] for i in range(3) for j in range(5)}
        found |= {place for place, crop in crops.items() if np.array_equal(crop, result)}
        assert any(np.array_equal(crop, result) for crop in crops.values())
    assert len(found) == 15  # every one of them happens


def test_a_mirror_exchanges_left_and_right_of_about_half_of_the_images():
    mirrored = mirror(X, np.random.default_rng(1))
    turned = [np.array_equal(result, image[:, :, ::-1]) for image, result in zip(X, mirrored, strict=True)]
    assert all(np.array_equal(r, i) for i, r, t in zip(X, mirrored, turned, strict=True) if not t)
    assert 436 < sum(turned) < 564  # 4 standard deviations


def test_a_cut_out_is_a_rectangle_of_half_the_size_somewhere_in_the_image_set_to_its_mean():
    cut, found = cutout(X, np.random.default_rng(1)), set()
    means = X.astype(np.float64).mean(axis=(2, 3))
    for image, result, mean in zip(X, cut, means, strict=True):
        changed = (result != image).any(axis=0)
        rows, columns = changed.any(axis=1).nonzero()[0], changed.any(axis=0).nonzero()[0]
        place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        assert changed[place].all() and changed.sum() == len(rows) * len(columns)
        np.testing.assert_allclose(result[:, changed] - mean[:, None], 0, atol=1e-6)
        assert 2 <= len(rows) <= 4 and 3 <= len(columns) <= 6  # at the edge a half of it is outside
        found.add((rows[0], columns[0], len(rows), len(columns)))
    assert len(found) == 8 * 12 and (3, 4, 4, 6) in found


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_batch_stays_as_it_is_and_the_same_generator_draws_the_same(name):
    before = X.copy()
    one, same = (AUGMENTATIONS[name](X, np.random.default_rng(2)) for _ in "ab")
    other = AUGMENTATIONS[name](X, np.random.default_rng(3))
    assert np.array_equal(X, before) and np.array_equal(one, same) and not np.array_equal(one, other)
    assert one.dtype == X.dtype and one.shape == X.shape and one.flags.c_contiguous
    with pytest.raises(ValueError, match=r"for images \(N, C, H, W\), got samples of shape \(5,\)"):
        AUGMENTATIONS[name](np.ones((2, 5)), np.random.default_rng(0))


DATA = lfp.datasets.load_digits().subset(200)
ALL = tuple(AUGMENTATIONS.values())


def network():
    return lfp.models.small_cnn(DATA.input_shape, 10, rng=np.random.default_rng(0))


def run(net, **options):
    options = {"epochs": 2, "batch_size": 64, "augment": ALL, "log": None, **options}
    return lfp.train(net, DATA, optimizer=lfp.optim.Adam(net.parameters(), 0.01), **options)


def test_training_sees_each_batch_changed_anew_and_evaluation_none():
    seen = []

    def watched(x, rng):
        seen.append(x.copy())
        return mirror(x, rng)

    one, plain = network(), network()
    history = run(one, augment=[shift, watched])
    order = np.random.default_rng([0, 0]).permutation(200)
    generator = np.random.default_rng([0, 0, 1])  # seed, epoch, step from 1
    seen = seen[-8:]  # before them training is rehearsed
    assert np.array_equal(seen[0], shift(DATA.x_train[order[:64]], generator))
    assert history["test_accuracy"][-1] == lfp.evaluate(one, DATA)
    run(plain, augment=())
    assert not same_state(one, plain)


def test_a_run_that_was_stopped_goes_on_to_the_same_numbers(tmp_path):
    whole, net, path = network(), network(), tmp_path / "run.npz"
    expected = run(whole, epochs=3)
    optimizer = lfp.optim.Adam(net.parameters(), 0.01)
    options = {"batch_size": 64, "augment": ALL, "log": None, "optimizer": optimizer, "checkpoint": path}

    def stop(epoch, step, steps):
        if (epoch, step) == (1, 2):
            import signal

            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        lfp.train(net, DATA, epochs=3, on_step=stop, **options)
    resumed = network()
    options["optimizer"] = lfp.optim.Adam(resumed.parameters(), 0.01)
    with pytest.raises(ValueError, match="of a run with another augment"):
        lfp.train(resumed, DATA, epochs=3, resume=True, **{**options, "augment": ()})
    history = lfp.train(resumed, DATA, epochs=3, resume=True, **options)
    assert same_history(history, expected) and same_state(resumed, whole)
