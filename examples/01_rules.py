"""Which LRP rules train a network when they are used as LFP rules?

The paper asks how LRP rules other than epsilon extend to LFP. Here one network is trained under every rule and preset
of lfp_ref: the same initial weights and order of samples for all of them, three seeds, and for each rule the learning
rate that did best on a held-out part of the training set (the test set is looked at once, at the end).

Beside the accuracy stand three numbers that say why, from the first batch, at the initial weights:
- cosine: between the rule's feedback and |w| dJ/dw, the direction of LFP-0; 1 is the same direction, 0 is none.
- negative weights: how many of the negative weights below the last layer get any feedback.
- blind: how much of the feedback's energy the first layer has left when every input is replaced by one with the same
  reward but other pixels (1: the rule does not look at the input at all).

Expect: what sees contributions with their signs trains (epsilon, gamma, alpha-beta); what sees only positive ones learns
less; what sees no input (w-square, flat) cannot tell one feature from another.

    python examples/01_rules.py            about 30 minutes on two cores; MNIST where LFP_REF_DATA names its folder
    python examples/01_rules.py --quick    under a minute: digits, one seed, no search for a learning rate
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path

import numpy as np

import lfp_ref as lfp
from lfp_ref.figures import COLOURS, MARKERS, new_figure

RULES = [
    "epsilon", "gamma", "alpha-beta", "z-plus", "w-square", "flat",
    "epsilon-plus", "epsilon-gamma-box", "epsilon-alpha2-beta1-flat", "epsilon hebbian", "epsilon oja", "gradient",
]  # fmt: skip
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
