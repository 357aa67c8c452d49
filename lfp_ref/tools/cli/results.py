"""The results of a sweep: a file that grows by a line per run, and its picture."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.tools import figures
from lfp_ref.tools.cli import own_code
from lfp_ref.tools.cli.folders import draw


def found_columns(part: str = "test", metric: str = "accuracy") -> tuple[str, ...]:
    """Columns of results.csv behind a run's options. part: test, or validation, which chooses options."""
    return ("status", f"{part}_{metric}", f"train_{metric}", "untouched", "seconds", "message")


FOUND = found_columns()
EVERY_FOUND = [found_columns(part, metric) for part in ("test", "validation") for metric in ("accuracy", "r2")]


class Results:
    """A CSV file that grows by a line per run, and is whole at any time but for a last line that a crash cut off.

    found: its columns behind those of a run's options.
    """

    def __init__(self, file: Path, found: tuple[str, ...] = FOUND) -> None:
        self.file = file
        self.found = found

    def open(self, names: list[str]) -> set[tuple[str, ...]]:
        """The options, in this order, of the runs that are in it. Raises ValueError where it has other columns."""
        header = [*names, *self.found]
        if not self.file.exists() or not self.file.stat().st_size:
            self._write(header)
            return set()
        with self.file.open("rb") as file:
            content = file.read()
        there, rows = read_rows(self.file, content[: content.rfind(b"\n") + 1])
        if there != header:
            raise ValueError(f"{self.file} is of a grid with other options: its columns are {', '.join(there)}, this "
                             f"grid's are {', '.join(header)}; choose another --out")  # fmt: skip
        os.truncate(self.file, content.rfind(b"\n") + 1)
        return {tuple(row[name] for name in names) for row in rows}

    def append(self, row: dict[str, Any]) -> None:
        self._write(list(row.values()))

    def _write(self, line: list[Any]) -> None:
        with self.file.open("a", newline="", encoding="utf-8", errors="surrogateescape") as file:
            csv.writer(file, lineterminator="\n").writerow(line)
            file.flush()
            os.fsync(file.fileno())


def read_rows(file: Path, content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and rows of a file of results. Raises ValueError, with the line's number, for another file."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8", "surrogateescape"), newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(f"{file} is not a file of results of lfp-ref sweep, or damaged: {error}") from None
    header, *rest = lines or [[]]
    if tuple(header[-len(FOUND) :]) not in EVERY_FOUND:
        raise ValueError(f"{file} is not a file of results of lfp-ref sweep: its first line must end in "
                         f"{','.join(FOUND)}")  # fmt: skip
    rows = []
    for number, line in enumerate(rest, 2):
        row = dict(zip(header, line, strict=False))
        if len(line) != len(header) or row["status"] not in ("done", "diverged"):
            raise ValueError(f"{file}, line {number}: expected {len(header)} cells, with status done or diverged, "
                             f"got {line}")  # fmt: skip
        rows.append(row)
    return header, rows


def plot(file: Path) -> None:
    """Draws accuracy over learning rate beside a file of results. Raises ValueError where there is none to draw."""
    if not file.is_file():
        raise FileNotFoundError(f"no results at {file}: lfp-ref sweep GRID.toml --out {file.parent} makes them")
    header, rows = read_rows(file, file.read_bytes())
    if not rows or "lr" not in header:
        raise ValueError(f"{file} has no runs with a learning rate of their own: give lr in the grid")
    options, tested = header[: -len(FOUND)], header[1 - len(FOUND)]
    varied = [name for name in options if name not in ("lr", "seed") and len({row[name] for row in rows}) > 1]
    lines_of: dict[str, dict[float, list[float]]] = {}
    for number, row in enumerate(rows, 2):
        label = ", ".join(own_code.short(row[name]) if name == "rule" else f"{name} {row[name]}" for name in varied)
        try:
            accuracy = float(row[tested]) if row["status"] == "done" else np.nan
            rate = float(row["lr"])
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: lr and {tested} must be numbers: {error}") from None
        line = lines_of.setdefault(label or row.get("rule", "epsilon"), {})
        line.setdefault(rate, []).append(accuracy)
    fixed = [row_name for row_name in ("model", "data") if len({row.get(row_name) for row in rows}) == 1]
    title = ", ".join(rows[0][name] for name in fixed if rows[0].get(name))
    picture = draw(file.with_name("accuracy.png"), figures.over_rates, lines_of, title, tested)
    print(f"in {file.parent}: {file.name}{picture}")
