"""Every link of these pages leads somewhere, and what it names is defined there."""

import re

import pytest

from proofs import links

FOLDERS = ["conservation", "equivalence", "ascent", "sign_and_sparsity", "one_neuron", "activation_condition",
           "stabiliser", "spiking", "witnesses", "rewards", "normalisation", "optimisers"]  # fmt: skip


@pytest.mark.parametrize("page", links.pages(), ids=lambda page: str(page.relative_to(links.HERE)))
def test_links_lead_somewhere(page):
    """After a change of a .v or .py file, `python -m proofs.links` sets the lines anew."""
    assert not links.problems(page)


def test_every_line_of_the_table_links_statement_proof_check_and_kernel():
    rows = [line for line in (links.HERE / "README.md").read_text().splitlines() if re.match(r"\| \*\*", line)]
    assert len(rows) >= 20
    for row in rows:
        targets = [target for _, target, _ in links.LINK.findall(row)]
        assert any(target.endswith("README.md") for target in targets), row
        assert any(target.endswith(".py") and "test_" in target for target in targets), row
        assert any("lfp_ref/" in target for target in targets), row
        assert any(target.endswith(".v") for target in targets) == ("formally" in row or "witness" in row), row
    for folder in FOLDERS:
        assert any(f"({folder}/README.md" in row for row in rows), folder
