"""A case: a network (or a reward, an optimiser) with its numbers, run through the oracle, every quantity recorded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests import oracle
from tests.common import numbers
from tests.oracle import GRADIENT, STABILISER, ZERO, zeros
from tests.vectors import restated
from tests.vectors.bounded import array, bounded, each, exp, sqrt

USUAL = {"epsilon": {"epsilon": 1e-6}, "gamma": {"gamma": 0.25}, "alpha-beta": {"alpha": 2.0, "beta": 1.0},
         "z-box": {"low": -1.0, "high": 1.0}, "z-plus-minus": {"epsilon": 0.0}}  # fmt: skip


EPSILONS = ("epsilon", "attn-lrp", "constant-attention", "autograd-attention")  # one rule but for norms and attention
USUAL |= dict.fromkeys(EPSILONS, USUAL["epsilon"])


class Case:
    """What goes into the files: about (names and options), inputs, parameters, expected: [(name, array, is_result)]."""

    def __init__(self, name, what, computes, notes=(), **about):
        self.name, self.notes = name, list(notes)
        self.about = {"name": name, "what": what, "computes": computes} | about
        self.inputs, self.parameters, self.expected = {}, {}, []

    def expect(self, name, values, is_result=False):
        self.expected.append((name, array(values), is_result))

    def as_json(self):
        """The case as it is stored."""
        expected = []
        for name, values, is_result in self.expected:
            check_rounding(f"{self.name}: {name}", values)
            limits = {kind: [limit(x, k) for x in values.flat] for k, kind in enumerate(("float32", "float64"))}
            role = "result" if is_result else "intermediate"
            expected.append(
                {"name": name, "role": role, **stored([x.value for x in values.flat], values.shape), **limits}
            )
        inputs, parameters = (
            {name: stored(np.ravel(a).tolist(), np.shape(a)) for name, a in arrays.items()}
            for arrays in (self.inputs, self.parameters)
        )
        return {**self.about, "notes": self.notes, "inputs": inputs, "parameters": parameters, "expected": expected}


def stored(values, shape):
    return {"shape": list(shape), "data": [float(x) for x in values]}


def check_rounding(what, values):
    """That rounding once is right: elementary functions are known to 100 digits, and 70 of them are beyond doubt."""
    for x in values.flat:
        if x.value.numerator.bit_length() <= 64:  # no elementary function in it: halfway may be meant
            continue
        low, high = (float(x.value * (1 + sign * Fraction(1, 10**70))) for sign in (-1, 1))
        assert low == high, f"{what}: {float(x.value)} is too close to halfway between two floats"


def limit(x, precision):
    """The tolerance to three digits, rounded up: the bound, and what storing the value in double precision rounded."""
    exact = x.errors()[precision] + float(abs(Fraction(float(x.value)) - x.value))
    return next(t for t in (float(f"{exact * (1 + k * 1e-3):.2e}") for k in range(20)) if t >= exact)


# ---- rules


def rule(name, **options):
    """A rule as the files have it: its name and all its numbers."""
    return {"name": name} | USUAL.get(name, {}) | options


def groups_of(given):
    """The oracle's form of a rule: an epsilon, groups, or GRADIENT."""
    name, numbers_of = given["name"], {k: bounded(v) for k, v in given.items() if isinstance(v, float)}
    if name in EPSILONS:
        return Fraction(given["epsilon"])
    if name == "gradient" or name in restated.STAND_INS:
        return GRADIENT
    return {
        "gamma": lambda gamma: oracle.gamma(gamma),
        "alpha-beta": lambda alpha, beta: oracle.alpha_beta(alpha, beta),
        "z-plus": lambda: oracle.alpha_beta(1, 0)[:1],
        "w-square": oracle.w_square,
        "z-plus-minus": oracle.z_plus_minus,
        "flat": oracle.flat,
        "z-box": lambda low, high: oracle.z_box(low, high),
    }[name](**{key: number for key, number in numbers_of.items() if key != "epsilon"})


def is_gradient(given):
    return groups_of(given) == GRADIENT


def plain(given):
    """The rule of layers that have no weighted sum, or take no groups: an epsilon or GRADIENT."""
    found = groups_of(given)
    return STABILISER if isinstance(found, list) else found


def stabiliser(given):
    """The epsilon of a rule of groups."""
    return Fraction(given.get("epsilon", STABILISER))


# ---- networks


