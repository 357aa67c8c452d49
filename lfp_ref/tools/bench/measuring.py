"""The workloads by name, their samples, and the clock: the same for this package and its peers.

Needs NumPy alone, so that peers.py runs in an environment without this package's own requirements.
"""

from __future__ import annotations

import gzip
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]
MNIST: Shape = (1, 28, 28)
COLOUR: Shape = (3, 32, 32)


class Workload(NamedTuple):
    """Training steps to measure, samples of a batch, shape of a sample."""

    steps: int
    batch: int = 128
    shape: Shape = MNIST


# NETWORK-METHOD; time does not depend on the content of the colour images, which are drawn: one batch of them will do
WORKLOADS = {
    "lenet-lfp": Workload(300),
    "lenet-gradient": Workload(300),
    "lenet1-lfp": Workload(300, batch=1),
    "lenet1024-lfp": Workload(40, batch=1024),
    "mlp-lfp": Workload(300),
    "mlp-gradient": Workload(300),
    "mlp1024-lfp": Workload(60),
    "mlp1024-gradient": Workload(60),
    "mlp4096-lfp": Workload(8),
    "mlp4096-gradient": Workload(8),
    "vgg-lfp": Workload(6, 64, COLOUR),
    "vgg-gradient": Workload(6, 64, COLOUR),
    "resnet20-lfp": Workload(10, 64, COLOUR),
    "resnet20-gradient": Workload(10, 64, COLOUR),
    "vit-lfp": Workload(10, 64),
    "vit-gradient": Workload(10, 64),
    "spiking_mlp-lfp": Workload(60),
    "spiking_cnn-lfp": Workload(40),
}


def samples_of(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Samples to measure a workload with: a single batch of drawn ones, many of MNIST."""
    return samples(workload.batch if workload.shape == COLOUR else 128 * 128, workload.shape)


def samples(count: int, shape: Shape = MNIST) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's first images and labels where LFP_REF_DATA names its folder and the shape is its own; else drawn ones."""
    folder = os.environ.get("LFP_REF_DATA")
    if folder and shape == MNIST:
        images = _read(Path(folder), "train-images-idx3-ubyte", 16, 784 * count)
        labels = _read(Path(folder), "train-labels-idx1-ubyte", 8, count)
        if len(labels) == count and len(images) == 784 * count:
            return images.reshape(-1, *MNIST).astype(np.float32) / np.float32(127.5) - 1, labels.astype(np.int64)
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, *shape)).astype(np.float32), rng.integers(0, 10, count)


def _read(folder: Path, name: str, begin: int, count: int) -> np.ndarray:
    """Bytes of an IDX file, gzipped or not, behind its header; none where there is no such file.

    Not lfp_ref.datasets.load_mnist, which a peer cannot import and whose whole data set would count as memory.
    """
    for path in folder.glob(f"{name}*"):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return np.frombuffer(file.read(begin + count), np.uint8, offset=begin)
    return np.empty(0, np.uint8)


def median_ms(step: Callable[[Any, Any], Any], x: Any, y: Any, batch: int, count: int) -> float:
    """Milliseconds of a step, median of `count` after half as many; batches go round through the samples."""
    seconds = []
    for number in range(count + count // 2 + 1):
        begin = number * batch % (len(x) - batch + 1)
        rows = slice(begin, begin + batch)
        start = time.perf_counter()
        step(x[rows], y[rows])
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds[-count:])


def peak_memory() -> float:
    """This process's largest resident memory so far, in MB; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
