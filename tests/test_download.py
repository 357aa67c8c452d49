"""Data from elsewhere: a server that lies, hangs up and is gone; people's own files."""

import gzip
import hashlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from lfp_ref import datasets
from lfp_ref.datasets.download import CHECKSUMS, HOSTS
from lfp_ref.datasets.images import IDX
from lfp_ref.tools import cli
from tests.test_cifar import ARCHIVES, is_whole, packed

FILES = {}
for part, name in IDX.items():
    shape = (7, 5, 4) if part == "x_train" else (3, 5, 4) if part == "x_test" else (7,) if part == "y_train" else (3,)
    pixels = np.random.default_rng(len(FILES)).integers(0, 10, shape, dtype=np.uint8)
    header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
    FILES[f"{name}.gz"] = gzip.compress(header + pixels.tobytes())
SUMS = {name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in FILES.items()}
FIRST = next(iter(FILES))
CIFAR = {f"/{name}/{file}": packed(name) for name, file in ARCHIVES.items()}


class Server(ThreadingHTTPServer):
    """Serves FILES below /mnist/, and CIFAR; the first answers for a file may be something else, as told."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.instead = [], {}

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.removeprefix("/mnist/")
        self.server.asked.append(name)
        content = (FILES | CIFAR).get(name)
        queue = self.server.instead.get(name, [])
        answer = queue.pop(0) if queue else "right"
        if content is None or answer == "gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if answer == "broken":
            self.wfile.write(content[:10])
            self.wfile.flush()
            self.connection.close()
        else:
            self.wfile.write(content if answer == "right" else bytes(len(content)))

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    pooch = pytest.importorskip("pooch", reason="needs the extra data")
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)
    monkeypatch.setenv("LFP_REF_CACHE", str(tmp_path / "cache"))
    with Server() as server:
        monkeypatch.setenv("LFP_REF_MIRROR", server.address)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


def test_what_is_fetched_is_what_the_files_hold_and_is_fetched_once(server, tmp_path):
    data = datasets.fetch("mnist", checksums=SUMS)
    folder = tmp_path / "cache" / "mnist"
    expected = datasets.load_mnist(folder)
    assert data.name == "mnist" and data.x_train.shape == (7, 1, 5, 4) and np.array_equal(data.x_test, expected.x_test)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == FILES
    assert server.asked == list(FILES)
    datasets.fetch("mnist", checksums=SUMS)
    assert server.asked == list(FILES)
    (folder / FIRST).write_bytes(b"damaged since")
    assert np.array_equal(datasets.fetch("mnist", checksums=SUMS).x_train, data.x_train)
    assert server.asked == [*FILES, FIRST]
    datasets.fetch("mnist", tmp_path / "other", checksums=SUMS)
    assert len(server.asked) == 9


@pytest.mark.parametrize("answers", [["wrong"], ["broken"], ["gone"], ["broken", "wrong"]])
def test_a_corrupt_file_or_a_broken_connection_is_tried_again(server, answers):
    server.instead = {FIRST: list(answers)}
    assert datasets.fetch("mnist", checksums=SUMS).x_train.shape == (7, 1, 5, 4)
    assert server.asked.count(FIRST) == len(answers) + 1 and len(server.asked) == len(answers) + 4


@pytest.mark.parametrize("answer", ["wrong", "broken", "gone"])
def test_what_never_comes_right_is_an_error_that_leaves_nothing_and_a_second_try_starts_anew(server, tmp_path, answer):
    server.instead = {FIRST: [answer] * 3}
    with pytest.raises(
        OSError, match=rf"could not be fetched from {server.address}/mnist/.*LFP_REF_MIRROR.*--data-root"
    ):
        datasets.fetch("mnist", checksums=SUMS)
    assert server.asked == [FIRST] * 3 and list((tmp_path / "cache" / "mnist").iterdir()) == []
    assert datasets.fetch("mnist", checksums=SUMS).x_train.shape == (7, 1, 5, 4)


def test_nobody_there_and_files_that_are_not_mnists(server, monkeypatch, capsys):
    with pytest.raises(
        ValueError, match="no data set 'emnist' to fetch; known: mnist, fashion-mnist, cifar10, cifar100"
    ):
        datasets.fetch("emnist")
    monkeypatch.delenv("LFP_REF_DATA", raising=False)
    assert cli.main(["train", "--data", "mnist"]) == 1  # the server's files have not MNIST's checksums
    assert "could not be fetched" in capsys.readouterr().err and server.asked == [FIRST] * 3
    monkeypatch.setenv("LFP_REF_MIRROR", "http://127.0.0.1:9")
    assert cli.main(["train", "--data", "fashion-mnist"]) == 1
    assert "fashion-mnist could not be fetched from http://127.0.0.1:9/fashion-mnist/" in capsys.readouterr().err


@pytest.mark.parametrize("name", ARCHIVES)
def test_cifar_is_fetched_checked_and_read_from_its_archive(server, tmp_path, name):
    file, address = ARCHIVES[name], f"/{name}/{ARCHIVES[name]}"
    sums = {file: f"sha256:{hashlib.sha256(CIFAR[address]).hexdigest()}"}
    server.instead = {address: ["broken", "wrong"]}
    for _ in "ab":
        is_whole(datasets.fetch(name, checksums=sums), name)
    assert server.asked == [address] * 3
    assert [each.name for each in (tmp_path / "cache" / name).iterdir()] == [file]
    assert cli.main(["train", "--data", name, "--data-root", str(tmp_path / "cache" / name), "--epochs", "1",
                     "--out", str(tmp_path / "run")]) == 0  # fmt: skip
    with pytest.raises(OSError, match=rf"{name} could not be fetched.*put {file} into a folder.*load_cifar\(folder\)"):
        datasets.fetch(name, tmp_path / "other")  # the server's small archive has not CIFAR's checksum


def test_checksums_are_md5_of_different_files():
    for name, sums in CHECKSUMS.items():
        assert len(set(sums.values())) == len(sums) and name in HOSTS
        assert all(len(md5) == 32 and int(md5, 16) for md5 in sums.values())


def test_checksums_are_those_of_torchvision():
    peers = pytest.importorskip("torchvision.datasets", reason="torchvision is not installed")
    for name, peer in (("mnist", peers.MNIST), ("fashion-mnist", peers.FashionMNIST)):
        assert dict(peer.resources) == CHECKSUMS[name]


def test_without_pooch_it_says_what_to_install_and_what_works(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pooch", None)
    monkeypatch.delenv("LFP_REF_DATA", raising=False)
    assert cli.main(["train", "--data", "mnist"]) == 1
    said = capsys.readouterr().err
    assert (
        "Fetching mnist needs pooch: python -m pip install pooch" in said and "put train-images-idx3-ubyte.gz, " in said
    )


def test_own_data_trains_and_its_run_finds_it_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    points = datasets.blobs(500)
    x, y = np.concatenate([points.x_train, points.x_test]), np.concatenate([points.y_train, points.y_test])
    np.savez("mine.npz", x=x.astype(np.float64), y=y.astype(np.uint8))
    data = datasets.load_arrays("mine.npz")
    assert (data.name, data.x_train.dtype, len(data.x_train), len(data.x_test)) == ("mine", np.float32, 400, 100)
    assert sorted(map(tuple, np.concatenate([data.x_train, data.x_test]))) == sorted(map(tuple, x))
    assert cli.main(["train", "--data", "mine.npz", "--epochs", "3"]) == 0
    out = capsys.readouterr().out
    assert "100 samples of mine" in out and (tmp_path / "runs" / "mine-mlp-relu-epsilon-seed0").is_dir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cli.main(["evaluate", "../runs/mine-mlp-relu-epsilon-seed0"]) == 0
    first, *of_classes = capsys.readouterr().out.splitlines()
    assert first in out and [line.split()[0] for line in of_classes] == ["0", "1", "2"]


def test_own_data_that_is_no_good(tmp_path):
    file = tmp_path / "mine.npz"
    x, y = np.zeros((12, 3)), np.arange(12) % 3
    with pytest.raises(FileNotFoundError, match="no data at"):
        datasets.load_arrays(file)
    for arrays, says in (
        ({"x": x}, "needs arrays x and y"),
        (
            {"x": x[:, 0], "y": y},
            r"x must be numbers \(N, I\), \(N, H, W\) or \(N, C, H, W\), got float64 of shape \(12,\)",
        ),
        ({"x": x.astype(str), "y": y}, "x must be numbers"),
        ({"x": x, "y": y[:-1]}, "y must be labels"),
        ({"x": x[:5], "y": y[:5]}, "ten samples at least, got 5"),
        ({"x": x + np.nan, "y": y}, "x has NaN"),
        ({"x": x + 1e300, "y": y}, "float32 cannot hold"),
        ({"x": np.array([None] * 12), "y": y}, r"damaged or no \.npz"),
    ):
        np.savez(file, **arrays)
        with pytest.raises(ValueError, match=says):
            datasets.load_arrays(file)
    file.write_bytes(b"PK\3\4 no more")
    with pytest.raises(ValueError, match=r"damaged or no \.npz"):
        datasets.load_arrays(file)
