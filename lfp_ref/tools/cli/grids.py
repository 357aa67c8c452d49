"""The grid of a sweep: a file of options, the runs that it means, and what is wrong with them before the first one."""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref import models, names
from lfp_ref.datasets import Dataset
from lfp_ref.extras import MissingExtra
from lfp_ref.tools.cli import training
from lfp_ref.tools.cli.common import DATA, part_of
from lfp_ref.tools.cli.options import NUMBER_REWARD, USUAL, parsed
from lfp_ref.tools.cli.results import found_columns

Settings = dict[str, Any]  # one run: its options by name, as in the grid

EXAMPLE = """
GRID.toml gives options of lfp-ref train, a list for what varies; the rest keeps train's defaults:

    data = "digits"
    validate = true    # test on held-out training samples to choose options
    rule = ["epsilon", "gamma", "gradient"]
    lr = [0.001, 0.003, 0.01, 0.03]
    seed = [0, 1, 2]
"""


def read_grid(file: Path) -> list[Settings]:
    """Every combination of the options in a TOML file, each once. Raises ValueError for what lfp-ref train rejects."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise MissingExtra("lfp-ref sweep", "tomli", "sweep", "Without it, lfp-ref train does one run.") from None
    try:
        grid = tomllib.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is no TOML file: {error}") from None
    if not grid:
        raise ValueError(f"{file} gives no options:{EXAMPLE}")
    lists = [value if isinstance(value, list) else [value] for value in grid.values()]
    for name, values in zip(grid, lists, strict=True):
        if name in ("out", "resume") or not values or not all(isinstance(v, str | int | float) for v in values):
            raise ValueError(f"{file}: {name} must be an option of lfp-ref train with a value or a list of them")
    given = [name.replace("-", "_") for name in grid]
    if twice := {name for name in given if given.count(name) > 1}:
        raise ValueError(f"{file}: {twice.pop()} stands there twice, with - and with _")
    runs: dict[tuple[str, ...], Settings] = {}
    checked: set[tuple[Any, ...]] = set()
    for chosen in itertools.product(*lists):
        try:
            options = parsed(dict(zip(given, chosen, strict=True)))
            run = {name: getattr(options, name) for name in given}  # 1 and 1.0 are one learning rate
            every_seed = tuple(value for name, value in run.items() if name not in ("seed", "data", "data_root"))
            if every_seed not in checked:
                training.planned(options, stand_in(options))
            checked.add(every_seed)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{file}: {error}") from None
        runs[cells(run)] = run
    return list(runs.values())


def stand_in(options: argparse.Namespace) -> Dataset:
    """Two samples that the network takes: what is wrong with options alone is found before the first run."""
    is_line = options.model not in names.NETWORKS
    outputs = models.parse(options.model.removeprefix(names.SPIKING_LINE))[-1].number if is_line else 10
    y = np.array([0, max(outputs - 1, 0)], np.int64)
    if options.task == "regression" or options.reward == NUMBER_REWARD:
        y = y.astype(np.float32)
    return Dataset("these data", np.zeros((2, 1, 28, 28), np.float32), y, np.empty(0), np.empty(0))


def found_of(runs: list[Settings], file: Path) -> tuple[str, ...]:
    """The columns of what is found. Raises ValueError for a grid whose runs do not have them in common."""
    for name in ("validate", "task"):
        if len({run.get(name) for run in runs}) > 1:
            raise ValueError(f"{file}: {name} must be one value, for all runs are in one table, got several")
    part = part_of(parsed(runs[0]))
    return found_columns(part, "r2" if runs[0].get("task") == "regression" else "accuracy")


def look_at_own_data(runs: list[Settings]) -> None:
    """Says how data in files were read, once. Raises ValueError for what no run could train on."""
    files = {run["data"]: run for run in runs if run.get("data", "digits") not in DATA}
    for run in files.values():
        options = parsed(run)
        check_task(training.data_to_train_on(options), options)


def check_task(data: Dataset, options: argparse.Namespace) -> None:
    """Raises ValueError for numbers to predict in a grid of classification: its table has a column for accuracy."""
    if data.is_regression and options.task != "regression":
        raise ValueError(f'{data.name} has numbers to predict: give task = "regression" in the grid')


def cells(run: Settings) -> tuple[str, ...]:
    """A run's options as in the file of results: they identify the run."""
    return tuple(map(str, run.values()))


def named(row: Settings) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items() if name in USUAL)
