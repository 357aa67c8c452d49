"""Coq examples from the conformance vectors: what the kernels are held to, computed by the definitions of the proofs.

    python -m proofs.pinned.generate        writes Rules.v, Layers.v, Convolutions.v and Spiking.v beside this file

Every example states a number of a case of lfp_ref/tools/conform/vectors, as the fraction that the vector rounds.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

from tests.vectors.cases import stabiliser
from tests.vectors.families import FAMILIES

HERE = Path(__file__).parent
HEAD = """(** Written by generate.py from the conformance vectors: do not edit. *)

From LFP Require Import {needs} pinned.Compute.
"""
GROUP = """
(** Group g of a rule. *)
Definition group_of (rho : rule) (g : nat) : group := nth g (groups rho) (Group [] 0 everywhere).
"""
EPSILON_1E6 = Fraction(1e-6)
RESETS = {"subtract": "Subtract", "zero": "ToZero", "none": "NoReset"}


@cache
def family(name):
    return {case.name: case for case in FAMILIES[name]()}


def case_of(name):
    """The case of that name, its expected numbers as arrays of Fractions."""
    case = family(name.partition("/")[0])[name]
    case.exact = {quantity: _values(array) for quantity, array, _ in case.expected}
    return case


def _values(array):
    out = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        out[index] = array[index].value
    return out


def number(x):
    """A number as Coq reads it."""
    x = Fraction(x)
    text = f"{x.numerator}" if x.denominator == 1 else f"{x.numerator} / {x.denominator}"
    return text if x >= 0 and x.denominator == 1 else f"({text})"


def vector(numbers):
    return f"given [{'; '.join(number(x) for x in np.ravel(numbers))}]"


def identifier(name):
    return name.replace("/", "_").replace("-", "_")


def rule(given):
    """A rule of the vectors in Coq."""
    e, options = number(stabiliser(given)), {k: number(v) for k, v in given.items() if isinstance(v, float)}
    return {
        "epsilon": lambda: f"Epsilon {e}",
        "gamma": lambda: f"Gamma {options['gamma']} {e}",
        "alpha-beta": lambda: f"AlphaBeta {options['alpha']} {options['beta']} {e}",
        "z-plus": lambda: f"ZPlus {e}",
        "w-square": lambda: f"WSquare {e}",
        "flat": lambda: f"Flat {e}",
        "z-box": lambda: f"ZBox (fun _ => {options['low']}) (fun _ => {options['high']}) {e}",
    }[given["name"]]()


def example(name, left, right, proof="evaluate."):
    return f"Example {name} : {left} = {number(right)}.\nProof. {proof} Qed."


class Dense:
    """A case of one dense layer: its definitions, and examples for the samples and neurons asked for."""

    def __init__(self, name):
        self.case = case = case_of(name)
        self.name = identifier(name)
        self.outputs, self.inputs = case.parameters["0.weight"].shape
        self.layer = f"(dense {self.inputs} {self.outputs}) {self.name}_w {self.name}_b"
        bias = case.parameters.get("0.bias", np.zeros(self.outputs))
        self.lines = [
            f"\n(** {name}: {case.about['what']} *)",
            f"Definition {self.name}_rule := {rule(case.about['rule'])}.",
            f"Definition {self.name}_w := {vector(case.parameters['0.weight'])}.",
            f"Definition {self.name}_b := {vector(bias)}.",
        ]
        for n, (x, r) in enumerate(zip(case.inputs["x"], case.inputs["reward"], strict=True)):
            self.lines.append(f"Definition {self.name}_x{n} := {vector(x)}.")
            self.lines.append(f"Definition {self.name}_r{n} := {vector(r)}.")
        self.groups = sum(name.startswith("0.denominator") for name in case.exact)

    def neuron(self, n, j):
        """z, and each group's denominator and reward per unit, of neuron j at sample n."""
        me, exact, x = f"{self.name}_{n}_{j}", self.case.exact, f"{self.name}_x{n}"
        z = f"pre_activation {self.layer} {x} {j}"
        self.lines.append(example(f"{me}_z", z, exact["0.output"][n, j]))
        for g in range(max(self.groups, 1)):
            group = f"(group_of {self.name}_rule {g})"
            d = exact.get(f"0.denominator.{g}", exact["0.output"])[n, j]
            self.lines.append(example(f"{me}_D{g}", f"denominator {self.layer} {x} {group} {j}", d))
            s = f"per_unit {self.layer} {self.name}_rule {x} {self.name}_r{n} {group} {j}"
            unfolded = f"unfold per_unit, part. rewrite {me}_D{g}, {me}_z. evaluate."
            self.lines.append(example(f"{me}_s{g}", s, exact[f"0.s.{g}"][n, j], unfolded))
        return self

    def two_neurons(self):
        """Of the neurons with a reward, one with z > 0 and one with z < 0, those with the largest |z|."""
        z, r = self.case.exact["0.output"], self.case.inputs["reward"]
        for side in (1, -1):
            rewarded = [k for k in np.ndindex(z.shape) if r[k] and side * z[k] > 0]
            self.neuron(*max(rewarded, key=lambda k: abs(z[k])))
        return self

    def results(self, samples):
        """The input's reward at the samples, and the feedback of every parameter, summed over the batch."""
        exact, me = self.case.exact, self.name
        for n in samples:
            for i in range(self.inputs):
                left = f"to_input {self.layer} {me}_rule {me}_x{n} {me}_r{n} {i}"
                self.lines.append(example(f"{me}_{n}_input_{i}", left, exact["0.input_reward"][n, i]))
        for what, name in (("weight", "0.weight.feedback"), ("bias", "0.bias.feedback")):
            for k, d in enumerate(exact[name].flat):
                left = " + ".join(f"to_{what} {self.layer} {me}_rule {me}_x{n} {me}_r{n} {k}"
                                  for n in range(len(self.case.inputs["x"])))  # fmt: skip
                self.lines.append(example(f"{me}_{what}_{k}", left, d))
        return self


