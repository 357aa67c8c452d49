"""Each wrong definition or statement of mutations.py breaks the build, and in the file it names."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proofs.mutations import MUTATIONS, page

HERE = Path(__file__).parent
needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason="coqc not found: the formal part was not compiled")
NOT_A_VERDICT = ("inconsistent assumptions", "Cannot find a physical path", "Syntax error")


@pytest.fixture(scope="module")
def compiled():
    """The folder of the proofs, compiled."""
    subprocess.run(["make", "-C", str(HERE), "compile"], check=True, capture_output=True)
    return HERE


def coqc(folder, file):
    return subprocess.run(["coqc", "-R", ".", "LFP", file], cwd=folder, capture_output=True, text=True, timeout=300)


def verdict(folder, mutation, place):
    """What Coq says to a mutation in a copy of the folder: (file, message) of the first error, or None."""
    shutil.copytree(folder, place, ignore=shutil.ignore_patterns("*.py", "*.png", "*.csv", "*.json", "__pycache__"))
    source = place / mutation.chain[0]
    text = source.read_text()
    assert text.count(mutation.old) >= 1, f"{mutation.what}: its text is not in {mutation.chain[0]}"
    source.write_text(text.replace(mutation.old, mutation.new, 1))
    for file in mutation.chain:
        said = coqc(place, file)
        if said.returncode:
            break
    shutil.rmtree(place)
    return (file, said.stderr) if said.returncode else None


@needs_coq
def test_every_mutation_breaks_the_build(compiled, tmp_path):
    assert len(MUTATIONS) >= 20 and len({mutation.what for mutation in MUTATIONS}) == len(MUTATIONS)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(lambda k: verdict(compiled, MUTATIONS[k], tmp_path / str(k)), range(len(MUTATIONS)))
        wrong = [line for mutation, said in zip(MUTATIONS, found, strict=True) for line in judged(mutation, said)]
    assert not wrong, "\n".join(wrong)


def judged(mutation, said):
    """What is wrong with a verdict: nothing failed, another file failed, or for another reason than a proof."""
    if said is None:
        yield f"{mutation.what}: went through unnoticed"
    elif said[0] != mutation.chain[-1] or any(other in said[1] for other in NOT_A_VERDICT):
        yield f"{mutation.what}: {said[0]} failed: {said[1]}"


def test_the_page_lists_them():
    """After a change of the list, `python -m proofs.mutations` writes the page anew."""
    assert (HERE / "mutations.md").read_text(encoding="utf-8") == page()
