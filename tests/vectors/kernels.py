"""lfp_ref's own kernels as a port: what they answer to the cases. Intermediates that they do not show are left out."""

from __future__ import annotations

import numpy as np

import lfp_ref as lfp
from lfp_ref import optim
from lfp_ref.core.layout import to_batch_first
from lfp_ref.names import OPTIMIZERS, REWARDS, RULES

ACTIVATIONS = {
    "relu": lfp.ReLU,
    "leaky-relu": lfp.LeakyReLU,
    "elu": lfp.ELU,
    "silu": lfp.SiLU,
    "gelu": lfp.GELU,
    "tanh": lfp.Tanh,
    "sigmoid": lfp.Sigmoid,
    "softplus": lfp.Softplus,
    "softsign": lfp.Softsign,
    "step": lfp.Step,
}
POOLS = {"max-pool": lfp.MaxPool2d, "avg-pool": lfp.AvgPool2d}


def answer(case, dtype):
    """quantity -> array, in this precision."""
    arrays = {name: value.astype(dtype) for name, value in case.inputs.items()}
    return {
        "pass": passes,
        "reward": reward,
        "optimiser": optimiser,
        "clip": clip,
        "schedule": schedule,
        "encoding": encoding,
        "training": training,
    }[case.about["computes"]](case, arrays, dtype)


def layer(about, path, case, dtype):
    kind, value = about["type"], case.parameters.get(f"{path}.weight")
    if kind in ACTIVATIONS:
        return ACTIVATIONS[kind](*([about["parameter"]] if "parameter" in about else []))
    if kind in POOLS:
        options = {key: about[key] for key in ("padding", "ceil_mode", "count_include_pad") if key in about}
        return POOLS[kind](tuple(about["kernel"]), tuple(about["stride"]), **options)
    if kind in ("dense", "conv2d"):
        options = {"bias": f"{path}.bias" in case.parameters, "dtype": dtype}
        if kind == "dense":
            return lfp.Dense(value.shape[1], value.shape[0], **options)
        groups, padding = about.get("groups", 1), "same" if "padding_behind" in about else about["padding"]
        return lfp.Conv2d(
            value.shape[1] * groups,
            value.shape[0],
            value.shape[2:],
            about["stride"],
            padding,
            about["dilation"],
            groups=groups,
            padding_value=about.get("padding_value", 0.0),
            **options,
        )
    if kind == "residual":
        branches = {
            name: network(about[name], f"{path}.{name}.", case, dtype) for name in ("body", "shortcut") if about[name]
        }
        return lfp.Residual(**branches)
    return {
        "negated": lambda: lfp.Negated(layer(about["activation"], path, case, dtype)),
        "reflected": lambda: lfp.Reflected(layer(about["activation"], path, case, dtype)),
        "concatenate": lambda: lfp.Concatenate(
            *(network(branch, f"{path}.branches.{b}.", case, dtype) for b, branch in enumerate(about["branches"]))
        ),
        "identity": lfp.Identity,
        "layer-norm": lambda: lfp.LayerNorm(len(value), about["eps"], dtype),
        "group-norm": lambda: lfp.GroupNorm(about["groups"], len(value), about["eps"], dtype),
        "class-token": lambda: lfp.ClassToken(value.shape[2], dtype),
        "positions": lambda: lfp.Positions(*value.shape[1:], dtype),
        "patch-embedding": lambda: lfp.PatchEmbedding(*patches(case.parameters[f"{path}.projection.weight"]), dtype),
        "select-token": lambda: lfp.SelectToken(about["index"]),
        "attention": lambda: lfp.MultiHeadAttention(
            len(case.parameters[f"{path}.out_proj.bias"]), about["heads"], dtype=dtype
        ),
        "adaptive-avg-pool": lambda: lfp.AdaptiveAvgPool2d(about["output"]),
        "global-avg-pool": lfp.GlobalAvgPool2d,
        "upsample": lambda: lfp.Upsample(about["scale"]),
        "conv-transpose2d": lambda: lfp.ConvTranspose2d(
            len(value),
            value.shape[1] * about["groups"],
            value.shape[2:],
            about["stride"],
            about["padding"],
            about["output_padding"],
            about["groups"],
            dilation=about["dilation"],
            dtype=dtype,
        ),
        "flatten": lfp.Flatten,
        "dropout": lambda: lfp.Dropout(about["p"]),
        "batch-norm": lambda: lfp.BatchNorm(len(value), about["eps"], about["momentum"], dtype),
        "lif": lambda: lfp.LIF(
            layer(about["layer"], path, case, dtype), about["beta"], about["threshold"], about["reset"]
        ),
    }[kind]()


