"""The method restated naively, in exact rational arithmetic, connection by connection. Slow, and meant to be obvious.

Arrays are NumPy arrays of Fraction, used as containers only: no sum, product or slice of NumPy's is relied on. A layer
is the list of its connections (output j, input i, weight k); whatever is a linear map, dense or pooling, is told apart
by that list alone. A rule is an epsilon (a Fraction), GRADIENT, or a list of groups (coefficient, mask, terms).
"""

from fractions import Fraction
from itertools import product

import numpy as np

GRADIENT = "gradient"
ZERO = Fraction(0)
STABILISER = Fraction(1e-6)


def plus(v):
    return max(v, ZERO)


def minus(v):
    return min(v, ZERO)


def none(v):
    return ZERO


def always(z):
    return True


def gamma(g):
    def up(v):
        return v + g * plus(v)

    def down(v):
        return v + g * minus(v)

    return [
        (1, lambda z: z > 0, [(plus, up, up), (minus, down, none)]),
        (1, lambda z: z < 0, [(plus, down, down), (minus, up, none)]),
    ]


def alpha_beta(alpha, beta):
    return [
        (alpha, always, [(plus, plus, plus), (minus, minus, none)]),
        (-beta, always, [(plus, minus, minus), (minus, plus, none)]),
    ]


def w_square():
    return [(1, always, [(lambda a: Fraction(1), lambda w: w * w, lambda b: b * b)])]


def flat():
    return [(1, always, [(lambda a: Fraction(1), lambda w: Fraction(1), none)])]


def z_box(low, high):
    return [
        (
            1,
            always,
            [
                (lambda a: a, lambda w: w, lambda b: b),
                (lambda a: -low, plus, lambda b: -plus(b)),
                (lambda a: -high, minus, lambda b: -minus(b)),
            ],
        )
    ]


def z_plus_minus():
    """A list of one group that learns |w| sum a s (Linear.feedback_in_groups)."""
    return Unmodified([(1, always, [(abs, abs, abs)])])


class Unmodified(list):
    """Groups whose s parameters learn from by what they are themselves: |w| a s, |b| s."""


def exact(array):
    """The same numbers as Fractions: every float is one."""
    array = np.asarray(array)
    out = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        out[index] = Fraction(array[index].item())
    return out


def zeros(shape):
    out = np.empty(shape, object)
    out.fill(ZERO)
    return out


def sgn(x):
    return 1 if x >= 0 else -1


def quotient(r, z, epsilon):
    """r / stab(z, epsilon); nothing where the denominator is exactly 0."""
    denominator = z + epsilon * sgn(z)
    return r / denominator if denominator else ZERO


