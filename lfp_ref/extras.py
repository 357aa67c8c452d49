"""The error for a missing optional package: names the package to install, and what works without it."""

from __future__ import annotations


class MissingExtra(ImportError):
    """An optional package is not installed.

    what: needs it, as a sentence's subject. package: its name for pip. extra: the extra of lfp-ref it belongs to.
    without: what works all the same, as a sentence of its own.
    """

    def __init__(self, what: str, package: str, extra: str, without: str) -> None:
        super().__init__(
            f'{what} needs {package}: python -m pip install {package} (or install lfp-ref with its extra "{extra}"). '
            f"{without}"
        )
