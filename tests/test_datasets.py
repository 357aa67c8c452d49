import gzip

import numpy as np
import pytest

from lfp_ref import datasets
from lfp_ref.datasets.images import IDX


def test_digits_are_the_uci_digits():
    data = datasets.load_digits()
    assert data.x_train.shape == (1438, 1, 8, 8) and data.x_test.shape == (359, 1, 8, 8) and data.classes == 10
    pixels, labels = np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])
    assert pixels.min() == -1 and pixels.max() == 1 and pixels.dtype == np.float32
    # class counts and total ink as documented for scikit-learn's copy
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert ((pixels.astype(float) + 1) * 8).sum() == 561718
    assert len({image.tobytes() for image in data.x_train} & {image.tobytes() for image in data.x_test}) == 0


def test_the_test_part_never_moves():
    assert np.array_equal(datasets.load_digits().x_test, datasets.load_digits().x_test)


def test_holdout_leaves_the_test_part_out():
    data = datasets.load_digits()
    held = data.holdout(0.25, seed=3)
    assert len(held.x_test) == 360 and len(held.x_train) == 1438 - 360
    everything = {image.tobytes() for image in (*held.x_train, *held.x_test)}
    assert everything == {image.tobytes() for image in data.x_train}
    for fraction in (0, 1):
        with pytest.raises(ValueError, match="leaves one part empty"):
            data.holdout(fraction)


@pytest.mark.parametrize("make", [datasets.blobs, datasets.circles, datasets.swirls])
def test_toys_are_seeded_balanced_and_separable_by_their_geometry(make):
    one, same, other = make(seed=1), make(seed=1), make(seed=2)
    assert np.array_equal(one.x_train, same.x_train) and not np.array_equal(one.x_train, other.x_train)
    assert one.x_train.shape == (800, 2) and one.x_test.shape == (200, 2) and one.x_train.dtype == np.float32
    counts = np.bincount(np.concatenate([one.y_train, one.y_test]))
    assert counts.max() - counts.min() <= 1
    noiseless = make(noise=0.0)
    x, y = noiseless.x_train, noiseless.y_train
    angle, radius = np.arctan2(x[:, 1], x[:, 0]), np.hypot(x[:, 0], x[:, 1])
    geometry = {
        "blobs": np.round(angle / (2 * np.pi / 3)) % 3,
        "circles": np.round(2 * radius - 1),
        "swirls": np.round(2 * (angle / (2 * np.pi) - radius)) % 2,
    }[one.name]
    assert np.array_equal(geometry, y)
    for wrong in ({"samples": 3}, {"noise": -1.0}):
        with pytest.raises(ValueError, match=one.name):
            make(**wrong)


def write_idx(root, compress):
    rng = np.random.default_rng(0)
    arrays = {}
    for part, name in IDX.items():
        shape = (7 if "train" in part else 3, *((5, 4) if part.startswith("x") else ()))
        arrays[part] = rng.integers(0, 256 if part.startswith("x") else 10, shape, dtype=np.uint8)
        data = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes() + arrays[part].tobytes()
        (root / (name + ".gz" * compress)).write_bytes(gzip.compress(data) if compress else data)
    return arrays


@pytest.mark.parametrize("compress", [False, True])
def test_idx_files_are_read(tmp_path, monkeypatch, compress):
    arrays = write_idx(tmp_path, compress)
    monkeypatch.setenv("LFP_REF_DATA", str(tmp_path))
    for data in (datasets.load_mnist(tmp_path), datasets.load_mnist()):
        assert data.x_train.shape == (7, 1, 5, 4) and data.input_shape == (1, 5, 4)
        np.testing.assert_allclose(data.x_test[:, 0], arrays["x_test"] / 127.5 - 1, atol=1e-7)
        assert np.array_equal(data.y_train, arrays["y_train"])