class Linear:
    """z_j = sum over connections of w_k a_i, plus b_j. Subclasses list connections and the output's shape.

    channel: the place in j that a bias goes with.
    """

    channel = 0

    def __init__(self, weight=None, bias=None):
        self.weight, self.bias = weight, bias

    def forward(self, x):
        self.x = x
        self.links = list(self.connections(x.shape[1:]))
        self.z = zeros((len(x), *self.output_shape(x.shape[1:])))
        for n in range(len(x)):
            for j in np.ndindex(self.z.shape[1:]):
                self.z[(n, *j)] = self.bias[j[self.channel]] if self.bias is not None else ZERO
            for j, i, k in self.links:
                self.z[(n, *j)] += self.w(k) * x[(n, *i)]
        return self.z

    def feedback(self, reward, rule, epsilon=STABILISER):
        """The input's reward; leaves d_weight, d_bias, s, and kept: what bias and stabiliser took, per sample.

        epsilon: the stabiliser of a list of groups.
        """
        if isinstance(rule, list):
            return self.feedback_in_groups(reward, rule, epsilon)
        handed = zeros(self.x.shape)
        self.d_weight = None if self.weight is None else zeros(self.weight.shape)
        self.d_bias = None if self.bias is None else zeros(self.bias.shape)
        self.kept, self.s = zeros((len(reward),)), [zeros(reward.shape)]
        for n in range(len(reward)):
            s = {}
            for j in np.ndindex(reward.shape[1:]):
                r, z = reward[(n, *j)], self.z[(n, *j)]
                s[j] = self.s[0][(n, *j)] = r if rule == GRADIENT else quotient(r, z, rule)
                if self.bias is not None:
                    b = self.bias[j[self.channel]]
                    self.d_bias[j[self.channel]] += s[j] if rule == GRADIENT else abs(b) * s[j]
                    self.kept[n] += b * s[j]
                if rule != GRADIENT:
                    self.kept[n] += rule * sgn(z) * s[j] if z + rule * sgn(z) else r
            for j, i, k in self.links:
                a, w = self.x[(n, *i)], self.w(k)
                if rule == GRADIENT:
                    handed[(n, *i)] += w * s[j]
                    if self.weight is not None:
                        self.d_weight[k] += a * s[j]
                else:
                    share = a * w * s[j]  # the reward of this connection
                    handed[(n, *i)] += share
                    if self.weight is not None:
                        self.d_weight[k] += sgn(w) * share
        return handed

    def feedback_in_groups(self, reward, groups, epsilon):
        """The same for a list of groups (c, mask, terms); kept is a dict by cause, s and denominators one a group."""
        handed = zeros(self.x.shape)
        self.d_weight = None if self.weight is None else zeros(self.weight.shape)
        self.d_bias = None if self.bias is None else zeros(self.bias.shape)
        self.kept = {cause: zeros((len(reward),)) for cause in ("bias", "stabiliser", "empty group", "mask")}
        self.s, self.denominators = ([zeros(reward.shape) for _ in groups] for _ in "sd")
        for n in range(len(reward)):
            for j in np.ndindex(reward.shape[1:]):
                self.kept["mask"][n] += reward[(n, *j)]
            for number, (c, mask, terms) in enumerate(groups):
                d, s = {}, {}
                for j in np.ndindex(reward.shape[1:]):
                    b = self.bias[j[self.channel]] if self.bias is not None else ZERO
                    d[j] = sum((on_b(b) for _, _, on_b in terms), ZERO)
                flows = []
                for j, i, k in self.links:
                    flow = [on_a(self.x[(n, *i)]) * on_w(self.w(k)) for on_a, on_w, _ in terms]
                    flows.append(flow)
                    d[j] += sum(flow, ZERO)
                for j in np.ndindex(reward.shape[1:]):
                    b = self.bias[j[self.channel]] if self.bias is not None else ZERO
                    part = c * reward[(n, *j)] if mask(self.z[(n, *j)]) else ZERO
                    s[j] = self.s[number][(n, *j)] = quotient(part, d[j], epsilon)
                    self.denominators[number][(n, *j)] = d[j]
                    self.kept["mask"][n] -= part
                    share = epsilon * sgn(d[j]) * s[j] if d[j] or epsilon else part
                    self.kept["stabiliser" if d[j] else "empty group"][n] += share
                    for _, _, on_b in terms:
                        self.kept["bias"][n] += on_b(b) * s[j]
                        if self.bias is not None:
                            share = abs(b) if isinstance(groups, Unmodified) else sgn(b) * on_b(b)
                            self.d_bias[j[self.channel]] += share * s[j]
                for (j, i, k), flow in zip(self.links, flows, strict=True):
                    for of_term in flow:  # not their sum: where terms cancel, a kernel's rounding is that of each
                        share = of_term * s[j]
                        handed[(n, *i)] += share
                        if self.weight is not None and isinstance(groups, Unmodified):
                            self.d_weight[k] += abs(self.weight[k]) * self.x[(n, *i)] * s[j]
                        elif self.weight is not None:
                            self.d_weight[k] += sgn(self.weight[k]) * share
        return handed

    @property
    def largest_s(self):
        return max((abs(s) for group in self.s for s in group.flat), default=ZERO)

    def w(self, k):
        return self.weight[k]


class Dense(Linear):
    """On x (N, I), or on each token of x (N, T, I)."""

    channel = -1

    def output_shape(self, shape):
        return (*shape[:-1], self.weight.shape[0])

    def connections(self, shape):
        for (*token, i), j in product(np.ndindex(shape), range(self.weight.shape[0])):
            yield (*token, j), (*token, i), (j, i)


