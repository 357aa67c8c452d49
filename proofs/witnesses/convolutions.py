"""The two convolutions of Witnesses.v: a 1 x 1 kernel on two pixels, an activation, a dense layer to one output."""

from fractions import Fraction

import numpy as np

import lfp_ref as lfp
from lfp_ref.rules import Epsilon, Gradient
from proofs import exact
from tests import oracle

# name: (activation's layer, restated, w, x, v, epsilon, d g of the hidden weight, <d, g>)
CONVOLUTIONS = {
    "softsign": (lfp.Softsign, oracle.softsign, 1, (2, -3), (3, 3), 0, Fraction(-5, 192), Fraction(575, 192)),
    "softsign, scaled": (
        lfp.Softsign, oracle.softsign, Fraction(1, 120), (240, -360), (3, 3), 0, Fraction(-25, 8), Fraction(-5, 48),
    ),
    "stabilised ReLU": (
        lfp.ReLU, oracle.relu, Fraction(1, 200), (Fraction(200, 3), 200), (2, Fraction(-1, 2)), 1, Fraction(-25, 63),
        Fraction(-37, 126),
    ),
}  # fmt: skip


def restated(name):
    """(d g of the hidden weight, <d, g>), exactly, connection by connection."""
    _, act, w, x, v, epsilon, *_ = CONVOLUTIONS[name]
    conv, dense = oracle.Conv(fractions([[[[w]]]])), oracle.Dense(fractions([v]))
    net = oracle.Sequential(conv, act(), oracle.Flatten(), dense)
    out = net.forward(fractions([[[x]]]))
    exact.hand_back(net, fractions([[1]]), oracle.GRADIENT)
    gradients = [conv.d_weight, dense.d_weight]
    exact.hand_back(net, out, Fraction(epsilon))
    hidden, above = ((d * g).sum() for d, g in zip([conv.d_weight, dense.d_weight], gradients, strict=True))
    return hidden, hidden + above


def fractions(numbers):
    numbers = np.array(numbers, object)
    out = oracle.zeros(numbers.shape)
    for index in np.ndindex(numbers.shape):
        out[index] = Fraction(numbers[index])
    return out


def kernels(name):
    """The same in double precision on the kernels."""
    act, _, w, x, v, epsilon, *_ = CONVOLUTIONS[name]
    conv, dense = lfp.Conv2d(1, 1, 1, bias=False, dtype=np.float64), lfp.Dense(2, 1, bias=False, dtype=np.float64)
    conv.weight.value, dense.weight.value = [[[[float(w)]]]], [[float(v_p) for v_p in v]]
    net = lfp.Sequential(conv, act(), lfp.Flatten(), dense)
    net.feedback(net.forward(np.array([[[x]]], float)), Epsilon(float(epsilon)))
    feedback = [p.feedback.copy() for p in net.parameters()]
    net.feedback(np.ones((1, 1)), Gradient())
    products = [float((d * p.feedback).sum()) for d, p in zip(feedback, net.parameters(), strict=True)]
    return products[0], sum(products)
