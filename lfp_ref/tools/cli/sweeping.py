"""lfp-ref sweep: every combination of options and seeds, over this machine's cores or on a Dask cluster."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numba

from lfp_ref.datasets import Dataset
from lfp_ref.extras import MissingExtra
from lfp_ref.files import locked
from lfp_ref.run import Interrupted
from lfp_ref.tools.cli import training
from lfp_ref.tools.cli.common import load_data, part_of
from lfp_ref.tools.cli.grids import EXAMPLE, Settings, cells, check_task, found_of, look_at_own_data, named, read_grid
from lfp_ref.tools.cli.histories import named_columns
from lfp_ref.tools.cli.options import add_command, at_least, not_empty, parsed, path
from lfp_ref.tools.cli.results import FOUND, Results, found_columns, plot
from lfp_ref.training import DivergenceError


def add_commands(commands: Any) -> None:
    sweep = add_command(
        commands, "sweep", "train over a grid of options and seeds",
        "Train once for every combination of options in a file. Each run that finished is a line of results.csv, with "
        "its options, accuracy and status (done or diverged); the same command again does what is missing.",
        f"""
Example:
  lfp-ref sweep GRID.toml --out results --plot
{EXAMPLE}
Columns behind the options: status; test_accuracy (test_r2 for numbers), or validation_accuracy with validate, which
alone may choose options; train_accuracy, on each batch before its update; untouched, the part of all weights that an
update leaves as they were; all of the last epoch. seconds of the run; message, of one that diverged.
""",
    )  # fmt: skip
    sweep.add_argument("grid", nargs="?", type=path, metavar="GRID.toml", help="options; not needed for --plot alone")
    sweep.add_argument("--out", type=path, required=True, metavar="FOLDER", help="for results.csv")
    sweep.add_argument("--jobs", type=at_least(1), metavar="N",
                       help="runs at a time here (default: as many as there are processors it may use)")  # fmt: skip
    sweep.add_argument("--threads", type=at_least(1), metavar="N", help="of each run (default: 1)")
    sweep.add_argument("--scheduler", type=not_empty, metavar="ADDRESS",
                       help="of a Dask cluster, as in tcp://host:8786, to run there instead; start its workers with "
                       "--nthreads 1")  # fmt: skip
    sweep.add_argument("--plot", action="store_true", help="draw accuracy over learning rate, a line per rule")
    sweep.set_defaults(command=run_sweep)


def run_sweep(options: argparse.Namespace) -> None:
    if options.grid is None and not options.plot:
        raise ValueError("sweep needs a GRID.toml (lfp-ref sweep --help shows one), or --plot for what is there")
    given = [name for name in ("jobs", "threads", "scheduler") if getattr(options, name) is not None]
    if options.grid is None and given:
        raise ValueError(f"--{given[0]} is for the runs of a GRID.toml: name one, or leave it out")
    if options.scheduler and options.jobs is not None:
        raise ValueError("--jobs is for this machine; with --scheduler the cluster's workers decide: leave one out")
    file = options.out / "results.csv"
    if options.grid is not None:
        runs = read_grid(options.grid)
        found = found_of(runs, options.grid)
        if not options.scheduler:
            look_at_own_data(runs)
        with locked(options.out):
            sweep(runs, Results(file, found), options)
    if options.plot:
        plot(file)


def sweep(runs: list[Settings], results: Results, options: argparse.Namespace) -> None:
    """Does the runs that are missing. Raises ValueError at the end if any could not be done."""
    done = results.open(list(runs[0]))
    missing = [run for run in runs if cells(run) not in done]
    print(f"{len(runs)} runs, {len(runs) - len(missing)} of them done already", flush=True)
    if not missing:
        return
    rows = on_dask(missing, options) if options.scheduler else on_this_machine(missing, options)
    failed: list[str] = []
    finished = len(runs) - len(missing)
    try:
        with progress(len(runs), finished) as say:
            for row in rows:
                if row["status"] == "failed":
                    failed.append(f"{named(row)}: {row['message']}")
                else:
                    results.append(row)
                    finished += 1
                say(row)
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped: {finished} of {len(runs)} runs are in {results.file}; the same command goes on"
        ) from None
    print(f"{finished} of {len(runs)} runs are in {results.file}")
    if failed:
        raise ValueError(f"{len(failed)} runs could not be done; the same command tries them again:\n"
                         + "\n".join(failed[:10]))  # fmt: skip


# ---- the runs


def one_run(run: Settings, threads: int = 1) -> Settings:
    """Trains once, in this process; returns the line for the file of results.

    status: done; diverged, without accuracies; failed, which goes into no file.
    """
    begin = time.perf_counter()
    before = numba.get_num_threads()
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(threads, most))
    options = parsed(run)
    part, metric = part_of(options), "r2" if options.task == "regression" else "accuracy"
    numbers: dict[str, float | str] = dict.fromkeys(found_columns(part, metric), "")
    try:
        data = data_of(*(getattr(options, name) for name in DATA_OPTIONS))
        check_task(data, options)
        plan = training.planned(options, data)
        history = named_columns(training.run(plan, None, training.nothing_shown), options)
        plan.check_growth()
        numbers |= {name: float(history[name][-1]) for name in (f"{part}_{metric}", f"train_{metric}", "untouched")}
        status, message = "done", ""
    except DivergenceError as error:
        status, message = "diverged", str(error)
    except Exception as error:  # whatever it is, it must not stop the other runs
        status, message = "failed", f"{type(error).__name__}: {error}"
    finally:
        numba.set_num_threads(before)
    seconds = round(time.perf_counter() - begin, 3)
    return {**run, **numbers, "status": status, "seconds": seconds, "message": " ".join(message.split())}


DATA_OPTIONS = ("data", "data_root", "task", "standardise", "validate", "limit", "seed")


@lru_cache(maxsize=1)
def data_of(*values: Any) -> Dataset:
    """The data of a run, by the options that make them; loaded once for runs of a process that have them in common."""
    return load_data(argparse.Namespace(**dict(zip(DATA_OPTIONS, values, strict=True))))


def on_this_machine(runs: list[Settings], options: argparse.Namespace) -> Iterator[Settings]:
    """Lines as runs finish, in processes by joblib. Runs of a process that died are repeated, three times at most."""
    try:
        from joblib import Parallel, cpu_count, delayed
        from joblib.externals.loky.process_executor import TerminatedWorkerError
    except ImportError:
        raise MissingExtra("lfp-ref sweep", "joblib", "sweep", "Without it, lfp-ref train does one run.") from None
    left = {cells(run): run for run in runs}
    names = list(runs[0])
    deaths = 0
    while left:
        jobs = min(options.jobs or cpu_count(), len(left))
        work = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
        try:
            for row in work(delayed(one_run)(run, options.threads or 1) for run in list(left.values())):
                del left[cells({name: row[name] for name in names})]
                yield row
        except TerminatedWorkerError:
            deaths += 1
            if deaths == 4:
                raise ValueError(
                    "processes die again and again, perhaps for lack of memory: try fewer --jobs"
                ) from None
            print("a process died; what it had not finished is done again", file=sys.stderr, flush=True)


def on_dask(runs: list[Settings], options: argparse.Namespace) -> Iterator[Settings]:
    """Lines as runs finish, on the workers of a Dask cluster, which repeats the runs of a worker that died.

    Raises OSError where nobody answers at the address.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise MissingExtra(
            "lfp-ref sweep --scheduler", "distributed", "sweep", "Without it, lfp-ref sweep uses this machine's cores."
        ) from None
    with Client(options.scheduler) as client:
        futures = {client.submit(one_run, run, options.threads or 1, pure=False): run for run in runs}
        for future in as_completed(list(futures)):
            run = futures.pop(future)
            try:
                yield future.result()
            except Exception as error:  # not the run's own, which it reports itself: its worker's or the cluster's
                yield {**run, "status": "failed", "message": f"cluster: {error}"}
            future.release()


class progress:
    """Prints each run as it finishes and an estimate of the time left; with tqdm, a bar too."""

    def __init__(self, total: int, done: int) -> None:
        self.total, self.done, self.first, self.begin = total, done, done, time.monotonic()

    def __enter__(self) -> Callable[[Settings], None]:
        try:
            from tqdm import tqdm
        except ImportError:
            print("(a progress bar needs tqdm: pip install tqdm)")
            self.bar = None
        else:
            self.bar = tqdm(total=self.total, initial=self.done, unit="run", disable=not sys.stderr.isatty())
        return self.say

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def say(self, row: Settings) -> None:
        self.done += 1
        left = (time.monotonic() - self.begin) / (self.done - self.first) * (self.total - self.done)
        result = row["status"]
        if result == "done":
            name = list(row)[-len(FOUND) + 1]
            result = f"{row[name]:.2%}" if name.endswith("accuracy") else f"{name} {row[name]:.4f}"
        taken = f", {row['seconds']} s" if "seconds" in row else ""
        line = f"{self.done}/{self.total}  {named(row)}: {result}{taken}; about {left:.0f} s left"
        if self.bar is None:
            print(line, flush=True)
        else:
            self.bar.write(line, file=sys.stdout)
            self.bar.update()
