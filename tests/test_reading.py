"""Files of others: whatever is wrong with one is a ValueError that names it, found before memory is filled."""

import gzip
import io
import struct
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

from lfp_ref import checkpoints, datasets
from lfp_ref.reading import read_json, read_npz

resource = pytest.importorskip("resource", reason="Windows has no limits of memory")


@contextmanager
def little_memory(gigabytes=6):
    """Whoever fills the memory fails here, not on the machine."""
    usual = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (gigabytes * 2**30, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, usual)


def npy(array, shape=None):
    """An .npy file, or one whose header gives another shape."""
    file = io.BytesIO()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape if shape is None else shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + array.tobytes()


def npz(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def encrypted(path):
    """An archive whose first member has the flag of encryption in both of its headers."""
    data = bytearray(npz(path, [("x.npy", npy(np.ones(3)))]).read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)


def claiming(path, size):
    """An archive whose directory claims that its member has `size` bytes, as its header does."""
    content = npy(np.zeros(4), (size // 8,))
    data = bytearray(npz(path, [("x.npy", content)]).read_bytes())
    at = data.index(b"PK\1\2")
    data[at + 20 : at + 28] = struct.pack("<II", size, size)
    path.write_bytes(data)


def changed(path):
    """An archive in which eight bytes are others than its checksum is of."""
    path.write_bytes(npz(path, [("x.npy", ONES)]).read_bytes().replace(ONES[-8:], b"8 bytes!"))


ONES = npy(np.ones(3))
BAD = {
    "a header of 10^13 numbers": (lambda p: npz(p, [("x.npy", npy(np.ones(3), (10**13,)))]), "'x' has 24 bytes, its"),
    "a negative size": (lambda p: npz(p, [("x.npy", npy(np.ones(6), (-2, -3)))]), "'x' has 48 bytes"),
    "too few numbers": (lambda p: npz(p, [("x.npy", npy(np.ones(3), (2,)))]), "'x' has 24 bytes"),
    "a directory that claims 4 GB": (lambda p: claiming(p, 2**32 - 8), "would unpack to"),
    "encrypted": (encrypted, "'x' is encrypted"),
    "bzip2": (lambda p: npz(p, [("x.npy", ONES)], zipfile.ZIP_BZIP2), "'x' is compressed in a way"),
    "lzma": (lambda p: npz(p, [("x.npy", ONES)], zipfile.ZIP_LZMA), "'x' is compressed in a way"),
    "an .npy named .npz": (lambda p: p.write_bytes(ONES), "it is one array, an .npy file"),
    "no array": (lambda p: npz(p, [("x", b"hello")]), "'x' is not an array"),
    "half a header": (lambda p: npz(p, [("x.npy", ONES[:30])]), "'x' is not an array"),
    "a later version": (lambda p: npz(p, [("x.npy", ONES[:6] + b"\7" + ONES[7:])]), "'x' is not an array"),
    "one name twice": (lambda p: npz(p, [("x.npy", ONES), ("x", ONES)]), "two arrays called 'x'"),
    "Python objects": (lambda p: np.savez(p, x=np.array([None])), "'x' holds Python objects"),
    "an empty file": (lambda p: p.write_bytes(b""), "damaged or no .npz"),
    "a wrong checksum": (changed, "Bad CRC"),
}  # fmt: skip


@pytest.mark.parametrize("make, says", BAD.values(), ids=BAD)
def test_an_npz_file_that_is_no_good_is_named_with_what_is_wrong(tmp_path, make, says):
    path = tmp_path / "x.npz"
    make(path)
    with little_memory(), pytest.raises(ValueError, match=r"x\.npz") as error:
        read_npz(path)
    assert says in str(error.value) and len(str(error.value)) < 400
    for reader, prefix in (
        (datasets.load_arrays, ""),
        (checkpoints.load, "is not a checkpoint of lfp_ref, or damaged"),
    ):
        with little_memory(), pytest.raises(ValueError) as error:
            reader(path)
        assert prefix in str(error.value)


def test_a_good_npz_file_is_read_as_numpy_reads_it(tmp_path):
    path, rng = tmp_path / "x.npz", np.random.default_rng(0)
    arrays = {"a/b.c": rng.normal(size=(3, 4)), "f": np.asfortranarray(rng.normal(size=(2, 5))), "n": np.array(3),
              "s": np.array("text"), "none": np.empty((0, 3)), "big": rng.normal(size=4).astype(">f4")}  # fmt: skip
    for save in (np.savez, np.savez_compressed):
        save(path, **arrays)
        found = read_npz(path)
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype and np.array_equal(found[name], array)
        assert read_npz(path, ("n", "other")).keys() == {"n"}


def bomb(path, header, gigabytes):
    """A gzip file of that header and zeros: of many members, each compressed once for all."""
    path.write_bytes(gzip.compress(header) + gzip.compress(bytes(2**24)) * (64 * gigabytes))


def test_a_gzip_file_is_unpacked_as_far_as_its_header_says_and_only_if_that_is_not_far_more_than_its_size(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    for shape, says in (((2, 28, 28), "more than there should be"), ((2**31, 1, 1), "would unpack to 2,147,483,648")):
        bomb(path, bytes([0, 0, 8, 3]) + np.array(shape, ">u4").tobytes(), 2)
        with little_memory(3), pytest.raises(ValueError, match=says):
            datasets.images.read_idx(path, 3)


def test_json_that_is_none(tmp_path):
    for text, says in (("[" * 100_000, "nested too deep"), ('{"a": 1, "a": 2}', "'a' stands twice"), (b"\xff", "utf")):
        with pytest.raises(ValueError, match=says):
            read_json(text)
    assert read_json('{"a": [1, {"b": 2}]}') == {"a": [1, {"b": 2}]}
