"""Workloads: whole training steps (forward, reward, feedback, clipping, optimiser) of networks by name.

    python -m lfp_ref.tools.bench.workloads WORKLOAD STEPS     one JSON line

Every workload runs in a process of its own, so that its peak memory is its own. Steps before the measured ones, half as
many, are not counted: they compile kernels and fill memory.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import get_num_threads

from lfp_ref import datasets, names, optim, rewards, rules, training
from lfp_ref.core.layer import Layer
from lfp_ref.kernels.threads import one_blas_thread
from lfp_ref.layers import dense
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.lif import LIF
from lfp_ref.network import Sequential, Spiking

BATCH = 128
# by workload: the number of steps to measure
WORKLOADS = {"lenet-lfp": 300, "lenet-gradient": 300, "mlp-lfp": 300, "mlp-gradient": 300,
         "spiking_mlp-lfp": 60, "spiking_cnn-lfp": 40}  # fmt: skip


def samples(count: int, size: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's first images and labels where LFP_REF_DATA names its folder and the size is its own; else drawn ones."""
    try:
        data = datasets.load_mnist()
        if size == 28 and len(data.x_train) >= count:
            return data.x_train[:count], data.y_train[:count]
    except FileNotFoundError:
        pass
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, 1, size, size)).astype(np.float32), rng.integers(0, 10, count)


def network(workload: str, size: int = 28, **options: Any) -> Sequential:
    """The workload's network, at its initial weights."""
    make = names.NETWORKS[workload.rsplit("-", 1)[0].replace("_", "-")]
    return make((1, size, size), 10, rng=np.random.default_rng(0), **options)


def stepper(net: Layer, workload: str) -> Callable[[np.ndarray, np.ndarray], Any]:
    """A function of a batch that makes one training step, as the peers do: SGD with momentum, norm clipped to 3."""
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    rule = rules.Gradient() if workload.endswith("gradient") else rules.Epsilon()
    reward = rewards.rate_coded if isinstance(net, Spiking) else rewards.softmax
    return lambda x, y: training.step(net, x, y, optimizer, rule, reward, clip=3.0)


def median_ms(
    step: Callable[[np.ndarray, np.ndarray], Any], x: np.ndarray, y: np.ndarray, batch: int, count: int
) -> float:
    """Milliseconds of a step, median of `count` after half as many; batches go round through the samples."""
    seconds = []
    for number in range(count + count // 2 + 1):
        begin = number * batch % (len(x) - batch + 1)
        rows = slice(begin, begin + batch)
        start = time.perf_counter()
        step(x[rows], y[rows])
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds[-count:])


def flops(net: Sequential, x: np.ndarray) -> float:
    """Products and additions of a training step: forward, weights, and inputs of all layers but the first."""
    total = 0.0
    times, sums = 1, 2
    for layer in net.layers:
        inner = layer.layer if isinstance(layer, LIF) else layer
        x = inner.forward(x)
        if isinstance(inner, Dense | Conv2d):
            total += 2 * times * x.size * inner.weight.value[0].size * sums
            sums = 3
        if isinstance(net, Spiking) and isinstance(layer, LIF):
            times = net.steps  # behind the first spikes; a constant input is summed once
    return total


def matrix_peak() -> float:
    """FLOP/s of a large matrix product in single precision, with as many threads as everything else: best of 5."""
    size, best = 1536, 0.0
    a, z, b = np.ones((size, size), np.float32), np.empty((size, size), np.float32), np.zeros(size, np.float32)
    with one_blas_thread():
        for _ in range(5):
            start = time.perf_counter()
            dense.forward(a, a, b, z, get_num_threads())
            best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def peak_memory() -> float:
    """This process's largest resident memory so far, in MB; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure(workload: str, steps: int) -> dict[str, Any]:
    """One workload's row: milliseconds, steps, operations of a step, the fraction of the matrix peak, memory."""
    net, (x, y) = network(workload), samples(BATCH * 128)
    ms = median_ms(stepper(net, workload), x, y, BATCH, steps)
    memory = peak_memory()
    operations = BATCH * flops(net, x[:1])
    fraction = operations / (ms / 1e3) / matrix_peak()
    return {"work": workload, "ms": round(ms, 3), "steps": steps, "flops": operations,
            "peak_fraction": round(fraction, 3), "rss_mb": round(memory)}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))), flush=True)
