"""lfp-ref conform export, lfp-ref conform check: test vectors for ports to other languages."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from lfp_ref.tools.cli.options import add_command
from lfp_ref.tools.conform.check import check
from lfp_ref.tools.conform.vectors import DTYPES, SHIPPED, VERSION, export


def add_commands(commands: Any) -> None:
    conform = add_command(
        commands, "conform", "test vectors for a port to another language, and a checker of its answers",
        "Is a port of LFP right, layer by layer and to the digit? docs/porting.md is its guide.", """
Examples:
  lfp-ref conform export vectors
  lfp-ref conform check answers
""",
    )  # fmt: skip
    actions = conform.add_subparsers(required=True, metavar="ACTION")

    write = add_command(
        actions, "export", "write the vectors", "Writes the vectors, each family as .json and as .npz.", """
Example:
  lfp-ref conform export vectors
""",
    )  # fmt: skip
    write.add_argument("folder", type=Path, help="a new folder, or one of an earlier export")
    write.set_defaults(command=run_export)

    compare = add_command(
        actions, "check", "compare a port's answers with them",
        "One line a case: it agrees, or the first quantity that diverges, its index, both values, and the "
        "likely cause where the pattern is known. Exit status 0 if all cases agree, else 1.", """
Examples:
  lfp-ref conform check answers
  lfp-ref conform check vectors answers --dtype float32 --only "dense/*"
""",
    )  # fmt: skip
    compare.add_argument("folder", type=Path, nargs="+", metavar="[VECTORS] ANSWERS",
                         help="the answers; before them the vectors, if not those that ship")  # fmt: skip
    compare.add_argument(
        "--dtype", choices=DTYPES, default="float64", help="whose tolerances count (default: %(default)s)"
    )
    compare.add_argument("--only", metavar="PATTERN", help='cases to look at, as in "dense/*" (default: all)')
    compare.add_argument("--json", action="store_true", help="the report for machines")
    compare.set_defaults(command=run_check)


def run_export(options: argparse.Namespace) -> None:
    count = export(options.folder)
    print(f"{count} cases (version {VERSION}) in {options.folder}")


def run_check(options: argparse.Namespace) -> None:
    if len(options.folder) > 2:
        raise ValueError(f"check takes a folder of answers, or vectors and answers; got {len(options.folder)} folders")
    vectors, answers = [SHIPPED, *options.folder][-2:]
    report = check(answers, vectors, options.dtype, options.only)
    if options.json:
        print(json.dumps(report.as_json(), indent=1))
    else:
        for verdict in report.verdicts:
            print(verdict.line())
        for line in report.extra:
            print(f"extra      {line}")
        for line in report.files:
            print(f"unreadable {line}")
        if report.passed:
            print(report.summary())
    if not report.passed:
        raise ValueError(report.summary())