def rules():
    """Rules.v: what each rule's terms, coefficients and masks give; what a layer hands on."""
    found = []
    for name in ("gamma", "alpha-beta", "alpha-beta-3-2", "z-plus", "w-square", "flat", "z-box"):
        found += Dense(f"rules/{name}-dense").two_neurons().lines
    found += Dense("rules/gamma-epsilon").two_neurons().lines
    found += Dense("rules/gamma-z-zero").neuron(0, 0).lines
    found += Dense("rules/alpha-beta-empty-group").neuron(0, 0).lines
    found += Dense("rules/z-plus-empty-group").neuron(0, 0).lines
    found += Dense("rules/flat-zero-weights").results([0]).lines
    found += Dense("rules/z-box-at-the-limits").neuron(0, 0).neuron(1, 1).lines
    return HEAD.format(needs="sums.Network") + GROUP + "\n".join(found) + "\n"


def layers():
    """Layers.v: the stabiliser at 0, the epsilon rule's shares, ties in max pooling, sums."""
    found = []
    found += Dense("dense/z-zero").neuron(0, 0).results([0]).lines
    found += Dense("dense/z-zero-no-stabiliser").neuron(0, 0).lines
    found += Dense("dense/one-by-one").results([0]).lines
    found += [*max_pool("pool/max-ties"), *residual("residual/sum-zero")]
    return HEAD.format(needs="sums.Network") + GROUP + "\n".join(found) + "\n"


def convolutions():
    """Convolutions.v: outputs of convolutions with stride, padding and dilation."""
    found = [line for name in ("stride", "padding", "dilation") for line in convolution(f"conv/{name}")]
    return HEAD.format(needs="sums.Network sums.Convolution") + "\n".join(found) + "\n"


def max_pool(name):
    """Every winner, as the number of its pixel."""
    case, me = case_of(name), identifier(name)
    (kernel_h, kernel_w), (stride_h, stride_w) = (case.about["layers"][0][key] for key in ("kernel", "stride"))
    image = case.inputs["x"][0, 0]
    yield f"\n(** {name}: {case.about['what']} *)\nDefinition {me}_x := {vector(image)}."
    for y, x in np.ndindex(case.exact["0.winner"].shape[2:]):
        taps = [
            (y * stride_h + p) * image.shape[1] + x * stride_w + q for p in range(kernel_h) for q in range(kernel_w)
        ]
        tap = int(case.exact["0.winner"][0, 0, y, x])
        window = f"best {me}_x {taps[0]} [{'; '.join(map(str, taps[1:]))}]%nat"
        yield f"Example {me}_{y}_{x} : {window} = {taps[tap]}%nat.\nProof. evaluate_index. Qed."