def patches(weight):
    """(channels, features, size) of a convolution of patches."""
    return weight.shape[1], weight.shape[0], weight.shape[2:]


def network(layers, prefix, case, dtype):
    made = []
    for k, about in enumerate(layers):
        shared = about.get("weights_of")
        made.append(made[int(shared)] if shared else layer(about, f"{prefix}{k}", case, dtype))
    return lfp.Sequential(*made)


def built(case, dtype):
    about = case.about
    net = network(about["layers"], "", case, dtype)
    if "steps" in about:
        net = lfp.Spiking(*net.layers, steps=about["steps"], inputs=about["input"])
    owners = {str(k): each["weights_of"] for k, each in enumerate(about["layers"]) if "weights_of" in each}
    state = dict(case.parameters)
    for k, owner in owners.items():
        names = [name for name in case.parameters if name.startswith(f"{owner}.")]
        state |= {f"{k}.{name.removeprefix(f'{owner}.')}": case.parameters[name] for name in names}
    net.load_state_dict(state)
    return net


def rule(about):
    options = {key: value for key, value in about.items() if key != "name"}
    return RULES[about["name"]](**options)


def rules(case):
    own = {str(k): rule(each["rule"]) for k, each in enumerate(case.about["layers"]) if "rule" in each}
    return {**own, lfp.Layer: rule(case.about["rule"])} if own else rule(case.about["rule"])


def places(net):
    """(path, layer) of every layer that a case knows, in branches too."""
    known = [(path, each) for path, each in net.named_layers() if path and not isinstance(each, lfp.Sequential)]
    outer = (lfp.LIF, lfp.Negated, lfp.PatchEmbedding, lfp.MultiHeadAttention)  # what is inside of them is theirs
    inside = {id(child) for _, each in known if isinstance(each, outer) for child in each.children().values()}
    return [(path, each) for path, each in known if id(each) not in inside]


def passes(case, arrays, dtype):
    net, training = built(case, dtype), any(each.get("training") for each in case.about["layers"])
    for path, each in places(net):
        if isinstance(each, lfp.Dropout) and f"{path}.keep" in arrays:
            each.rng, training = Drawn(arrays[f"{path}.keep"]), True
    tape = net.record(arrays["x"], training)
    found = {}
    for path, each in places(net):
        if isinstance(each, lfp.LIF):  # the tape has the current of its inner layer at this path
            found |= {f"{path}.output": each.spikes, f"{path}.membrane": each.membrane}
        else:
            found[f"{path}.output"] = over_time(net, tape.output(path))
        if isinstance(each, lfp.BatchNorm) and training:
            found |= {f"{path}.{name}": array for name, array in each.buffers().items()}
    handed = watch(net)
    tape.feedback(arrays["reward"], rules(case))
    for path, inside in handed.items():
        is_summed = isinstance(net, lfp.Spiking) and net.inputs == "constant" and path == "0"
        found[f"{path}.input_reward"] = inside if is_summed else over_time(net, inside)
    return found | {f"{name}.feedback": p.feedback for name, p in net.named_parameters()}


class Drawn:
    """Stands for a generator: draws 1 where the case keeps a unit, 0 where it does not."""

    def __init__(self, keep):
        self.keep = keep

    def random(self, out, dtype):
        out[...] = np.moveaxis(self.keep, 0, -1)


