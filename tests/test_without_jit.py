"""NUMBA_DISABLE_JIT=1: the same numbers from kernels that run as Python."""

import os
import subprocess
import sys

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import AlphaBeta, Epsilon, Gradient
from tests.common import fill, numbers

KIND = {"dtype": np.float64}
# name: (network, shape of its input, rule); those under Gradient have only sums of eighths, which are exact
CASES = {
    "dense": (lambda: [lfp.Dense(5, 3, **KIND), lfp.ReLU(), lfp.Dense(3, 2, **KIND)], (4, 5), Gradient()),
    "convolution": (lambda: [lfp.Conv2d(2, 3, (2, 3), (2, 1), (1, 2), (1, 2), **KIND)], (3, 2, 5, 4), Gradient()),
    "groups": (lambda: [lfp.Conv2d(4, 6, 2, padding=1, groups=2, **KIND), lfp.ReLU()], (2, 4, 3, 3), Gradient()),
    "rows": (lambda: [lfp.Conv1d(2, 2, 3, 2, **KIND)], (2, 2, 7), Gradient()),
    "pools": (lambda: [lfp.MaxPool2d(2, 1), lfp.AvgPool2d((1, 2)), lfp.GlobalAvgPool2d()], (2, 3, 5, 5), Gradient()),
    "rules": (lambda: [lfp.Conv2d(1, 2, 2, **KIND), lfp.Tanh(), lfp.AvgPool2d(2)], (2, 1, 5, 5), AlphaBeta()),
    "residual": (
        lambda: [lfp.Residual(lfp.Conv2d(2, 2, 3, padding=1, **KIND)), lfp.BatchNorm(2, **KIND), lfp.GELU(),
                 lfp.Dropout(0.25, np.random.default_rng(0))],
        (3, 2, 4, 4), Epsilon(0.25),
    ),
    "upsampling": (
        lambda: [lfp.ConvTranspose2d(2, 2, 3, 2, 1, 1, **KIND), lfp.Upsample(2), lfp.MaxPool2d(3, 2, 1, True),
                 lfp.AdaptiveAvgPool2d(2)],
        (3, 2, 3, 2), Gradient(),
    ),
    "transformer": (
        lambda: [lfp.PatchEmbedding(1, 4, 2, **KIND), lfp.ClassToken(4, **KIND), lfp.Positions(5, 4, **KIND),
                 lfp.Residual(lfp.Sequential(lfp.LayerNorm(4, **KIND), lfp.MultiHeadAttention(4, 2, **KIND))),
                 lfp.SelectToken(), lfp.Dense(4, 2, **KIND)],
        (3, 1, 4, 4), Epsilon(0.25),
    ),
    "step": (lambda: [lfp.Dense(4, 6, **KIND), lfp.Step(-1), lfp.Dense(6, 2, **KIND)], (5, 4), Epsilon(0.5)),
    "spiking": (lambda: [lfp.LIF(lfp.Dense(4, 6, **KIND)), lfp.LIF(lfp.Dense(6, 3, **KIND), reset="zero")], (3, 4),
                Epsilon(0.25)),
}  # fmt: skip


def outcomes():
    """Outputs, input's reward and feedback of each case, and an update's weights, by name."""
    found = {}
    for name, (layers, shape, rule) in CASES.items():
        kind = {"steps": 4} if name == "spiking" else {}
        net = fill((lfp.Spiking if kind else lfp.Sequential)(*layers(), **kind), 1)
        z = net.forward(numbers(2, *shape), training=True)
        found[f"{name}: outputs"] = z
        found[f"{name}: input's reward"] = net.feedback(numbers(3, *z.shape), rule)
        for parameter, p in net.named_parameters():
            found[f"{name}: feedback of {parameter}"] = p.feedback.copy()
        for make in (lfp.optim.SGD, lfp.optim.Adam) if net.parameters() else ():
            make(net.parameters(), 0.125).step()
        for parameter, value in net.state_dict().items():
            found[f"{name}: {parameter} after two updates"] = value
    return found


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    path = tmp_path_factory.mktemp("jit") / "outcomes.npz"
    code = f"""
import numpy
from lfp_ref.kernels.compile import JIT
from tests.test_without_jit import outcomes
assert not JIT
numpy.savez({str(path)!r}, **outcomes())
"""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert not ran.returncode, ran.stderr
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="there is nothing to compare with")
def test_kernels_in_python_give_the_same_numbers(without):
    jitted = outcomes()
    assert list(jitted) == list(without)
    for name, expected in jitted.items():
        inexact = "updates" in name or "upsampling" in name  # which takes averages of three
        exact = isinstance(CASES[name.split(":")[0]][-1], Gradient) and not inexact
        tolerance = 0 if exact else 1e-12 * np.abs(expected).max()
        assert expected.dtype == without[name].dtype, name
        assert np.abs(without[name] - expected).max() <= tolerance, name