def test_files_that_are_no_good(tmp_path, monkeypatch):
    monkeypatch.delenv("LFP_REF_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="LFP_REF_DATA to a folder with the four MNIST files"):
        datasets.load_mnist()
    with pytest.raises(FileNotFoundError, match=r"has no train-images-idx3-ubyte\[\.gz\]; put there the four"):
        datasets.load_mnist(tmp_path)
    write_idx(tmp_path, False)
    images = tmp_path / IDX["x_train"]
    whole = images.read_bytes()
    for content, says in ((whole[:-1], "truncated"), (whole[:10], "not an IDX file"),
                          (b"PNG" + whole, "not an IDX file"),
                          (bytes([0, 0, 8, 1]) + whole[4:], "not an IDX file"),
                          (bytes([0, 0, 13, 3]) + whole[4:], "not an IDX file"),
                          (whole + b"x", "more than there should be")):  # fmt: skip
        images.write_bytes(content)
        with pytest.raises(ValueError, match=says):
            datasets.load_mnist(tmp_path)
    images.unlink()
    for content, says in ((gzip.compress(whole)[:-9], "damaged: "), (b"no gzip at all", "not an IDX file")):
        (tmp_path / (IDX["x_train"] + ".gz")).write_bytes(content)
        with pytest.raises(ValueError, match=says):
            datasets.load_mnist(tmp_path)


def test_seeds_subsets_and_noise():
    data = datasets.load_digits()
    assert not np.array_equal(data.holdout(0.1, 0).x_test, data.holdout(0.1, 1).x_test)
    few = data.subset(5)
    assert np.array_equal(few.x_train, data.x_train[:5]) and np.array_equal(few.y_train, data.y_train[:5])
    off = datasets.blobs(10_000, noise=0.2).x_train - datasets.blobs(10_000, noise=0.0).x_train
    assert abs(off.std() / 0.2 - 1) < 5 / np.sqrt(2 * off.size)  # five standard deviations of the estimate
    for wrong in ({"classes": 0}, {"classes": 2.5}):
        with pytest.raises(ValueError, match="classes must be an integer >= 2"):
            datasets.swirls(**wrong)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_under_other_names_are_read_for_what_they_are(tmp_path, packed):
    """Named as in train-images.idx3-ubyte, or gzipped without saying so."""
    arrays = write_idx(tmp_path, packed)
    for path in list(tmp_path.iterdir()):
        name = path.name.replace("-idx", ".idx").removesuffix(".gz")
        path.rename(path.with_name(name))
    data = datasets.load_mnist(tmp_path)
    assert np.array_equal(data.y_test, arrays["y_test"]) and data.x_train.shape == (7, 1, 5, 4)


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def test_idx_files_without_anything_in_them(tmp_path):
    def write(train, test, labels):
        for part, name in IDX.items():
            array = {"x_train": np.zeros(train), "x_test": np.zeros(test)}.get(part)
            array = np.resize(labels, (train if "train" in part else test)[0]) if array is None else array
            (tmp_path / name).write_bytes(idx(array))

    for train, test, labels, says in (
        ((0, 5, 4), (3, 5, 4), [0, 1], r"shape \(0, 5, 4\): there is nothing in it to train on"),
        ((7, 0, 0), (3, 0, 0), [0, 1], r"shape \(7, 0, 0\): there is nothing in it to train on"),
        ((7, 5, 4), (3, 4, 5), [0, 1], r"shape \(1, 5, 4\) in the train part, \(1, 4, 5\) in the test part"),
        ((7, 5, 4), (3, 5, 4), [4], r"train-labels-idx1-ubyte has one class only, 4"),
    ):
        write(train, test, labels)
        with pytest.raises(ValueError, match=says):
            datasets.load_mnist(tmp_path)
    write((7, 5, 4), (0, 5, 4), [0, 1])
    assert datasets.load_mnist(tmp_path).x_test.shape == (0, 1, 5, 4)


def test_labels_are_classes_of_which_there_are_two_or_more(tmp_path):
    path, x = tmp_path / "mine.npz", np.zeros((12, 3))
    for y, says in (
        (np.full(12, 2**64 - 1, np.uint64), "y has one class only, 18446744073709551615"),
        (np.zeros(12, int), "y has one class only, 0"),
        (np.full(12, 3), "y has one class only, 3"),
    ):
        np.savez(path, x=x, y=y)
        with pytest.raises(ValueError, match=says):
            datasets.load_arrays(path)


def test_a_class_of_the_test_part_alone_counts():
    x = np.zeros((4, 2), np.float32)
    assert datasets.Dataset("", x, np.array([0, 1, 1, 0]), x, np.array([0, 1, 3, 0])).classes == 4
    assert datasets.Dataset("", x, np.array([0, 1, 1, 0]), x[:0], np.empty(0, int)).classes == 2