def residual(name):
    """The body's reward and the shortcut's, where the branches cancel."""
    case, me = case_of(name), identifier(name)
    x, r, e = case.inputs["x"][0], case.inputs["reward"][0], number(stabiliser(case.about["rule"]))
    body, handed = case.exact["0.body.0.output"][0], case.exact["0.body.0.s.0"][0]
    yield f"\n(** {name}: {case.about['what']} *)\nDefinition {me}_x := {vector(x)}.\nDefinition {me}_r := {vector(r)}."
    yield f"Definition {me}_body := {vector(body)}."
    weight, bias = case.parameters["0.body.0.weight"], case.parameters["0.body.0.bias"]
    for j in range(len(r)):
        z = sum(Fraction(w) * Fraction(v) for w, v in zip(weight[j], x, strict=True)) + Fraction(bias[j])
        assert z == body[j]
        reward = handed[j] * (z + EPSILON_1E6 * (1 if z >= 0 else -1))  # s stab(z, e): what the body got
        total = f"(fun j => {me}_body j + {me}_x j)"
        yield example(f"{me}_{j}", f"branch_reward {me}_body {total} {me}_r {e} {j}%nat", reward)


def convolution(name):
    """The outputs of the first sample by the concrete wiring of sums/Convolution.v."""
    case, me = case_of(name), identifier(name)
    about, x, w = case.about["layers"][0], case.inputs["x"][0], case.parameters["0.weight"]
    out = case.exact["0.output"][0]
    sizes = [*x.shape, *w.shape[::2][:1], *w.shape[2:], *about["stride"], *about["padding"], *about["dilation"]]
    sides = ["channels", "height", "width", "outputs", "kernel_h", "kernel_w", "stride_h", "stride_w",
             "padding_h", "padding_w", "dilation_h", "dilation_w"]  # fmt: skip
    fields = "; ".join(f"{side} := {size}" for side, size in zip(sides, sizes, strict=True))
    yield f"\n(** {name}: {case.about['what']} *)"
    yield f"Definition {me}_shape := {{| {fields} |}}%nat."
    yield f"Definition {me}_x := {vector(x)}.\nDefinition {me}_w := {vector(w)}."
    yield f"Definition {me}_b := {vector(case.parameters['0.bias'])}."
    for k, value in list(enumerate(out.flat))[:: max(1, out.size // 4)]:
        yield example(f"{me}_{k}", f"pre_activation (convolution {me}_shape) {me}_w {me}_b {me}_x {k}", value)


def spiking():
    """Spiking.v: membranes, spikes, denominators and s over time, for each reset, and at the threshold."""
    found = []
    for name, j in (("at-threshold", 0), ("given-subtract", 0), ("given-zero", 0), ("given-none", 0),
                    ("nothing-flows-no-stabiliser", 0)):  # fmt: skip
        found += lif(f"spiking/{name}", j, 0)
    found += slopes("spiking/fast-sigmoid-surrogate", 0, 0)
    found += spiking_layer("spiking/one-step")
    needs = "sums.Network spiking.Spiking spiking.SpikingNetworks"
    return HEAD.format(needs=needs) + "\n".join(found) + "\n"


def lif(name, j, n):
    """Neuron j at sample n: forwards through time, then backwards."""
    case, me = case_of(name), identifier(name)
    about, weight = case.about["layers"][0], case.parameters["0.weight"]
    total, x = case.about["steps"], case.inputs["x"]
    over_time = x[:, n] if case.about["input"] == "given" else [x[n]] * total
    yield f"\n(** {name}: {case.about['what']} *)"
    yield f"Definition {me}_x (t : nat) : vector := nth t [{'; '.join(vector(now) for now in over_time)}] (given [])."
    yield f"Definition {me}_w := {vector(weight[j])}.\nDefinition {me}_r := {vector(case.inputs['reward'][:, n, j])}."
    bias, beta, threshold = (number(v) for v in (case.parameters["0.bias"][j], about["beta"], about["threshold"]))
    neuron = f"{RESETS[about['reset']]} {weight.shape[1]} {me}_x {me}_w {bias} {beta} {threshold}"
    timed = neuron.replace(f" {weight.shape[1]} ", f" {weight.shape[1]} {total} ", 1)
    e = number(stabiliser(case.about["rule"]))
    # each step from the one before it, so that no number is computed twice
    for t in range(total):
        before = f" change (before {neuron} {t}) with (u {neuron} {t - 1}). rewrite {me}_u{t - 1}." if t else ""
        proof = f"rewrite membrane. unfold v, taken, fired.{before} evaluate."
        yield example(f"{me}_u{t}", f"u {neuron} {t}", case.exact["0.membrane"][t, n, j], proof)
        proof = (
            f"unfold spike, fired. change (before {neuron} {t + 1}) with (u {neuron} {t}). rewrite {me}_u{t}. evaluate."
        )
        yield example(f"{me}_spike{t}", f"spike {neuron} {t}", case.exact["0.output"][t, n, j], proof)
        proof = f"unfold den, v, taken, fired. rewrite {me}_u{t}.{before} evaluate."
        yield example(f"{me}_den{t}", f"den {neuron} {t}", case.exact["0.flow"][t, n, j], proof)
    for t in reversed(range(total)):
        carry = "rewrite carry_ends."
        if t < total - 1:
            after = f"change (before {neuron} {t + 1}) with (u {neuron} {t}). rewrite {me}_u{t}"
            carry = f"rewrite carry_is_what_flowed by lia. unfold v, fired. {after}, {me}_s{t + 1}."
        proof = f"unfold s, reward. rewrite {me}_den{t}. {carry} evaluate."
        yield example(f"{me}_s{t}", f"s {timed} {e} {me}_r {t}", case.exact["0.s.0"][t, n, j], proof)


def slopes(name, j, n):
    """The gradient rule of neuron j at sample n, a stand-in for a spike's derivative: backpropagation through time."""
    case, me = case_of(name), identifier(name)
    about, weight, x = case.about["layers"][0], case.parameters["0.weight"], case.inputs["x"][:, n]
    yield f"\n(** {name}: {case.about['what']} *)"
    yield f"Definition {me}_x (t : nat) : vector := nth t [{'; '.join(vector(now) for now in x)}] (given [])."
    yield f"Definition {me}_w := {vector(weight[j])}.\nDefinition {me}_r := {vector(case.inputs['reward'][:, n, j])}."
    bias, beta, threshold, steep = (
        number(v)
        for v in (case.parameters["0.bias"][j], about["beta"], about["threshold"], case.about["rule"]["slope"])
    )
    stand_in = f"(fun x => 1 / ((1 + {steep} * Rabs x) * (1 + {steep} * Rabs x)))"
    neuron = f"{RESETS[about['reset']]} {weight.shape[1]} {case.about['steps']} {me}_x {me}_w {bias} {beta} {threshold}"
    for t in range(case.about["steps"]):
        yield example(f"{me}_s{t}", f"slope {neuron} {stand_in} {me}_r {t}", case.exact["0.s.0"][t, n, j])


def spiking_layer(name):
    """One step as a member of the network type: the input's reward, sample by sample, and the parameters' feedback."""
    case, me = case_of(name), identifier(name)
    about, weight, bias = case.about["layers"][0], case.parameters["0.weight"], case.parameters["0.bias"]
    (outputs, inputs), x, reward = weight.shape, case.inputs["x"], case.inputs["reward"][0]
    beta, threshold, e = (number(v) for v in (about["beta"], about["threshold"], stabiliser(case.about["rule"])))
    parameters = [*weight.flat, *bias.flat]
    yield f"\n(** {name} as a layer: {case.about['what']} *)"
    yield (
        f"Definition {me}_layer := LIF (dense {inputs} {outputs}) {weight.size} {bias.size} {RESETS[about['reset']]} 1 "
        f"{beta} {threshold} {e} (fun _ => 1) ({vector(parameters)})."
    )
    passes = [f"{me}_layer ({vector(a)}) ({vector(r)})" for a, r in zip(x, reward, strict=True)]
    for n, i in np.ndindex(x.shape):
        yield example(f"{me}_input_reward{n}_{i}", f"feedback {passes[n]} {i}%nat", case.exact["0.input_reward"][n, i])
    learned = [*case.exact["0.weight.feedback"].flat, *case.exact["0.bias.feedback"].flat]
    for k in (weight.size - 1, weight.size + outputs - 2):  # a weight, a bias, neither of them 0
        yield example(
            f"{me}_feedback{k}", " + ".join(f"parameter_feedback {one} {k}%nat" for one in passes), learned[k]
        )


FILES = {"Rules.v": rules, "Layers.v": layers, "Convolutions.v": convolutions, "Spiking.v": spiking}


def main():
    for name, make in FILES.items():
        (HERE / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
