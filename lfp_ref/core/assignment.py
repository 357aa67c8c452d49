"""Which layer of a network follows which rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lfp_ref.rules import Epsilon, Gradient, Rule, ZBox, is_gradient

Layer = Any  # core/layer.py imports this module


def resolve(rule: Rule | Mapping[Any, Rule], net: Layer) -> Rule | dict[str, Rule]:
    """The rule of each layer of a network, by path; or the one rule of all.

    rule: one rule for all, or a mapping whose keys are layer classes or prefixes of parameter names ("0", "2.body").
    The longest matching prefix wins over classes, the nearest class over its bases; lfp.Layer as a key is the rest.
    Layers without parameters that nothing matches follow Epsilon(), or Gradient() if that is the mapping's.

    Raises TypeError for what is not a rule; ValueError where a layer with parameters has no rule, where a key matches
    nothing, where Gradient is mixed with rules that share a reward, and where ZBox is on a layer inside.
    """
    if isinstance(rule, Rule):
        if isinstance(rule, ZBox):
            _check_boxes(dict.fromkeys((path for path, _ in net.named_layers()), rule), net)
        return rule
    if not isinstance(rule, Mapping):
        raise TypeError(f"rule must be a rule such as lfp.rules.Epsilon() or a mapping to rules, got {rule!r}")
    for key, value in rule.items():
        if not isinstance(key, str | type) or not isinstance(value, Rule):
            raise TypeError(f"a mapping of rules goes from layer class or name prefix to rule, got {key!r}: {value!r}")
    if len({value.is_gradient for value in rule.values()}) > 1:
        raise ValueError("Gradient hands on derivatives, the other rules hand on rewards: they cannot be mixed")
    default = Gradient() if is_gradient(rule) else Epsilon()
    chosen: dict[str, Rule] = {}
    used: set[Any] = set()
    missing = []
    for path, layer in net.named_layers():
        keys = _matching_keys(rule, path, layer)
        used.update(keys)
        chosen[path] = rule[keys[0]] if keys else chosen.get(path, default)
        if not keys and layer.own_parameters():
            missing.append(f"{path or 'the layer'} ({type(layer).__name__})")
    if missing:
        raise ValueError(f"no rule for {', '.join(missing)}; a key lfp.Layer gives the rule of all other layers")
    if unused := [key for key in rule if key not in used]:
        raise ValueError(f"these keys of the rule mapping match no layer: {unused}")
    _check_boxes(chosen, net)
    return chosen


def _check_boxes(chosen: Mapping[str, Rule], net: Layer) -> None:
    """Raises ValueError for ZBox anywhere but where the network's input is."""
    places = [(path, layer) for path, layer in net.named_layers() if isinstance(chosen[path], ZBox)]
    boxed = [(path, layer) for path, layer in places if layer.own_parameters()]
    first = net.first_layers() if boxed else []
    for path, layer in boxed:
        if path not in first:
            seen = ", ".join(each or "the layer itself" for each in first)
            raise ValueError(
                f"layer {path}, {layer!r}: ZBox is for the layer that sees the network's input, here {seen}; "
                f'give the others another rule, as in {{"{first[0]}": ZBox(-1, 1), lfp.Layer: Epsilon()}}'
            )


def _matching_keys(rule: Mapping[Any, Rule], path: str, layer: Layer) -> list[Any]:
    """The keys that a layer answers to, the one that counts first."""
    prefixes = [key for key in rule if isinstance(key, str) and (path == key or path.startswith(key + "."))]
    return sorted(prefixes, key=len, reverse=True) + [base for base in type(layer).__mro__ if base in rule]