def over_time(net, array):
    """A layer's array as the user sees it: of a spiking network (T*N, ...) is (T, N, ...)."""
    return array.reshape(net.steps, -1, *array.shape[1:]) if isinstance(net, lfp.Spiking) else array


def watch(net):
    """place -> reward of the layer's input, filled by the feedback passes that follow."""
    found = {}
    for each in {id(each): each for _, each in places(net)}.values():

        def spy(reward, node, hand_back=each.hand_back):
            node.wanted = True
            result = hand_back(reward, node)
            found[node.path] = to_batch_first(result)
            return result

        each.hand_back = spy
    return found


def reward(case, arrays, dtype):
    function, targets = REWARDS[case.about["reward"]], case.inputs.get("targets")
    if targets is not None and case.about["reward"] != "squared-error":
        targets = targets.astype(int)
    given = [arrays["outputs"]] if targets is None else [arrays["outputs"], targets]
    found = {"reward": function(*given, **case.about["options"])}
    if "gradient" in case.expected:
        found["gradient"] = function.gradient(*given)
    return found


def optimiser(case, arrays, dtype):
    parameter, found = lfp.Parameter(arrays["value"]), {}
    walk = OPTIMIZERS[case.about["optimiser"]]([parameter], **case.about["options"])
    for step in range(sum(name.startswith("feedback") for name in arrays)):
        parameter.feedback[...] = arrays[f"feedback.{step}"]
        walk.step()
        found |= {f"{slot}.{step}": state.copy() for slot, (state,) in walk.kept.items()}
        found[f"value.{step}"] = parameter.value.copy()
    return found


def clip(case, arrays, dtype):
    held = [lfp.Parameter(np.zeros_like(arrays[name])) for name in arrays]
    for parameter, feedback in zip(held, arrays.values(), strict=True):
        parameter.feedback[...] = feedback
    norm = optim.clip_norm(held, **case.about["options"])
    return {"norm": np.array([norm])} | {f"clipped.{k}": p.feedback for k, p in enumerate(held)}


def schedule(case, arrays, dtype):
    options = case.about["options"]
    rate = optim.one_cycle(**options)
    return {"rate": np.array([rate(step) for step in range(options["steps"])])}


def encoding(case, arrays, dtype):
    made = {"rate": lfp.RateCode, "latency": lfp.LatencyCode}[case.about["encoding"]](**case.about["options"])
    if case.about["encoding"] == "rate":
        draws = iter(arrays["uniform"])
        made.rng = type("Drawn", (), {"random": lambda self, shape, dtype: np.moveaxis(next(draws), 0, -1)})()
    x, steps = arrays["x"], case.about["steps"]
    net = lfp.Spiking(made, lfp.LIF(lfp.Dense(x.shape[1], 1, dtype=dtype)), steps=steps)
    return {"output": over_time(net, net.record(x).output("0"))}


def training(case, arrays, dtype):
    about, net, found = case.about, built(case, dtype), {}
    walk = OPTIMIZERS[about["optimiser"]](net.parameters(), **about["options"])
    targets = arrays["targets"] if about["reward"] == "squared-error" else case.inputs["targets"].astype(int)
    for step in range(about["updates"]):
        out = net.forward(arrays["x"], training=True)
        told = REWARDS[about["reward"]](out, targets)
        told = told / len(targets) if about["reduction"] == "mean" else told
        net.feedback(told, rule(about["rule"]))
        found |= {f"outputs.{step}": out, f"told.{step}": told}
        found |= {f"feedback.{step}.{name}": p.feedback.copy() for name, p in net.named_parameters()}
        if about["clip"] is not None:
            found[f"norm.{step}"] = np.array([optim.clip_norm(net.parameters(), about["clip"])])
        walk.step()
        found |= {f"value.{step}.{name}": p.value.copy() for name, p in net.named_parameters()}
    return found
