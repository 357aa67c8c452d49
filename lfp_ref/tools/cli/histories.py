"""The history of a run as it is shown and written: names of columns and runs, CSV."""

from __future__ import annotations

import argparse
import csv
import io
import re
from pathlib import Path

from lfp_ref.files import written_whole
from lfp_ref.run import History
from lfp_ref.tools.cli import own_code
from lfp_ref.tools.cli.common import neurons, part_of

COLUMNS = """
Columns of history.csv and of a line an epoch: reward, the mean of a sample; train and test accuracy (R2 for numbers),
of the training part on each batch before its update; untouched, the part of all weights that an update leaves exactly
as they were, which sparse rewards, silent neurons and a learning rate near 0 make large; seconds of training alone.
With --validate, validation stands in place of test. Spiking networks: spike_rate of each layer, and operations, the
sums that spikes cost.
"""


def named_columns(history: History, options: argparse.Namespace) -> History:
    """The history by the names that are shown: what was validated is not called tested."""
    return {re.sub("^test_", f"{part_of(options)}_", name): column for name, column in history.items()}


def write_history(path: Path, history: History) -> None:
    """The history as CSV, a line an epoch."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(history)
    writer.writerows(zip(*(column.tolist() for column in history.values()), strict=True))
    with written_whole(path) as file:
        file.write(text.getvalue().encode())


def run_label(rule: str) -> str:
    """The method of a run, by its rule: LFP, unless that is gradient descent."""
    return own_code.short(rule) if own_code.is_gradient(rule) else f"LFP-{own_code.short(rule)}"


def run_title(options: argparse.Namespace) -> str:
    """Network, data and seed of a run, for pictures."""
    return f"{options.model} ({neurons(options)}) on {Path(options.data).stem}, seed {options.seed}"
