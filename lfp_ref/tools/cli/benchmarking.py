"""lfp-ref bench: time of a training step, of ours and of other packages, and its growth with size."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba

from lfp_ref import names
from lfp_ref.network import Sequential
from lfp_ref.tools import bench
from lfp_ref.tools.bench import measuring, workloads
from lfp_ref.tools.bench.measuring import MNIST, WORKLOADS, Shape
from lfp_ref.tools.bench.peers import peers_of
from lfp_ref.tools.cli.options import add_command, at_least, not_empty

Row = dict[str, Any]  # one measurement
TOOLS = str(Path(bench.__path__[0]).parent)  # where peers.py is found without lfp_ref


def add_commands(commands: Any) -> None:
    parser = add_command(
        commands, "bench", "measure training steps",
        "Median milliseconds of whole training steps, the fraction of the machine's matrix-product speed, "
        "and peak memory. Batch 128 (lenet1: 1, lenet1024: 1024) of MNIST where $LFP_REF_DATA names its folder, else "
        "of random images; vgg and resnet20: batch 64 of random images 3 x 32 x 32.", """
Examples:
  lfp-ref bench lenet-lfp --steps 50
  lfp-ref bench --peers
""",
    )  # fmt: skip
    parser.add_argument("workload", nargs="*", help=f"{', '.join(WORKLOADS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON line a workload")
    parser.add_argument("--peers", action="store_true", help="lfprop, PyTorch, scikit-learn in turn, where installed")
    parser.add_argument("--peers-python", type=not_empty, metavar="PYTHON",
                        help="of the environment that has the peers (default: this one)")  # fmt: skip
    parser.add_argument("--rounds", type=at_least(1), metavar="N", help="of --peers; medians are shown (default: 3)")
    parser.add_argument("--steps", type=at_least(1), metavar="N", help="to measure (default: 6 to 300, by workload)")
    parser.add_argument("--scaling", action="store_true",
                        help="how time grows with batch, width, depth, image size, T and threads")  # fmt: skip
    parser.set_defaults(command=run_bench)


def run_bench(options: argparse.Namespace) -> None:
    chosen = options.workload or list(WORKLOADS)
    if unknown := [workload for workload in chosen if workload not in WORKLOADS]:
        raise ValueError(f"unknown workload {unknown[0]!r}; known: {', '.join(WORKLOADS)}")
    for name in ("rounds", "peers_python"):
        if getattr(options, name) is not None and not options.peers:
            raise ValueError(f"--{name.replace('_', '-')} is for --peers: add it, or leave this out")
    if options.scaling and (options.workload or options.json or options.peers):
        raise ValueError("--scaling has its own workloads and table: leave out workloads, --json and --peers")
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
            ratios = f"{theirs / ms:5.1f} x our time, {memory / row['rss_mb']:.1f} x our memory"
            print(f"  {peer:16s}{theirs:9.2f}{'':18s}{memory:7d} MB   {ratios}", flush=True)


def rounds(workload: str, options: argparse.Namespace) -> tuple[list[Row], dict[str, list[Row]]]:
    """Rows of ours and, with --peers, of each peer, one after the other, round by round: the machine's speed drifts."""
    steps = str(options.steps or WORKLOADS[workload].steps)
    ours: list[Row] = []
    others: dict[str, list[Row]] = {}
    missing: set[str] = set()
    for _ in range(options.rounds or 3 if options.peers else 1):
        ours.append(own_row(workload, steps))
        for peer in peers_of(workload) if options.peers else ():
            if peer in missing:
                continue
            row = peer_row(peer, workload, steps, options.peers_python or sys.executable)
            if row is None:
                missing.add(peer)
            else:
                others.setdefault(peer, []).append(row)
    return ours, others


def own_row(workload: str, steps: str) -> Row:
    """The row of this package, measured in a process of its own."""
    environment = {**os.environ, "NUMBA_NUM_THREADS": str(numba.get_num_threads())}
    done = run([sys.executable, "-m", "lfp_ref.tools.bench.workloads", workload, steps], environment)
    return last_row(done)


def peer_row(peer: str, workload: str, steps: str, python: str = sys.executable) -> Row | None:
    """The row of a peer, measured by that Python in a process without lfp_ref; None if it lacks the package."""
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([TOOLS, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment.pop("GOMP_SPINCOUNT", None)  # kernels/threads.py sets it, for Numba's threads
    done = run([python, "-m", "bench.peers", peer, workload, steps], environment)
    if done.returncode == 3:
        print(f"  {peer}: {done.stderr.strip()}", file=sys.stderr, flush=True)
        return None
    return last_row(done)


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The finished process of a command. Raises ValueError where there is no such program."""
    try:
        return subprocess.run(command, capture_output=True, text=True, env=environment)
    except OSError as error:
        raise ValueError(f"{command[0]} cannot be run: {error}") from None


def last_row(done: subprocess.CompletedProcess[str]) -> Row:
    """The JSON row that a process printed last. Raises ValueError if it failed."""
    if done.returncode:
        raise ValueError(f"{' '.join(done.args)} failed:\n{done.stderr[-2000:]}")
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def scaling(steps: int) -> None:
    """Prints the milliseconds of a step for every value of every quantity that grows."""
    print(f"milliseconds of an LFP step, {numba.get_num_threads()} threads, batch 128 where it is not what grows")
    for name, values, step_of in growing():
        print(f"\n{name}")
        for value in values:
            print(f"  {value:>6}: {step_of(value, steps):9.2f} ms", flush=True)


def growing() -> Iterator[tuple[str, tuple[int, ...], Callable[[int, int], float]]]:
    """Quantities that grow: (name, values, (value, steps) -> milliseconds)."""

    def time_of(net: Sequential, workload: str, steps: int, batch: int = 128, shape: Shape = MNIST) -> float:
        x, y = measuring.samples(4 * batch, shape)
        return measuring.median_ms(workloads.stepper(net, workload), x, y, batch, steps)

    def dense(*widths: int) -> Sequential:
        return names.network("-".join(map(str, (*widths, 10))))(MNIST, 10)

    def threads(count: int, steps: int) -> float:
        before = numba.get_num_threads()
        numba.set_num_threads(count)
        try:
            return lenet(128, steps)
        finally:
            numba.set_num_threads(before)

    def lenet(batch: int, steps: int) -> float:
        return time_of(workloads.network("lenet-lfp"), "lenet-lfp", steps, batch)

    def image(size: int, steps: int) -> float:
        shape = (1, size, size)
        return time_of(workloads.network("lenet-lfp", shape), "lenet-lfp", steps, shape=shape)

    def spiking(count: int, steps: int) -> float:
        return time_of(workloads.network("spiking_mlp-lfp", steps=count), "spiking_mlp-lfp", steps)

    yield "batch size, LeNet", (1, 8, 32, 128, 512), lenet
    yield "width, MLP 784-width-width-10", (64, 256, 1024), lambda w, steps: time_of(dense(w, w), "mlp-lfp", steps)
    yield "depth, MLP of 120 wide layers", (1, 2, 4, 8), lambda d, steps: time_of(dense(*[120] * d), "mlp-lfp", steps)
    yield "image size, LeNet", (28, 40, 56), image
    yield "steps T, spiking MLP", (5, 15, 45), spiking
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    yield "threads, LeNet", tuple(range(1, most + 1)), threads
