"""The formal part: `make -C proofs` where Coq is installed, and that its check lets nothing unproved pass."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(
    shutil.which("coqc") is None or shutil.which("coqchk") is None,
    reason="coqc and coqchk not found: the formal part was not compiled",
)
FALSE = {  # what a file may do to state something false
    "nothing": "Theorem right : 1 = 1. Proof. reflexivity. Qed.",
    "admitted": "Theorem wrong : 0 = 1. Admitted.",
    "declared": "Context (wrong : 0 = 1).",
    "an obligation": "Program Definition wrong : 0 = 1 := _.\nAdmit Obligations.",
    "between strings": 'Definition a := "(*"%string. Axiom wrong : 0 = 1. Definition b := "*)"%string.',
    "not at a line's beginning": "Theorem right : 1 = 1. Proof. auto. Qed. Theorem other : 2 = 2. Proof. auto. Qed.",
    "behind an attribute": "#[global] Lemma hidden : 2 = 2. Proof. reflexivity. Qed.",
    "another axiom": "From Coq Require Import Classical.\nTheorem other : 0 = 1 \\/ 0 <> 1. Proof. apply classic. Qed.",
}  # fmt: skip


@pytest.mark.skipif("PROOFS_COMPILED" in os.environ, reason="the formal part was compiled beforehand")
def test_every_proof_compiles():
    """Prints the theorems and their axioms; fails on anything unproved."""
    made = subprocess.run(["make", "-C", str(HERE)], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The check beside one compiled file of the proofs."""
    folder = tmp_path_factory.mktemp("proofs")
    (folder / "sums").mkdir()
    for name in ("check.sh", "sums/Sums.v"):
        shutil.copy(HERE / name, folder / name)
    subprocess.run(["coqc", "-R", ".", "LFP", "sums/Sums.v"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("how", FALSE)
def test_the_check_lets_nothing_pass(folder, how):
    (folder / "sums" / "Tried.v").write_text(
        f"From Coq Require Import String.\nFrom LFP Require Import sums.Sums.\n{FALSE[how]}\n"
    )
    subprocess.run(["coqc", "-R", ".", "LFP", "sums/Tried.v"], cwd=folder, check=True)
    found = subprocess.run(["./check.sh", "sums/Sums.v", "sums/Tried.v"], cwd=folder, capture_output=True, text=True)
    assert (found.returncode == 0) == (how == "nothing"), found.stdout[-1000:] + found.stderr
    assert how == "nothing" or "FAILED" in found.stderr
