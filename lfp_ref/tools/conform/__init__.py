"""Conformance of ports: vectors to compute, and a checker of a port's answers. The guide is docs/porting.md.

vectors.py   the cases that ship, in JSON; export writes them, and the same as .npz
answers.py   what a port wrote back
check.py     the comparison, case by case
causes.py    what usually went wrong where it diverges
"""

from lfp_ref.tools.conform.check import check
from lfp_ref.tools.conform.vectors import export, load

__all__ = ["check", "export", "load"]