class Network:
    """Layers by their description, restated; what forward and feedback compute is recorded in a case, in order."""

    def __init__(self, case, layers, given_rule, parameters, steps=None):
        self.case, self.rule, self.steps = case, given_rule, steps
        self.parameters = {name: array(value) for name, value in parameters.items()}
        self.gathered = {}  # feedback of shared parameters, from the places passed so far
        self.layers = [self.make(str(k), layer) for k, layer in enumerate(layers)]

    def make(self, path, about):
        kinds = {
            "residual": Residual, "concatenate": Concatenate, "batch-norm": Norm, "layer-norm": SampleNorm,
            "group-norm": SampleNorm, "dropout": Dropout, "lif": Spiking, "class-token": ClassToken,
            "positions": Positions, "patch-embedding": Patches, "attention": Attention,
        }  # fmt: skip
        kind = kinds.get(
            about["type"], Weighted if about["type"] in ("dense", "conv2d", "conv-transpose2d") else Simple
        )
        return kind(self, path, about)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def feedback(self, reward):
        for layer in reversed(self.layers):
            reward = layer.feedback(reward)
        return reward

    def learned(self):
        """name -> feedback of every parameter, in order."""
        return {name: d for layer in self.layers for name, d in layer.learned().items()}


class Place:
    """A layer in its place: its description and what it records. names: of its parameters."""

    names = ("weight", "bias")

    def __init__(self, net, path, about):
        self.net, self.path, self.about = net, path, about
        self.rule = about.get("rule", net.rule)
        self.layer = self.restate()

    def restate(self):
        raise NotImplementedError

    @property
    def owner(self):
        """The place whose parameters these are: its own, or that of the layer that stands here once more."""
        return self.about.get("weights_of", self.path)

    def parameter(self, name):
        return self.net.parameters.get(f"{self.owner}.{name}")

    def record(self, name, values, is_result=False):
        self.net.case.expect(f"{self.path}.{name}", values, is_result)

    def learned(self):
        """name -> feedback of the parameters that this place owns."""
        return {f"{self.path}.{name}": self.net.gathered[f"{self.path}.{name}"] for name in self.names
                if f"{self.path}.{name}" in self.net.gathered}  # fmt: skip

    def d(self, name):
        """The feedback of that parameter from this pass; None without it."""
        return getattr(self.layer, f"d_{name}", None)

    def record_learned(self):
        for name in self.names:
            if (d := self.d(name)) is not None:
                before = self.net.gathered.get(f"{self.owner}.{name}", ZERO)
                self.net.gathered[f"{self.owner}.{name}"] = before + d
        for name, d in self.learned().items():
            self.net.case.expect(f"{name}.feedback", d, True)

    def share(self, layer, reward):
        """The reward that a weighted sum hands to its input; its shares are recorded."""
        form = groups_of(self.rule)
        handed = layer.feedback(reward, form, stabiliser(self.rule))
        for g, s in enumerate(layer.s):
            if isinstance(form, list):
                self.record(f"denominator.{g}", layer.denominators[g])
            self.record(f"s.{g}", s)
        return handed

    def forward(self, x):
        out = self.layer.forward(x)
        self.record("output", out, True)
        return out

    def feedback(self, reward):
        handed = self.layer.feedback(reward, plain(self.rule))
        self.record("input_reward", handed, True)
        return handed


class Weighted(Place):
    """Dense and convolutional layers."""

    def restate(self):
        return linear(self.about, self.parameter("weight"), self.parameter("bias"))

    @property
    def rim(self):
        """Padding whose value is not 0, (rows, columns): it is restated as a part of the image."""
        return self.about["padding"] if self.about.get("padding_value") else (0, 0)

    def forward(self, x):
        if any(self.rim):
            (py, px), value = self.rim, bounded(self.about["padding_value"])
            x = np.pad(x, ((0, 0), (0, 0), (py, py), (px, px)), constant_values=value)
        return super().forward(x)

    def feedback(self, reward):
        handed = self.share(self.layer, reward)
        if any(self.rim):
            py, px = self.rim
            handed = handed[:, :, py : handed.shape[2] - py, px : handed.shape[3] - px]
        if "learning" in self.rule:
            learn_locally(self.layer, reward, self.rule["learning"])
        self.record_learned()
        self.record("input_reward", handed, True)
        return handed


def linear(about, weight, bias):
    if about["type"] == "dense":
        return oracle.Dense(weight, bias)
    if about["type"] == "conv-transpose2d":
        options = (about[key] for key in ("stride", "padding", "output_padding", "groups", "dilation"))
        return oracle.ConvTranspose(weight, bias, *options)
    padding = [0, 0] if about.get("padding_value") else about["padding"]
    groups, behind = about.get("groups", 1), about.get("padding_behind")
    return oracle.Conv(weight, bias, about["stride"], padding, about["dilation"], groups, behind)


