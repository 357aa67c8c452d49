"""What the examples share: command line, tables, claims, LFP beside gradient, learning rates from held-out data.

Each example begins with `run = common.start(__doc__)` and ends with `run.claims(...)`. In between it writes, into one
folder, tables (CSV), figures (PNG) and nothing else; gallery.py makes its page from these files and from docstrings.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import lfp_ref as lfp
from lfp_ref.tools.figures import COLOURS, MARKERS

RESULTS = Path(__file__).parent / "results"
QUICK = Path("runs/examples/results")  # for quick runs, in the current folder
METHODS = {"LFP": lfp.rules.Epsilon(), "gradient": lfp.rules.Gradient()}
STYLES = {
    name: {"color": colour, "marker": marker}
    for name, colour, marker in zip((*METHODS, "third"), COLOURS, MARKERS, strict=False)
}
CLAIM = ("example", "claim", "reached", "seeds", "minutes")  # columns of the claims' tables


@dataclass(frozen=True)
class Run:
    """One run of an example: its name, whether it should be quick, the folder to write into, and its own options."""

    name: str
    quick: bool
    out: Path
    options: argparse.Namespace

    def file(self, ending: str) -> Path:
        return self.out / f"{self.name}{ending}"

    def table(self, rows: Sequence[dict[str, Any]], ending: str = ".csv") -> None:
        write_table(self.file(ending), rows)

    def figure(self, figure: Any, ending: str = ".png") -> None:
        figure.savefig(self.file(ending), dpi=120)

    def claims(self, *claims: tuple[str, str, str]) -> None:
        """Prints and writes what was claimed, what was reached, over how many seeds: a line each.

        Beside it stand the minutes of processor time that the script took: other work on the machine hardly moves them.
        """
        minutes = max(0.1, time.process_time() / 60)
        rows = [dict(zip(CLAIM, (self.name, *claim, f"{minutes:.1f}"), strict=True)) for claim in claims]
        self.table(rows, "_claims.csv")
        for row in rows:
            print(f"claim: {row['claim']}\nreached, seeds {row['seeds']}: {row['reached']}")
        print(f"{minutes:.1f} minutes of processor time; in {self.out}: {self.name}*")


def start(doc: str, *own: argparse.ArgumentParser) -> Run:
    """Reads the command line of the script that was started; doc: its docstring, shown by --help; own: more options."""
    if hasattr(signal, "SIGPIPE"):  # piped to head, it ends as other programs do
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, parents=own)
    parser.add_argument("--quick", action="store_true", help="a small version in under a minute")
    add_out(parser)
    options = parser.parse_args()
    return Run(Path(sys.argv[0]).stem, options.quick, out_folder(parser, options), options)


def add_out(parser: argparse.ArgumentParser) -> None:
    """Adds the option --out."""
    default = f"(default: {RESULTS}; {QUICK} with --quick)"
    parser.add_argument("--out", type=Path, help=f"folder for tables and figures {default}")


def out_folder(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Path:
    """The folder to write into, which exists then. A quick run is refused the results of the full one."""
    out: Path = options.out or (QUICK if options.quick else RESULTS)
    if options.quick and out.resolve() == RESULTS.resolve():
        parser.error(f"--quick would overwrite the results of the full runs in {out}: name another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    return out


def write_table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """A CSV file, a column per key of the first row; floats with five significant digits."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table, values as text."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def mnist(quick: bool) -> lfp.datasets.Dataset:
    """MNIST where LFP_REF_DATA names its folder; else, and for a quick run, the digits that ship with lfp_ref."""
    if not quick:
        try:
            return lfp.datasets.load_mnist()
        except FileNotFoundError as error:
            print(f"without MNIST, on digits: {error}")
    return lfp.datasets.load_digits()


def fashion(quick: bool) -> lfp.datasets.Dataset:
    """Fashion-MNIST, from the folder LFP_REF_FASHION or fetched; for a quick run the digits that ship with lfp_ref."""
    if quick:
        return lfp.datasets.load_digits()
    folder = os.environ.get("LFP_REF_FASHION")
    return (
        replace(lfp.datasets.load_mnist(folder), name="fashion-mnist")
        if folder
        else lfp.datasets.fetch("fashion-mnist")
    )


def train(
    net: lfp.Layer,
    data: lfp.datasets.Dataset | tuple[np.ndarray, np.ndarray],
    rule: lfp.rules.Rule,
    rate: float,
    *,
    epochs: int,
    seed: int,
    batch_size: int = 32,
    optimizer: Callable[..., lfp.optim.Optimizer] = lfp.optim.Adam,
    parameters: Iterable[lfp.Parameter] | None = None,
    one_cycle: bool = True,
    **options: Any,
) -> dict[str, np.ndarray] | None:
    """lfp.train without a log; None where it diverged.

    rate: the learning rate, the largest one of a one-cycle schedule unless that is switched off. parameters: the ones
    to train; all others are frozen. Other options as of lfp.train.
    """
    x = data.x_train if isinstance(data, lfp.datasets.Dataset) else data[0]
    steps = epochs * math.ceil(len(x) / batch_size)
    try:
        with np.errstate(over="ignore"):  # what diverges is told by None
            return lfp.train(
                net, data, optimizer=optimizer(net.parameters() if parameters is None else parameters, rate),
                rule=rule, epochs=epochs, batch_size=batch_size, seed=seed,
                schedule=lfp.optim.one_cycle(rate, steps) if one_cycle else None, log=None, **options,
            )  # fmt: skip
    except lfp.DivergenceError:
        return None


def last(history: dict[str, np.ndarray] | None, column: str = "test_accuracy") -> float:
    """The last value of a column; 0 for a run that diverged."""
    return 0.0 if history is None else float(history[column][-1])


def best(settings: Sequence[Any], score: Callable[[Any], float]) -> Any:
    """The setting of the highest score, taken on held-out training data; the first of those that tie."""
    return max(settings, key=score) if len(settings) > 1 else settings[0]


def spread(values: Iterable[float], form: str = ".1%") -> str:
    """Mean, lowest and highest, as text."""
    values = list(values)
    return spaced(f"{np.mean(values):{form}} ({min(values):{form}} to {max(values):{form}})")


def spaced(text: str) -> str:
    """The text with a space between number and percent sign."""
    return text.replace("%", " %")


def band(axes: Any, x: Sequence[float], runs: np.ndarray, label: str, **style: Any) -> None:
    """Draws the mean of runs (len(x), seeds) over x as a line, lowest to highest as a band."""
    axes.plot(x, np.mean(runs, axis=1), label=label, **{"markersize": 4, **style})
    axes.fill_between(x, np.min(runs, axis=1), np.max(runs, axis=1), color=style["color"], alpha=0.2, linewidth=0)
