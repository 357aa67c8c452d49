"""Awkward arguments to everything public: a result, or a refusal that names the argument and changes nothing."""

import warnings

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import optim, rewards, rules
from tests.awkward import ACCEPTED, REFUSED, TALLY, Case, outcome

X = np.random.default_rng(0).uniform(-1, 1, (6, 3)).astype(np.float32)
Y = np.array([0, 1, 1, 0, 1, 0])
IMAGE = np.random.default_rng(1).uniform(-1, 1, (2, 2, 6, 6)).astype(np.float32)
TOKENS = IMAGE[:, 0]
Z = np.random.default_rng(2).uniform(-1, 1, (6, 2))
SPIKES = (np.random.default_rng(3).random((5, 6, 2)) < 0.5) * 1.0


def rng():
    return np.random.default_rng(0)


def network():
    layers = lfp.Dense(3, 4, rng=rng()), lfp.BatchNorm(4, rng=rng()), lfp.ReLU(), lfp.Dropout(0.5, rng())
    return lfp.Sequential(*layers, lfp.Dense(4, 2, rng=rng()))


def parameters():
    return network().parameters()


# ---- what is done with the results: all numbers must be finite


def passed(x):
    """A pass through a layer."""
    return lambda layer: (layer.forward(x, training=True), layer.feedback(np.ones_like(layer.last_tape().outputs)))


def followed(rule):
    """A pass that follows a rule, also in the first layer alone."""
    kind = {"dtype": np.float64, "rng": rng()}
    net = lfp.Sequential(lfp.Dense(3, 4, **kind), lfp.ReLU(), lfp.Dense(4, 2, **kind))
    net.forward(X)
    return net.feedback(np.ones((6, 2)), rule if rule.is_gradient else {"0": rule, lfp.Layer: rules.Epsilon()})


def stepped(optimizer):
    """A step of feedback 0."""
    for parameter in optimizer.parameters:
        parameter.feedback[...] = 0
    optimizer.step()
    return [parameter.value for parameter in optimizer.parameters]


def nothing(result):
    """NaN in, NaN out: training is what finds it."""


def case(function, use=None, **arguments):
    """A call whose arguments are made anew each time where they are functions' results."""
    make = {name: value if callable(value) and name in ("parameters", "net", "rng") else None
            for name, value in arguments.items()}  # fmt: skip
    return Case(lambda: (function, {name: make[name]() if make[name] else arguments[name] for name in arguments}), use)


CONVOLUTION = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "stride": 1, "padding": 1, "dilation": 1,
               "bias": True, "dtype": np.float32, "rng": rng, "groups": 1}  # fmt: skip
