"""The same pass as an explanation: which part of the input an output is due to (LRP)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from lfp_ref.core.checks import check_real, refuse
from lfp_ref.core.layer import Layer
from lfp_ref.rehearsal import check_network
from lfp_ref.rewards import class_scores
from lfp_ref.rules import AttnLRP, Rule, is_gradient


def explain(
    net: Layer, x: ArrayLike, target: ArrayLike | None = None, rule: Rule | Mapping[Any, Rule] | None = None
) -> np.ndarray:
    """Relevance of every input for one output of each sample, of the input's shape.

    x: (N, ...); outputs (N, O), (N, O, 1, ...), or spikes (T, N, O). target: an output's index, or one for each sample;
    None is each sample's largest output. rule: as in Layer.feedback; AttnLRP() if None, which is Epsilon() but in
    transformers. The relevance that is shared out is the output itself, of a spiking network every spike of that
    output; `lfp_ref.balance(net)` tells where it went. Parameters' feedback stays as it is.
    Raises ValueError for a target that is no output's index, for other outputs, and under Gradient, which gives
    sensitivities, not shares.
    Source: Layer-wise Relevance Propagation (Bach et al. 2015).
    """
    check_network("net", net)
    if is_gradient(rule):
        raise ValueError("Gradient gives sensitivities, not shares of the output: explain with another rule")
    rule = AttnLRP() if rule is None else rule
    outputs = net.forward(x)
    samples = net.last_tape().samples
    totals = class_scores(outputs, samples)
    count = totals.shape[1]
    chosen = totals.argmax(axis=1) if target is None else check_real("target", target)
    right = chosen.dtype.kind in "iu" and chosen.shape in ((), (samples,))
    if not right or chosen.min() < 0 or chosen.max() >= count:
        raise refuse("target", f"an output's index, 0..{count - 1}, for all or each of {samples} samples", target)
    is_chosen = np.arange(count) == chosen.reshape(-1, 1)
    reward = (outputs.reshape(-1, samples, count) * is_chosen).reshape(outputs.shape)
    relevance = net.last_tape("explain").feedback(reward, rule, learn=False)
    return cast(np.ndarray, relevance)  # None is for those who do not ask for it
