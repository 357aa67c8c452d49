"""Spiking networks in NIR, the neuromorphic intermediate representation, and back (extra `nir`).

NIR describes neurons in continuous time; forward Euler with a step of dt turns them into those of lif.py:

    tau v' = v_leak - v + r I,  spike if v > v_threshold, then v = v_reset
    beta = 1 - dt / tau        factor on I: r dt / tau        added to I: (1 - beta) v_leak

    written: tau = dt / (1 - beta), r = 1 / (1 - beta), v_leak = 0, v_reset = 0; beta = 1: IF with r = 1 / dt
    read:    a factor, a leak and unequal thresholds become part of weights and biases

NIR resets at once, lif.py one step later: for a reset to zero the spikes are the same. A reset by subtraction, or none,
is not in NIR. The file's metadata hold dt, steps and inputs, each neuron's hold beta, threshold and reset.

Source: Pedersen et al. 2024, Nature Communications 15, 8122; the files are the package nir's.
"""

from lfp_ref.nir.reading import load
from lfp_ref.nir.writing import save

__all__ = ["load", "save"]
