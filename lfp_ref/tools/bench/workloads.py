"""Workloads: whole training steps (forward, reward, feedback, clipping, optimiser) of networks by name.

    python -m lfp_ref.tools.bench.workloads WORKLOAD STEPS     one JSON line

Every workload runs in a process of its own, so that its peak memory is its own. Steps before the measured ones, half as
many, are not counted: they compile kernels and fill memory.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import get_num_threads

from lfp_ref import models, names, optim, rewards, rules, training
from lfp_ref.core.layer import Layer
from lfp_ref.kernels.threads import one_blas_thread
from lfp_ref.layers import dense
from lfp_ref.layers.weighted import WeightedLayer
from lfp_ref.network import Sequential, Spiking
from lfp_ref.tools.bench.measuring import WORKLOADS, Shape, median_ms, peak_memory, samples_of

# ---- networks: functions of a sample's shape and the number of classes, as in lfp_ref.models

NETWORKS: dict[str, Callable[..., Sequential]] = {
    "lenet": models.lenet,
    "lenet1": models.lenet,
    "lenet1024": models.lenet,
    "mlp": models.mlp,
    "mlp1024": names.network("1024-1024-10"),
    "mlp4096": names.network("4096-4096-10"),
    "vgg": names.network("64c3+1-64c3+1-p2-128c3+1-128c3+1-p2-256c3+1-256c3+1-p2-10"),
    "resnet20": models.resnet20,
    "vit": models.vit_tiny,
    "spiking_mlp": models.spiking_mlp,
    "spiking_cnn": models.spiking_cnn,
}


def network(workload: str, shape: Shape | None = None, **options: Any) -> Sequential:
    """The workload's network, at its initial weights. shape: of a sample, if not the workload's."""
    make = NETWORKS[workload.rsplit("-", 1)[0]]
    return make(shape or WORKLOADS[workload].shape, 10, rng=np.random.default_rng(0), **options)


# ---- a step, and what it costs


def stepper(net: Layer, workload: str) -> Callable[[np.ndarray, np.ndarray], Any]:
    """A function of a batch that makes one training step, as the peers do: SGD with momentum, norm clipped to 3."""
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    rule = rules.Gradient() if workload.endswith("gradient") else rules.Epsilon()
    reward = rewards.rate_coded if isinstance(net, Spiking) else rewards.softmax
    return lambda x, y: training.step(net, x, y, optimizer, rule, reward, clip=3.0)


def flops(net: Layer, x: np.ndarray) -> float:
    """Products and additions of a training step on x: forward, weights, and inputs of all layers but the first.

    Of sums with weights to train, none skipped. A constant input of a spiking network is summed once, not at each step.
    """
    tape = net.record(x)
    first = net.first_layers()
    total = 0.0
    for path, layer in net.named_layers():
        if isinstance(layer, WeightedLayer) and layer.weight is not None:
            sums = 2 if path in first else 3
            total += 2 * sums * tape.output(path).size * layer.weight.value[0].size
    return total


def matrix_peak() -> float:
    """FLOP/s of a large matrix product in single precision, with as many threads as everything else: best of 5."""
    size, best = 1536, 0.0
    a, z, b = np.ones((size, size), np.float32), np.empty((size, size), np.float32), np.zeros(size, np.float32)
    with one_blas_thread():
        for _ in range(5):
            start = time.perf_counter()
            dense.forward(a, a[None], b, z[None], get_num_threads())
            best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def measure(workload: str, steps: int) -> dict[str, Any]:
    """One workload's row: milliseconds, steps, operations of a step, the fraction of the matrix peak, memory."""
    net, (x, y), batch = network(workload), samples_of(WORKLOADS[workload]), WORKLOADS[workload].batch
    ms = median_ms(stepper(net, workload), x, y, batch, steps)
    memory = peak_memory()
    operations = batch * flops(net, x[:1])
    fraction = operations / (ms / 1e3) / matrix_peak()
    return {"work": workload, "ms": round(ms, 3), "steps": steps, "flops": operations,
            "peak_fraction": round(fraction, 3), "rss_mb": round(memory)}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))), flush=True)
