"""Wrong definitions and statements, and the file that does not compile with each: what the proofs would not let pass.

    python -m proofs.mutations        writes mutations.md, the list, beside this file

A mutation replaces one piece of text. Compiled are the changed file and, where that succeeds, the files in between and
the one named last; test_mutations.py asserts that the last file to be compiled fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutation:
    """what: the change in words. old, new: text of chain[0]. chain: files to compile, in order; the last one fails."""

    what: str
    old: str
    new: str
    chain: tuple[str, ...]


NETWORK, CONVOLUTION, SPIKING = "sums/Network.v", "sums/Convolution.v", "spiking/Spiking.v"
RULES, LAYERS = (NETWORK, "pinned/Rules.v"), (NETWORK, "pinned/Layers.v")
CONVOLVED, OVER_TIME = (CONVOLUTION, "pinned/Convolutions.v"), (SPIKING, "pinned/Spiking.v")
NETWORKS, IN_TRAINING = "spiking/SpikingNetworks.v", "normalisation/InTraining.v"
UP = "alike plus (up g) (up g); alike minus (down g) nothing] 1 where_positive"

MUTATIONS = [
    # rules
    Mutation(
        "gamma: up and down exchanged for z > 0",
        UP,
        UP.replace("up g", "DOWN").replace("down g", "up g").replace("DOWN", "down g"),
        RULES,
    ),
    Mutation(
        "gamma: its masks exchanged",
        "Definition where_positive (z : R) : R := if Rlt_dec 0 z then 1 else 0.",
        "Definition where_positive (z : R) : R := if Rlt_dec z 0 then 1 else 0.",
        RULES,
    ),
    Mutation(
        "gamma: the bias joins the second term, too",
        "alike minus (down g) nothing] 1 where_positive",
        "alike minus (down g) (down g)] 1 where_positive",
        RULES,
    ),
    Mutation(
        "alpha-beta: the inhibiting group with positive weights",
        "Group [alike plus minus minus; alike minus plus nothing] (- beta)",
        "Group [alike plus plus minus; alike minus plus nothing] (- beta)",
        RULES,
    ),
    Mutation("alpha-beta: +beta in place of -beta", "nothing] (- beta) everywhere", "nothing] beta everywhere", RULES),
    Mutation(
        "z-plus: without its second term",
        "Rule [Group [alike plus plus plus; alike minus minus nothing] 1 everywhere] e.",
        "Rule [Group [alike plus plus plus] 1 everywhere] e.",
        RULES,
    ),
    Mutation("w-square: a bias that is not squared", "[alike one square square]", "[alike one square same]", RULES),
    Mutation("flat: sees 1 of a bias", "[alike one one nothing]", "[alike one one one]", RULES),
    Mutation(
        "z-box: low and high exchanged", "Term (fun i _ => - low i) plus", "Term (fun i _ => - high i) plus", RULES
    ),
    Mutation(
        "a term sees the weight unmodified",
        "on_weight T (w (which L j c)) * on_input T",
        "w (which L j c) * on_input T",
        RULES,
    ),
    # layers
    Mutation(
        "max pooling: the last maximum wins",
        "best a (if Rlt_dec (a leader) (a i) then i else leader) rest",
        "best a (if Rlt_dec (a i) (a leader) then leader else i) rest",
        LAYERS,
    ),
    Mutation(
        "a sum of branches without a stabiliser",
        "yk j * quotient (r j) (stab (y j) e).",
        "yk j * quotient (r j) (y j).",
        LAYERS,
    ),
    Mutation(
        "feedback without the weight's sign",
        "    sgn (w k) * sum m (fun j => sum (fan L j)",
        "    1 * sum m (fun j => sum (fan L j)",
        (NETWORK,),
    ),
    Mutation("dense: weights column by column", "(fun j c => j * n + c)%nat", "(fun j c => c * m + j)%nat", (NETWORK,)),
    Mutation(
        "z less the bias",
        "sum (fan L j) (weighted j) + b (which_bias L j)",
        "sum (fan L j) (weighted j) - b (which_bias L j)",
        (NETWORK,),
    ),
    Mutation(
        "convolution: padding not taken off",
        "(tap_row j p - padding_h S)) * width S",
        "tap_row j p) * width S",
        (CONVOLUTION,),
    ),
    Mutation(
        "convolution: no dilation", "row_of j * stride_h S + p * dilation_h S", "row_of j * stride_h S + p", CONVOLVED
    ),
    Mutation("convolution: strides exchanged", "row_of j * stride_h S", "row_of j * stride_w S", CONVOLVED),
    # sign, stabiliser, spikes
    Mutation("sgn 0 = -1", "if Rle_dec 0 x then 1 else -1", "if Rlt_dec 0 x then 1 else -1", ("sums/Sums.v",)),
    Mutation(
        "the stabiliser towards 0",
        "stab (z e : R) : R := z + e * sgn z",
        "stab (z e : R) : R := z - e * sgn z",
        ("sums/Sums.v",),
    ),
    Mutation("r / 0 is r", "if Req_EM_T d 0 then 0 else r / d", "if Req_EM_T d 0 then r else r / d", ("sums/Sums.v",)),
    Mutation(
        "a spike at u = threshold",
        "Definition fired (t : nat) : R := if Rlt_dec th (before t)",
        "Definition fired (t : nat) : R := if Rle_dec th (before t)",
        (SPIKING,),
    ),
    Mutation(
        "reset to zero that leaves the membrane",
        "| ToZero => beta * ((1 - fired) * before t') + current t'",
        "| ToZero => beta * before t' + current t'",
        (SPIKING,),
    ),
    Mutation(
        "the denominator of a spiking neuron without the carried state",
        "Rabs (v t) + Rabs (u t + taken t - v t).",
        "Rabs (v t) + Rabs (u t - v t).",
        (SPIKING,),
    ),
    # statements
    Mutation(
        "a neuron conserves without its bias's share",
        "+ bias_share L w b rho a r j + stabiliser_share L w b rho a r j",
        "+ stabiliser_share L w b rho a r j",
        ("conservation/Conservation.v",),
    ),
    Mutation(
        "the winner is the last maximum",
        "Forall (fun i => a i <= a (best a leader challengers)) later.",
        "Forall (fun i => a i < a (best a leader challengers)) later.",
        ("conservation/Conservation.v",),
    ),
    Mutation(
        "equivalence: w times the gradient",
        "parameter_feedback N a r k = Rabs (parameter N k) * gradient N a d k)",
        "parameter_feedback N a r k = parameter N k * gradient N a d k)",
        ("equivalence/Equivalence.v",),
    ),
    Mutation(
        "equivalence through a neuron at z = 0",
        "        pre_activation L w b a j <> 0\n        \\/ b",
        "        True\n        \\/ b",
        ("equivalence/Equivalence.v",),
    ),
    Mutation(
        "step size: 1 - lr L M / 3 in place of 1 - lr L M / 2",
        "Theorem rise_of_a_step : after - before >= lr * (1 - lr * L * M / 2) * rise P w g.",
        "Theorem rise_of_a_step : after - before >= lr * (1 - lr * L * M / 3) * rise P w g.",
        ("ascent/Ascent.v",),
    ),
    Mutation(
        "rate: half the bound",
        "least S K <= 2 * L * M * (best - J 0%nat) / INR K.",
        "least S K <= L * M * (best - J 0%nat) / INR K.",
        ("ascent/Ascent.v",),
    ),
    Mutation(
        "signs survive while lr |g| < 2",
        "Lemma factor_is_positive w g lr : Rabs (lr * g) < 1",
        "Lemma factor_is_positive w g lr : Rabs (lr * g) < 2",
        ("sign_and_sparsity/SignAndSparsity.v",),
    ),
    Mutation(
        "flat sees nothing of a weight of 0",
        "/\\ sees_nothing_of_zero_weights (WSquare e) /\\",
        "/\\ sees_nothing_of_zero_weights (Flat e) /\\",
        ("sign_and_sparsity/SignAndSparsity.v",),
    ),
    Mutation(
        "the condition with the wrong sign",
        "0 <= derivative z * (phi z * z).",
        "derivative z * (phi z * z) <= 0.",
        ("activation_condition/ActivationCondition.v",),
    ),
    Mutation(
        "sub-conservation over time without the bias",
        "<= sum T (fun t => Rabs (r t)) + sum T (fun t => Rabs (b * s t)).",
        "<= sum T (fun t => Rabs (r t)).",
        (SPIKING,),
    ),
    Mutation(
        "one neuron moves by leverage alone",
        "Theorem motion : z' - z = lr * s * leverage.",
        "Theorem motion : z' - z = lr * leverage.",
        ("one_neuron/OneNeuron.v",),
    ),
    Mutation(
        "secants: w times backpropagation with them",
        "parameter_feedback N a r k = Rabs (parameter N k) * gradient (with_secants N) a d k)",
        "parameter_feedback N a r k = parameter N k * gradient (with_secants N) a d k)",
        ("equivalence/Secant.v",),
    ),
    Mutation(
        "one step of a network rises by twice the bound",
        ">= lr * (1 - lr * L * M / 2) * rise (size N)",
        ">= 2 * lr * (1 - lr * L * M / 2) * rise (size N)",
        ("ascent/Step.v",),
    ),
    Mutation(
        "softmax's gradient without the label",
        "(fun j => at_index label j - softmax m z j).",
        "(fun j => - softmax m z j).",
        ("rewards/Rewards.v",),
    ),
    Mutation(
        "normalisation: + mean t in the adjoint",
        "scale a * (t i - mean t - normal a i",
        "scale a * (t i + mean t - normal a i",
        ("normalisation/Normalisation.v",),
    ),
    Mutation(
        "weight decay as an l2 penalty of LFP",
        "= Rabs w * (g - decay * sgn w).",
        "= Rabs w * (g - decay * w).",
        ("optimisers/Optimisers.v",),
    ),
    # networks with layers that couple samples or steps
    Mutation(
        "every step hands back the reward of the first",
        "fun t => feedback each (row n a t) (row m r t))",
        "fun t => feedback each (row n a t) (row m r 0))",
        (NETWORK, "conservation/Conservation.v"),
    ),
    Mutation(
        "a layer that couples: |p| without the layer's own map",
        "Rabs (p k) * by_parameter C p a (shares C p a r) k.",
        "Rabs (p k) * shares C p a r k.",
        (NETWORK, "equivalence/Equivalence.v"),
    ),
    Mutation(
        "spiking layers: the leak has no name",
        "| Membrane => leak kind (fan L j) (inputs_of a j) (weights_of p j) (bias_of p j) beta th t * s_",
        "| Membrane => 0",
        (NETWORKS,),
    ),
    Mutation(
        "spiking layers: rows of inputs taken for rows of outputs",
        "(fun p a s => in_rows n (fun t => gradient_input L p (row m s t)))",
        "(fun p a s => in_rows n (fun t => gradient_input L p (row n s t)))",
        (NETWORKS,),
    ),
    Mutation(
        "secants in time: v[t] in place of v[t+1]",
        "+ beta * quotient (of v (S t)) (den_ t + e) * delta (S t).",
        "+ beta * quotient (of v t) (den_ t + e) * delta (S t).",
        (NETWORKS,),
    ),
    Mutation(
        "sizes through spiking layers whatever the bias is",
        "0 <= weighted L p (row n a t) j c * p (weights + which_bias L j)%nat\n",
        "0 <= 1\n",
        (NETWORKS,),
    ),
    Mutation(
        "two spiking layers do not exceed what came",
        "sum 4 (feedback (Then below above) a r) = 13 / 9.",
        "sum 4 (feedback (Then below above) a r) <= 1.",
        ("witnesses/Witnesses.v",),
    ),
    Mutation(
        "normalisation in training: the statistics' share has no name",
        "| Statistics => statistics_share (members G)",
        "| Statistics => 0 * statistics_share (members G)",
        (IN_TRAINING,),
    ),
    Mutation(
        "normalisation in training: channels of one sample",
        "(samples * pixels)\n            (fun c q => q / pixels * (channels * pixels)",
        "(samples * pixels)\n            (fun c q => 0 * (channels * pixels)",
        (IN_TRAINING,),
    ),
    Mutation(
        "normalisation in training: equivalence whatever its outputs are",
        "e = 0 -> (forall k, (k < n)%nat -> output_at p a k <> 0) -> homogeneous_at",
        "e = 0 -> (forall k, (k < n)%nat -> True) -> homogeneous_at",
        (IN_TRAINING,),
    ),
    Mutation(
        "depth: no hidden layer counted",
        "let h := length layers in\n    let a := fun s => x s i in",
        "let h := 0%nat in\n    let a := fun s => x s i in",
        ("stabiliser/Chain.v",),
    ),
]


def page() -> str:
    """The list as a page."""
    rows = [f"| {m.what} | [{m.chain[0]}]({m.chain[0]}) | [{m.chain[-1]}]({m.chain[-1]}) |" for m in MUTATIONS]
    return "\n".join([
        "# Wrong on purpose", "",
        f"Each of these {len(MUTATIONS)} wrong definitions and statements breaks the build;",
        "[test_mutations.py](test_mutations.py) makes them one by one.", "",
        "| wrong | in | caught by |", "| --- | --- | --- |", *rows, "",
    ])  # fmt: skip


if __name__ == "__main__":
    Path(__file__).with_name("mutations.md").write_text(page(), encoding="utf-8")
