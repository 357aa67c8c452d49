"""lfp-ref completion: a script that completes commands, options and names in a shell, made by shtab."""

from __future__ import annotations

import argparse
from typing import Any

from lfp_ref import names, rules
from lfp_ref.extras import MissingExtra
from lfp_ref.tools.cli.options import REWARDS, add_command

SHELLS = ("bash", "zsh", "tcsh")
# Names to offer for options that take others too, such as files, which may be typed all the same.
OFFERED: dict[str, list[str]] = {
    "model": list(names.NETWORKS),
    "activation": list(names.ACTIVATIONS),
    "reward": list(REWARDS),
    "rule": [*names.RULES, *names.COMPOSITES],
    "against": [name for name, rule in names.RULES.items() if issubclass(rule, rules.Gradient)],
}
FILES = ("data", "out", "resume", "checkpoint", "grid", "data_root", "folder", "target", "peers_python")


def add_commands(commands: Any) -> None:
    complete = add_command(
        commands, "completion", "complete commands and options in your shell",
        "Prints a script for a shell, made by shtab (extra completion).", """
Examples:
  lfp-ref completion bash > ~/.local/share/bash-completion/completions/lfp-ref
  lfp-ref completion zsh > ~/.zfunc/_lfp-ref
""",
    )  # fmt: skip
    complete.add_argument("shell", choices=SHELLS)
    complete.set_defaults(command=run_completion)


def run_completion(options: argparse.Namespace) -> None:
    try:
        import shtab
    except ImportError:
        raise MissingExtra("lfp-ref completion", "shtab", "completion", "Without it, --help lists all.") from None
    from lfp_ref.tools.cli import parser  # which imports this module

    top = parser()
    offer(top, shtab.FILE)
    print(shtab.complete(top, shell=options.shell))


def offer(parser: argparse.ArgumentParser, file: Any) -> None:
    """Gives the options of a parser, and of its commands, the names or files to offer."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                offer(inner, file)
        elif action.dest in OFFERED:
            action.choices = OFFERED[action.dest]
        elif action.dest in FILES:
            action.complete = file  # type: ignore[attr-defined]