class Conv(Linear):
    """behind: the padding behind the image, where it differs from that before it."""

    def __init__(self, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, behind=None):
        super().__init__(weight, bias)
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.behind = padding if behind is None else behind

    def output_shape(self, shape):
        size = []
        for axis in (0, 1):
            extent = self.dilation[axis] * (self.weight.shape[2 + axis] - 1) + 1
            room = shape[1 + axis] + self.padding[axis] + self.behind[axis] - extent
            size.append(room // self.stride[axis] + 1)
        return (self.weight.shape[0], *size)

    def connections(self, shape):
        outputs, height, width = self.output_shape(shape)
        for o, y, x in product(range(outputs), range(height), range(width)):
            group = o // (outputs // self.groups)
            for c, p, q in product(*map(range, self.weight.shape[1:])):
                v = y * self.stride[0] + p * self.dilation[0] - self.padding[0]
                u = x * self.stride[1] + q * self.dilation[1] - self.padding[1]
                if 0 <= v < shape[1] and 0 <= u < shape[2]:
                    yield (o, y, x), (group * self.weight.shape[1] + c, v, u), (o, c, p, q)


class ConvTranspose(Linear):
    """weight (C, O / groups, KH, KW): the input c, i reaches the output p = i * stride - padding + k * dilation."""

    def __init__(self, weight, bias=None, stride=(1, 1), padding=(0, 0), more=(0, 0), groups=1, dilation=(1, 1)):
        super().__init__(weight, bias)
        self.stride, self.padding, self.more = stride, padding, more
        self.groups, self.dilation = groups, dilation

    def output_shape(self, shape):
        reach = [
            (shape[1 + i] - 1) * self.stride[i] + self.dilation[i] * (self.weight.shape[2 + i] - 1) for i in (0, 1)
        ]
        return (self.weight.shape[1] * self.groups,
                *(reach[i] + 1 - 2 * self.padding[i] + self.more[i] for i in (0, 1)))  # fmt: skip

    def connections(self, shape):
        _, height, width = self.output_shape(shape)
        for c, v, u in np.ndindex(shape):
            group = c // (shape[0] // self.groups)
            for o, i, j in np.ndindex(self.weight.shape[1:]):
                y = v * self.stride[0] - self.padding[0] + i * self.dilation[0]
                x = u * self.stride[1] - self.padding[1] + j * self.dilation[1]
                if 0 <= y < height and 0 <= x < width:
                    yield (group * self.weight.shape[1] + o, y, x), (c, v, u), (c, o, i, j)


def sliding(size, kernel, stride, padding=0, ceil_mode=False):
    """Windows along an axis: (pixels, how many with the padding). The last may stick out of the padding: ceil_mode."""
    found, begin = [], -padding
    while begin + kernel <= size + padding or (ceil_mode and begin < size and begin - stride + kernel < size + padding):
        covered = range(begin, min(begin + kernel, size + padding))
        found.append(([i for i in covered if 0 <= i < size], len(covered)))
        begin += stride
    return found


def adaptive(size, outputs):
    """As many windows as outputs: pixel i is in window j if the two overlap, as parts of a line."""
    pixels = [[i for i in range(size) if i * outputs < (j + 1) * size and (i + 1) * outputs > j * size]
              for j in range(outputs)]  # fmt: skip
    return [(each, len(each)) for each in pixels]


class Pool:
    """Windows of images: of rows and columns, by functions of the size."""

    def __init__(self, kernel, stride, padding=(0, 0), ceil_mode=False):
        self.axes = [lambda size, i=i: sliding(size, kernel[i], stride[i], padding[i], ceil_mode) for i in (0, 1)]

    def output_shape(self, shape):
        return (shape[0], *(len(axis(size)) for axis, size in zip(self.axes, shape[1:], strict=True)))

    def windows(self, shape):
        """(output's place, pixels, how many with the padding), pixels row by row."""
        rows, columns = (axis(size) for axis, size in zip(self.axes, shape[1:], strict=True))
        for c, (y, (vs, high)), (x, (us, wide)) in product(range(shape[0]), enumerate(rows), enumerate(columns)):
            yield (c, y, x), [(c, v, u) for v in vs for u in us], high * wide


class AvgPool(Pool, Linear):
    """number: makes the weight of a tap, a Fraction, a number of another kind."""

    def __init__(self, kernel, stride, number=Fraction, padding=(0, 0), ceil_mode=False, count_include_pad=True):
        Linear.__init__(self)
        Pool.__init__(self, kernel, stride, padding, ceil_mode)
        self.number, self.with_padding = number, count_include_pad

    def connections(self, shape):
        for j, pixels, count in self.windows(shape):
            for i in pixels:
                yield j, i, count if self.with_padding else len(pixels)

    def w(self, k):
        return self.number(Fraction(1, k))


class AdaptiveAvgPool(AvgPool):
    def __init__(self, outputs, number=Fraction):
        super().__init__((1, 1), (1, 1), number)
        self.axes = [lambda size, i=i: adaptive(size, outputs[i]) for i in (0, 1)]


class Sum(Linear):
    """The sum of two arrays, x (N, 2, ...): weights of 1 and no bias. number: as AvgPool's."""

    def __init__(self, number=Fraction):
        super().__init__()
        self.one = number(Fraction(1))

    def output_shape(self, shape):
        return shape[1:]

    def connections(self, shape):
        for which, *j in np.ndindex(shape):
            yield tuple(j), (which, *j), None

    def w(self, k):
        return self.one


class MaxPool(Pool):
    def forward(self, x):
        self.shape, self.winner = x.shape, {}
        out = zeros((len(x), *self.output_shape(x.shape[1:])))
        self.tap = zeros(out.shape)  # the winner's number among the window's pixels
        for n in range(len(x)):
            for j, pixels, _ in self.windows(x.shape[1:]):
                best = 0
                for k, i in enumerate(pixels):  # row-major; the first maximum stays
                    if k != best and x[(n, *i)] > x[(n, *pixels[best])]:
                        best = k
                self.winner[(n, *j)], out[(n, *j)] = (n, *pixels[best]), x[(n, *pixels[best])]
                self.tap[(n, *j)] = Fraction(best)
        return out

    def feedback(self, reward, rule):
        handed = zeros(self.shape)
        for j in np.ndindex(reward.shape):
            handed[self.winner[j]] += reward[j]
        self.kept = zeros((len(reward),))
        return handed


class Concatenate:
    """Branches whose outputs are joined along the channels."""

    def __init__(self, *branches):
        self.branches = branches

    def forward(self, x):
        self.parts = [branch.forward(x) for branch in self.branches]
        return np.concatenate(self.parts, axis=1)

    def feedback(self, reward, rule):
        self.kept, handed, first = zeros((len(reward),)), None, 0
        for branch, part in zip(self.branches, self.parts, strict=True):
            back = branch.feedback(reward[:, first : first + part.shape[1]], rule)
            self.kept = add(self.kept, total(branch.kept))
            handed = back if handed is None else add(handed, back)
            first += part.shape[1]
        return handed


class ClassToken:
    """A learned token (1, 1, D) before x (N, T, D): a weight of an input of 1."""

    def __init__(self, weight):
        self.weight = weight

    def forward(self, x):
        return np.concatenate([np.stack([self.weight[0]] * len(x)), x], axis=1)

    def feedback(self, reward, rule):
        self.d_weight, self.kept = zeros(self.weight.shape), {"class token": zeros((len(reward),))}
        for n, j in np.ndindex(len(reward), self.weight.shape[2]):
            self.d_weight[0, 0, j] += reward[n, 0, j] * (1 if rule == GRADIENT else sgn(self.weight[0, 0, j]))
            self.kept["class token"][n] += reward[n, 0, j]
        return reward[:, 1:]


class Upsample:
    """Each pixel copied into a block."""

    def __init__(self, scale):
        self.scale = scale

    def forward(self, x):
        self.shape = x.shape
        out = zeros((*x.shape[:2], x.shape[2] * self.scale[0], x.shape[3] * self.scale[1]))
        for n, c, y, u in np.ndindex(out.shape):
            out[n, c, y, u] = x[n, c, y // self.scale[0], u // self.scale[1]]
        return out

    def feedback(self, reward, rule):
        self.kept, handed = zeros((len(reward),)), zeros(self.shape)
        for n, c, y, u in np.ndindex(reward.shape):
            handed[n, c, y // self.scale[0], u // self.scale[1]] += reward[n, c, y, u]
        return handed


class SelectToken:
    """One token of x (N, T, D)."""

    def __init__(self, index):
        self.index = index

    def forward(self, x):
        self.shape = x.shape
        return x[:, self.index]

    def feedback(self, reward, rule):
        self.kept, handed = zeros((len(reward),)), zeros(self.shape)
        for n, j in np.ndindex(reward.shape):
            handed[n, self.index, j] = reward[n, j]
        return handed


class Positions:
    """y = x + pos, for x (N, T, D) and pos (1, T, D): a sum of two, by the epsilon rule."""

    def __init__(self, weight):
        self.weight = weight

    def forward(self, x):
        self.x, self.y = x, zeros(x.shape)
        for n, t, j in np.ndindex(x.shape):
            self.y[n, t, j] = x[n, t, j] + self.weight[0, t, j]
        return self.y

    def feedback(self, reward, rule):
        self.d_weight, self.s, handed = zeros(self.weight.shape), zeros(reward.shape), zeros(reward.shape)
        self.kept = {cause: zeros((len(reward),)) for cause in ("positions", "stabiliser", "empty group")}
        for n, t, j in np.ndindex(reward.shape):
            r, y, w = reward[n, t, j], self.y[n, t, j], self.weight[0, t, j]
            s = self.s[n, t, j] = r if rule == GRADIENT else quotient(r, y, rule)
            handed[n, t, j] = s if rule == GRADIENT else self.x[n, t, j] * s
            self.d_weight[0, t, j] += s if rule == GRADIENT else abs(w) * s
            if rule != GRADIENT:
                self.kept["positions"][n] += w * s
                self.kept["stabiliser" if y else "empty group"][n] += rule * sgn(y) * s if y or rule else r
        return handed

    @property
    def largest_s(self):
        return max(map(abs, self.s.flat))


class SampleNorm:
    """Layer or group normalisation: z = w x + b, x = (a - mean) / root(var), over the numbers of a row.

    place: of an index i of the input, (the row it is in, the place of its w and b). constant_scale: as AttnLRP has it.
    """

    def __init__(self, weight, bias, place, root, constant_scale=False):
        self.weight, self.bias, self.place, self.root = weight, bias, place, root
        self.constant_scale = constant_scale

    def forward(self, x):
        self.x, self.z, self.normal, self.rows, self.scale = x, zeros(x.shape), zeros(x.shape), {}, {}
        for i in np.ndindex(x.shape):
            self.rows.setdefault(self.place(i)[0], []).append(i)
        for row, indices in self.rows.items():
            mean = sum((x[i] for i in indices), ZERO) / len(indices)
            var = sum(((x[i] - mean) * (x[i] - mean) for i in indices), ZERO) / len(indices)
            self.scale[row] = 1 / self.root(var)
            for i in indices:
                w, b = self.weight[self.place(i)[1]], self.bias[self.place(i)[1]]
                self.normal[i] = (x[i] - mean) * self.scale[row]
                self.z[i] = w * self.normal[i] + b
        return self.z

    def feedback(self, reward, rule):
        """The input's reward; leaves d_weight, d_bias, s, and kept by cause, per sample."""
        gradient, handed, self.s = rule == GRADIENT, zeros(reward.shape), zeros(reward.shape)
        self.d_weight, self.d_bias = zeros(self.weight.shape), zeros(self.bias.shape)
        self.kept = {cause: zeros((len(reward),)) for cause in ("bias", "stabiliser", "empty group", "statistics")}
        for row, indices in self.rows.items():
            n, t = indices[0][0], {}
            for i in indices:
                k = self.place(i)[1]
                w, b = self.weight[k], self.bias[k]
                s = self.s[i] = reward[i] if gradient else quotient(reward[i], self.z[i], rule)
                self.d_weight[k] += self.normal[i] * s * (1 if gradient else abs(w))
                self.d_bias[k] += s * (1 if gradient else abs(b))
                t[i] = w * s
                if not gradient:
                    self.kept["bias"][n] += b * s
                    share = rule * sgn(self.z[i]) * s if self.z[i] or rule else reward[i]
                    self.kept["stabiliser" if self.z[i] else "empty group"][n] += share
            mean_t = sum(t.values(), ZERO) / len(indices)
            mean_xt = sum((self.normal[i] * t[i] for i in indices), ZERO) / len(indices)
            for i in indices:
                through = mean_t if self.constant_scale else mean_t + self.normal[i] * mean_xt
                handed[i] = (t[i] - through) * self.scale[row] * (1 if gradient else self.x[i])
                if not gradient:
                    self.kept["statistics"][n] += self.normal[i] * t[i] - handed[i]
        return handed

    @property
    def largest_s(self):
        return max(map(abs, self.s.flat))


def of_token(i):
    """Layer normalisation's place: the features of a token belong together."""
    return i[:-1], i[-1]


def of_group(size):
    """Group normalisation's place, for groups of so many channels."""
    return lambda i: ((i[0], i[1] // size), i[1])


class Attention:
    """Self-attention of x (N, T, D). inner, outer: Dense, D to 3 D and D to D. scale: 1 / sqrt(D / heads).

    form: "gradient times input", "taylor", "constant", "autograd" (layers/attention.py); GRADIENT is a rule.
    """

    def __init__(self, inner, outer, heads, scale, exp, form="gradient times input"):
        self.inner, self.outer, self.heads, self.scale, self.exp, self.form = inner, outer, heads, scale, exp, form

    def forward(self, x):
        z = self.inner.forward(x)
        samples, tokens, features = x.shape
        self.places = [(n, range(h * features // self.heads, (h + 1) * features // self.heads), h)
                       for n in range(samples) for h in range(self.heads)]  # fmt: skip
        self.q, self.k, self.v = (z[:, :, i * features : (i + 1) * features] for i in range(3))
        self.m, self.p = (zeros((samples, self.heads, tokens, tokens)) for _ in "mp")
        self.c = zeros(x.shape)
        for n, columns, h in self.places:
            for t in range(tokens):
                for s in range(tokens):
                    self.m[n, h, t, s] = sum((self.q[n, t, i] * self.k[n, s, i] for i in columns), ZERO)
                top = max((self.m[n, h, t, s] for s in range(tokens)), key=lambda v: getattr(v, "value", v))
                powers = [self.exp(self.scale * (self.m[n, h, t, s] - top)) for s in range(tokens)]
                for s in range(tokens):
                    self.p[n, h, t, s] = powers[s] / sum(powers, ZERO)
                for i in columns:
                    self.c[n, t, i] = sum((self.p[n, h, t, s] * self.v[n, s, i] for s in range(tokens)), ZERO)
        return self.outer.forward(self.c)

    def feedback(self, reward, rule):
        r_c = self.outer.feedback(reward, rule)
        samples, tokens = r_c.shape[:2]
        gradient, plain = rule == GRADIENT, rule == GRADIENT or self.form == "autograd"
        r_q, r_k, r_v = (zeros(r_c.shape) for _ in "qkv")
        self.own = {cause: zeros((samples,)) for cause in ("stabiliser", "empty group", "attention weights", "softmax")}
        self.s, self.s_m = zeros(r_c.shape), zeros(self.m.shape)

        def divided(r, z, n):
            """r / stab(z, rule); its stabiliser's share is noted."""
            if plain:
                return r
            s = quotient(r, z, rule)
            self.own["stabiliser" if z else "empty group"][n] += rule * sgn(z) * s if z or rule else r
            return s

        halves = 2 if self.form == "taylor" and not gradient else 1
        for n, t, i in np.ndindex(r_c.shape):
            self.s[n, t, i] = divided(r_c[n, t, i], halves * self.c[n, t, i], n)
        for n, columns, h in self.places:
            p, m, s_c = self.p[n, h], self.m[n, h], self.s[n]
            for s, i in product(range(tokens), columns):
                factor = 1 if plain else self.v[n, s, i]
                r_v[n, s, i] = factor * sum((p[t, s] * s_c[t, i] for t in range(tokens)), ZERO)
            if self.form == "constant" and not gradient:
                continue
            for t in range(tokens):
                s_p = [sum((s_c[t, i] * self.v[n, s, i] for i in columns), ZERO) for s in range(tokens)]
                if halves == 2:  # AttnLRP: r_P, r_Z, m
                    r_p = [p[t, s] * s_p[s] for s in range(tokens)]
                    for s in range(tokens):
                        r_z = self.scale * m[t, s] * (r_p[s] - p[t, s] * sum(r_p, ZERO))
                        self.own["softmax"][n] += r_p[s] - r_z
                        self.s_m[n, h, t, s] = divided(r_z, 2 * m[t, s], n)
                else:
                    mean = sum((p[t, s] * s_p[s] for s in range(tokens)), ZERO)
                    for s in range(tokens):
                        self.s_m[n, h, t, s] = self.scale * (p[t, s] * (s_p[s] - mean))
            for t, s, i in product(range(tokens), range(tokens), columns):
                share = self.s_m[n, h, t, s]
                r_q[n, t, i] += share * self.k[n, s, i] * (1 if plain else self.q[n, t, i])
                r_k[n, s, i] += share * self.q[n, t, i] * (1 if plain else self.k[n, s, i])
        if halves == 1:
            for n, t, i in np.ndindex(r_c.shape):
                self.own["attention weights"][n] += -(r_q[n, t, i] + r_k[n, t, i])
        handed = self.inner.feedback(np.concatenate([r_q, r_k, r_v], axis=2), rule)
        self.kept = zeros((samples,))
        for kept in (self.outer.kept, self.own, self.inner.kept):
            self.kept = add(self.kept, total(kept))
        return handed

    @property
    def largest_s(self):
        return max(self.inner.largest_s, self.outer.largest_s, *map(abs, self.s.flat), *map(abs, self.s_m.flat))


class Pointwise:
    """An activation: phi and its derivative on Fractions."""

    def __init__(self, phi, derivative):
        self.phi, self.derivative = phi, derivative

    def forward(self, x):
        self.x = x
        out = zeros(x.shape)
        for i in np.ndindex(x.shape):
            out[i] = self.phi(x[i])
        return out

    def feedback(self, reward, rule):
        self.kept = zeros((len(reward),))
        if rule != GRADIENT:
            return reward
        handed = zeros(reward.shape)
        for i in np.ndindex(reward.shape):
            handed[i] = reward[i] * self.derivative(self.x[i])
        return handed


def relu():
    return Pointwise(lambda z: max(z, ZERO), lambda z: Fraction(z > 0))


def leaky_relu(slope):
    return Pointwise(lambda z: z if z > 0 else slope * z, lambda z: Fraction(1) if z > 0 else slope)


def step(low):
    return Pointwise(lambda z: Fraction(1 if z > 0 else low if z < 0 else abs(low)), lambda z: ZERO)


def softsign():
    return Pointwise(lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2)


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def feedback(self, reward, rule):
        self.kept = zeros((len(reward),))
        return reward.reshape(self.shape)


class Sequential:
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def feedback(self, reward, rule):
        self.kept = zeros((len(reward),))
        for layer in reversed(self.layers):
            reward = layer.feedback(reward, rule)
            self.kept = add(self.kept, total(layer.kept))
        return reward


class Residual:
    def __init__(self, body, shortcut=None, number=Fraction):
        self.branches = [body] + ([shortcut] if shortcut else [])
        self.sum = Sum(number)

    def forward(self, x):
        self.outputs = [branch.forward(x) for branch in self.branches]
        if len(self.branches) == 1:
            self.outputs.append(x)
        self.y = self.sum.forward(np.stack(self.outputs, axis=1))
        return self.y

    def feedback(self, reward, rule):
        self.kept = zeros((len(reward),))
        both = self.sum.feedback(reward, rule)
        parts = [both[:, 0], both[:, 1]]
        kept = [self.sum.kept]
        for number, branch in enumerate(self.branches):
            parts[number] = branch.feedback(parts[number], rule)
            kept.append(branch.kept)
        for each in kept:
            self.kept = add(self.kept, total(each))
        return add(*parts)

    @property
    def largest_s(self):
        return self.sum.largest_s


def total(kept):
    """The reward that a layer kept per sample, given as one amount or as amounts by cause."""
    amounts = list(kept.values()) if isinstance(kept, dict) else [kept]
    result = zeros(amounts[0].shape)
    for amount in amounts:
        result = add(result, amount)
    return result


def add(one, other):
    out = zeros(one.shape)
    for i in np.ndindex(out.shape):
        out[i] = one[i] + other[i]
    return out


class Affine:
    """Batch normalisation: z = w x + b, x = (a - mean) scale, per channel. d_weight and d_bias are of w and b.

    of_batch: mean and scale are those of the input, as in training, and the reward goes through them:
    a w scale (s - mean(s) - x mean(x s)); otherwise they are constants.
    """

    def __init__(self, weight, bias, mean, scale, of_batch=False):
        self.norm, self.of_batch = (weight, bias, mean, scale), of_batch

    def forward(self, x):
        w, b, mean, scale = self.norm
        self.x, self.z, self.normal = x, zeros(x.shape), zeros(x.shape)
        for i in np.ndindex(x.shape):
            self.normal[i] = (x[i] - mean[i[1]]) * scale[i[1]]
            self.z[i] = w[i[1]] * self.normal[i] + b[i[1]]
        return self.z

    def feedback(self, reward, rule):
        """The input's reward; leaves d_weight, d_bias, s, and kept by cause, per sample."""
        w, b, mean, scale = self.norm
        handed, sum_xs, sum_s = zeros(reward.shape), zeros(w.shape), zeros(b.shape)
        self.s, self.d_weight, self.d_bias = zeros(reward.shape), zeros(w.shape), zeros(b.shape)
        for i in np.ndindex(reward.shape):
            s = self.s[i] = reward[i] if rule == GRADIENT else quotient(reward[i], self.z[i], rule)
            xs = self.normal[i] * s
            sum_xs[i[1]] += xs
            sum_s[i[1]] += s
            self.d_weight[i[1]] += xs * (1 if rule == GRADIENT else abs(w[i[1]]))
            self.d_bias[i[1]] += s * (1 if rule == GRADIENT else abs(b[i[1]]))
        count = reward.size // reward.shape[1]
        self.kept = {c: zeros(len(reward)) for c in ("bias", "stabiliser", "empty group", "batch statistics")}
        for i in np.ndindex(reward.shape):
            n, c, s = i[0], i[1], self.s[i]
            through = (sum_s[c] / count + self.normal[i] * (sum_xs[c] / count)) if self.of_batch else ZERO
            a = 1 if rule == GRADIENT else self.x[i]
            handed[i] = (s - through) * (w[c] * scale[c]) * a
            if rule != GRADIENT:
                self.kept["bias"][n] += (b[c] - w[c] * mean[c] * scale[c]) * s
                self.kept["batch statistics"][n] += through * (w[c] * scale[c]) * a
                share = rule * sgn(self.z[i]) * s if self.z[i] or rule else reward[i]
                self.kept["stabiliser" if self.z[i] else "empty group"][n] += share
        return handed

    @property
    def largest_s(self):
        return max(map(abs, self.s.flat))


def fast_sigmoid(x, slope):
    """A stand-in for a spike's derivative."""
    return 1 / (1 + slope * abs(x)) ** 2


class LIF:
    """Leaky integrate-and-fire neurons around a Linear, over x (T, N, ...). Rules: epsilon, (stand-in, slope)."""

    def __init__(self, linear, beta, threshold, reset):
        self.linear, self.beta, self.threshold, self.reset = linear, beta, threshold, reset

    def forward(self, x):
        self.x = x
        self.current = [self.linear.forward(now).copy() for now in x]
        shape = self.current[0].shape
        self.left, self.u, self.taken = [], [], []  # at each step: v, u, and what the reset took
        before, spikes = zeros(shape), zeros((len(x), *shape))
        for t in range(len(x)):
            left, u, taken = zeros(shape), zeros(shape), zeros(shape)
            for k in np.ndindex(shape):
                fired = before[k] > self.threshold
                left[k] = ZERO if fired and self.reset == "zero" else before[k]
                taken[k] = self.threshold if fired and self.reset == "subtract" else ZERO
                u[k] = self.beta * left[k] + self.current[t][k] - taken[k]
                spikes[(t, *k)] = Fraction(u[k] > self.threshold)
            self.left.append(left)
            self.u.append(u)
            self.taken.append(taken)
            before = u
        return spikes

    def feedback(self, reward, rule):
        """Reward (T, N, ...) of x; leaves d_weight, d_bias, flow, s, and kept per sample, by cause."""
        handed, carry = zeros(self.x.shape), zeros(self.u[0].shape)
        self.d_weight = zeros(self.linear.weight.shape)
        self.d_bias = None if self.linear.bias is None else zeros(self.linear.bias.shape)
        samples = reward.shape[1]
        self.kept = {cause: zeros((samples,)) for cause in ("bias", "stabiliser", "empty group", "membrane")}
        self.flow, self.s = zeros(reward.shape), zeros(reward.shape)
        for t in reversed(range(len(reward))):
            s = zeros(carry.shape)
            for k in np.ndindex(carry.shape):
                u, v, taken = self.u[t][k], self.left[t][k], self.taken[t][k]
                if isinstance(rule, tuple):
                    stand_in, slope = rule
                    s[k] = self.s[(t, *k)] = reward[(t, *k)] * stand_in(u - self.threshold, slope) + carry[k]
                    fired = t > 0 and self.u[t - 1][k] > self.threshold
                    carry[k] = self.beta * s[k] * (0 if fired and self.reset == "zero" else 1)
                    continue
                told, flow = reward[(t, *k)] + carry[k], abs(v) + abs(u + taken - v)
                s[k] = self.s[(t, *k)] = told / (flow + rule) if flow + rule else ZERO
                self.flow[(t, *k)] = flow
                carry[k] = self.beta * v * s[k]
                bias = self.linear.bias[k[1]] if self.linear.bias is not None else ZERO
                self.kept["bias"][k[0]] += bias * s[k]
                self.kept["stabiliser"][k[0]] += rule * s[k]
                self.kept["membrane"][k[0]] += (flow - self.beta * v - self.current[t][k]) * s[k]
                self.kept["empty group"][k[0]] += told if not flow + rule else ZERO
            gradient = isinstance(rule, tuple)
            for n in range(samples):
                for j, i, k in self.linear.links:
                    w, x = self.linear.weight[k], self.x[(t, n, *i)]
                    handed[(t, n, *i)] += w * s[(n, *j)] * (1 if gradient else x)
                    self.d_weight[k] += x * s[(n, *j)] * (1 if gradient else abs(w))
                if self.d_bias is not None:
                    for j in np.ndindex(s.shape[1:]):
                        self.d_bias[j[0]] += s[(n, *j)] * (1 if gradient else abs(self.linear.bias[j[0]]))
        return handed

    @property
    def largest_s(self):
        return max(map(abs, self.s.flat))


class OverTime:
    """Any other layer, step by step; it has nothing to learn and keeps nothing."""

    def __init__(self, make):
        self.make = make

    def forward(self, x):
        self.steps = [self.make() for _ in x]
        return np.stack([layer.forward(now) for layer, now in zip(self.steps, x, strict=True)])

    def feedback(self, reward, rule):
        pairs = zip(self.steps, reward, strict=True)
        return np.stack([layer.feedback(now, GRADIENT if isinstance(rule, tuple) else rule) for layer, now in pairs])
