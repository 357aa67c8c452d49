"""The condition under which depth and batches are safe: bounds on secant/derivative, against cancellation.

For a weight below h hidden layers: G its gradient, a sum over paths and samples; A the same sum of absolute values; S
the same sum with secants for derivatives, so that d = |w| S. With every ratio secant/derivative in [m, M]:

    |S - mu G| <= radius A,    mu = (M^h + m^h)/2,  radius = (M^h - m^h)/2
"""

from __future__ import annotations

from fractions import Fraction

from proofs.witnesses.passes import forward


def sums(weights, samples, act, slope):
    """(S, G, A) of every weight: lists of matrices, for networks as in proofs/witnesses/passes.py."""
    shape = [[[Fraction(0) for _ in row] for row in w] for w in weights]
    secant, gradient, absolute = ([[row[:] for row in w] for w in shape] for _ in range(3))
    ratios = []
    for x, c in zip(samples, slope, strict=True):
        inputs, totals = forward(weights, x, act)
        s, delta, size = list(c), list(c), [abs(c_o) for c_o in c]
        for number in range(len(weights) - 1, -1, -1):
            w, a = weights[number], inputs[number]
            for j in range(len(w)):
                for i in range(len(a)):
                    secant[number][j][i] += a[i] * s[j]
                    gradient[number][j][i] += a[i] * delta[j]
                    absolute[number][j][i] += abs(a[i]) * size[j]
            if number == 0:
                break
            z = totals[number - 1]
            p = [act.derivative(z_i) for z_i in z]
            q = [a_i / z_i for a_i, z_i in zip(a, z, strict=True)]
            ratios += [q_i / p_i for q_i, p_i in zip(q, p, strict=True) if p_i]
            s = [q_i * sum(w[j][i] * s[j] for j in range(len(w))) for i, q_i in enumerate(q)]
            delta = [p_i * sum(w[j][i] * delta[j] for j in range(len(w))) for i, p_i in enumerate(p)]
            size = [abs(p_i) * sum(abs(w[j][i]) * size[j] for j in range(len(w))) for i, p_i in enumerate(p)]
    return secant, gradient, absolute, (min(ratios, default=Fraction(1)), max(ratios, default=Fraction(1)))


def spread(m, largest, hidden):
    """mu, radius and theta = radius/mu for `hidden` layers above."""
    mu, radius = (largest**hidden + m**hidden) / 2, (largest**hidden - m**hidden) / 2
    return mu, radius, radius / mu


def guaranteed(weights, samples, act, slope):
    """Whether theta_h ||A_h|| <= ||G_h|| in every layer (norms weighted by |w|): then LFP ascends. Exact."""
    _, gradient, absolute, (m, largest) = sums(weights, samples, act, slope)
    for number, w in enumerate(weights):
        _, _, theta = spread(m, largest, len(weights) - 1 - number)
        norm = [0, 0]
        for j, row in enumerate(w):
            for i, w_ji in enumerate(row):
                norm[0] += abs(w_ji) * gradient[number][j][i] ** 2
                norm[1] += abs(w_ji) * absolute[number][j][i] ** 2
        if theta**2 * norm[1] > norm[0]:
            return False
    return True
