"""Every counterexample of witnesses.json: exact, the smallest on its grid, and through tests/oracle.py once more."""

import json
import re
from fractions import Fraction

import numpy as np
import pytest

from proofs import exact
from proofs.witnesses import search
from tests import oracle

FOUND = json.loads(search.RESULT.read_text())
BY_NAME = {witness.name: witness for witness in search.WITNESSES}


def numbers(name):
    return {key: Fraction(value) for key, value in FOUND[name]["numbers"].items()}


def test_the_file_holds_what_the_search_searches_for():
    assert list(FOUND) == list(BY_NAME)


@pytest.mark.parametrize("name", FOUND)
def test_the_claim_is_broken_exactly(name):
    value = BY_NAME[name].broken(**numbers(name))
    assert value == Fraction(FOUND[name]["value"]) and value < 0


@pytest.mark.parametrize("name", [name for name in FOUND if FOUND[name]["H"] <= 3])
def test_the_search_finds_it_again(name):
    """Those with large grids take longer; `python -m proofs.witnesses.search` repeats all."""
    bound, found, value = search.smallest(BY_NAME[name])
    assert (bound, found, value) == (FOUND[name]["H"], numbers(name), Fraction(FOUND[name]["value"]))


def fractions(rows):
    out = np.empty((len(rows), len(rows[0])), object)
    for k in np.ndindex(out.shape):
        out[k] = Fraction(rows[k[0]][k[1]])
    return out


def raised_softsign():
    return oracle.Pointwise(lambda z: 1 + z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2)


NETWORKS = {  # name: what its numbers are -> (weights, activation, samples, dJ/dz, epsilon)
    "activation": lambda x, w, v: ([[[w]], [[v]]], raised_softsign, [[x]], [[1]], 0),
    "depth": lambda u1, u2, v1, v2, x, w: ([[[w]], [[u1], [u2]], [[v1, v2]]], oracle.softsign, [[x]], [[1]], 0),
    "batch": lambda x1, x2, w, v: ([[[w]], [[v]]], oracle.softsign, [[x1], [x2]], [[1], [1]], 0),
    "stabiliser-batch": lambda x1, x2, c1, c2, w, e: ([[[w]]], oracle.relu, [[x1], [x2]], [[c1], [c2]], e),
    "stabiliser-outputs": lambda v1, v2, c1, c2, x, w, e: ([[[w]], [[v1], [v2]]], oracle.relu, [[x]], [[c1, c2]], e),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_descent_through_the_restatement(name):
    """<d, dJ/dw> once more, by the restatement that the kernels are compared with."""
    weights, act, x, slope, epsilon = NETWORKS[name](**numbers(name))
    layers = [layer for w in weights for layer in (oracle.Dense(fractions(w)), act())]
    net = oracle.Sequential(*layers[:-1])
    z = net.forward(fractions(x))
    exact.hand_back(net, fractions(slope), oracle.GRADIENT)
    gradients = [g for _, g in exact.parameters(net)]
    exact.hand_back(net, z * fractions(slope), Fraction(epsilon))
    rise = sum((d * g).sum() for (_, d), g in zip(exact.parameters(net), gradients, strict=True))
    assert rise == Fraction(FOUND[name]["value"])


def test_the_search_is_printed_readably(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["search", "batch"])
    search.main()
    said = capsys.readouterr().out
    assert re.search(r"batch: one hidden layer, two samples.*\n.*x1 = 2, x2 = -3, w = 1, v = 3.*\n.*-1/192", said, re.S)
