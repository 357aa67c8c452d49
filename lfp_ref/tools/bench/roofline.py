"""Roofline: the speed of each kernel of a training step, and the limits of processor and memory.

    python -m lfp_ref.tools.bench.roofline WORKLOAD FILE.png     a table, and the figure; lenet-lfp or vgg-lfp

A kernel that does F operations on B bytes (all it must read and write, each once) cannot run faster than the
processor multiplies, nor than F/B times the speed of memory. Both roofs are measured in the same run: the processor's
by a large matrix product, the memory's by products of arrays that no cache holds.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from lfp_ref.core import shares
from lfp_ref.core.node import Node
from lfp_ref.kernels.windows import COUNT, HIGH, LENGTH, LOW
from lfp_ref.layers import conv, dense, pool
from lfp_ref.layers.activations import ReLU
from lfp_ref.tools.bench.measuring import WORKLOADS, samples_of
from lfp_ref.tools.bench.workloads import matrix_peak, network, stepper
from lfp_ref.tools.figures import COLOURS, MARKERS, new_figure

DRAWN = 0.003  # kernels that take less of the kernels' time are in the table only


class Kernel(NamedTuple):
    """A function to time: its module (or class) and name, its name in the figure, operations for its arguments."""

    owner: Any
    function: str
    name: str
    operations: Callable[..., float]


def products(pieces: np.ndarray) -> float:
    """Operations of a convolution back to its input, by its table: padding takes part in none."""
    return 2.0 * np.sum((pieces[..., HIGH] - pieces[..., LOW]) * pieces[..., COUNT] * pieces[..., LENGTH])


KERNELS = (
    Kernel(conv, "forward", "conv, forward", lambda a, w, b, z, *_: 2 * z.size * w.shape[1]),
    Kernel(conv, "backward_input", "conv, backward input", lambda w, s, g, begins, pieces: products(pieces)),
    Kernel(conv, "backward_parameters", "conv, backward parameters", lambda s, a, g_w, *_: 2 * s.size * g_w.shape[1]),
    Kernel(dense, "forward", "dense, forward", lambda w, a, b, z, _: 2 * z.size * w.shape[1]),
    Kernel(dense, "backward_input", "dense, backward input", lambda w, s, *_: 2 * s.size * w.shape[1]),
    Kernel(dense, "backward_parameters", "dense, backward parameters", lambda s, a, g_w, *_: 2 * s.size * g_w.shape[1]),
    Kernel(pool, "max_forward", "max pool, forward", lambda a, size, stride, z, _: z.size * math.prod(size)),
    Kernel(pool, "max_backward", "max pool, backward", lambda r, winner, size, *_: r.size * math.prod(size)),
    Kernel(ReLU, "_forward", "ReLU, forward", lambda z, *_: z.size),
    Kernel(shares, "divide_by_output", "divide by output", lambda r, *_: 2 * r.size),
    Kernel(shares, "times_input", "times input", lambda g, *_: g.size),
    Kernel(shares, "times_weight", "times weight", lambda g, *_: g.size),
)


class Point(NamedTuple):
    """A kernel at a layer: milliseconds, operations and bytes in a step."""

    layer: str
    kernel: str
    ms: float
    operations: float
    size: float

    @property
    def intensity(self) -> float:
        """Operations per byte"""
        return self.operations / self.size

    @property
    def speed(self) -> float:
        """FLOP/s"""
        return 1e3 * self.operations / self.ms


@dataclass
class Calls:
    """All calls of a kernel at a layer; a step may make several."""

    seconds: list[float] = field(default_factory=list)
    operations: float = 0.0
    size: float = 0.0


def measure(workload: str, steps: int) -> list[Point]:
    """A point for each kernel of each layer of a workload's network, medians of the second half of the steps."""
    net, batch = network(workload), WORKLOADS[workload].batch
    x, y = samples_of(WORKLOADS[workload])
    step = stepper(net, workload)
    with timed_kernels() as calls:
        for _ in range(steps):
            step(x[:batch], y[:batch])
    layers = dict(net.named_layers())
    points = []
    for (path, kernel), found in calls.items():
        seconds = np.reshape(found.seconds, (steps, -1)).sum(axis=1)
        ms = 1e3 * float(np.median(seconds[steps // 2 :]))
        layer = f"{path} {type(layers[path]).__name__}"
        points.append(Point(layer, kernel, ms, found.operations / steps, found.size / steps))
    return points


@contextmanager
def timed_kernels() -> Iterator[dict[tuple[str, str], Calls]]:
    """Times every call of a kernel inside the block, by (path of the layer, kernel)."""
    calls: dict[tuple[str, str], Calls] = {}
    places = [""]  # paths of the layers at work, the innermost one last

    def at_place(method: Callable[..., Any]) -> Callable[..., Any]:
        def run(node: Node, *arguments: Any) -> Any:
            places.append(node.path)
            try:
                return method(node, *arguments)
            finally:
                places.pop()

        return run

    def timed(kernel: Kernel) -> Callable[..., Any]:
        function = getattr(kernel.owner, kernel.function)

        def run(*arguments: Any) -> Any:
            start = time.perf_counter()
            result = function(*arguments)
            seconds = time.perf_counter() - start
            found = calls.setdefault((places[-1], kernel.name), Calls())
            found.seconds.append(seconds)
            found.operations += kernel.operations(*arguments)
            found.size += bytes_of(arguments)
            return result

        return run

    with ExitStack() as patches:
        for method in ("propagate", "hand_back"):
            patches.enter_context(patch.object(Node, method, at_place(getattr(Node, method))))
        for kernel in KERNELS:
            patches.enter_context(patch.object(kernel.owner, kernel.function, staticmethod(timed(kernel))))
        yield calls


def bytes_of(arguments: tuple[Any, ...]) -> float:
    """Bytes of all arrays among a kernel's arguments; tables of places, of 64-bit integers, are small and left out."""
    return sum(x.nbytes for x in arguments if isinstance(x, np.ndarray) and x.dtype != np.int64)


def memory_speed() -> float:
    """Bytes/s of a <- a * b on arrays of 128 MB: best of 5."""
    a, b, best = np.ones(1 << 25, np.float32), np.ones(1 << 25, np.float32), 0.0
    for _ in range(5):
        start = time.perf_counter()
        shares.times_input(a, b, a)
        best = max(best, 3 * a.nbytes / (time.perf_counter() - start))
    return best


def draw(path: Path, workload: str, points: list[Point], peak: float, memory: float) -> None:
    """The points below the roof, into a PNG file."""
    least = DRAWN * sum(p.ms for p in points)
    points = [p for p in points if p.ms >= least]
    figure = new_figure(12, 6)
    axes = figure.subplots()
    intensity = np.geomspace(min(p.intensity for p in points) / 2, 2 * max(p.intensity for p in points), 300)
    limits = f"memory {memory / 1e9:.0f} GB/s (arrays larger than caches),\nprocessor {peak / 1e9:.0f} GFLOP/s"
    axes.loglog(
        intensity,
        np.minimum(peak, memory * intensity) / 1e9,
        color="black",
        label=f"roof: {limits} (a large matrix product)",
    )
    axes.plot([], [], " ", label="above it: arrays still in a cache, or a\nproduct that outdoes the large one")
    colours = {}
    for number, name in enumerate(kernel.name for kernel in KERNELS):
        mine = [p for p in points if p.kernel == name]
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        inside = colour if number < len(COLOURS) else "none"
        colours[name] = colour
        if mine:
            axes.scatter([p.intensity for p in mine], [p.speed / 1e9 for p in mine], s=40, marker=marker,
                         facecolors=inside, edgecolors=colour, label=name)  # fmt: skip
    batch = WORKLOADS[workload].batch
    axes.set(xlabel="operations per byte of input, output and weights", ylabel="GFLOP/s")
    axes.set_title(
        f"{workload}, batch {batch}: kernels that take over {DRAWN:.1%} of all kernels' time; numbers: layers"
    )
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(alpha=0.3)
    number_points(figure, axes, points, colours)
    figure.savefig(path, dpi=110)


def number_points(figure: Any, axes: Any, points: list[Point], colours: dict[str, str]) -> list[Any]:
    """Writes each point's layer beside it, at the nearest place where it covers neither marker nor number.

    Returns the numbers, as texts of the figure.
    """
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()  # so that places on the figure are final
    pixels = axes.transData.transform([(p.intensity, p.speed / 1e9) for p in points])
    renderer = figure.canvas.get_renderer()
    taken = [Bbox.from_bounds(x - 5, y - 5, 10, 10) for x, y in pixels]
    directions = [(math.cos(angle), math.sin(angle)) for angle in np.arange(0, 2 * np.pi, np.pi / 8)]
    texts = []
    for p in points:
        for distance, (right, up) in ((d, direction) for d in range(11, 80, 6) for direction in directions):
            text = axes.annotate(
                p.layer.split()[0], (p.intensity, p.speed / 1e9), (distance * right, distance * up),
                textcoords="offset points", ha="center", va="center", fontsize=8, color=colours[p.kernel],
                arrowprops={"arrowstyle": "-", "color": colours[p.kernel], "lw": 0.5, "shrinkA": 1, "shrinkB": 4},
            )  # fmt: skip
            text.set_in_layout(False)
            text.update_positions(renderer)
            box = Text.get_window_extent(text, renderer)  # without the line to the point
            if not box.count_overlaps(taken):
                break
            text.remove()
        texts.append(text)
        taken.append(box)
    return texts


def table(points: list[Point], peak: float, memory: float) -> Iterator[str]:
    """Lines of text: the roofs, then a line for each point, the slowest first."""
    yield f"processor {peak / 1e9:.0f} GFLOP/s, memory {memory / 1e9:.1f} GB/s"
    yield f"{'layer':14s}{'kernel':28s}{'ms':>8s}{'GFLOP/s':>9s}{'of its roof':>12s}"
    for p in sorted(points, key=lambda p: -p.ms):
        roof = min(peak, memory * p.intensity)
        yield f"{p.layer:14s}{p.kernel:28s}{p.ms:8.3f}{p.speed / 1e9:9.1f}{p.speed / roof:12.0%}"


def main(workload: str, path: str) -> None:
    """Prints the table and draws the figure."""
    points = measure(workload, 2 * WORKLOADS[workload].steps)
    peak, memory = matrix_peak(), memory_speed()
    print("\n".join(table(points, peak, memory)))
    draw(Path(path), workload, points, peak, memory)


if __name__ == "__main__":
    main(*sys.argv[1:])
