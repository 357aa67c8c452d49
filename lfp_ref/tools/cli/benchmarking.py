"""lfp-ref bench: time of a training step, of ours and of other packages, and its growth with size."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numba

from lfp_ref.layers import activations
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.flatten import Flatten
from lfp_ref.network import Sequential
from lfp_ref.tools.bench import workloads
from lfp_ref.tools.bench.peers import PEERS
from lfp_ref.tools.cli.common import at_least

Row = dict[str, Any]  # one measurement


def add_commands(commands: Any) -> None:
    bench = commands.add_parser(
        "bench",
        help="measure training steps",
        description="Median milliseconds of whole training steps, batch 128, on MNIST where $LFP_REF_DATA names its "
        "folder, else on random images; the fraction of the machine's matrix-product speed; peak memory.",
    )
    bench.add_argument("workload", nargs="*", help=f"{', '.join(workloads.WORKLOADS)} (all)")
    bench.add_argument("--json", action="store_true", help="one JSON line a workload")
    bench.add_argument("--peers", action="store_true", help="lfprop, PyTorch, scikit-learn in turn, where installed")
    bench.add_argument("--rounds", type=at_least(1), default=3, help="of --peers; medians are shown (%(default)s)")
    bench.add_argument("--steps", type=at_least(1), help="to measure (default: 10 to 300, by workload)")
    bench.add_argument("--scaling", action="store_true",
                       help="how time grows with batch, width, depth, image size, T and threads")  # fmt: skip
    bench.set_defaults(command=run_bench)


def run_bench(options: argparse.Namespace) -> None:
    chosen = options.workload or list(workloads.WORKLOADS)
    if unknown := [workload for workload in chosen if workload not in workloads.WORKLOADS]:
        raise ValueError(f"unknown workload {unknown[0]!r}; known: {', '.join(workloads.WORKLOADS)}")
    if options.scaling:
        scaling(options.steps or 20)
        return
    if not options.json:
        print(f"{numba.get_num_threads()} threads")
        print(f"{'workload':18s}{'ms':>9s}{'GFLOP/s':>9s}{'of peak':>9s}{'memory':>10s}")
    for workload in chosen:
        found, others = rounds(workload, options)
        ms = statistics.median(row["ms"] for row in found)
        row = {**found[-1], "ms": ms, "rss_mb": max(row["rss_mb"] for row in found)}
        row["peak_fraction"] = statistics.median(row["peak_fraction"] for row in found)
        if options.json:
            print(json.dumps(row), flush=True)
            for rows in others.values():
                print(json.dumps({**rows[-1], "ms": statistics.median(r["ms"] for r in rows)}), flush=True)
            continue
        speed = row["flops"] / ms / 1e6
        print(f"{workload:18s}{ms:9.2f}{speed:9.1f}{row['peak_fraction']:9.0%}{row['rss_mb']:7d} MB", flush=True)
        for peer, rows in others.items():
            theirs = statistics.median(r["ms"] for r in rows)
            memory = max(r["rss_mb"] for r in rows)
            print(f"  {peer:16s}{theirs:9.2f}{'':18s}{memory:7d} MB   {theirs / ms:5.1f} x our time", flush=True)


def rounds(workload: str, options: argparse.Namespace) -> tuple[list[Row], dict[str, list[Row]]]:
    """Rows of ours and, with --peers, of each peer, one after the other, round by round: the machine's speed drifts."""
    steps = str(options.steps or workloads.WORKLOADS[workload])
    ours: list[Row] = []
    others: dict[str, list[Row]] = {}
    missing: set[str] = set()
    for _ in range(options.rounds if options.peers else 1):
        ours.append(child("lfp_ref.tools.bench.workloads", workload, steps))
        for peer in PEERS[workload] if options.peers else ():
            if peer in missing:
                continue
            row = child("lfp_ref.tools.bench.peers", peer, workload, steps)
            if row is None:
                missing.add(peer)
            else:
                others.setdefault(peer, []).append(row)
    return ours, others


def child(module: str, *arguments: str) -> Any:
    """The JSON row printed by a module in a process of its own; None if it lacks a package."""
    environment = {**os.environ, "NUMBA_NUM_THREADS": str(numba.get_num_threads())}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == 3:
        print(f"  {arguments[0]}: {done.stderr.strip()}", file=sys.stderr, flush=True)
        return None
    if done.returncode:
        raise ValueError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def scaling(steps: int) -> None:
    """Prints the milliseconds of a step for every value of every quantity that grows."""
    print(f"milliseconds of an LFP step, {numba.get_num_threads()} threads, batch 128 where it is not what grows")
    for name, values, step_of in growing():
        print(f"\n{name}")
        for value in values:
            print(f"  {value:>6}: {step_of(value, steps):9.2f} ms", flush=True)


def growing() -> Iterator[tuple[str, tuple[int, ...], Callable[[int, int], float]]]:
    """Quantities that grow: (name, values, (value, steps) -> milliseconds)."""

    def time_of(net: Any, workload: str, steps: int, batch: int = workloads.BATCH, size: int = 28) -> float:
        x, y = workloads.samples(4 * batch, size)
        return workloads.median_ms(workloads.stepper(net, workload), x, y, batch, steps)

    def dense(*widths: int) -> Sequential:
        layers: list[Any] = [Flatten()]
        for inputs, outputs in zip((784, *widths), (*widths, 10), strict=True):
            layers += [Dense(inputs, outputs), activations.ReLU()]
        return Sequential(*layers[:-1])

    def threads(count: int, steps: int) -> float:
        before = numba.get_num_threads()
        numba.set_num_threads(count)
        try:
            return time_of(workloads.network("lenet-lfp"), "lenet-lfp", steps)
        finally:
            numba.set_num_threads(before)

    def lenet(batch: int, steps: int) -> float:
        return time_of(workloads.network("lenet-lfp"), "lenet-lfp", steps, batch)

    def image(size: int, steps: int) -> float:
        return time_of(workloads.network("lenet-lfp", size), "lenet-lfp", steps, size=size)

    def spiking(count: int, steps: int) -> float:
        return time_of(workloads.network("spiking_mlp-lfp", steps=count), "spiking_mlp-lfp", steps)

    yield "batch size, LeNet", (1, 8, 32, 128, 512), lenet
    yield "width, MLP 784-width-width-10", (64, 256, 1024), lambda w, steps: time_of(dense(w, w), "mlp-lfp", steps)
    yield "depth, MLP of 120 wide layers", (1, 2, 4, 8), lambda d, steps: time_of(dense(*[120] * d), "mlp-lfp", steps)
    yield "image size, LeNet", (28, 40, 56), image
    yield "steps T, spiking MLP", (5, 15, 45), spiking
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    yield "threads, LeNet", tuple(range(1, most + 1)), threads
