"""The cases, by family. Numbers are eighths (tests/common.py): single and double precision see the same case."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.common import numbers
from tests.oracle import zeros
from tests.vectors import restated
from tests.vectors.bounded import array, bounded, each
from tests.vectors.cases import EPSILONS, Case, Network, passes, rule

# fmt: off
DENSE, RELU, FLATTEN = {"type": "dense"}, {"type": "relu"}, {"type": "flatten"}
EPSILON = rule("epsilon")


def conv(stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    about = {"type": "conv2d", "stride": list(stride), "padding": list(padding), "dilation": list(dilation)}
    return about if groups == 1 else about | {"groups": groups}


def pool(kind, kernel, stride=None):
    return {"type": f"{kind}-pool", "kernel": list(kernel), "stride": list(stride or kernel)}


def parameters(seed, *shapes, bias=True):
    """Weight and bias of layers, by place: (0, (O, I)), ..."""
    out = {}
    for path, shape in shapes:
        out[f"{path}.weight"] = numbers([seed, 1, len(out)], *shape)
        if bias:
            out[f"{path}.bias"] = numbers([seed, 2, len(out)], shape[0])
    return out


def dense():
    def case(name, what, n, i, o, given=EPSILON, bias=True, seed=0, **more):
        more = {"parameters": parameters(seed, (0, (o, i)), bias=bias), "seed": seed} | more
        more = {"x": numbers([seed, 0], n, i)} | more
        return passes(f"dense/{name}", what, [DENSE], given, **more)

    yield case("epsilon", "a batch of 3 through 5 to 4, the paper's rule", 3, 5, 4, seed=1)
    yield case("epsilon-large", "epsilon = 0.25: the stabiliser shows in every digit", 3, 5, 4,
               rule("epsilon", epsilon=0.25), seed=2)
    yield case("no-bias", "a layer without bias", 3, 4, 5, bias=False, seed=3)
    yield case("one-by-one", "every size 1", 1, 1, 1, x=[[1.5]], parameters={"0.weight": [[-0.5]], "0.bias": [0.25]},
               reward=[[2.0]])
    yield case("wide", "one sample, many inputs, one output", 1, 67, 1, seed=4)
    tall = {"0.weight": [[1.0, -1.0], [2.0, 0.5], [-1.0, 0.25]], "0.bias": [0.0, 0.0, 0.5]}
    at_zero = [[1.0, 1.0], [0.5, -2.0]]
    yield case("z-zero", "z is exactly 0 although something flows: s = r / epsilon, with a plus", 2, 2, 3, x=at_zero,
               parameters=tall, reward=[[1.0, -1.0, 2.0], [1.0, 0.5, -1.0]],
               notes=["z[0, 0] and z[1, 1] are 0: sgn(0) = +1, so s = +r / epsilon there"])
    yield case("z-zero-no-stabiliser", "z is exactly 0 and so is epsilon: nothing is handed on", 2, 2, 3,
               rule("epsilon", epsilon=0.0), x=at_zero, parameters=tall,
               reward=[[1.0, -1.0, 2.0], [1.0, 0.5, -1.0]],
               notes=["r / 0 counts as 0: no NaN, no infinity; elsewhere s = r / z"])
    yield case("zero-weights", "a row of weights and a bias are 0: no feedback, they never move", 2, 3, 2,
               x=numbers(5, 2, 3) + 1, reward=[[1.0, -1.0], [0.5, 2.0]],
               parameters={"0.weight": [[0.0, 0.0, 0.0], [1.0, 0.0, -0.5]], "0.bias": [0.0, 0.0]})
    yield case("zero-input", "the input is all 0: only the bias speaks, and nothing is handed on", 2, 3, 2,
               x=np.zeros((2, 3)), seed=6)
    yield case("gradient", "gradient ascent, as a rule: s = r, no division, no multiplication", 3, 5, 4,
               rule("gradient"), seed=7)


def convolution():
    def case(name, what, layer, size, w, given=EPSILON, bias=True, seed=0, **more):
        more = {"parameters": parameters(seed, (0, w), bias=bias), "seed": seed} | more
        more = {"x": numbers([seed, 0], *size)} | more
        return passes(f"conv/{name}", what, [layer], given, **more)

    yield case("epsilon", "two channels to three, kernel 3 x 3", conv(), (2, 2, 5, 5), (3, 2, 3, 3), seed=1)
    yield case("non-square", "kernel 2 x 3 on a 4 x 6 image", conv(), (2, 1, 4, 6), (2, 1, 2, 3), seed=2)
    yield case("padding", "padding 1 x 2: what is outside is 0 and gets no reward", conv(padding=(1, 2)),
               (1, 2, 4, 3), (2, 2, 3, 2), seed=3)
    yield case("stride", "stride 2 x 1, padding 0 x 1", conv((2, 1), (0, 1)), (2, 2, 6, 5), (2, 2, 3, 3), seed=4)
    yield case("stride-beyond-kernel", "stride 3 x 2 with a kernel 2 x 1: pixels that no window sees get 0",
               conv((3, 2)), (1, 1, 6, 5), (2, 1, 2, 1), seed=5)
    yield case("dilation", "dilation 2 x 1", conv(dilation=(2, 1)), (1, 1, 6, 4), (2, 1, 3, 2), seed=6)
    yield case("one-by-one", "every size 1", conv(), (1, 1, 1, 1), (1, 1, 1, 1), x=[[[[-0.5]]]],
               parameters={"0.weight": [[[[2.0]]]], "0.bias": [0.5]}, reward=[[[[1.0]]]])
    yield case("whole-image", "the kernel is as large as the image: a dense layer", conv(), (2, 2, 3, 2), (2, 2, 3, 2),
               seed=7)
    yield case("no-bias", "without bias", conv(), (1, 2, 4, 4), (2, 2, 2, 2), bias=False, seed=8)
    yield case("zero-weights", "all weights of a channel are 0", conv(), (1, 1, 3, 3), (2, 1, 2, 2),
               parameters={"0.weight": [[[[0.0] * 2] * 2], [[[1.0, -1.0], [0.5, 0.0]]]], "0.bias": [0.0, 0.25]},
               seed=9)
    yield case("gradient", "gradient ascent", conv((1, 2), (1, 0)), (2, 2, 4, 5), (3, 2, 2, 3),
               rule("gradient"), seed=10)
    yield case("groups", "four channels to six in two groups: each output sees the two channels of its own",
               conv(groups=2), (2, 4, 4, 3), (6, 2, 2, 2), seed=11, notes=["outputs 0 to 2 see channels 0 and 1"])
    yield case("groups-stride", "two groups with stride 2 x 1, padding 1 x 0, dilation 1 x 2",
               conv((2, 1), (1, 0), (1, 2), 2), (1, 4, 3, 5), (4, 2, 3, 2), seed=12)
    yield case("depthwise", "as many groups as channels", conv(padding=(1, 1), groups=3), (2, 3, 3, 4), (3, 1, 3, 3),
               seed=13)
    yield case("depthwise-multiplier", "two outputs for each channel", conv(groups=2), (1, 2, 4, 4), (4, 1, 2, 3),
               seed=14)
    yield case("groups-gradient", "gradient ascent", conv(padding=(0, 1), groups=2), (1, 2, 3, 3), (4, 1, 2, 2),
               rule("gradient"), seed=15)
    yield case("same", "an even kernel and outputs as large as the image: one more padding behind it than before",
               conv() | {"padding": [0, 1], "padding_behind": [1, 1]}, (1, 2, 3, 4), (2, 2, 2, 3), seed=16)
    yield case("padding-value", "outside is 0.5: it contributes, and what it gets is handed to nobody",
               conv((2, 1), (1, 1)) | {"padding_value": 0.5}, (1, 1, 4, 3), (2, 1, 3, 2), seed=17)
    yield case("padding-value-gradient", "gradient ascent", conv(padding=(1, 0)) | {"padding_value": -1.0},
               (1, 2, 2, 3), (2, 2, 2, 2), rule("gradient"), seed=18)


RULES = {
    "gamma": rule("gamma"),
    "gamma-2": rule("gamma", gamma=2.0),
    "alpha-beta": rule("alpha-beta"),
    "alpha-beta-3-2": rule("alpha-beta", alpha=3.0, beta=2.0),
    "z-plus": rule("z-plus"),
    "w-square": rule("w-square"),
    "flat": rule("flat"),
    "z-box": rule("z-box", low=-2.0, high=2.0),
    "hebbian": rule("epsilon", learning="hebbian"),
    "oja": rule("epsilon", learning="oja"),
}


def rules():
    for seed, (name, given) in enumerate(RULES.items()):
        yield passes(f"rules/{name}-dense", f"{name}, inputs of either sign", [DENSE], given, numbers([seed, 0], 3, 5),
                     parameters=parameters(seed, (0, (4, 5))), seed=seed)
        yield passes(f"rules/{name}-conv", f"{name}, with shared weights and padding", [conv((1, 2), (1, 1))], given,
                     numbers([seed, 5], 1, 2, 3, 3), parameters=parameters(seed + 50, (0, (2, 2, 3, 2))),
                     seed=seed)
    for seed, name in enumerate(("dense", "conv"), 30):
        layer, x, w = (DENSE, (3, 5), (4, 5)) if name == "dense" else (conv((1, 2), (1, 1)), (1, 2, 3, 3), (2, 2, 3, 2))
        yield passes(f"rules/z-plus-minus-{name}", "shares by size; a positive reward raises an output", [layer],
                     rule("z-plus-minus"), numbers([seed, 0], *x), parameters=parameters(seed, (0, w)), seed=seed,
                     notes=["weights learn |w| sum of a s, biases |b| sum of s: from a, w and b, not from their sizes"])
    yield passes("rules/z-plus-minus-empty", "an output to which nothing contributes keeps its reward", [DENSE],
                 rule("z-plus-minus"), [[0.0, 1.0]], [[1.0, 2.0]],
                 parameters={"0.weight": [[1.0, 0.0], [-1.0, 0.5]], "0.bias": [0.0, -0.5]})
    for name, seed in (("alpha-beta", 20), ("w-square", 21)):
        yield passes(f"rules/{name}-groups", f"{name}, a convolution in two groups", [conv((1, 1), (0, 1), groups=2)],
                     RULES[name], numbers([seed, 5], 1, 4, 3, 2), parameters=parameters(seed, (0, (4, 2, 2, 2))),
                     seed=seed)
    yield passes("rules/gamma-epsilon", "gamma with a stabiliser of its own", [DENSE], rule("gamma", epsilon=0.25),
                 numbers([22, 0], 2, 4), parameters=parameters(22, (0, (3, 4))), seed=22)
    positive = {"x": [[1.0, 0.5], [2.0, 0.0]], "reward": [[1.0, -1.0], [0.5, 2.0]],
                "parameters": {"0.weight": [[1.0, 0.25], [0.5, 2.0]], "0.bias": [0.5, 0.0]}}
    empty = "nothing inhibits: D of group 1 is 0, its part -beta r stays in the neuron; s.1 = -beta r / stabiliser"
    yield passes("rules/alpha-beta-empty-group", "every contribution is positive", [DENSE], rule("alpha-beta"),
                 notes=[empty], **positive)
    negative = positive | {"parameters": {"0.weight": [[-1.0, -0.25], [-0.5, -2.0]], "0.bias": [-0.5, 0.0]}}
    yield passes("rules/z-plus-empty-group", "no contribution is positive: nothing is handed on", [DENSE],
                 rule("z-plus"), **negative)
    zero = {"x": [[1.0, 1.0]], "reward": [[1.0, 1.0, 1.0]],
            "parameters": {"0.weight": [[1.0, -1.0], [2.0, 1.0], [-1.0, 0.0]], "0.bias": [0.0, 0.0, 0.0]}}
    yield passes("rules/gamma-z-zero", "an output at exactly 0 is in neither group", [DENSE], rule("gamma"),
                 notes=["z[0, 0] = 0: masked out of both groups, s = 0; it hands on nothing"], **zero)
    yield passes("rules/flat-zero-weights", "flat moves weights of 0: sgn(0) = +1", [DENSE], rule("flat"), **zero)
    yield passes("rules/z-box-at-the-limits", "inputs equal to low and high", [DENSE], rule("z-box"),
                 x=[[-1.0, 1.0], [1.0, 1.0]], parameters=parameters(9, (0, (2, 2))), seed=9)


def pooling():
    def case(name, what, layer, x, given=EPSILON, seed=0, **more):
        x = numbers([seed, 0], *x) if isinstance(x, tuple) else x
        return passes(f"pool/{name}", what, [layer], given, x, seed=seed, **more)

    ties = [[[[1.0, 1.0, 0.0, -1.0], [1.0, 0.5, -1.0, 0.0], [0.0, 0.0, -2.0, -2.0], [0.0, 0.0, -2.0, -2.0]]]]
    yield case("max", "windows of 2 x 2", pool("max", (2, 2)), (2, 2, 4, 4), seed=1)
    yield case("max-ties", "several maxima in every window: the first in row-major order gets all", pool("max", (2, 2)),
               ties, reward=[[[[1.0, -1.0], [2.0, 0.5]]]],
               notes=["winner: 0 is the first of the window, counted row by row; also where all are 0"])
    yield case("max-overlap", "stride 1: a pixel may win in several windows and adds up", pool("max", (2, 2), (1, 1)),
               (1, 2, 4, 4), seed=2)
    yield case("max-stride-beyond-kernel", "stride 3 x 2, window 2 x 1: uncovered pixels get 0",
               pool("max", (2, 1), (3, 2)), (1, 1, 6, 5), seed=3)
    yield case("max-left-over", "a 5 x 5 image and windows of 2 x 2: the last row and column are left out",
               pool("max", (2, 2)), (1, 1, 5, 5), seed=4)
    yield case("max-one-by-one", "every size 1", pool("max", (1, 1)), [[[[-1.0]]]], reward=[[[[2.0]]]])
    yield case("max-gradient", "as for a reward", pool("max", (2, 2)), (1, 2, 4, 4), rule("gradient"), seed=5)
    yield case("average", "windows of 2 x 2", pool("avg", (2, 2)), (2, 2, 4, 4), seed=6)
    yield case("average-non-square", "windows of 2 x 3, stride 1 x 2: 1/6 is no float", pool("avg", (2, 3), (1, 2)),
               (1, 2, 4, 7), seed=7)
    yield case("average-zero", "a mean of exactly 0, of numbers that are not: s = r / epsilon", pool("avg", (2, 2)),
               [[[[1.0, -1.0], [0.5, -0.5]]]], reward=[[[[1.0]]]])
    yield case("average-gradient", "the adjoint alone", pool("avg", (2, 2)), (1, 2, 4, 4), rule("gradient"), seed=8)
    yield case("global-average", "the mean of each channel", {"type": "global-avg-pool"}, (2, 3, 3, 2), seed=9)
    for seed, name in enumerate(("z-plus", "alpha-beta", "gamma", "w-square"), 10):
        yield case(f"average-{name}", f"{name}: a weighted sum, whose weights are all 1/4", pool("avg", (2, 2)),
                   (1, 2, 4, 4), RULES[name], seed=seed)
    yield case("average-alpha-beta-non-square", "weights of 1/6, windows that overlap", pool("avg", (2, 3), (1, 2)),
               (1, 1, 4, 5), RULES["alpha-beta"], seed=14)
    yield case("average-z-plus-empty", "a window without anything above 0: nothing is handed on", pool("avg", (1, 2)),
               [[[[-1.0, -0.5, 1.0, -2.0]]]], RULES["z-plus"], reward=[[[[1.0, 2.0]]]],
               notes=["D of the first window is 0: s = part / stabiliser, and it has no input above 0 to reward"])
    yield case("global-average-z-plus", "z-plus over each channel", {"type": "global-avg-pool"}, (1, 2, 2, 2),
               RULES["z-plus"], seed=15)


def upsampling():
    def layer(stride=(1, 1), padding=(0, 0), more=(0, 0), dilation=(1, 1), groups=1):
        return {"type": "conv-transpose2d", "stride": list(stride), "padding": list(padding),
                "output_padding": list(more), "dilation": list(dilation), "groups": groups}  # fmt: skip

    def case(name, what, about, size, w, given=EPSILON, seed=0):
        held = parameters(seed, (0, w)) | {"0.bias": numbers([seed, 2, 0], w[1] * about["groups"])}
        return passes(f"upsampling/{name}", what, [about], given, numbers([seed, 0], *size), parameters=held, seed=seed)

    yield case("transposed", "each input reaches a 2 x 3 block of outputs, blocks overlap", layer(), (2, 2, 2, 3),
               (2, 3, 2, 3), seed=1)
    yield case("transposed-stride", "stride 2 x 3, padding 1 x 0, output padding 1 x 2: outputs that nothing reaches",
               layer((2, 3), (1, 0), (1, 2)), (1, 2, 3, 2), (2, 2, 3, 2), seed=2)
    yield case("transposed-groups", "two groups, dilation 1 x 2", layer((1, 1), (0, 1), (0, 0), (1, 2), 2),
               (1, 4, 2, 2), (4, 1, 2, 2), seed=3)
    yield case("transposed-gradient", "gradient ascent", layer((2, 1)), (1, 2, 2, 2), (2, 2, 2, 2), rule("gradient"),
               seed=4)
    yield case("transposed-gamma", "by any rule", layer((2, 1), (1, 0)), (1, 2, 2, 2), (2, 2, 2, 2), RULES["gamma"],
               seed=5)
    yield passes("upsampling/nearest", "blocks of 2 x 3 copies, whose rewards are added up",
                 [{"type": "upsample", "scale": [2, 3]}], EPSILON, numbers(6, 2, 2, 2, 2), seed=6)


def padded_pools():
    def case(name, what, layer, x, given=EPSILON, seed=0, **more):
        x = numbers([seed, 0], *x) if isinstance(x, tuple) else x
        return passes(f"pool/{name}", what, [layer], given, x, seed=seed, **more)

    def padded(kind, kernel, stride, padding, **more):
        return pool(kind, kernel, stride) | {"padding": list(padding)} | more

    yield case("max-padding", "padding 1 x 0 never wins, though the image is below 0",
               padded("max", (2, 2), (2, 1), (1, 0)), -np.abs(numbers([20, 0], 1, 2, 3, 3)) - 0.5, seed=20,
               notes=["winner: its number among the window's pixels inside of the image"])
    yield case("max-ceil", "stride 2 on 5 x 4: a last row that the end cuts off",
               padded("max", (2, 2), (2, 2), (0, 0), ceil_mode=True), (1, 1, 5, 4), seed=21)
    yield case("average-padding", "padding counts as pixels of 0", padded("avg", (2, 3), (2, 2), (1, 1)),
               (1, 2, 3, 4), seed=22)
    yield case("average-padding-not-counted", "the mean of the image's pixels alone",
               padded("avg", (2, 3), (2, 2), (1, 1), count_include_pad=False), (1, 2, 3, 4), seed=22)
    yield case("average-ceil", "what is beyond the padding never counts",
               padded("avg", (3, 3), (2, 2), (1, 1), ceil_mode=True), (1, 1, 4, 4), seed=23)
    yield case("average-ceil-left-out", "a window that would begin behind the image is left out",
               padded("avg", (1, 2), (3, 3), (0, 1), ceil_mode=True), (1, 1, 3, 4), seed=24)
    adaptive = {"type": "adaptive-avg-pool", "output": [2, 3]}
    yield case("adaptive", "2 x 3 windows on 5 x 4: they overlap, and differ in size", adaptive, (1, 2, 5, 4), seed=25,
               notes=["window j of O over H pixels: floor(j H / O) to ceil((j + 1) H / O), the end left out"])
    yield case("adaptive-gradient", "the adjoint alone", adaptive, (1, 1, 3, 5), rule("gradient"), seed=26)
    yield case("adaptive-alpha-beta", "weights of 1/n", adaptive, (1, 1, 3, 4), RULES["alpha-beta"], seed=27)


ACTIVATIONS = {"leaky-relu": 0.01, "elu": 1.0}


def activations():
    z = [[-2.5, -1.0, -0.125, 0.0, 0.125, 1.0, 2.5], [0.0, 0.5, -0.5, 1.5, -1.5, 2.0, -2.0]]
    reward = [[1.0, -1.0, 2.0, 1.0, -0.5, 1.0, 1.0], [-1.0, 1.0, 1.0, 0.25, 1.0, -2.0, 1.0]]
    for name in restated.ACTIVATIONS:
        layer = {"type": name} | ({"parameter": ACTIVATIONS[name]} if name in ACTIVATIONS else {})
        for given in (EPSILON, rule("gradient")):
            what = "the reward passes unchanged" if given is EPSILON else "times the derivative at z"
            kink = name in ("relu", "leaky-relu", "elu")
            notes = ["at z = 0: the derivative is that of the negative side"] if kink else []
            yield passes(f"activations/{name}-{given['name']}", what, [layer], given, z, reward, notes=notes)
    for wrapped, what in (("negated", "-phi(z)"), ("reflected", "phi(-z)")):
        for inner in ("relu", "tanh"):
            layer = {"type": wrapped, "activation": {"type": inner}}
            yield passes(f"activations/{wrapped}-{inner}", f"{what}, its derivative", [layer], rule("gradient"), z,
                         reward)
    for name, slope in (("atan-surrogate", 2.0), ("fast-sigmoid-surrogate", 4.0), ("straight-through", 0.5)):
        yield passes(f"activations/step-{name}", "gradient ascent with a stand-in for the step's derivative",
                     [{"type": "step"}], rule(name, slope=slope), z, reward)


def shapes():
    yield passes("shapes/flatten", "row-major", [FLATTEN], EPSILON, numbers(1, 2, 2, 3, 2))
    x, reward = numbers(2, 2, 6), numbers(3, 2, 6)
    keep = {"0.keep": np.array([[1, 0, 1, 1, 0, 1], [0, 0, 0, 0, 0, 0]], float)}
    for p, name in ((0.5, "dropout"), (0.2, "dropout-fifth")):
        yield passes(f"shapes/{name}", f"training, p = {p}: the reward of kept units is not scaled",
                     [{"type": "dropout", "p": p}], EPSILON, x, reward, inputs=keep)
    yield passes("shapes/dropout-gradient", "training: gradient ascent multiplies by keep / (1 - p)",
                 [{"type": "dropout", "p": 0.5}], rule("gradient"), x, reward, inputs=keep)
    yield passes("shapes/dropout-evaluation", "without a mask nothing is dropped", [{"type": "dropout", "p": 0.5}],
                 EPSILON, x, reward)


def norm():
    def layer(training, eps=1e-5, momentum=0.1):
        return {"type": "batch-norm", "eps": eps, "momentum": momentum, "training": training}

    def statistics(seed, c):
        return {"0.weight": numbers([seed, 1], c) + 1, "0.bias": numbers([seed, 2], c),
                "0.running_mean": numbers([seed, 3], c),
                "0.running_var": np.abs(numbers([seed, 4], c)) + 0.5}

    for name, shape in (("dense", (4, 3)), ("images", (2, 3, 2, 2))):
        yield passes(f"norm/{name}", "the affine map of the running statistics", [layer(False)], EPSILON,
                     numbers([1, 0], *shape), parameters=statistics(1, 3), seed=1)
        yield passes(f"norm/{name}-training", "through the batch's statistics; the running ones follow",
                     [layer(True)], EPSILON, numbers([2, 0], *shape), parameters=statistics(2, 3), seed=2,
                     notes=["var is the biased one; running_var takes the unbiased one",
                            "input_reward: a w scale (s - mean(s) - x mean(x s)), means over batch and positions"])
    yield passes("norm/epsilon-large-training", "epsilon = 0.25, two values a channel", [layer(True)],
                 rule("epsilon", epsilon=0.25), numbers([5, 0], 2, 4), parameters=statistics(5, 4), seed=5)
    yield passes("norm/gradient", "gradient ascent outside training", [layer(False)], rule("gradient"),
                 numbers([3, 0], 3, 2), parameters=statistics(3, 2), seed=3)
    yield passes("norm/gradient-training", "gradient ascent through the batch's statistics", [layer(True)],
                 rule("gradient"), numbers([4, 0], 2, 2, 1, 2), parameters=statistics(4, 2), seed=4)
    exact = {"0.weight": [2.0], "0.bias": [-1.0], "0.running_mean": [0.0], "0.running_var": [3.75]}
    yield passes("norm/output-zero", "an output of exactly 0", [layer(False, eps=0.25)], EPSILON, [[1.0], [-1.0]],
                 [[1.0], [1.0]], parameters=exact)


def residual():
    def layer(body, shortcut=None):
        return {"type": "residual", "body": body, "shortcut": shortcut}

    yield passes("residual/identity", "a dense body beside the identity", [layer([DENSE, RELU])], EPSILON,
                 numbers(1, 3, 4), parameters=parameters(1, ("0.body.0", (4, 4))), seed=1)
    yield passes("residual/shortcut", "both branches have weights", [layer([conv(padding=(1, 1)), RELU], [conv()])],
                 EPSILON, numbers(2, 1, 2, 3, 3), seed=2,
                 parameters=parameters(2, ("0.body.0", (3, 2, 3, 3)), ("0.shortcut.0", (3, 2, 1, 1))))
    cancel = {"0.body.0.weight": [[-1.0, 0.0], [0.0, 1.0]], "0.body.0.bias": [0.0, 0.5]}
    yield passes("residual/sum-zero", "the branches cancel exactly", [layer([DENSE])], EPSILON, [[1.0, 0.5]],
                 [[1.0, -1.0]], parameters=cancel, notes=["output[0, 0] = -1 + 1 = 0: s = +r / epsilon"])
    yield passes("residual/gradient", "both branches get all of it", [layer([DENSE])], rule("gradient"),
                 numbers(3, 2, 3), parameters=parameters(3, ("0.body.0", (3, 3))), seed=3)
    for seed, name in enumerate(("z-plus", "alpha-beta", "gamma"), 4):
        yield passes(f"residual/{name}", f"{name} for the body, and for the sum: weights of 1, no bias",
                     [layer([DENSE, RELU])], RULES[name], numbers(seed, 2, 3), seed=seed,
                     parameters=parameters(seed, ("0.body.0", (3, 3))))
    yield passes("residual/alpha-beta-shortcut", "both branches have weights, and values of either sign",
                 [layer([conv(padding=(1, 0))], [conv()])], RULES["alpha-beta"], numbers(7, 1, 2, 2, 3), seed=7,
                 parameters=parameters(7, ("0.body.0", (2, 2, 3, 1)), ("0.shortcut.0", (2, 2, 1, 1))))


def joining():
    yield passes("joining/identity", "nothing changes", [{"type": "identity"}], EPSILON, numbers(1, 2, 3))
    three = {"type": "concatenate", "branches": [[DENSE, RELU], [{"type": "identity"}], [DENSE]]}
    held = parameters(2, ("0.branches.0.0", (3, 4)), ("0.branches.2.0", (2, 4)))
    for given in (EPSILON, rule("gradient"), RULES["z-plus"]):
        yield passes(f"joining/dense-{given['name']}", "three branches: each gets its slice of the reward", [three],
                     given, numbers(2, 2, 4), parameters=held, seed=2)
    images = {"type": "concatenate", "branches": [[conv(padding=(1, 1))], [pool("max", (1, 1))]]}
    yield passes("joining/images", "along the channels", [images], EPSILON, numbers(3, 1, 2, 3, 2), seed=3,
                 parameters=parameters(3, ("0.branches.0.0", (3, 2, 3, 3))))


def sample_norms():
    layer, group = {"type": "layer-norm", "eps": 1e-5}, {"type": "group-norm", "eps": 1e-5, "groups": 2}

    def case(name, what, about, shape, given=EPSILON, seed=0):
        size = shape[-1] if about is layer else shape[1]
        held = {"0.weight": numbers([seed, 1], size) + 0.5, "0.bias": numbers([seed, 2], size)}
        return passes(f"norm/{name}", what, [about], given, numbers([seed, 0], *shape), parameters=held, seed=seed)

    yield case("layer", "over the features of each sample, through its statistics", layer, (3, 4), seed=10)
    yield case("layer-tokens", "over the features of each token", layer, (2, 3, 4), seed=11)
    yield case("layer-epsilon-large", "epsilon = 0.25", layer, (2, 2, 3), rule("epsilon", epsilon=0.25), seed=12)
    yield case("layer-gradient", "gradient ascent", layer, (2, 2, 3), rule("gradient"), seed=13)
    yield case("layer-constant-scale", "AttnLRP: the mean depends on the input, the scale does not", layer, (2, 2, 4),
               rule("attn-lrp"), seed=14)
    yield case("group", "two groups of two channels, over channels and pixels", group, (2, 4, 1, 2), seed=15)
    yield case("group-gradient", "gradient ascent", group, (2, 4, 2, 2), rule("gradient"), seed=16)
    yield case("group-constant-scale", "AttnLRP", group, (1, 4, 2, 2), rule("attn-lrp"), seed=17)
    yield case("instance", "as many groups as channels", group, (2, 2, 2, 3), seed=18)


def attention():
    def case(name, what, heads, shape, given=EPSILON, seed=0, notes=()):
        return passes(f"attention/{name}", what, [{"type": "attention", "heads": heads}], given,
                      numbers([seed, 0], *shape) / 2, parameters=projections(seed, "0", shape[-1]), seed=seed,
                      notes=notes)

    yield case("gradient-times-input", "the form to train with", 2, (2, 3, 4), seed=13,
               notes=["projected: queries, keys, values, each of all heads; scores are not scaled yet"])
    for seed, name in enumerate(EPSILONS[1:], 2):
        yield case(name, "another form of the same layer", 1, (1, 3, 2), rule(name, epsilon=0.25), seed=seed)
    yield case("epsilon-large", "epsilon = 0.25", 1, (2, 2, 3), rule("epsilon", epsilon=0.25), seed=5)
    yield case("one-token", "a softmax of one number is 1: queries and keys get nothing", 1, (2, 1, 2), seed=6)
    yield case("gradient", "gradient ascent", 2, (1, 3, 4), rule("gradient"), seed=7)


def projections(seed, path, d):
    """Parameters of attention, small enough for a softmax that is far from 0 and 1."""
    shapes = {"in_proj.weight": (3 * d, d), "in_proj.bias": (3 * d,), "out_proj.weight": (d, d), "out_proj.bias": (d,)}
    found = {f"{path}.{name}": numbers([seed, k], *shape) for k, (name, shape) in enumerate(shapes.items(), 1)}
    return {name: value / 2 if "in_proj" in name else value for name, value in found.items()}


def tokens():
    yield passes("tokens/dense", "a dense layer on each token", [DENSE], EPSILON, numbers(1, 2, 3, 4), seed=1,
                 parameters=parameters(1, (0, (2, 4))))
    yield passes("tokens/dense-gamma", "by any rule", [DENSE], RULES["gamma"], numbers(2, 2, 2, 3), seed=2,
                 parameters=parameters(2, (0, (2, 3))))
    yield passes("tokens/dense-oja", "Oja's rule sums over tokens, too", [DENSE], RULES["oja"], numbers(9, 2, 2, 3),
                 seed=9, parameters=parameters(9, (0, (2, 3))))
    yield passes("tokens/patches", "2 x 3 patches of two channels; the last row fills none",
                 [{"type": "patch-embedding"}], EPSILON, numbers(3, 1, 2, 5, 6), seed=3,
                 parameters=parameters(3, ("0.projection", (3, 2, 2, 3))))
    for given in (EPSILON, rule("gradient")):
        name = given["name"]
        yield passes(f"tokens/class-token-{name}", "before all others; it learns what it gets, with its sign",
                     [{"type": "class-token"}], given, numbers(4, 2, 2, 3), seed=4,
                     parameters={"0.weight": numbers(5, 1, 1, 3)})
        yield passes(f"tokens/positions-{name}", "a sum: divided by what the two add up to", [{"type": "positions"}],
                     given, numbers(6, 2, 2, 3), seed=6, parameters={"0.weight": numbers(7, 1, 2, 3)})
    yield passes("tokens/select", "token 1 of 3", [{"type": "select-token", "index": 1}], EPSILON, numbers(8, 2, 3, 2))
    norm, token = {"type": "layer-norm", "eps": 1e-5}, {"type": "select-token", "index": 0}
    attended = {"type": "residual", "body": [norm, {"type": "attention", "heads": 1}], "shortcut": None}
    mlp = {"type": "residual", "body": [norm, DENSE, RELU, DENSE], "shortcut": None}
    layers = [{"type": "patch-embedding"}, {"type": "class-token"}, {"type": "positions"}]
    layers += [attended, mlp, norm, token, DENSE]
    held = parameters(40, ("0.projection", (2, 1, 2, 2)), ("3.body.0", (2,)), ("4.body.0", (2,)), ("4.body.1", (3, 2)),
                      ("4.body.3", (2, 3)), (5, (2,)), (7, (2, 2)))
    held |= {"1.weight": numbers(41, 1, 1, 2), "2.weight": numbers(42, 1, 3, 2)} | projections(43, "3.body.1", 2)
    for name in ("epsilon", "attn-lrp", "constant-attention"):
        yield passes(f"tokens/transformer-{name}", "one block of width 2 over two patches and a class token", layers,
                     rule(name, epsilon=0.25), numbers(47, 1, 1, 2, 4), parameters=held, seed=47)


def networks():
    layers = [DENSE, RELU, DENSE, {"type": "tanh"}, DENSE]
    yield passes("networks/mlp", "three dense layers, ReLU and tanh", layers, EPSILON, numbers(1, 3, 4), seed=1,
                 parameters=parameters(1, (0, (5, 4)), (2, (4, 5)), (4, (3, 4))))
    yield passes("networks/steps", "step activations: no derivative anywhere, epsilon = 0.5",
                 [DENSE, {"type": "step"}, DENSE], rule("epsilon", epsilon=0.5), numbers(2, 3, 4), seed=2,
                 parameters=parameters(2, (0, (6, 4)), (2, (3, 6))))
    cnn = [conv(), RELU, pool("max", (2, 2)), conv(padding=(1, 1)), RELU, pool("avg", (1, 2)), FLATTEN, DENSE]
    held = parameters(3, (0, (2, 1, 3, 3)), (3, (3, 2, 3, 3)), (7, (4, 6)))
    x = numbers(3, 2, 1, 6, 7)
    yield passes("networks/cnn", "convolution, pooling, flatten, dense", cnn, EPSILON, x, parameters=held, seed=3)
    yield passes("networks/cnn-gradient", "the same by gradient ascent", cnn, rule("gradient"), x, parameters=held,
                 seed=3)
    mixed = [dict(layer) for layer in cnn]
    mixed[0]["rule"], mixed[3]["rule"] = rule("z-box", low=-2.0, high=2.0), rule("gamma")
    yield passes("networks/cnn-mixed-rules", "z-box in the first layer, gamma in the second, epsilon elsewhere", mixed,
                 EPSILON, x, parameters=held, seed=3)
    block = {"type": "residual", "body": [DENSE, RELU], "shortcut": None}
    norm = {"type": "batch-norm", "eps": 1e-5, "momentum": 0.1, "training": False}
    wide = parameters(4, (0, (4, 3)), ("3.body.0", (4, 4)), (4, (2, 4)))
    wide |= {"1.weight": [1.0, 0.5, -1.0, 2.0], "1.bias": [0.25, -0.25, 0.5, 0.125],
             "1.running_mean": [0.5, 0.0, -0.5, 1.0], "1.running_var": [1.0, 0.5, 2.0, 0.25]}
    yield passes("networks/residual", "batch normalisation and a residual block", [DENSE, norm, RELU, block, DENSE],
                 EPSILON, numbers(4, 2, 3), parameters=wide, seed=4)
    yield passes("networks/residual-training", "the same in training: the reward goes through the batch's statistics",
                 [DENSE, norm | {"training": True}, RELU, block, DENSE], EPSILON, numbers(4, 3, 3), parameters=wide,
                 seed=4)
    again = [DENSE, {"type": "tanh"}, DENSE | {"weights_of": "0"}, RELU, DENSE]
    for given in (EPSILON, rule("gradient")):
        name = "shared" if given is EPSILON else "shared-gradient"
        yield passes(f"networks/{name}", "a dense layer that stands at 0 and at 2: its feedback is the sum of both",
                     again, given, numbers(5, 3, 4), parameters=parameters(5, (0, (4, 4)), (4, (2, 4))), seed=5,
                     notes=["0.weight.feedback comes after layer 0's pass, the last one that adds to it"])
    yield passes("networks/shared-gamma", "one convolution three times, by gamma",
                 [conv(padding=(1, 1)), RELU, conv(padding=(1, 1)) | {"weights_of": "0"}, RELU,
                  conv(padding=(1, 1)) | {"weights_of": "0"}],
                 RULES["gamma"], numbers(6, 1, 2, 2, 3), parameters=parameters(6, (0, (2, 2, 3, 3))), seed=6)


def rewards():
    z = [[1.5, -0.5, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0], [-1.0, -2.0, -1.0, -1.0], [4.0, -4.0, 0.5, 4.0]]
    labels = [3, 0, 2, 0]

    def case(name, outputs, targets, reward=None, notes=(), **options):
        made = Case(f"rewards/{name}", reward or name, "reward", notes, reward=reward or name, options=options)
        made.inputs = {"outputs": np.array(outputs, float)}
        if targets is not None:
            made.inputs["targets"] = np.array(targets, float)
        found = restated.REWARDS[reward or name](array(outputs), *([] if targets is None else [targets]), **options)
        for quantity, values in found.items():
            made.expect(quantity, values, quantity in ("gradient", "reward"))
        return made

    for name in ("softmax", "sigmoid", "correct-class", "misclassification", "maximise", "minimise"):
        notes = {"correct-class": ["an output that ties with the label's does not make it wrong; sign(0) = 0"],
                 "misclassification": ["an output that ties with the label's is not larger; sign(0) = 0"],
                 "softmax": ["an output of 0 gets a reward of 0 whatever its label: z multiplies"]}.get(name, [])
        yield case(name, z, labels, notes=notes)
    yield case("bounded-softmax", z, labels, low=0.125, high=0.5)
    yield case("bounded-softmax-sign", z, labels, "bounded-softmax", low=0.125, high=0.5, sign_only=True)
    yield case("binary-sigmoid", [[1.5], [-0.5], [0.0], [3.0]], [1, 1, 0, 0])
    yield case("squared-error", [[1.5, -0.5], [0.0, 2.0]], [[1.0, 1.0], [0.5, 2.0]])
    yield case("maximise-all", z, None, "maximise")
    yield case("minimise-all", z, None, "minimise")
    for steps in (5, 6):
        spikes = (np.random.default_rng(steps).random((steps, 3, 4)) < 0.5).astype(float)
        spikes[:, 2] = 0  # all silent
        yield case(f"rate-coded-{steps}-steps", spikes.tolist(), [1, 3, 0], "rate-coded",
                   notes=["T//2 is the integer part",
                          "sample 2 is silent: its label still gets a reward, the others 0"])
    yield case("spike-counts", spikes.tolist(), [1, 3, 0])


def optimisers():
    def case(name, what, kind, lr, steps=3, **options):
        made = Case(f"optimisers/{name}", what, "optimiser", optimiser=kind, options={"lr": lr} | options)
        values = numbers([len(name), 0], 2, 3)
        made.inputs = {"value": values}
        moved, optimiser = [array(values)], restated.Optimiser(kind, [values.shape], lr, **options)
        for step in range(steps):
            feedback = numbers([len(name), 1, step], 2, 3)
            feedback[0, 0] = 0
            made.inputs[f"feedback.{step}"] = feedback
            moved = optimiser.step(moved, [array(feedback)])
            for slot, (state,) in optimiser.state.items():
                made.expect(f"{slot}.{step}", state)
            made.expect(f"value.{step}", moved[0], True)
        return made

    yield case("sgd", "plain", "sgd", 0.5)
    yield case("sgd-momentum-decay", "momentum and weight decay", "sgd", 0.1, momentum=0.9, weight_decay=0.01)
    yield case("adam", "the usual numbers; the first value never gets feedback", "adam", 0.001)
    yield case("adam-coarse", "numbers that single precision holds: narrow tolerances there too", "adam", 0.125,
               betas=[0.75, 0.875], eps=0.0009765625)
    yield case("adam-decay", "weight decay joins the feedback", "adam", 0.125, betas=[0.75, 0.875], eps=1e-8,
               weight_decay=0.25)
    yield case("adamw", "weight decay acts on the value alone", "adamw", 0.125, betas=[0.75, 0.875], eps=1e-8,
               weight_decay=0.25)
    for name, what, max_norm in (("clip", "a norm above the limit: all feedback shrinks together", 1.0),
                                 ("clip-below", "a norm below the limit: nothing changes", 1000.0)):
        made = Case(f"optimisers/{name}", what, "clip", options={"max_norm": max_norm})
        made.inputs = {"feedback.0": numbers(1, 2, 3), "feedback.1": numbers(2, 4)}
        norm, clipped = restated.clip_norm([array(d) for d in made.inputs.values()], max_norm)
        made.expect("norm", array(norm).reshape(1), True)
        for number, feedback in enumerate(clipped):
            made.expect(f"clipped.{number}", feedback, True)
        yield made
    made = Case("optimisers/one-cycle", "the learning rate of steps 0 to 7", "schedule", schedule="one-cycle",
                options={"max_lr": 0.5, "steps": 8, "warm": 0.375, "start": 25.0, "end": 10000.0})
    rates = restated.one_cycle(0.5, 8, 0.375)
    made.expect("rate", array(rates), True)
    yield made


def encodings():
    made = Case("encodings/rate", "a spike where the random number is below p", "encoding", encoding="rate", steps=3,
                options={"low": -1.0, "high": 1.0}, notes=["p = (x - low) / (high - low)"])
    x = np.array([[-1.0, 0.0, 0.5], [1.0, 0.25, -0.5]])
    uniform = np.floor(np.random.default_rng(0).random((3, *x.shape)) * 64) / 64
    uniform[0, 0, 1] = 0.5  # equal to p: no spike
    made.inputs = {"x": x, "uniform": uniform}
    made.expect("output", each(lambda u, p: Fraction(u < p), array(uniform), (array(x) + 1) / 2), True)
    yield made
    made = Case("encodings/latency", "one spike, the earlier the larger", "encoding", encoding="latency", steps=6,
                options={"low": 0.0, "high": 1.0},
                notes=["t = (1 - p) (T - 1), rounded, a half to the even neighbour; p = 0 never spikes"])
    made.inputs = {"x": np.array([[0.0, 1.0, 0.5], [0.25, 0.875, 0.125], [0.75, 0.3125, 0.9]])}
    made.inputs["x"][2, 2] = 0.90625
    out = zeros((6, 3, 3))
    for i in np.ndindex(3, 3):
        p = Fraction(made.inputs["x"][i])
        if p:
            out[(round((1 - p) * 5), *i)] = Fraction(1)
    made.expect("output", out, True)
    yield made


def spiking():
    def lif(beta=0.875, threshold=1.0, reset="subtract", layer=DENSE):
        return {"type": "lif", "layer": layer, "beta": beta, "threshold": threshold, "reset": reset}

    def case(name, what, layers, x, steps, given=EPSILON, kind="constant", **more):
        return passes(f"spiking/{name}", what, layers, given, x, steps=steps, input=kind, **more)

    held = parameters(1, (0, (4, 3)))
    x, over_time = numbers([1, 5], 2, 3), numbers([1, 6], 5, 2, 3)
    for reset in ("subtract", "zero", "none"):
        yield case(f"constant-{reset}", f"a constant input, reset: {reset}", [lif(reset=reset)], x, 5,
                   parameters=held, seed=1)
        yield case(f"given-{reset}", f"an input over time, reset: {reset}", [lif(reset=reset)], over_time, 5,
                   kind="given", parameters=held, seed=2)
    one = {"0.weight": [[1.0]], "0.bias": [0.0]}
    yield case("at-threshold", "a membrane exactly at the threshold does not spike", [lif(0.5, 1.5)], [[1.0]], 4,
               parameters=one, reward=np.ones((4, 1, 1)), notes=["u[1] = 0.5 + 1 = 1.5 is not above 1.5"])
    yield case("silent", "no neuron spikes, reward comes all the same", [lif()], [[0.125, 0.0]], 3,
               parameters={"0.weight": [[0.5, 1.0], [-1.0, 0.5]], "0.bias": [0.0, 0.125]},
               reward=np.ones((3, 1, 2)))
    nothing = {"parameters": {"0.weight": [[1.0, -1.0]], "0.bias": [0.0]}, "reward": np.ones((3, 1, 1))}
    yield case("nothing-flows", "no current at all: s = R / epsilon, and nothing is handed on", [lif()], [[0.0, 0.0]],
               3, **nothing)
    yield case("nothing-flows-no-stabiliser", "the same with epsilon = 0: s = 0", [lif()], [[0.0, 0.0]], 3,
               rule("epsilon", epsilon=0.0), **nothing)
    yield case("one-step", "T = 1: den = |I|", [lif()], x, 1, parameters=held, seed=3)
    yield case("no-memory", "beta = 0: no carry, yet v is part of den", [lif(0.0)], x, 4, parameters=held, seed=4)
    yield case("no-leak", "beta = 1, epsilon = 0.25", [lif(1.0)], x, 4, rule("epsilon", epsilon=0.25),
               parameters=held, seed=5)
    yield case("conv", "a convolution inside", [lif(layer=conv((1, 2), (1, 0)))], numbers([6, 5], 1, 2, 3, 4), 3,
               parameters=parameters(6, (0, (2, 2, 2, 2))), seed=6)
    for name, slope in (("atan-surrogate", 2.0), ("fast-sigmoid-surrogate", 4.0), ("straight-through", 0.5)):
        yield case(name, "gradient ascent through time, the reset held constant", [lif(0.5)], over_time[:3], 3,
                   rule(name, slope=slope), "given", parameters=held, seed=7)
    two = parameters(8, (0, (5, 3)), (1, (3, 5)))
    yield case("mlp", "two layers, a constant input", [lif(), lif(0.5)], numbers([8, 5], 2, 3), 4, parameters=two,
               seed=8)
    cnn = [lif(layer=conv()), pool("max", (2, 2)), FLATTEN, lif(0.75)]
    yield case("cnn", "convolution, pooling step by step, flatten, dense", cnn, numbers([9, 5], 1, 1, 5, 6), 3,
               parameters=parameters(9, (0, (2, 1, 2, 3)), (3, (3, 8))), seed=9,
               notes=["spikes tie in nearly every window: the first maximum wins"])


def training():
    def case(name, what, layers, shapes_of, x, targets, reward, optimiser, seed, reduction="mean", clip=None, steps=2,
             options=None, time=None):
        made = Case(f"training/{name}", what, "training", layers=layers, rule=EPSILON, reward=reward,
                    reduction=reduction, optimiser=optimiser, options=options, clip=clip, updates=steps,
                    **(time or {}))
        made.inputs = {"x": np.asarray(x, float), "targets": np.asarray(targets, float)}
        made.parameters = parameters(seed, *shapes_of)
        values = {key: array(value) for key, value in made.parameters.items()}
        walk = restated.Optimiser(optimiser, [v.shape for v in values.values()], **options)
        for step in range(steps):
            quiet = Case(name, what, "pass", **(time or {}))
            quiet.inputs = made.inputs
            net = Network(quiet, layers, EPSILON, values, (time or {}).get("steps"))
            out = net.forward(array(made.inputs["x"]))
            told = array(restated.REWARDS[reward](out, targets)["reward"])
            if reduction == "mean":
                told = told / len(targets)
            net.feedback(told)
            feedback = net.learned()
            made.expect(f"outputs.{step}", out, True)
            made.expect(f"told.{step}", told)
            for key, d in feedback.items():
                made.expect(f"feedback.{step}.{key}", d, True)
            if clip is not None:
                norm, clipped = restated.clip_norm(list(feedback.values()), bounded(clip))
                made.expect(f"norm.{step}", array(norm).reshape(1))
                feedback = dict(zip(feedback, clipped, strict=True))
            moved = walk.step(list(values.values()), [feedback[key] for key in values])
            values = dict(zip(values, moved, strict=True))
            for key, value in values.items():
                made.expect(f"value.{step}.{key}", value, True)
        return made

    mlp, shapes_of = [DENSE, RELU, DENSE], [(0, (4, 3)), (2, (2, 4))]
    x = numbers([1, 0], 4, 3)
    yield case("softmax-sgd", "two updates: the reward divided by the batch size", mlp, shapes_of, x, [0, 1, 1, 0],
               "softmax", "sgd", 1, options={"lr": 0.25, "momentum": 0.5})
    yield case("softmax-sum", "the reward summed over the batch, as lfprop's learning rates assume", mlp, shapes_of, x,
               [0, 1, 1, 0], "softmax", "sgd", 1, "sum", options={"lr": 0.0625})
    yield case("squared-error-clipped", "regression, feedback clipped", mlp, shapes_of, x,
               [[1.0, 0.0], [0.5, -1.0], [0.0, 0.0], [2.0, 1.0]], "squared-error", "sgd", 2, clip=0.5,
               options={"lr": 0.25})
    yield case("softmax-adam", "Adam", mlp, shapes_of, x, [0, 1, 1, 0], "softmax", "adam", 1,
               options={"lr": 0.125, "betas": [0.75, 0.875], "eps": 0.0009765625})
    lif = {"type": "lif", "layer": DENSE, "beta": 0.875, "threshold": 1.0, "reset": "subtract"}
    yield case("spiking", "two layers of spiking neurons, the rate-coded reward", [lif, lif],
               [(0, (4, 3)), (1, (2, 4))],
               numbers([3, 0], 2, 3), [0, 1], "rate-coded", "sgd", 3, options={"lr": 0.125}, steps=1,
               time={"steps": 4, "input": "constant"})


FAMILIES = {"dense": dense, "conv": convolution, "rules": rules, "pool": lambda: [*pooling(), *padded_pools()],
            "upsampling": upsampling, "activations": activations, "shapes": shapes,
            "norm": lambda: [*norm(), *sample_norms()], "residual": residual, "joining": joining, "tokens": tokens,
            "attention": attention, "networks": networks, "rewards": rewards, "optimisers": optimisers,
            "encodings": encodings, "spiking": spiking, "training": training}
