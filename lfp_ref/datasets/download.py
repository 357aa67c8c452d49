"""Data sets from the internet, by the package pooch (extra `data`): checksums, a cache, a second and a third try."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lfp_ref.datasets.base import Dataset
from lfp_ref.datasets.cifar import FORMATS, load_cifar
from lfp_ref.datasets.images import load_mnist
from lfp_ref.extras import MissingExtra

HOSTS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "cifar10": "https://www.cs.toronto.edu/~kriz/",
    "cifar100": "https://www.cs.toronto.edu/~kriz/",
}

# MD5 of the files as their authors published them.
CHECKSUMS = {
    "mnist": {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    "cifar10": {"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"},
    "cifar100": {"cifar-100-binary.tar.gz": "03b5dce01913d631647c71ecec9e9cb8"},
}


def fetch(
    name: str, cache: str | os.PathLike[str] | None = None, checksums: Mapping[str, str] | None = None
) -> Dataset:
    """MNIST, Fashion-MNIST or CIFAR: from the cache, or else fetched, checked and cached; three tries for each file.

    name: "mnist", "fashion-mnist", "cifar10" or "cifar100". cache: a folder, in which the data set gets its own; None
    is LFP_REF_CACHE, or else the user's cache folder. LFP_REF_MIRROR: address that has the files in folders of the data
    sets' names. checksums: of other files in their place, as "md5:..." or "sha256:..." by file name.
    x: (N, 1, 28, 28) float32 in -1..1, of CIFAR (N, 3, 32, 32). y: (N,) labels, the fine ones of CIFAR-100.
    Raises ValueError for another name; OSError that says where the files are missing from and what else to do, nothing
    half-fetched or wrong in the cache; MissingExtra without pooch.
    Sources: LeCun et al. 1998, http://yann.lecun.com/exdb/mnist; Xiao et al. 2017, arXiv:1708.07747; Krizhevsky 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    if name not in HOSTS:
        raise ValueError(f"no data set {name!r} to fetch; known: {', '.join(HOSTS)}")
    files = list(CHECKSUMS[name])
    if checksums is None:
        checksums = {file: f"md5:{md5}" for file, md5 in CHECKSUMS[name].items()}
    reader = "load_cifar" if name in FORMATS else "load_mnist"
    try:
        import pooch
        import requests
    except ImportError:
        raise MissingExtra(
            f"Fetching {name}", "pooch", "data",
            f"Without it, put {', '.join(files)} into a folder: lfp_ref.datasets.{reader}(folder), or --data-root.",
        ) from None  # fmt: skip
    mirror = os.environ.get("LFP_REF_MIRROR")
    address = f"{mirror.rstrip('/')}/{name}/" if mirror else HOSTS[name]
    folder = Path(cache or os.environ.get("LFP_REF_CACHE") or pooch.os_cache("lfp_ref")) / name
    store = pooch.create(folder, address, registry=dict(checksums), retry_if_failed=2)
    try:
        for file in files:
            store.fetch(file, progressbar=_bar())
    except (requests.RequestException, ValueError) as error:
        raise OSError(
            f"{name} could not be fetched from {address}: {error}. Set LFP_REF_MIRROR to another address, or put "
            f"{', '.join(files)} into a folder and name it: lfp_ref.datasets.{reader}(folder), or --data-root"
        ) from None
    return load_cifar(folder, name) if name in FORMATS else replace(load_mnist(folder), name=name)


def _bar() -> bool:
    """Whether there is somebody to see a progress bar, and tqdm to draw one."""
    try:
        import tqdm
    except ImportError:
        return False
    return bool(tqdm) and sys.stderr.isatty()
