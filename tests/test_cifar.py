"""CIFAR's binary files: what is in them is what is loaded, from an archive, its folder or a server."""

import io
import tarfile

import numpy as np
import pytest

from lfp_ref import datasets

FOLDERS = {"cifar10": "cifar-10-batches-bin", "cifar100": "cifar-100-binary"}
ARCHIVES = {"cifar10": "cifar-10-binary.tar.gz", "cifar100": "cifar-100-binary.tar.gz"}
FILES = {
    "cifar10": {**{f"data_batch_{k}.bin": 4 for k in range(1, 6)}, "test_batch.bin": 3},
    "cifar100": {"train.bin": 20, "test.bin": 3},
}
PIXELS = np.random.default_rng(0).integers(0, 256, (23, 3, 32, 32), dtype=np.uint8)
LABELS = np.arange(23) % 10


def contents(name):
    """The files of a data set of 20 training and 3 test images, by name, as the format's own page describes them."""
    found, at = {}, 0
    for file, count in FILES[name].items():
        rows = b""
        for k in range(at, at + count):
            coarse = bytes([19]) if name == "cifar100" else b""
            rows += coarse + bytes([int(LABELS[k])]) + PIXELS[k].tobytes()  # red plane, green plane, blue plane
        found[file] = rows
        at += count
    return found


def packed(name):
    """The archive as bytes."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        for file, content in contents(name).items():
            entry = tarfile.TarInfo(f"{FOLDERS[name]}/{file}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


def is_whole(data, name):
    x = np.concatenate([data.x_train, data.x_test])
    assert data.name == name and x.dtype == np.float32 and (len(data.x_train), len(data.x_test)) == (20, 3)
    np.testing.assert_array_equal(np.round((x.astype(np.float64) + 1) * 127.5), PIXELS)
    assert x.min() >= -1 and x.max() <= 1
    assert np.array_equal(np.concatenate([data.y_train, data.y_test]), LABELS) and data.y_train.dtype == np.int64


@pytest.mark.parametrize("name", FOLDERS)
def test_an_archive_its_folder_and_its_files_hold_the_same(tmp_path, name):
    archive, folder = tmp_path / "a", tmp_path / "b" / FOLDERS[name]
    archive.mkdir()
    (archive / ARCHIVES[name]).write_bytes(packed(name))
    folder.mkdir(parents=True)
    for file, content in contents(name).items():
        (folder / file).write_bytes(content)
    for root in (archive, folder.parent, folder):
        is_whole(datasets.load_cifar(root), name)
        is_whole(datasets.load_cifar(root, name), name)
    assert [file.name for file in archive.iterdir()] == [ARCHIVES[name]]  # nothing was unpacked


def test_files_that_are_missing_truncated_or_foreign(tmp_path):
    with pytest.raises(ValueError, match="load_cifar reads cifar10 and cifar100, got 'cinic'"):
        datasets.load_cifar(tmp_path, "cinic")
    with pytest.raises(FileNotFoundError, match=r"has no cifar-10-binary\.tar\.gz or cifar-100-binary\.tar\.gz, nor"):
        datasets.load_cifar(tmp_path)
    whole = contents("cifar10")
    (tmp_path / "test_batch.bin").write_bytes(whole["test_batch.bin"])
    with pytest.raises(FileNotFoundError, match=r"has no data_batch_1\.bin, data_batch_2\.bin"):
        datasets.load_cifar(tmp_path)
    for file, content in whole.items():
        (tmp_path / file).write_bytes(content)
    for content, says in (
        (whole["test_batch.bin"][:-1], "not whole images of 3073 bytes"),
        (b"", "0 bytes are not whole images"),
        (bytes([10]) + whole["test_batch.bin"][1:], r"label 10, expected 0\.\.9"),
    ):
        (tmp_path / "test_batch.bin").write_bytes(content)
        with pytest.raises(ValueError, match=says):
            datasets.load_cifar(tmp_path)
    (tmp_path / ARCHIVES["cifar100"]).write_bytes(packed("cifar100")[:-200])
    with pytest.raises(ValueError, match="holds cifar10 and cifar100: name one of them"):
        datasets.load_cifar(tmp_path)
    for content in (packed("cifar100")[:-200], packed("cifar10"), b"no archive"):
        (tmp_path / ARCHIVES["cifar100"]).write_bytes(content)
        with pytest.raises(ValueError, match=r"is damaged or not cifar-100-binary\.tar\.gz"):
            datasets.load_cifar(tmp_path, "cifar100")
