"""Roofline: the speed of each kernel of a training step, and the limits of processor and memory.

    python -m lfp_ref.tools.bench.roofline FILE.png     a table, and the figure

A kernel that does F operations on B bytes (all it must read and write, each once) cannot run faster than the
processor multiplies, nor than F/B times the speed of memory. Both roofs are measured in the same run: the processor's
by a large matrix product, the memory's by products of arrays that no cache holds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.layers import sharing
from lfp_ref.layers.activations import Activation
from lfp_ref.layers.linear import Linear
from lfp_ref.layers.pool import Pool2d
from lfp_ref.tools.bench.workloads import BATCH, matrix_peak, network, samples, stepper
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure

STEPS = 60
# by layer: the methods that are timed, and their names in the figure
TIMED = {
    Linear: {"total": "forward", "to_input": "feedback to the input", "to_parameters": "feedback of the parameters"},
    Pool2d: {"propagate": "forward", "hand_back": "feedback"},
    Activation: {"propagate": "forward"},
}


class Point(NamedTuple):
    """One kernel on one layer: milliseconds, operations, bytes."""

    layer: str
    kernel: str
    ms: float
    operations: float
    size: float


def memory_speed() -> float:
    """Bytes/s of a <- a * b on arrays of 128 MB: best of 5."""
    a, b, best = np.ones(1 << 25, np.float32), np.ones(1 << 25, np.float32), 0.0
    for _ in range(5):
        start = time.perf_counter()
        sharing.multiply(a, b)
        best = max(best, 3 * a.nbytes / (time.perf_counter() - start))
    return best


def measure(workload: str) -> Iterator[Point]:
    """A point for each kernel of a workload's network, medians over the later half of the steps."""
    net, (x, y) = network(workload), samples(BATCH * STEPS)
    seconds: dict[tuple[Layer, str], list[float]] = defaultdict(list)
    names = {}
    for _, layer in net.named_layers():
        for kind, methods in TIMED.items():
            for method, name in methods.items() if isinstance(layer, kind) else ():
                setattr(layer, method, timed(getattr(layer, method), seconds[layer, name]))
                names[layer, name] = f"{layer.path} {type(layer).__name__}"
    step = stepper(net, workload)
    for i in range(STEPS):
        step(x[BATCH * i : BATCH * (i + 1)], y[BATCH * i : BATCH * (i + 1)])
    for (layer, name), times in seconds.items():
        if times:
            operations, size = work_of(layer)
            yield Point(names[layer, name], name, 1e3 * statistics.median(times[len(times) // 2 :]), operations, size)


def timed(method: Any, seconds: list[float]) -> Any:
    """The method, with the seconds of each call appended to a list."""

    def run(*arguments: Any) -> Any:
        start = time.perf_counter()
        result = method(*arguments)
        seconds.append(time.perf_counter() - start)
        return result

    return run


def work_of(layer: Layer) -> tuple[float, float]:
    """Operations of one of a layer's kernels, none skipped, and the bytes of its input, output and weights."""
    output = layer.output
    assert output is not None
    if isinstance(layer, Linear):
        a, weight = layer.seen[0], layer.weight.value
        return 2 * output.size * weight[0].size, a.nbytes + output.nbytes + weight.nbytes
    if isinstance(layer, Pool2d):
        inputs = int(np.prod(layer.seen[0]))
        return inputs, (inputs + 2 * output.size) * output.itemsize  # the winners are written, too
    return output.size, 2 * output.nbytes


def draw(path: Path, points: list[Point], peak: float, memory: float) -> None:
    """The points below the roof, into a PNG file."""
    figure = new_figure(9, 5)
    axes = figure.subplots()
    intensity = np.geomspace(0.05, 200, 200)
    axes.loglog(intensity, np.minimum(peak, memory * intensity) / 1e9, color="black", label="limit: memory, processor")
    kernels = list(dict.fromkeys((p.layer.split()[1], p.kernel) for p in points))
    for number, (kind, kernel) in enumerate(kernels):
        mine = [p for p in points if (p.layer.split()[1], p.kernel) == (kind, kernel)]
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        inside = colour if number < len(COLOURS) else "none"
        x, y = zip(*((p.operations / p.size, p.operations / p.ms / 1e6) for p in mine), strict=True)
        axes.scatter(x, y, s=45, marker=marker, facecolors=inside, edgecolors=colour, label=f"{kind}, {kernel}")
        for p in mine:
            axes.annotate(p.layer.split()[0], (p.operations / p.size, p.operations / p.ms / 1e6),
                          xytext=(5, 4), textcoords="offset points", fontsize=8)  # fmt: skip
    axes.set(xlabel="operations per byte of input, output and weights", ylabel="GFLOP/s",
             title="LeNet, LFP, batch 128: each kernel under its roof (numbers: layers)")  # fmt: skip
    axes.legend(fontsize=8, loc="lower right")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    points, peak, memory = list(measure("lenet-lfp")), matrix_peak(), memory_speed()
    print(f"processor {peak / 1e9:.0f} GFLOP/s, memory {memory / 1e9:.1f} GB/s")
    print(f"{'layer':14s}{'kernel':28s}{'ms':>7s}{'GFLOP/s':>9s}{'of its roof':>12s}")
    for p in sorted(points, key=lambda p: -p.ms):
        speed = p.operations / p.ms * 1e3
        roof = min(peak, memory * p.operations / p.size)
        print(f"{p.layer:14s}{p.kernel:28s}{p.ms:7.3f}{speed / 1e9:9.1f}{speed / roof:12.0%}")
    draw(Path(sys.argv[1]), points, peak, memory)
