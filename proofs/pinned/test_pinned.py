"""The generated Coq examples are those of today's vectors, and state what the vectors store."""

import numpy as np
import pytest

from lfp_ref.tools.conform import vectors
from proofs.pinned import generate


@pytest.mark.parametrize("name", generate.FILES)
def test_the_examples_are_current(name):
    """After a change of the vectors, `python -m proofs.pinned.generate` writes them anew."""
    assert (generate.HERE / name).read_text(encoding="utf-8") == generate.FILES[name]()


def test_their_fractions_round_to_what_the_vectors_store():
    stored = {case.name: case for case in vectors.load()}
    used = [
        name
        for cases in map(generate.family, ("rules", "dense", "pool", "residual", "conv", "spiking"))
        for name in cases
    ]
    for name in used:
        for quantity, exact in generate.case_of(name).exact.items():
            rounded = np.array([float(x) for x in exact.flat])
            assert np.array_equal(rounded, stored[name].expected[quantity].value.ravel()), (name, quantity)
