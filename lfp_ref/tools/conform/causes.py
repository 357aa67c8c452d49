"""Known mistakes of ports: each pattern gives the answer of a port with one of them.

A pattern looks at the first quantity that diverges, so everything before it is right: the wrong value follows from
expected values alone. It yields (what the mistake gives, what to say of it); where a port wrote just that, it is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lfp_ref.tools.conform.vectors import Case, Quantity

Guess = tuple[np.ndarray, str]
Pattern = Callable[["Site"], Iterator[Guess]]
PATTERNS: list[tuple[str, Pattern]] = []
RELATIVE = {"float32": 1e-4, "float64": 1e-9}  # how closely a port must agree with a mistake


@dataclass(frozen=True)
class Site:
    """Where an answer diverges: the case, the quantity, its place ("2.body.0"), what is computed there."""

    case: Case
    quantity: Quantity

    @property
    def kind(self) -> str:
        """The quantity's name without its place, group and step: "s", "weight.feedback", "output", "told"."""
        parts = self.quantity.name.split(".")
        if not parts[0].isdigit():
            return parts[0]
        while parts[0].isdigit() or parts[0] in ("body", "shortcut", "branches"):
            parts = parts[1:]
        return ".".join(part for part in parts if not part.isdigit())

    @property
    def path(self) -> str:
        return self.quantity.name.split(f".{self.kind.split('.')[0]}")[0]

    @property
    def layer(self) -> dict[str, Any]:
        """The description of the layer at this place; empty where there is none."""
        found: Any = self.case.about.get("layers", [])
        for part in self.path.split("."):
            try:
                found = found[int(part)] if part.isdigit() else found[part]
            except (LookupError, TypeError):
                return {}
        return found if isinstance(found, dict) else {}

    @property
    def rule(self) -> dict[str, Any]:
        return self.layer.get("rule") or self.case.about.get("rule") or {}

    @property
    def value(self) -> np.ndarray:
        return self.quantity.value

    # Arrays of the case, or None where it has none: a pattern for a kind of quantity knows what its cases have.

    def parameter(self, name: str) -> Any:
        return self.case.parameters.get(f"{self.path}.{name}")

    def expected(self, name: str) -> Any:
        found = self.case.expected.get(f"{self.path}.{name}")
        return None if found is None else found.value

    @property
    def input(self) -> Any:
        """The layer's input; None inside branches."""
        if not self.path.isdigit():
            return None
        return self.case.inputs.get("x") if self.path == "0" else self._output_before()

    def _output_before(self) -> np.ndarray | None:
        found = self.case.expected.get(f"{int(self.path) - 1}.output")
        return None if found is None else found.value

    @property
    def told(self) -> Any:
        """The reward of the layer's output; None inside branches."""
        if not self.path.isdigit():
            return None
        after = self.case.expected.get(f"{int(self.path) + 1}.input_reward")
        return self.case.inputs.get("reward") if after is None else after.value

    @property
    def batch(self) -> int:
        x = self.case.inputs.get("x")
        return 1 if x is None else x.shape[1 if self.case.about.get("input") == "given" else 0]


def likely(case: Case, quantity: Quantity, got: np.ndarray, dtype: str) -> str | None:
    """The mistake that gives this answer, or None."""
    site = Site(case, quantity)
    if not np.isfinite(got).all():
        return _not_finite(site, got)
    for kind, pattern in PATTERNS:
        if kind not in ("", site.kind):
            continue
        with np.errstate(all="ignore"):
            for wrong, cause in pattern(site):
                if wrong is not None and _is(got, wrong, quantity, dtype):
                    return cause
    if dtype == "float64" and (np.abs(got - quantity.value) <= quantity.tolerance["float32"]).all():
        return "computed in single precision: check it with --dtype float32"
    return None


def of_shape(quantity: Quantity, got: np.ndarray) -> str | None:
    """The mistake behind a wrong shape, or None."""
    want = quantity.value
    if got.size == want.size and got.shape == want.shape[::-1]:
        return "transposed weights" if "weight" in quantity.name else "transposed"
    if got.size == want.size:
        return "the right number of values in another shape"
    return None


def _is(got: np.ndarray, wrong: np.ndarray, quantity: Quantity, dtype: str) -> bool:
    """True if the answer is that of the mistake, and the mistake makes a difference."""
    wrong = np.broadcast_to(wrong, got.shape)
    known = np.isfinite(wrong)  # where a mistake leaves something open, anything will do
    close = np.abs(got - wrong) <= RELATIVE[dtype] * np.abs(wrong) + 4 * quantity.tolerance[dtype]
    shows = np.abs(wrong - quantity.value) > 8 * quantity.tolerance[dtype] + RELATIVE[dtype] * np.abs(wrong)
    return bool(known.any() and close[known].all() and shows[known].any())


