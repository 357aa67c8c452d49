"""The command line: lfp-ref, or python -m lfp_ref. One file a family of commands."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Sequence

import lfp_ref
from lfp_ref.extras import MissingExtra
from lfp_ref.run import Interrupted
from lfp_ref.tools.cli import (
    benchmarking,
    comparing,
    completing,
    conforming,
    converting,
    inspecting,
    page,
    sweeping,
    training,
)
from lfp_ref.tools.cli.options import Help
from lfp_ref.training import DivergenceError


def process() -> int:
    """Runs the command of this process, whose signals and streams are the command's own; as main."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a name that the terminal cannot show is no reason to fail
                stream.reconfigure(errors="backslashreplace")
        return main()
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the rest is Python's own end
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C or SIGTERM."""
    options = argparse.Namespace()
    try:
        parser().parse_args(arguments, options)
        options.command(options)
        print(end="", flush=True)
    except KeyboardInterrupt as stop:
        said = str(stop) if isinstance(stop, Interrupted) else "stopped"
        print(f"\n{said}{how_to_go_on(options)}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, TypeError, OSError, MemoryError, DivergenceError, MissingExtra) as error:
        print(f"lfp-ref: {error or 'out of memory'}", file=sys.stderr)
        return 1
    return 0


def how_to_go_on(options: argparse.Namespace) -> str:
    """The end of a message about a stopped command: the command that goes on with the run, if it saved one."""
    folder = vars(options).get("out")
    if vars(options).get("command") is not training.run_train or not folder or not any(folder.glob("checkpoint.npz")):
        return ""
    return f"; go on with: lfp-ref train --resume {shlex.quote(str(folder))}"


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="lfp-ref",
        description="Train neural networks by Layer-wise Feedback Propagation (LFP): without gradients.",
        epilog="Start with:\n  lfp-ref train\n\nAll about a command:\n  lfp-ref COMMAND --help",
        formatter_class=Help,
    )
    top.add_argument("--version", action="version", version=f"lfp-ref {lfp_ref.__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    training.add_commands(commands)
    comparing.add_commands(commands)
    sweeping.add_commands(commands)
    inspecting.add_commands(commands)
    converting.add_commands(commands)
    benchmarking.add_commands(commands)
    conforming.add_commands(commands)
    page.add_commands(commands)
    completing.add_commands(commands)
    return top
