"""Positions of a convolution are like a batch: two exact counterexamples, restated and on the kernels."""

import pytest

from proofs.witnesses.convolutions import CONVOLUTIONS, kernels, restated


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_the_hidden_weight_descends(name):
    *_, hidden, total = CONVOLUTIONS[name]
    assert restated(name) == (hidden, total) and hidden < 0


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_the_kernels_agree(name):
    """Fewer than 40 operations, no product above 400 before they cancel: far below 1e-11."""
    *_, hidden, total = CONVOLUTIONS[name]
    assert kernels(name) == pytest.approx((float(hidden), float(total)), abs=1e-11)