def learn_locally(layer, reward, learning):
    """d_w = |w| * sum of a z r, for Oja less w z^2 r; the bias is the weight of an input of 1."""
    layer.d_weight = zeros(layer.weight.shape)
    layer.d_bias = None if layer.bias is None else zeros(layer.bias.shape)
    forgets = 1 if learning == "oja" else 0
    for n in range(len(reward)):
        for j, i, k in layer.links:
            layer.d_weight[k] += abs(layer.weight[k]) * layer.x[(n, *i)] * layer.z[(n, *j)] * reward[(n, *j)]
        for j in np.ndindex(reward.shape[1:]):
            z, r = layer.z[(n, *j)], reward[(n, *j)]
            for k in np.ndindex(layer.weight.shape[1:]) if forgets else ():
                w = layer.weight[(j[layer.channel], *k)]
                layer.d_weight[(j[layer.channel], *k)] += -(abs(w) * w * z * z * r)
            if layer.bias is not None:
                b = layer.bias[j[layer.channel]]
                layer.d_bias[j[layer.channel]] += abs(b) * z * r + (-(abs(b) * b * z * z * r) if forgets else ZERO)


class Simple(Place):
    """Layers without parameters: the oracle's own."""

    def restate(self):
        about, kind = self.about, self.about["type"]
        if kind in ("max-pool", "avg-pool"):
            make = {"max-pool": oracle.MaxPool, "avg-pool": average}[kind]
            options = {key: about[key] for key in ("padding", "ceil_mode", "count_include_pad") if key in about}
            return self.over_time(lambda: make(about["kernel"], about["stride"], **options))
        if kind == "adaptive-avg-pool":
            return oracle.AdaptiveAvgPool(about["output"], bounded)
        if kind == "identity":
            return oracle.Pointwise(lambda z: z, lambda z: Fraction(1))
        if kind == "select-token":
            return oracle.SelectToken(about["index"])
        if kind == "upsample":
            return oracle.Upsample(about["scale"])
        if kind == "flatten":
            return self.over_time(oracle.Flatten)
        if kind == "global-avg-pool":
            return None  # its kernel is the input's size
        if kind in ("negated", "reflected"):
            inner = about["activation"]
            return restated.activation(inner["type"], inner.get("parameter"), kind)
        return restated.activation(kind, about.get("parameter"))

    def over_time(self, make):
        return oracle.OverTime(make) if self.net.steps else make()

    def forward(self, x):
        if self.about["type"] == "global-avg-pool":
            self.layer = average(x.shape[2:], x.shape[2:])
        out = self.layer.forward(x)
        if self.about["type"] == "max-pool":
            steps = self.layer.steps if self.net.steps else None
            found = [pool.tap for pool in steps or [self.layer]]
            self.record("winner", np.stack(found) if steps else found[0])
        self.record("output", out, True)
        return out

    def feedback(self, reward):
        form = plain(self.rule)
        if self.rule["name"] in restated.STAND_INS and self.about["type"] == "step":
            stand_in, slope = restated.STAND_INS[self.rule["name"]], bounded(self.rule["slope"])
            handed = reward * each(lambda z: stand_in(z, slope), self.layer.x)
            self.record("input_reward", handed, True)
            return handed
        if isinstance(self.layer, oracle.AvgPool) and form != GRADIENT:
            handed = self.share(self.layer, reward)
        else:
            handed = self.layer.feedback(reward, form)
        self.record("input_reward", handed, True)
        return handed


def average(kernel, stride, **options):
    return oracle.AvgPool(kernel, stride, bounded, **options)


class Norm(Place):
    """Batch normalisation: the oracle's affine map, its statistics given or the batch's."""

    def restate(self):
        return None

    def forward(self, x):
        mean, var = self.parameter("running_mean"), self.parameter("running_var")
        per_channel = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
        count = per_channel.shape[1]
        if self.about["training"]:
            momentum, running = bounded(self.about["momentum"]), (mean, var)
            mean = array([sum(row, ZERO) / count for row in per_channel])
            var = array([sum(((a - m) * (a - m) for a in row), ZERO) / count
                         for row, m in zip(per_channel, mean, strict=True)])  # fmt: skip
            self.record("mean", mean)
            self.record("var", var)
        scale = each(lambda v: 1 / sqrt(v + bounded(self.about["eps"])), var)
        of_batch = self.about["training"]
        self.layer = oracle.Affine(self.parameter("weight"), self.parameter("bias"), mean, scale, of_batch)
        self.record("scale", scale)
        out = super().forward(x)
        if self.about["training"]:
            unbiased = var * Fraction(count, count - 1)
            for name, old, new in zip(("running_mean", "running_var"), running, (mean, unbiased), strict=True):
                self.record(name, old + (new - old) * momentum, True)
        return out

    def feedback(self, reward):
        form = plain(self.rule)
        handed = self.layer.feedback(reward, form)
        if form != GRADIENT:
            self.record("s.0", self.layer.s)
        self.record_learned()
        self.record("input_reward", handed, True)
        return handed


