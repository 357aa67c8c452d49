"""Forward, LFP and gradient by +, *, / alone: the numbers may be Fractions, or NumPy arrays of many candidates.

A network is a list of weight matrices W[j][i] (lists of numbers) without biases, with one activation between them.
`slopes` is what a search needs; the counterexamples it finds are run through tests/oracle.py and the kernels as well.
"""


class Activation:
    """phi and its derivative; the secant phi(z)/z is what LFP sees of it."""

    def __init__(self, name, phi, derivative):
        self.name, self.phi, self.derivative = name, phi, derivative


identity = Activation("identity", lambda z: z, lambda z: z * 0 + 1)
relu = Activation("relu", lambda z: z * (z > 0), lambda z: z * 0 + 1 * (z > 0))
absolute = Activation("absolute value", abs, lambda z: z * 0 + 1 * (z > 0) - 1 * (z < 0))
softsign = Activation("softsign", lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2)
# 1 + softsign: positive and rising everywhere, as sigmoid and softplus are, and rational at rational points
raised_softsign = Activation("raised softsign", lambda z: 1 + z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2)


def forward(weights, x, act):
    """Inputs a and pre-activations z of every layer, for one sample."""
    inputs, totals = [x], []
    for number, w in enumerate(weights):
        z = [sum(w_ji * a_i for w_ji, a_i in zip(row, inputs[-1], strict=True)) for row in w]
        totals.append(z)
        if number < len(weights) - 1:
            inputs.append([act.phi(z_j) for z_j in z])
    return inputs, totals


def back(weights, inputs, totals, act, c, epsilon):
    """For one sample and dJ/d(output) = c: s and delta of every layer, the last one first.

    s: what LFP-epsilon multiplies a by, for the reward r = z c. delta: dJ/dz.
    """
    s = [c_j * abs(z_j) / (abs(z_j) + epsilon) for c_j, z_j in zip(c, totals[-1], strict=True)]
    delta = list(c)
    yield s, delta
    for number in range(len(weights) - 1, 0, -1):
        w, z = weights[number], totals[number - 1]
        reward = [a_i * sum(w[j][i] * s[j] for j in range(len(w))) for i, a_i in enumerate(inputs[number])]
        s = [r_i / (z_i + epsilon * ((z_i >= 0) * 2 - 1)) for r_i, z_i in zip(reward, z, strict=True)]
        delta = [act.derivative(z_i) * sum(w[j][i] * delta[j] for j in range(len(w))) for i, z_i in enumerate(z)]
        yield s, delta


def feedback_and_gradient(weights, samples, act, slope, epsilon=0):
    """d and dJ/dw of every weight, layer by layer: lists of matrices.

    slope: dJ/d(outputs), a function of all outputs [n][o], or those numbers themselves.
    """
    runs = [forward(weights, x, act) for x in samples]
    outputs = [totals[-1] for _, totals in runs]
    c = slope(outputs) if callable(slope) else slope
    d = [[[0 for _ in row] for row in w] for w in weights]
    g = [[[0 for _ in row] for row in w] for w in weights]
    for (inputs, totals), c_n in zip(runs, c, strict=True):
        told = list(back(weights, inputs, totals, act, c_n, epsilon))[::-1]
        for number, (s, delta) in enumerate(told):
            for j, row in enumerate(weights[number]):
                for i, w_ji in enumerate(row):
                    d[number][j][i] = d[number][j][i] + abs(w_ji) * inputs[number][i] * s[j]
                    g[number][j][i] = g[number][j][i] + inputs[number][i] * delta[j]
    return d, g


def inner(d, g):
    """<d, dJ/dw>"""
    return sum(
        d_ji * g_ji
        for d_l, g_l in zip(d, g, strict=True)
        for d_j, g_j in zip(d_l, g_l, strict=True)
        for d_ji, g_ji in zip(d_j, g_j, strict=True)
    )


def slopes(weights, samples, act, slope, epsilon=0):
    """<d, dJ/dw>: how fast J rises along LFP's direction."""
    return inner(*feedback_and_gradient(weights, samples, act, slope, epsilon))