LABELLED = {"outputs": Z, "labels": Y}
CASES = {
    "Dense": case(lfp.Dense, passed(X), in_features=3, out_features=2, bias=True, dtype=np.float32, rng=rng),
    "Conv2d": case(lfp.Conv2d, passed(IMAGE), **CONVOLUTION),
    "Conv1d": case(lfp.Conv1d, passed(IMAGE[:, :, 0]), **CONVOLUTION),
    "ConvTranspose2d": case(lfp.ConvTranspose2d, passed(IMAGE), **CONVOLUTION),
    "MaxPool2d": case(lfp.MaxPool2d, passed(IMAGE), kernel_size=2, stride=1, padding=1, ceil_mode=True),
    "AvgPool2d": case(lfp.AvgPool2d, passed(IMAGE), kernel_size=2, stride=1, padding=1, ceil_mode=True),
    "LayerNorm": case(lfp.LayerNorm, passed(X), features=3, eps=1e-5, dtype=np.float32, rng=rng),
    "GroupNorm": case(lfp.GroupNorm, passed(IMAGE), groups=1, channels=2, eps=1e-5, dtype=np.float32, rng=rng),
    "MultiHeadAttention": case(lfp.MultiHeadAttention, passed(TOKENS), features=6, heads=2, dtype=np.float32, rng=rng),
    "AdaptiveAvgPool2d": case(lfp.AdaptiveAvgPool2d, passed(IMAGE), output_size=2),
    "Upsample": case(lfp.Upsample, passed(IMAGE), scale=2),
    "PatchEmbedding": case(lfp.PatchEmbedding, passed(IMAGE), in_channels=2, features=3, patch_size=2,
                           dtype=np.float32, rng=rng),
    "ClassToken": case(lfp.ClassToken, passed(TOKENS), features=6, dtype=np.float32, rng=rng),
    "Positions": case(lfp.Positions, passed(TOKENS), tokens=6, features=6, dtype=np.float32, rng=rng),
    "SelectToken": case(lfp.SelectToken, passed(TOKENS), index=0),
    "Concatenate": case(lambda branches: lfp.Concatenate(branches), branches=lfp.Dense(3, 2)),
    "Maximum": case(lfp.Maximum, passed(X), body=lfp.Dense(3, 3, rng=rng()), shortcut=None),
    "BatchNorm": case(lfp.BatchNorm, passed(X), num_features=3, eps=1e-5, momentum=0.1, dtype=np.float32, rng=rng),
    "Dropout": case(lfp.Dropout, passed(X), p=0.5, rng=rng),
    "RateCode": case(lfp.RateCode, repr, low=-1, high=1, rng=rng),
    "LatencyCode": case(lfp.LatencyCode, repr, low=-1, high=1),
    "LIF": case(lfp.LIF, lambda lif: passed(X)(lfp.Spiking(lif, steps=3)), layer=lfp.Dense(3, 2, rng=rng()), beta=0.9,
                threshold=0.5, reset="zero"),
    "Step": case(lfp.Step, passed(X), low=-1),
    "LeakyReLU": case(lfp.LeakyReLU, passed(X), parameter=0.1),
    "Softplus": case(lfp.Softplus, passed(X), parameter=1.0),
    "Negated": case(lfp.Negated, passed(X), activation=lfp.ReLU()),
    "Residual": case(lfp.Residual, passed(X), body=lfp.Dense(3, 3, rng=rng()), shortcut=None),
    "Sequential": case(lambda layers: lfp.Sequential(layers), layers=lfp.Dense(3, 2)),
    "Spiking": case(lambda steps, inputs: lfp.Spiking(lfp.LIF(lfp.Dense(3, 2)), steps=steps, inputs=inputs),
                    steps=3, inputs="constant"),
    "Parameter": case(lfp.Parameter, lambda made: made.value, value=np.ones(3)),
    "Parameter.value": case(lambda value: setattr(lfp.Parameter(np.ones(3)), "value", value), value=np.ones(3)),
    "Epsilon": case(rules.Epsilon, followed, epsilon=0.1, learning="share"),
    "Gamma": case(rules.Gamma, followed, gamma=0.25, epsilon=0.1),
    "AlphaBeta": case(rules.AlphaBeta, followed, alpha=2, beta=1),
    "ZPlus": case(rules.ZPlus, followed, epsilon=0.1, learning="oja"),
    "AtanSurrogate": case(rules.AtanSurrogate, followed, slope=2.0),
    "FeedbackAlignment": case(rules.FeedbackAlignment, followed, seed=0),
    "ZBox": case(rules.ZBox, followed, low=-1.0, high=1.0),
    "SGD": case(optim.SGD, stepped, parameters=parameters, lr=0.1, momentum=0.9, weight_decay=0.1),
    "Adam": case(optim.Adam, stepped, parameters=parameters, lr=0.1, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1),
    "AdamW": case(optim.AdamW, stepped, parameters=parameters, lr=0.1, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1),
    "names.rule": case(lfp.names.rule, text="gamma:0.5"),
    "names.reward": case(lfp.names.reward, text="softmax"),
    "names.activation": case(lfp.names.activation, text="step:0"),
    "names.network": case(lfp.names.network, text="4-2"),
    "mlp": case(lfp.models.mlp, input_shape=(3,), classes=2, act=lfp.ReLU, dropout=0.1, dtype=np.float32, rng=rng),
    "resnet8": case(lfp.models.resnet8, input_shape=(2, 8, 8), classes=2, act=lfp.ReLU, dropout=0.1),
    "spiking_mlp": case(lfp.models.spiking_mlp, input_shape=(3,), classes=2, steps=3, beta=0.9, threshold=1.0,
                        reset="zero", code="rate"),
    "save_weights": case(lfp.save_weights, net=network, path="some.npz"),
    "check_layer": case(lfp.testing.check_layer, layer=lfp.Dense(3, 2, rng=rng()), x=X, rule=rules.Epsilon()),
    "clip_norm": case(optim.clip_norm, parameters=parameters, max_norm=1.0),
    "one_cycle": case(optim.one_cycle, lambda rate: [rate(0), rate(9)], max_lr=1.0, steps=10, warm=0.3, start=25.0,
                      end=1e4),
    "forward": case(lambda x: network().forward(x), x=X),
    "record": case(lambda x: network().record(x).outputs, x=X),
    "explain": case(lfp.explain, net=network, x=X, target=1, rule=rules.Epsilon()),
    "evaluate": case(lfp.evaluate, net=network, data=(X, Y), metric=lfp.training.accuracy, batch_size=4, on_batch=None),
    "softmax": case(rewards.softmax, nothing, **LABELLED),
    "sigmoid": case(rewards.sigmoid, nothing, **LABELLED),
    "binary_sigmoid": case(rewards.binary_sigmoid, nothing, outputs=Z[:, :1], targets=Y),
    "squared_error": case(rewards.squared_error, nothing, outputs=Z, targets=Z),
    "bounded_softmax": case(rewards.bounded_softmax, nothing, **LABELLED, low=0.1, high=0.9, sign_only=True),
    "correct_class": case(rewards.correct_class, nothing, **LABELLED),
    "misclassification": case(rewards.misclassification, nothing, **LABELLED),
    "maximise": case(rewards.maximise, nothing, outputs=Z, neurons=Y),
    "rate_coded": case(rewards.rate_coded, nothing, outputs=SPIKES, labels=Y),
    "spike_counts": case(rewards.spike_counts, nothing, outputs=SPIKES, labels=Y),
    "blobs": case(lfp.datasets.blobs, samples=20, classes=2, noise=0.1, seed=0),
    "swirls": case(lfp.datasets.swirls, samples=20, classes=2, turns=1.0, noise=0.1, seed=0),
}  # fmt: skip


