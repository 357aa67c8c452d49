"""The formal part: `make -C proofs` where Coq is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(shutil.which("coqc") is None, reason="coqc not found: the formal part was not compiled")
@pytest.mark.skipif("PROOFS_COMPILED" in os.environ, reason="the formal part was compiled beforehand")
def test_every_proof_compiles():
    """Prints the theorems and their axioms; fails on anything unproved."""
    made = subprocess.run(["make", "-C", str(HERE)], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
