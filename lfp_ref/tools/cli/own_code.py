"""Rewards and rules in files of the user: FILE.py:NAME where a name of the package would stand."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from lfp_ref import names, rewards, rules
from lfp_ref.composites import Composite
from lfp_ref.core.checks import check_callable, refuse
from lfp_ref.core.layer import Layer


def is_own(text: str) -> bool:
    """True for FILE.py:NAME."""
    return ".py:" in text


def absolute(text: str) -> str:
    """FILE.py:NAME with the whole path, so that a stored run finds it again."""
    file, _, name = text.rpartition(":")
    return f"{Path(file).absolute()}:{name}"


def short(text: str) -> str:
    """A name for folders and pictures: that of the file and what is in it, without the path."""
    return f"{Path(text.rpartition(':')[0]).stem}-{text.rpartition(':')[2]}" if is_own(text) else text


def reward(text: str) -> rewards.Reward:
    """The reward of that name, or the function in a file. Raises ValueError or TypeError that names the file."""
    if not is_own(text):
        return names.reward(text)
    function = loaded(text)
    check_callable(text, function, "outputs, targets")
    return function


def rule(text: str, net: Layer, learning: str = "share") -> rules.Rule | Composite:
    """The rule or composite of that name, or in a file: a rule, a dict of rules, or a function of the network.

    learning: of a rule of the package. Raises ValueError or TypeError that names the file.
    """
    if not is_own(text):
        return names.rule_or_composite(text, net, learning)
    if learning != "share":
        raise ValueError(f"--learning {learning} is for rules of the package: write it into {text}")
    found = loaded(text)
    if isinstance(found, type) and issubclass(found, rules.Rule):
        found = found()
    elif callable(found) and not isinstance(found, rules.Rule):
        check_callable(text, found, "net")
        found = found(net)
    if not isinstance(found, rules.Rule | dict):
        raise refuse(text, "a rule, a dict of rules, or a function (network) that returns one", found, TypeError)
    return found


def is_gradient(text: str) -> bool:
    """True for the name of gradient descent, with a surrogate or without, and for a file's rule of that kind."""
    if not is_own(text):
        return issubclass(names.RULES.get(text.partition(":")[0], rules.Rule), rules.Gradient)
    found = loaded(text)
    return isinstance(found, rules.Gradient) or (isinstance(found, type) and issubclass(found, rules.Gradient))


def fingerprints(*texts: str) -> dict[str, str]:
    """Of each FILE.py:NAME among the texts, a checksum of the file, by which a stored run sees that it has changed."""
    files = {text.rpartition(":")[0] for text in texts if is_own(text)}
    return {file: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in sorted(files)}


def loaded(text: str) -> Any:
    """What FILE.py:NAME names: the file is run, and NAME taken from it. Raises ValueError where that fails."""
    file, _, name = text.rpartition(":")
    if not Path(file).is_file():
        raise ValueError(f"{text}: there is no file {file}")
    module = _module(file, Path(file).stat().st_mtime_ns)
    if not hasattr(module, name):
        own = [
            key
            for key, thing in vars(module).items()
            if isinstance(thing, rules.Rule) or getattr(thing, "__module__", "") == module.__name__
        ]
        raise refuse(f"NAME in {file}:NAME", f"defined there, as {', '.join(own) or 'nothing is'}", name)
    return getattr(module, name)


@lru_cache
def _module(file: str, changed: int) -> ModuleType:
    """The module that a file makes; run once, unless it has changed."""
    spec = importlib.util.spec_from_file_location(f"lfp_ref_own_{Path(file).stem}", file)
    assert spec is not None and spec.loader is not None, "a file that ends in .py"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever it is, it is the file's
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        at = f", line {lines[-1]}" if lines else ""
        raise ValueError(f"{file}{at}: {type(error).__name__}: {error}") from None
    return module