def feedback():
    net = network()
    net.forward(X)
    return net.feedback, {"reward": np.ones((6, 2)), "rule": rules.Epsilon()}, [net]


def training():
    net = network()
    arguments = {
        "net": net, "data": (X, Y), "optimizer": optim.SGD(net.parameters(), 0.1), "epochs": 1,
        "rule": rules.Epsilon(), "reward": rewards.softmax, "batch_size": 4, "reduction": "mean", "clip": 1.0,
        "schedule": None, "metric": lfp.training.accuracy, "seed": 0, "checkpoint": None, "resume": False, "log": None,
        "on_step": None, "augment": [],
    }  # fmt: skip
    return lfp.train, arguments, [net]


CASES["feedback"] = Case(feedback)
CASES["train"] = Case(training, may_be_large=("epochs",))


@pytest.mark.parametrize("name", CASES)
def test_a_result_or_a_refusal_that_names_the_argument_and_changes_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where a file may get an awkward name
    faults = []
    for argument, value in CASES[name].trials():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = outcome(CASES[name], argument, value)
        TALLY[found] += 1
        if found not in (REFUSED, ACCEPTED):
            faults.append(f"{argument} = {' '.join(repr(value).split()):.60}: {found}")
    assert not faults, "\n".join([f"{len(faults)} faults", *faults])