def _not_finite(site: Site, got: np.ndarray) -> str:
    bad = ~np.isfinite(got)
    if site.kind in ("s", "input_reward", "weight.feedback", "bias.feedback"):
        zero = site.value[bad] == 0
        if site.rule.get("epsilon") == 0 and zero.all():
            return "a division by 0: with epsilon = 0, r / 0 counts as 0"
        return "a division by 0: the stabiliser is missing, or sgn(0) is 0 instead of +1"
    return "an overflow, or a number that was never set"


def pattern(*kinds: str) -> Callable[[Pattern], Pattern]:
    """A pattern for quantities of these kinds, tried in the order of this file."""

    def add(function: Pattern) -> Pattern:
        PATTERNS.extend((kind, function) for kind in kinds)
        return function

    return add


# ---- forward


@pattern("output", "current")
def _weights_or_bias(site: Site) -> Iterator[Guess]:
    w, b, x = site.parameter("weight"), site.parameter("bias"), site.input
    if w is None or w.ndim not in (2, 4) or site.layer["type"] == "conv-transpose2d":
        return
    if b is not None:
        channel = b if w.ndim == 2 else b[:, None, None]
        yield site.value - channel, "the bias is missing"
    other = w.reshape(w.shape[::-1]).T  # the same memory, read column by column
    if w.ndim == 2 and x is not None:
        yield x @ other.T + (0 if b is None else b), "transposed weights: (O, I) is row-major, output by output"
    elif w.ndim == 4 and x is not None and x.ndim == 4:
        bias, about = np.zeros(len(w)) if b is None else b, site.layer.get("layer", site.layer)  # a LIF has one inside
        yield (
            _convolve(x, w[..., ::-1, ::-1], bias, about),
            "flipped kernels: z is a correlation, w[i, j] a[y + i, x + j]",
        )
        swapped = np.ascontiguousarray(w.swapaxes(2, 3)).reshape(w.shape)
        yield _convolve(x, swapped, bias, about), "transposed weights: kernels are (KH, KW), row-major"
        yield _convolve(x, other, bias, about), "transposed weights: (O, C, KH, KW) is row-major"
        if (groups := about.get("groups", 1)) > 1:
            interleaved = x[:, np.arange(x.shape[1]).reshape(-1, groups).T.reshape(-1)]
            yield _convolve(interleaved, w, bias, about), "a group's channels are next to each other, not interleaved"


def _convolve(x: np.ndarray, w: np.ndarray, b: np.ndarray, layer: dict[str, Any]) -> np.ndarray:
    """z of a convolution, as nested loops."""
    (sy, sx), (py, px), (dy, dx) = layer["stride"], layer["padding"], layer["dilation"]
    by, bx = layer.get("padding_behind", (py, px))
    padded = np.pad(x, ((0, 0), (0, 0), (py, by), (px, bx)), constant_values=layer.get("padding_value", 0.0))
    height = (padded.shape[2] - dy * (w.shape[2] - 1) - 1) // sy + 1
    width = (padded.shape[3] - dx * (w.shape[3] - 1) - 1) // sx + 1
    z = np.zeros((len(x), len(w), height, width)) + b[:, None, None]
    groups = x.shape[1] // w.shape[1]
    by_group = w.reshape(groups, -1, *w.shape[1:])
    for i, j in np.ndindex(w.shape[2:]):
        rows, columns = slice(i * dy, i * dy + sy * height, sy), slice(j * dx, j * dx + sx * width, sx)
        part = padded[:, :, rows, columns][:, :, :height, :width]
        part = part.reshape(len(x), groups, -1, *part.shape[2:])
        z += np.einsum("ngcyx,goc->ngoyx", part, by_group[..., i, j]).reshape(z.shape)
    return z


@pattern("output")
def _activations(site: Site) -> Iterator[Guess]:
    z = site.input
    if z is None:
        return
    if site.layer.get("type") == "step":
        yield (z >= 0) * 1.0, "a step is 1 only above 0, not at it: z > 0"
    if site.layer.get("type") == "gelu":
        curve = np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))
        yield z * (1 + curve) / 2, "GELU in its tanh approximation; here it is the exact form"


