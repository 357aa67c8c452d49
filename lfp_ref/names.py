"""Names in text: the rules, rewards, activations, optimisers and networks that the command line and estimators mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lfp_ref import composites, models, optim, rewards, rules
from lfp_ref.composites import Composite
from lfp_ref.core.checks import refuse
from lfp_ref.core.layer import Layer
from lfp_ref.layers import activations
from lfp_ref.layers.step import Step
from lfp_ref.network import Sequential, Spiking
from lfp_ref.rules import Rule

RULES: dict[str, type[Rule]] = {
    "epsilon": rules.Epsilon,
    "gamma": rules.Gamma,
    "alpha-beta": rules.AlphaBeta,
    "z-plus": rules.ZPlus,
    "z-plus-minus": rules.ZPlusMinus,
    "w-square": rules.WSquare,
    "flat": rules.Flat,
    "z-box": rules.ZBox,
    "attn-lrp": rules.AttnLRP,
    "constant-attention": rules.ConstantAttention,
    "autograd-attention": rules.AutogradAttention,
    "gradient": rules.Gradient,
    "feedback-alignment": rules.FeedbackAlignment,
    "direct-feedback-alignment": rules.DirectFeedbackAlignment,
    "atan-surrogate": rules.AtanSurrogate,
    "fast-sigmoid-surrogate": rules.FastSigmoidSurrogate,
    "straight-through": rules.StraightThrough,
}
COMPOSITES: dict[str, Callable[[Layer], Composite]] = {
    "epsilon-plus": composites.epsilon_plus,
    "epsilon-gamma-box": composites.epsilon_gamma_box,
    "epsilon-alpha2-beta1-flat": composites.epsilon_alpha2_beta1_flat,
    "gamma-attn-lrp": composites.gamma_attn_lrp,
    "conserving-transformer": composites.conserving_transformer,
}
REWARDS: dict[str, rewards.Reward] = {
    reward.__name__.replace("_", "-"): reward
    for reward in (
        rewards.softmax, rewards.bounded_softmax, rewards.sigmoid, rewards.binary_sigmoid, rewards.correct_class,
        rewards.misclassification, rewards.maximise, rewards.minimise, rewards.rate_coded, rewards.spike_counts,
        rewards.squared_error,
    )
}  # fmt: skip
ACTIVATIONS: dict[str, models.Make] = {
    "relu": activations.ReLU,
    "leaky-relu": activations.LeakyReLU,
    "elu": activations.ELU,
    "silu": activations.SiLU,
    "gelu": activations.GELU,
    "tanh": activations.Tanh,
    "sigmoid": activations.Sigmoid,
    "softplus": activations.Softplus,
    "softsign": activations.Softsign,
    "step": Step,
    "identity": partial(activations.LeakyReLU, 1.0),  # z above 0, 1 * z below
}
# The number of an activation named without one, if another than its class's own trains better (layers/step.py).
ACTIVATION_NUMBERS = {"step": "-1"}
OPTIMIZERS: dict[str, type[optim.Optimizer]] = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW}
SPIKING_NETWORKS: dict[str, Callable[..., Spiking]] = {
    "spiking-mlp": models.spiking_mlp,
    "spiking-cnn": models.spiking_cnn,
    "spiking-vgg": models.spiking_vgg,
    "spiking-resnet": models.spiking_resnet,
}
NETWORKS: dict[str, Callable[..., Sequential]] = {
    "mlp": models.mlp,
    "lenet": models.lenet,
    "small-cnn": models.small_cnn,
    "vgg-like": models.vgg_like,
    "vgg16": models.vgg16,
    "vgg16-bn": models.vgg16_bn,
    "resnet8": models.resnet8,
    "resnet18": models.resnet18,
    "resnet20": models.resnet20,
    "resnet34": models.resnet34,
    "vit-tiny": models.vit_tiny,
    "vit-b-16": models.vit_b_16,
    **SPIKING_NETWORKS,
}
SPIKING_LINE = "spiking-"  # before a line of layers: of LIF neurons


def rule(text: str) -> Rule:
    """The rule of that name; numbers follow a colon, as in "epsilon:0.1" or "alpha-beta:2,1".

    Raises ValueError for an unknown name or numbers that the rule does not take.
    """
    check_text(text)
    name, colon, numbers = text.partition(":")
    if name not in RULES:
        raise ValueError(f"unknown rule {name!r}; known: {', '.join(RULES)}")
    try:
        return RULES[name](*[float(number) for number in numbers.split(",")] if colon else [])
    except TypeError:
        raise ValueError(f"rule {text!r}: {name} does not take that many numbers") from None
    except ValueError as error:
        raise ValueError(f"rule {text!r}: {error}") from None


def rule_or_composite(text: str, net: Layer, learning: str = "share") -> Rule | Composite:
    """The rule of that name, or the composite of that name for this network; learning: of every rule in it.

    Raises ValueError for an unknown name or numbers that the rule does not take.
    """
    if text in COMPOSITES:
        return {key: replace(each, learning=learning) for key, each in COMPOSITES[text](net).items()}
    try:
        return replace(rule(text), learning=learning)
    except ValueError as error:
        raise ValueError(f"{error}; composites: {', '.join(COMPOSITES)}") from None


def network(text: str) -> Callable[..., Sequential]:
    """The function that makes the network of that name, or of a line of layers as in "32c3-p2-64c3-p2-120-10".

    "spiking-" before a line makes its neurons LIF. The line's parts: lfp_ref/models/line.py.
    Raises ValueError for an unknown name, and for a line that is none.
    """
    check_text(text)
    if text in NETWORKS:
        return NETWORKS[text]
    line = text.removeprefix(SPIKING_LINE)
    if not re.match(r"[pad]?\d", line):
        raise ValueError(f"unknown network {text!r}; known: {', '.join(NETWORKS)}, or a line of layers such as "
                         "32c3-p2-64c3-p2-120-10, in which the last number is that of the outputs")  # fmt: skip
    models.parse(line)
    return partial(models.spiking_from_line if is_spiking(text) else models.from_line, line)


def usual_activation(text: str) -> str:
    """The activation of the network of that name, if no other is asked for."""
    return "gelu" if text.startswith("vit") else "relu"


def is_spiking(text: str) -> bool:
    """True for the name, or the line, of a spiking network."""
    return text.startswith(SPIKING_LINE)


def reward(text: str) -> rewards.Reward:
    """The reward of that name. Raises ValueError for an unknown one."""
    check_text(text)
    if text not in REWARDS:
        raise ValueError(f"unknown reward {text!r}; known: {', '.join(REWARDS)}")
    return REWARDS[text]


def activation(text: str) -> models.Make:
    """The class or function that makes the activation of that name; "negated-" and "reflected-" go before any of them.

    A number follows a colon, as in "step:0" or "leaky-relu:0.2".
    Raises ValueError for an unknown name, or a number that the activation does not take.
    """
    check_text(text)
    for prefix, wrapper in (("negated-", activations.Negated), ("reflected-", activations.Reflected)):
        if text.startswith(prefix):
            inner = activation(text.removeprefix(prefix))
            return lambda: wrapper(inner())
    name, colon, number = text.partition(":")
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {text!r}; known: {', '.join(ACTIVATIONS)}, negated-..., reflected-...")
    if not colon and name not in ACTIVATION_NUMBERS:
        return ACTIVATIONS[name]
    number = number if colon else ACTIVATION_NUMBERS[name]
    try:
        make = partial(ACTIVATIONS[name], float(number))
        make()
    except (TypeError, ValueError) as error:
        raise ValueError(f"activation {text!r}: {error}") from None
    return make


def check_text(text: str) -> None:
    """Raises TypeError for what is not text."""
    if not isinstance(text, str):
        raise refuse("text", "a name, as text", text, TypeError)
