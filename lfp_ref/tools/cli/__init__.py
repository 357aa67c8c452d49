"""The command line: lfp-ref, or python -m lfp_ref. One file a family of commands."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence

import lfp_ref
from lfp_ref.extras import MissingExtra
from lfp_ref.run import Interrupted
from lfp_ref.tools.cli import benchmarking, conforming, inspecting, page, sweeping, training
from lfp_ref.training import DivergenceError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except Interrupted as stop:
        is_train = options.command is training.run_train
        hint = f"; go on with: lfp-ref train --resume {shlex.quote(str(options.out))}" if is_train else ""
        print(f"\n{stop}{hint}", file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, TypeError, OSError, DivergenceError, MissingExtra) as error:
        print(f"lfp-ref: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="lfp-ref",
        description="Train neural networks by Layer-wise Feedback Propagation (LFP): without gradients.",
        epilog="Start with: lfp-ref train",
    )
    top.add_argument("--version", action="version", version=f"lfp-ref {lfp_ref.__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    training.add_commands(commands, top)
    sweeping.add_commands(commands)
    inspecting.add_commands(commands)
    benchmarking.add_commands(commands)
    conforming.add_commands(commands)
    page.add_commands(commands)
    return top
