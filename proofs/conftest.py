"""The checks' settings are the tests'; the summary of a run says what was proved formally, and what chance is left."""

import math
import shutil

import tests.conftest  # noqa: F401 (the Hypothesis profile)
from proofs.exact import CHANCES


def pytest_terminal_summary(terminalreporter):
    if CHANCES:
        worst = max(CHANCES, key=CHANCES.get)
        total = math.log2(sum(CHANCES.values()))
        terminalreporter.write_line(
            f"proofs: {len(CHANCES)} identities held exactly; the chance that a false one passed is at most "
            f"2^{total:.0f} (Schwartz-Zippel; the largest share: {worst})"
        )
    if shutil.which("coqc") is None:
        terminalreporter.write_line("proofs: coqc not found, so the formal part was not compiled (apt-get install coq)")
