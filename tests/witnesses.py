"""Other people's packages as witnesses of the vectors, in double precision, to a relative error of 1e-9.

python -m tests.witnesses       where torch, lfprop, zennit and snntorch are installed; writes docs/porting_witnesses.md

zennit     relevance of every rule of LRP                     (one dense or convolutional layer)
lfprop     LFP-epsilon, its parameters' feedback, rewards, spiking networks reset by subtraction
snntorch   spikes, membranes and surrogate gradients of every reset
torch      layers forward, gradients, optimisers
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lfp_ref.tools.conform.vectors import Case, load

RELATIVE = 1e-9
PAGE = Path(__file__).parent.parent / "docs" / "porting_witnesses.md"
Found = dict[str, np.ndarray]  # what a witness says of a case, by quantity

ACTIVATIONS = {
    "relu": torch.nn.ReLU,
    "leaky-relu": torch.nn.LeakyReLU,
    "elu": torch.nn.ELU,
    "silu": torch.nn.SiLU,
    "gelu": torch.nn.GELU,
    "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid,
    "softplus": torch.nn.Softplus,
    "softsign": torch.nn.Softsign,
}


def tensor(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(x, float))


def numbers(x: torch.Tensor) -> np.ndarray:
    return x.detach().double().numpy()


def module(case: Case, about: dict, path: str) -> torch.nn.Module | None:
    """A layer of a case in torch; None for what torch has not."""
    w, kind = case.parameters.get(f"{path}.weight"), about["type"]
    if kind == "dense":
        made = torch.nn.Linear(w.shape[1], w.shape[0], bias=f"{path}.bias" in case.parameters)
    elif kind == "conv-transpose2d":
        sizes = (w.shape[0], w.shape[1] * about["groups"], w.shape[2:], about["stride"], about["padding"])
        more = {key: about[key] for key in ("output_padding", "groups", "dilation")}
        made = torch.nn.ConvTranspose2d(*sizes, **more)
    elif kind == "conv2d":
        if "padding_behind" in about or "padding_value" in about:
            return None
        groups = about.get("groups", 1)
        sizes = (w.shape[1] * groups, w.shape[0], w.shape[2:], about["stride"], about["padding"], about["dilation"])
        made = torch.nn.Conv2d(*sizes, groups=groups, bias=f"{path}.bias" in case.parameters)
    elif kind == "batch-norm":
        kinds = {2: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}
        made = kinds[case.inputs["x"].ndim](len(w), about["eps"], about["momentum"]).train(about["training"])
    elif kind in ("max-pool", "avg-pool"):
        more = {key: about[key] for key in ("padding", "ceil_mode", "count_include_pad") if key in about}
        pools = {"max-pool": torch.nn.MaxPool2d, "avg-pool": torch.nn.AvgPool2d}
        made = pools[kind](about["kernel"], about["stride"], **more)
    elif kind == "adaptive-avg-pool":
        made = torch.nn.AdaptiveAvgPool2d(about["output"])
    elif kind == "identity":
        made = torch.nn.Identity()
    elif kind == "upsample":
        made = torch.nn.Upsample(scale_factor=tuple(about["scale"]))
    elif kind in ("layer-norm", "group-norm") and case.about["rule"]["name"] == "gradient":  # no peer has a rule
        sizes = (about["groups"], len(w)) if kind == "group-norm" else (len(w),)
        made = {"layer-norm": torch.nn.LayerNorm, "group-norm": torch.nn.GroupNorm}[kind](*sizes, about["eps"])
    elif kind == "global-avg-pool":
        made = torch.nn.AdaptiveAvgPool2d(1)
    elif kind == "flatten":
        made = torch.nn.Flatten()
    elif kind in ACTIVATIONS:
        made = ACTIVATIONS[kind](*([about["parameter"]] if "parameter" in about else []))
    else:
        return None
    state = {
        name.removeprefix(f"{path}."): tensor(a) for name, a in case.parameters.items() if name.startswith(f"{path}.")
    }
    made.double().load_state_dict(state, strict=False)
    return made


def modules(case: Case, copies: bool = False) -> torch.nn.Sequential | None:
    """The network of a case in torch; None where it has layers that torch has not.

    copies: a layer that stands at several places is as many layers of equal weights.
    """
    made: list[torch.nn.Module | None] = []
    for k, about in enumerate(case.about["layers"]):
        owner = about.get("weights_of", str(k))
        is_shared = owner != str(k) and not copies
        made.append(made[int(owner)] if is_shared else module(case, about, owner))
    return None if None in made else torch.nn.Sequential(*made)


def run(net: torch.nn.Module, case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    """Input and output of a module, ready for a backward pass."""
    x = tensor(case.inputs["x"]).requires_grad_()
    return x, net(x)


def own_rules(case: Case) -> bool:
    return any("rule" in about for about in case.about["layers"])


# ---- torch: forward passes, gradients, optimisers


def torch_forward_and_gradient(case: Case) -> Found | None:
    if case.about["computes"] != "pass" or "steps" in case.about or (net := modules(case)) is None:
        return None
    layers, a, found = list(net), tensor(case.inputs["x"]).requires_grad_(), {}
    inputs = []
    for k, layer in enumerate(layers):
        inputs.append(a)
        a = layer(a)
        found[f"{k}.output"] = numbers(a)
        if case.about["layers"][k].get("training"):
            found |= {f"{k}.{name}": numbers(getattr(layer, name)) for name in ("running_mean", "running_var")}
    if case.about["rule"]["name"] == "gradient":
        handed = torch.autograd.grad(a, inputs, tensor(case.inputs["reward"]), retain_graph=True)
        found |= {f"{k}.input_reward": numbers(g) for k, g in enumerate(handed)}
        a.backward(tensor(case.inputs["reward"]))
        found |= {f"{name}.feedback": numbers(p.grad) for name, p in net.named_parameters()}
    return found


def torch_optimisers(case: Case) -> Found | None:
    if case.about["computes"] != "optimiser":
        return None
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    options = {"weight_decay": 0.0} | case.about["options"]
    parameter, found = torch.nn.Parameter(tensor(case.inputs["value"])), {}
    walk = kinds[case.about["optimiser"]]([parameter], **options)
    for step in range(len(case.inputs) - 1):
        parameter.grad = -tensor(case.inputs[f"feedback.{step}"])
        walk.step()
        found[f"value.{step}"] = numbers(parameter).copy()
    return found


# ---- zennit: relevance


def zennit_relevance(case: Case) -> Found | None:
    from zennit import rules

    rule = case.about.get("rule", {})
    if case.about["computes"] != "pass" or "steps" in case.about or len(case.about["layers"]) > 1:
        return None
    if "weight" not in "".join(case.parameters) or case.about["layers"][0]["type"] not in ("dense", "conv2d"):
        return None
    options = {key: value for key, value in rule.items() if key not in ("name", "learning")}
    kind = "".join(part.capitalize() for part in rule["name"].split("-"))
    if kind == "Gradient" or options.get("epsilon") == 0:  # it has none, and divides by 0
        return None
    if kind == "Gamma" and not case.expected["0.output"].value.all():  # where z is 0 it takes both groups
        return None
    if kind == "Zbox":
        kind, options = "ZBox", {key: torch.tensor(value).double() for key, value in options.items()}
    if kind != "Epsilon" and "epsilon" in options:
        options["stabilizer"] = options.pop("epsilon")
    names = {"Zplus": "ZPlus", "Wsquare": "WSquare", "ZPlus": "ZPlus"}
    if (net := modules(case)) is None:
        return None
    handle = getattr(rules, names.get(kind, kind))(**options).register(net[0])
    x, out = run(net, case)
    (relevance,) = torch.autograd.grad(out, x, tensor(case.inputs["reward"]))
    handle.remove()
    return {"0.input_reward": numbers(relevance)}


# ---- lfprop: LFP-epsilon, rewards, spiking networks


def lfprop_epsilon(case: Case) -> Found | None:
    from lfprop.propagation.propagator_lxt import LFPEpsilonComposite

    if case.about["computes"] != "pass" or "steps" in case.about or case.about["rule"]["name"] != "epsilon":
        return None
    epsilon, layers = case.about["rule"]["epsilon"], case.about["layers"]
    net = modules(case, copies=True)  # it keeps a pass in the layer: a layer that runs twice would forget the first run
    if epsilon == 0 or own_rules(case) or "learning" in case.about["rule"] or net is None:
        return None
    net.train(any(about.get("training", False) for about in layers))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with LFPEpsilonComposite(epsilon=epsilon).context(net) as changed:
            x = tensor(case.inputs["x"]).requires_grad_()
            out = changed(x)
            (handed,) = torch.autograd.grad((out,), (x,), grad_outputs=(tensor(case.inputs["reward"]),))
    theirs: Found = {}
    for name, p in net.named_parameters():
        k, _, rest = name.partition(".")
        of_owner = f"{layers[int(k)].get('weights_of', k)}.{rest}.feedback"
        theirs[of_owner] = theirs.get(of_owner, 0) + numbers(p.feedback)
    return {"0.input_reward": numbers(handed)} | theirs


REWARDS = {
    "softmax": "SoftmaxLossReward",
    "sigmoid": "SigmoidLossReward",
    "binary-sigmoid": "BinarySigmoidLossReward",
    "bounded-softmax": "BoundedSoftmaxReward",
    "correct-class": "CorrectclassificationReward",
    "misclassification": "MisclassificationReward",
    "maximise": "MaximizeSingleNeuron",
    "minimise": "MinimizeSingleNeuron",
    "rate-coded": "SnnCorrectClassRewardSpikesRateCoded",
}


def lfprop_rewards(case: Case) -> Found | None:
    from lfprop.rewards import reward_functions

    if case.about["computes"] != "reward" or case.about["reward"] not in REWARDS:
        return None
    name, options = case.about["reward"], case.about["options"]
    if name in ("maximise", "minimise") and "targets" in case.inputs:
        return None  # it knows one output only
    targets = case.inputs.get("targets", np.zeros(len(case.inputs["outputs"]))).astype(int)
    renamed = {"low": "lower_bound", "high": "higher_bound", "sign_only": "logit_sign_only"}
    function = getattr(reward_functions, REWARDS[name])(device="cpu", **{renamed[k]: v for k, v in options.items()})
    return {"reward": numbers(function(tensor(case.inputs["outputs"]), torch.from_numpy(targets)))}


def lfprop_spiking(case: Case) -> Found | None:
    import snntorch
    from lfprop.model.activations import Step
    from lfprop.model.spiking_networks import SpikingLayer
    from lfprop.propagation.propagator_snn import LFPSNNEpsilonComposite

    about = case.about
    if not only_lifs(case) or about["rule"]["name"] != "epsilon" or about["input"] != "constant":
        return None
    if about["rule"]["epsilon"] == 0 or any(lif["reset"] != "subtract" for lif in about["layers"]):
        return None  # it divides by 0, and has no feedback for another reset
    linears = [module(case, lif["layer"], str(k)) for k, lif in enumerate(about["layers"])]
    neurons = [leaky(snntorch, lif, Step(), init_hidden=True) for lif in about["layers"]]
    net = torch.nn.Sequential(*map(SpikingLayer, linears, neurons))
    snntorch.Leaky.reset_hidden()
    x = tensor(case.inputs["x"]).requires_grad_()
    with LFPSNNEpsilonComposite(epsilon=about["rule"]["epsilon"]).context(net) as changed:
        out = torch.stack([changed(x) for _ in range(about["steps"])])
        (handed,) = torch.autograd.grad((out,), (x,), grad_outputs=(tensor(case.inputs["reward"]),))
    found = {f"{len(linears) - 1}.output": numbers(out), "0.input_reward": numbers(handed)}
    for k, linear in enumerate(linears):
        found |= {f"{k}.{name}.feedback": numbers(p.feedback) for name, p in linear.named_parameters()}
    return found


# ---- snntorch: spikes, membranes, gradients by surrogates


def only_lifs(case: Case) -> bool:
    return case.about["computes"] == "pass" and all(lif["type"] == "lif" for lif in case.about["layers"])


def leaky(snntorch: Any, lif: dict, surrogate: Any, **options: Any) -> torch.nn.Module:
    about = {"beta": lif["beta"], "threshold": lif["threshold"], "reset_mechanism": lif["reset"]}
    return snntorch.Leaky(**about, spike_grad=surrogate, **options).double()


def snntorch_spikes_and_gradients(case: Case) -> Found | None:
    import snntorch

    if not only_lifs(case):
        return None
    rule = case.about["rule"]
    surrogates = {
        "atan-surrogate": lambda: snntorch.surrogate.atan(alpha=rule["slope"]),
        "fast-sigmoid-surrogate": lambda: snntorch.surrogate.fast_sigmoid(slope=rule["slope"]),
    }
    surrogate = surrogates.get(rule["name"], snntorch.surrogate.atan)()
    linears = [module(case, lif["layer"], str(k)) for k, lif in enumerate(case.about["layers"])]
    neurons = [leaky(snntorch, lif, surrogate) for lif in case.about["layers"]]
    states = [neuron.reset_mem().double() for neuron in neurons]
    x, steps = tensor(case.inputs["x"]).requires_grad_(), case.about["steps"]
    spikes: list[list] = [[] for _ in neurons]
    membranes: list[list] = [[] for _ in neurons]
    for t in range(steps):
        now = x if case.about["input"] == "constant" else x[t]
        for k, (linear, neuron) in enumerate(zip(linears, neurons, strict=True)):
            now, states[k] = neuron(linear(now.double()), states[k])
            spikes[k].append(now)
            membranes[k].append(states[k])
    found = {f"{k}.output": numbers(torch.stack(s)) for k, s in enumerate(spikes)}
    found |= {f"{k}.membrane": numbers(torch.stack(u)) for k, u in enumerate(membranes)}
    if rule["name"] in surrogates:
        out = torch.stack(spikes[-1])
        out.backward(tensor(case.inputs["reward"]))
        found["0.input_reward"] = numbers(x.grad)
        for k, linear in enumerate(linears):
            found |= {f"{k}.{name}.feedback": numbers(p.grad) for name, p in linear.named_parameters()}
    return found


# ---- the record

WITNESSES: dict[str, list[Callable[[Case], Found | None]]] = {
    "torch": [torch_forward_and_gradient, torch_optimisers],
    "zennit": [zennit_relevance],
    "lfprop": [lfprop_epsilon, lfprop_rewards, lfprop_spiking],
    "snntorch": [snntorch_spikes_and_gradients],
}


def testimony(name: str) -> Iterator[tuple[str, str, float]]:
    """(case, quantity, largest difference relative to the quantity's largest entry) of all that a witness can say."""
    for witness in WITNESSES[name]:
        for case in load():
            for quantity, said in (witness(case) or {}).items():
                expected = case.expected[quantity].value
                off = np.abs(said.reshape(expected.shape) - expected).max()
                yield case.name, quantity, float(off / (np.abs(expected).max() or 1))


def main() -> int:
    torch.Tensor.float = torch.Tensor.double  # snntorch calls float() on spikes: it would round what comes back
    lines, wrong = [], []
    for name in WITNESSES:
        said = list(testimony(name))
        wrong += [(name, *each) for each in said if not each[2] <= RELATIVE]
        cases, worst = sorted({case for case, _, _ in said}), max(off for _, _, off in said)
        families = sorted({case.partition("/")[0] for case in cases})
        lines.append(f"| {name} {version(name)} | {len(cases)} | {len(said)} | {worst:.1e} | {', '.join(families)} |")
        print(f"{name} {version(name)}: {len(cases)} cases, {len(said)} quantities, at most {worst:.1e} off")
    for each in wrong:
        print("{} disagrees on {} {}: {:.1e}".format(*each))
    if not wrong:
        PAGE.write_text(TEXT.format(rows="\n".join(lines), relative=RELATIVE, count=len(load())))
    return bool(wrong)


TEXT = """# Witnesses of the vectors

Other packages compute what they can of the {count} cases, in double precision; each quantity agrees to a relative error
of {relative:.0e} (largest difference, relative to the quantity's largest entry).
What each is asked, and cannot be asked, stands in [witnesses.py](../tests/witnesses.py); `python -m tests.witnesses`
wrote this page.

| witness | cases | quantities | worst relative error | families |
| --- | --- | --- | --- | --- |
{rows}
"""

if __name__ == "__main__":
    sys.exit(main())