@pattern("output")
def _other_layers(site: Site) -> Iterator[Guess]:
    kind = site.layer.get("type")
    if kind == "dropout":
        yield site.value * (1 - site.layer["p"]), "dropout does not scale kept units by 1 / (1 - p) in the forward pass"
    if kind in ("avg-pool", "global-avg-pool"):
        x = site.input
        window = np.prod(site.layer["kernel"]) if kind == "avg-pool" or x is None else np.prod(x.shape[2:])
        yield site.value * window, "a sum in place of a mean"


@pattern("weights")
def _attention_weights(site: Site) -> Iterator[Guess]:
    m, z = site.expected("scores"), site.expected("projected")
    d = z.shape[2] // 3 // m.shape[1]
    yield _softmax(m, 3), "the scores are not divided by sqrt(d), d features a head"
    yield _softmax(m / np.sqrt(d), 2), "a softmax over the queries; it is over the keys, the last axis"


def _softmax(z: np.ndarray, axis: int) -> np.ndarray:
    powers = np.exp(z - z.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@pattern("winner")
def _which_maximum(site: Site) -> Iterator[Guess]:
    yield _pool(site, True)[0], "the last of several maxima; the first one, row by row, is the winner"


def _pool(site: Site, last: bool) -> tuple[np.ndarray, np.ndarray]:
    """(winners, input's reward) where ties go to the last maximum, or (last False) are shared out.

    Of windows inside of the image, and outside of branches; others are left open.
    """
    images, out = site.input, site.expected("output")
    if images is None or site.told is None or "padding" in site.layer:
        return np.full(1, np.nan), np.full(1, np.nan)
    x, told = images.reshape(-1, *images.shape[-3:]), site.told.reshape(-1, *out.shape[-3:])  # steps as samples
    (ky, kx), (sy, sx) = site.layer["kernel"], site.layer["stride"]
    winner, handed = np.zeros(told.shape), np.zeros(x.shape)
    for n, c, y, u in np.ndindex(winner.shape):
        window = x[n, c, y * sy : y * sy + ky, u * sx : u * sx + kx]
        ties = np.flatnonzero(window.ravel() == window.max())
        winner[n, c, y, u] = ties[-1]
        for tap in ties[-1:] if last else ties:
            part = told[n, c, y, u] / (1 if last else len(ties))
            handed[n, c, y * sy + tap // kx, u * sx + tap % kx] += part
    return winner.reshape(out.shape), handed.reshape(images.shape)


# ---- spiking layers


@pattern("membrane", "output")
def _membrane(site: Site) -> Iterator[Guess]:
    current, about = site.expected("current"), site.layer
    if current is None:
        return
    which = 0 if site.kind == "membrane" else 1
    for changes, cause in (
        ({"at_threshold": True}, "a neuron spikes only above the threshold, not at it: u > threshold"),
        ({"at_once": True}, "the reset acts in the step of the spike; it comes one step later"),
        ({"scaled": True}, "the reset is multiplied by beta: the whole threshold is taken, after the decay"),
        ({"reset": "zero"}, "reset to zero; this case has another reset"),
        ({"reset": "subtract"}, "reset by subtraction; this case has another reset"),
        ({"reset": "none"}, "the reset is missing"),
    ):
        yield _run(current, about["beta"], about["threshold"], **{"reset": about["reset"], **changes})[which], cause


def _run(current: np.ndarray, beta: float, threshold: float, reset: str, at_threshold: bool = False,
         at_once: bool = False, scaled: bool = False) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """(membranes, spikes) of a neuron, with mistakes."""
    u, before = np.zeros_like(current), np.zeros_like(current[0])
    for t, now in enumerate(current):
        fired = before >= threshold if at_threshold else before > threshold
        if at_once:
            fired = np.zeros_like(fired)
        taken = fired * threshold * (reset == "subtract") * (beta if scaled else 1)
        u[t] = beta * before * (1 - fired * (reset == "zero")) + now - taken
        if at_once:
            fires = u[t] > threshold
            u[t] = u[t] * (1 - fires) if reset == "zero" else u[t] - fires * threshold * (reset == "subtract")
        before = u[t]
    return u, (u >= threshold if at_threshold else u > threshold) * 1.0


@pattern("flow")
def _flow(site: Site) -> Iterator[Guess]:
    yield np.abs(site.expected("membrane")), "|u| in place of |v| + |u + taken - v|"


@pattern("s")
def _carry(site: Site) -> Iterator[Guess]:
    if site.layer.get("type") != "lif" or site.told is None or site.expected("flow") is None:
        return
    den = site.expected("flow") + site.rule["epsilon"]
    yield site.told / den, "the carry is missing: R[t] = r[t] + c[t+1], c[t] = beta v[t] s[t]"
    u, s, after = site.expected("membrane"), np.zeros_like(den), np.zeros_like(den[0])
    for t in reversed(range(len(den))):
        s[t] = (site.told[t] + after) / den[t]
        after = site.layer["beta"] * u[t] * s[t]
    yield s, "the carry is made of u[t]; it is beta v[t] s[t], of what was left of u[t-1]"


# ---- feedback


@pattern("s")
def _division(site: Site) -> Iterator[Guess]:
    s, epsilon = site.value, site.rule.get("epsilon", 1e-6)
    number = site.quantity.name.rpartition(".")[2]
    z = site.expected(f"denominator.{number}")
    z = site.expected("output") if z is None else z
    if z is None or z.shape != s.shape:
        return
    part = s * (z + np.where(z >= 0, epsilon, -epsilon))
    yield np.where(z == 0, -s, s), "sign at zero: sgn(0) = +1, so stab(0) = +epsilon"
    yield np.where(z == 0, 0, s), "sign at zero: sgn(0) = +1, not 0; a z of 0 divides by +epsilon"
    yield part / (z + epsilon), "the stabiliser has no sign: stab(z) = z + epsilon sgn(z)"
    yield np.where(z == 0, np.nan, part / z), "the stabiliser is missing: s = r / stab(z, epsilon)"
    yield part, "no division: s = r is gradient ascent"
    if site.rule.get("name") == "alpha-beta":
        yield -s, "the second group's coefficient is -beta"
        yield (
            s / (site.rule["alpha"] if number == "0" else site.rule["beta"]),
            "a coefficient (alpha, -beta) is missing",
        )


@pattern("weight.feedback", "bias.feedback", "feedback")
def _learning(site: Site) -> Iterator[Guess]:
    d = site.value
    if site.kind == "feedback":  # of a training case: "feedback.0.2.weight"
        step, _, name = site.quantity.name.removeprefix("feedback.").partition(".")
        w = site.case.parameters[name]
        if step != "0":
            return
    else:
        w = site.parameter(site.kind.removesuffix(".feedback"))
    if site.rule.get("name") != "gradient":
        yield np.where(w == 0, np.nan, d / np.abs(w)), "missing |w|: d = |w| * sum of a s"
        yield d * np.where(w >= 0, 1, -1), "w in place of |w|: the sign of w came in twice"
    n, z, kernels = site.batch, site.expected("output"), site.parameter("weight")
    yield d / n, "mean in place of sum: feedback is summed over the batch"
    if kernels is not None and kernels.ndim == 4:
        yield d / (n * np.prod(z.shape[-2:])), "mean in place of sum: feedback is summed over batch and positions"
        yield d / np.prod(z.shape[-2:]), "mean in place of sum: feedback is summed over positions"
    if steps := site.case.about.get("steps"):
        yield d / steps, "mean in place of sum: feedback is summed over time"
    yield -d, "the sign of a loss's gradient: feedback is the direction in which a parameter moves"
    if d.ndim > 1:
        yield d.reshape(-1, order="F").reshape(d.shape), "transposed weights: arrays are row-major"


@pattern("input_reward")
def _handing(site: Site) -> Iterator[Guess]:
    handed, told, out, kind = site.value, site.told, site.expected("output"), site.layer.get("type")
    shares = not site.rule.get("name", "").startswith("gradient")
    if kind == "dropout" and shares:
        yield (
            handed / (1 - site.layer["p"]),
            "reward scaled by dropout: kept units hand it on unchanged, without 1 / (1 - p)",
        )
    if kind == "batch-norm" and site.layer["training"] and shares and site.input is not None:
        k = site.parameter("weight") * site.expected("scale")
        affine = site.input * site.expected("s.0") * k.reshape(-1, *(1,) * (handed.ndim - 2))
        yield affine, "in training the reward goes through the batch's statistics: they are not constants"
    if kind in ("layer-norm", "group-norm") and shares and site.input is not None:
        yield _norm_handing(site, 0), "a sample's statistics depend on the input: the reward goes through them"
        yield _norm_handing(site, 1), "the scale depends on the input, too; it is a constant under AttnLRP alone"
        yield _norm_handing(site, 2), "under this rule the scale is a constant: the reward goes through the mean alone"
    if kind == "dropout" and not shares:
        yield handed * (1 - site.layer["p"]), "gradient ascent does scale by 1 / (1 - p)"
    if kind in DERIVATIVES and shares and out is not None and told is not None:
        yield (
            told * DERIVATIVES[kind](out),
            "an activation hands a reward on unchanged; its derivative is for gradient ascent",
        )
    if kind in DERIVATIVES and not shares and told is not None:
        yield told, "gradient ascent multiplies by the activation's derivative"
    if kind == "max-pool" and site.input is not None and told is not None:
        yield _pool(site, True)[1], "the last of several maxima; the first one, row by row, gets all"
        yield _pool(site, False)[1], "the reward shared among ties; the first maximum, row by row, gets all"
    x = site.input
    if shares and x is not None and x.shape == handed.shape:
        yield np.where(x == 0, np.nan, handed / x), "missing a: r = a * sum of w s"
    if kind in ("avg-pool", "global-avg-pool") and x is not None:
        window = np.prod(site.layer.get("kernel", x.shape[2:]))
        yield handed * window, "each pixel weighs 1 / window, in the feedback too"
    if kind == "lif" and site.case.about.get("input") == "constant":
        yield handed / site.case.about["steps"], "a mean over time: the reward of a constant input is the sum over t"
    yield handed / site.batch, "divided by the batch size: the feedback pass takes the reward as it is"


def _norm_handing(site: Site, form: int) -> np.ndarray:
    """The input's reward of a layer or group normalisation: statistics as constants, scale as one, or neither (2)."""
    x, scale, w = site.input, site.expected("scale"), site.parameter("weight")
    t = site.expected("s.0") * (w.reshape(-1, *(1,) * (x.ndim - 2)) if "groups" in site.layer else w)
    rows = (*scale.shape, -1)
    t, normal = t.reshape(rows), site.expected("normal").reshape(rows)
    through = (form > 0) * t.mean(axis=2, keepdims=True)
    through = through + (form > 1) * normal * (normal * t).mean(axis=2, keepdims=True)
    return x * (scale[..., None] * (t - through)).reshape(x.shape)


DERIVATIVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # from the output
    "relu": lambda a: a > 0,
    "step": lambda a: 0 * a,
    "tanh": lambda a: 1 - a**2,
    "sigmoid": lambda a: a * (1 - a),
    "softsign": lambda a: (1 - np.abs(a)) ** 2,
}

# ---- rewards, optimisers, training


@pattern("reward", "gradient")
def _rewards(site: Site) -> Iterator[Guess]:
    r, z = site.value, site.case.inputs.get("outputs")
    if z is None:
        return
    gradient = site.case.expected.get("gradient")
    if gradient is not None and site.kind == "reward":
        yield gradient.value, "missing z: the reward is z * dJ/dz"
    yield -r, "the sign: a reward is positive for what helped (y - p, not p - y)"
    yield r / len(z), "a mean over the batch: rewards are per sample"
    yield np.where(z == 0, np.nan, r * np.sign(z)), "sign(z) is missing"
    if site.case.about["reward"] == "rate-coded":
        y, n1, steps = np.eye(z.shape[2])[site.case.inputs["targets"].astype(int)], z.sum(axis=0), len(z)
        for half, cause in ((steps / 2, "T / 2 in place of its integer part"), (0, "T // 2 is missing")):
            own, others = 1 / (1 + np.exp(n1 - half)), 1 / (1 + np.exp(steps - n1 - half))
            yield np.where(y == 1, own, -z * others), cause


@pattern("value")
def _updates(site: Site) -> Iterator[Guess]:
    if site.case.about["computes"] != "optimiser" or not site.quantity.name.endswith(".0"):
        return
    start, feedback, options = site.case.inputs["value"], site.case.inputs["feedback.0"], site.case.about["options"]
    yield 2 * start - site.value, "moved against the feedback: w <- w + lr d"
    if site.case.about["optimiser"] == "adam":
        (b1, b2), eps, lr = options.get("betas", (0.9, 0.999)), options.get("eps", 1e-8), options["lr"]
        d = feedback - options.get("weight_decay", 0.0) * start
        m, v = (1 - b1) * d, (1 - b2) * d * d
        yield start + lr * m / (np.sqrt(v) + eps), "Adam without bias correction"
        yield start + lr * d / np.sqrt(d * d + eps), "Adam's eps is added to the square root, not under it"


@pattern("told")
def _reduction(site: Site) -> Iterator[Guess]:
    if site.case.about["reduction"] == "mean":
        yield site.value * site.batch, 'the reward is not divided by the batch size (reduction "mean")'
    else:
        yield site.value / site.batch, 'the reward is divided by the batch size (reduction "sum")'


@pattern("")
def _order(site: Site) -> Iterator[Guess]:
    yield site.value.reshape(-1, order="F").reshape(site.value.shape), "column-major order: arrays are row-major"
    yield -site.value, "the sign"