class SampleNorm(Place):
    """Layer and group normalisation."""

    def restate(self):
        w, b, eps = self.parameter("weight"), self.parameter("bias"), bounded(self.about["eps"])
        groups = self.about.get("groups")
        place = oracle.of_group(len(w) // groups) if groups else oracle.of_token
        constant = self.rule["name"] in ("attn-lrp", "constant-attention")
        return oracle.SampleNorm(w, b, place, lambda var: sqrt(var + eps), constant)

    def forward(self, x):
        out = self.layer.forward(x)
        self.record("scale", np.array([self.layer.scale[row] for row in self.layer.rows]).reshape(len(x), -1))
        self.record("normal", self.layer.normal)
        self.record("output", out, True)
        return out

    def feedback(self, reward):
        handed = self.layer.feedback(reward, plain(self.rule))
        if not is_gradient(self.rule):
            self.record("s.0", self.layer.s)
        self.record_learned()
        self.record("input_reward", handed, True)
        return handed


class ClassToken(Place):
    """A learned token before all others."""

    def restate(self):
        return oracle.ClassToken(self.parameter("weight"))

    def feedback(self, reward):
        handed = self.layer.feedback(reward, plain(self.rule))
        self.record_learned()
        self.record("input_reward", handed, True)
        return handed


class Positions(Place):
    """A learned number for each feature of each token."""

    def restate(self):
        return oracle.Positions(self.parameter("weight"))

    feedback = SampleNorm.feedback


class Patches(Place):
    """A convolution whose pixels are tokens, row by row."""

    names = ("projection.weight", "projection.bias")

    def restate(self):
        w, b = (self.parameter(name) for name in self.names)
        return oracle.Conv(w, b, w.shape[2:])

    def d(self, name):
        return getattr(self.layer, f"d_{name.removeprefix('projection.')}")

    def forward(self, x):
        image = self.layer.forward(x)
        self.shape = image.shape
        out = image.reshape(*image.shape[:2], -1).swapaxes(1, 2)
        self.record("output", out, True)
        return out

    def feedback(self, reward):
        handed = self.share(self.layer, reward.swapaxes(1, 2).reshape(self.shape))
        self.record_learned()
        self.record("input_reward", handed, True)
        return handed


class Attention(Place):
    """Self-attention, with both of its linear maps."""

    names = ("in_proj.weight", "in_proj.bias", "out_proj.weight", "out_proj.bias")

    def restate(self):
        inner, outer = (oracle.Dense(*(self.parameter(f"{name}.{kind}") for kind in ("weight", "bias")))
                        for name in ("in_proj", "out_proj"))  # fmt: skip
        scale = 1 / sqrt(bounded(len(outer.weight) // self.about["heads"]))
        forms = {"attn-lrp": "taylor", "constant-attention": "constant", "autograd-attention": "autograd"}
        form = forms.get(self.rule["name"], "gradient times input")
        return oracle.Attention(inner, outer, self.about["heads"], scale, exp, form)

    def d(self, name):
        place, _, kind = name.partition(".")
        return getattr({"in_proj": self.layer.inner, "out_proj": self.layer.outer}[place], f"d_{kind}")

    def forward(self, x):
        out, it = self.layer.forward(x), self.layer
        for name, values in (("projected", it.inner.z), ("scores", it.m), ("weights", it.p), ("values", it.c)):
            self.record(name, values)
        self.record("output", out, True)
        return out

    def feedback(self, reward):
        handed, it = self.layer.feedback(reward, plain(self.rule)), self.layer
        for name, values in (("out_proj", it.outer.s[0]), ("values", it.s), ("scores", it.s_m),
                             ("in_proj", it.inner.s[0])):  # fmt: skip
            self.record(f"s.{name}", values)
        self.record_learned()
        self.record("input_reward", handed, True)
        return handed


class Dropout(Place):
    """Dropout: which units are kept is an input of the case."""

    def restate(self):
        return None

    def forward(self, x):
        keep = self.net.case.inputs.get(f"{self.path}.keep")
        self.keep = array(np.ones(x.shape) if keep is None else keep)
        self.scale = bounded(1) if keep is None else 1 / (1 - bounded(self.about["p"]))
        out = x * self.keep * self.scale
        self.record("output", out, True)
        return out

    def feedback(self, reward):
        handed = reward * self.keep * (self.scale if is_gradient(self.rule) else 1)
        self.record("input_reward", handed, True)
        return handed


class Residual(Place):
    """A sum of two branches, each a list of layers."""

    def restate(self):
        self.branches = {
            name: [self.net.make(f"{self.path}.{name}.{k}", inner) for k, inner in enumerate(self.about[name])]
            for name in ("body", "shortcut")
            if self.about[name] is not None
        }

    def learned(self):
        return {n: d for branch in self.branches.values() for layer in branch for n, d in layer.learned().items()}

    def forward(self, x):
        self.outputs = []
        for name in ("body", "shortcut"):
            out = x
            for layer in self.branches.get(name, ()):
                out = layer.forward(out)
            self.outputs.append(out)
        self.sum = oracle.Sum(bounded)
        y = self.sum.forward(np.stack(self.outputs, axis=1))
        self.record("output", y, True)
        return y

    def feedback(self, reward):
        if is_gradient(self.rule):
            parts = [reward, reward]
        else:
            both = self.share(self.sum, reward)
            parts = [both[:, 0], both[:, 1]]
        handed = []
        for name, part in zip(("body", "shortcut"), parts, strict=True):
            self.record(f"{name}_reward", part)
            for layer in reversed(self.branches.get(name, ())):
                part = layer.feedback(part)
            handed.append(part)
        self.record("input_reward", handed[0] + handed[1], True)
        return handed[0] + handed[1]


class Concatenate(Place):
    """Branches whose outputs are joined, each a list of layers."""

    def restate(self):
        self.branches = [
            [self.net.make(f"{self.path}.branches.{b}.{k}", inner) for k, inner in enumerate(branch)]
            for b, branch in enumerate(self.about["branches"])
        ]

    def learned(self):
        return {n: d for branch in self.branches for layer in branch for n, d in layer.learned().items()}

    def forward(self, x):
        parts = []
        for branch in self.branches:
            out = x
            for layer in branch:
                out = layer.forward(out)
            parts.append(out)
        self.ends = np.cumsum([part.shape[1] for part in parts])
        out = np.concatenate(parts, axis=1)
        self.record("output", out, True)
        return out

    def feedback(self, reward):
        handed = ZERO
        for branch, part in zip(self.branches, np.split(reward, self.ends[:-1], axis=1), strict=True):
            for layer in reversed(branch):
                part = layer.feedback(part)
            handed = part + handed
        self.record("input_reward", handed, True)
        return handed


class Spiking(Place):
    """Leaky integrate-and-fire neurons; arrays are (T, N, ...)."""

    def restate(self):
        inner = linear(self.about["layer"], self.parameter("weight"), self.parameter("bias"))
        return oracle.LIF(inner, bounded(self.about["beta"]), bounded(self.about["threshold"]), self.about["reset"])

    def forward(self, x):
        self.is_constant = x.ndim == len(self.net.case.inputs["x"].shape) and self.net.case.about["input"] == "constant"
        spikes = self.layer.forward(np.stack([x] * self.net.steps) if self.is_constant else x)
        self.record("current", np.stack(self.layer.current))
        self.record("membrane", np.stack(self.layer.u))
        self.record("output", spikes, True)
        return spikes

    def feedback(self, reward):
        name, form = self.rule["name"], plain(self.rule)
        stand_in = restated.STAND_INS.get(name)
        handed = self.layer.feedback(reward, (stand_in, bounded(self.rule["slope"])) if stand_in else form)
        if not stand_in:
            self.record("flow", self.layer.flow)
        self.record("s.0", self.layer.s)
        self.record_learned()
        if self.is_constant:
            handed = handed.sum(axis=0)
        self.record("input_reward", handed, True)
        return handed


def passes(name, what, layers, given_rule, x, reward=None, parameters=None, seed=0, notes=(), inputs=None, **about):
    """A case of one forward and one feedback pass. reward: drawn from the seed, if None."""
    case = Case(name, what, "pass", notes, layers=layers, rule=given_rule, **about)
    case.inputs = {"x": np.asarray(x, float)} | (inputs or {})
    case.parameters = {key: np.asarray(value, float) for key, value in (parameters or {}).items()}
    net = Network(case, layers, given_rule, case.parameters, about.get("steps"))
    out = net.forward(array(case.inputs["x"]))
    case.inputs["reward"] = numbers([seed, 99], *out.shape) if reward is None else np.asarray(reward, float)
    assert case.inputs["reward"].shape == out.shape, (name, out.shape)
    net.feedback(array(case.inputs["reward"]))
    return case
