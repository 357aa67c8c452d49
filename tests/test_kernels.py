import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from numba.core.codegen import get_host_cpu_features

import lfp_ref as lfp
from lfp_ref import optim
from lfp_ref.layers import activations, base, kernels, products, sharing
from lfp_ref.tools.bench import workloads
from tests.common import numbers


@pytest.mark.parametrize("size", [1, 7, 8, 9, 31, 32, 33, 127, 1009, 2048])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_thread_and_all_give_the_same_at_every_length(monkeypatch, size, dtype):
    a, b, c = (numbers([size, i], size, dtype=dtype) for i in range(3))
    one, half = dtype(1), dtype(0.5)
    found = {}
    for way, least in (("together", 0), ("alone", 3 * size + 1)):
        monkeypatch.setattr(kernels, "WORTH_THREADS", least)
        s, g, w, out = a.copy(), a.copy(), a.copy(), np.empty_like(a)
        sharing.divide(s, b, dtype(0.25))
        sharing.multiply(g, b)
        d = np.empty_like(a)
        sharing.add_up(np.stack([a, c, a]), True, b, c, d)
        assert np.array_equal(d, np.where(b >= 0, c, -c) * (a + c + a))
        untouched = optim.sgd(w, b, c.copy(), half, half, one)
        activations.ReLU._forward(a, dtype(0), out)
        turned = np.empty((3, 2, size), dtype)
        base.turn(np.stack([a, b, c, a, b, c], axis=-1).reshape(size, 3, 2).transpose(1, 0, 2).copy(), turned)
        assert np.array_equal(turned.reshape(6, size), [a, b, c, a, b, c])
        sums = optim.sum_of_squares(a), base.added_up(a)  # eighths: exact
        assert (
            np.isnan(base.added_up(np.append(a, dtype("nan")))) and base.added_up(np.append(a, dtype("inf"))) == np.inf
        )
        found[way] = s, g, w, out, np.array([untouched, *sums])
    for together, alone in zip(found["together"], found["alone"], strict=True):
        assert np.array_equal(together, alone)


@pytest.mark.parametrize("work", ["lenet-lfp", "spiking_mlp-lfp"])
def test_a_step_takes_its_memory_from_the_steps_before(work):
    """It makes some arrays of the outputs' size (rewards), and copies of weights: less than a fiftieth of the rest."""
    net, (x, y) = workloads.network(work), workloads.samples(64)
    step = workloads.stepper(net, work)
    step(x, y)
    outputs, _ = step(x, y)
    layers = [layer for _, layer in net.named_layers()]
    workspace = sum(memory.nbytes for layer in layers for memory, _ in getattr(layer, "_memory", {}).values())
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        step(x, y)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 8 * outputs.nbytes + workspace / 50
    assert after - before < outputs.nbytes + 10_000  # the reward it was told, in place of the one before


def test_layers_share_no_memory():
    one, other = (lfp.Dense(3, 3, rng=np.random.default_rng(0)) for _ in range(2))
    for layer in (one, other):
        layer.forward(np.ones((2, 3)))
    mine, theirs = ([flat for flat, _ in layer._memory.values()] for layer in (one, other))
    assert not any(np.shares_memory(a, b) for a in mine for b in theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_memory_begins_at_a_page(dtype):
    layer = lfp.ReLU()
    for size in (1, 7, 64, 1009, 100_003):
        memory = layer.buffer("z", (size, 3), dtype)
        assert memory.ctypes.data % 4096 == 0 and memory.shape == (size, 3) and memory.dtype == dtype
        memory[...] = 1  # all of it is there to be written


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", [1, 511, 512, 513, 1024, 1025, 3333])
def test_rows_of_sums_begin_half_a_page_apart(length, dtype):
    rows, second = products.two_rows(length, np.empty(0, dtype))
    first, other = rows[:length], rows[second : second + length]
    assert first.ctypes.data % 4096 == 0 and other.ctypes.data % 4096 == 2048
    assert first.size == other.size == length and not np.shares_memory(first, other)


def test_long_arrays_get_all_threads_and_short_ones_do_not(monkeypatch):
    monkeypatch.setattr(kernels, "njit", lambda **options: lambda kernel: lambda *arrays: "parallel" in options)
    is_parallel = kernels.elementwise(lambda x: x)
    assert is_parallel(np.empty(kernels.WORTH_THREADS)) and not is_parallel(np.empty(kernels.WORTH_THREADS - 1))


@pytest.mark.skipif("+avx512f" not in get_host_cpu_features(), reason="this processor has no vectors of 512 bits")
@pytest.mark.parametrize(
    "environment, said",
    [
        ({}, "whole True, numba's own choice False"),
        ({"NUMBA_CPU_FEATURES": "+avx2"}, "whole False, numba's own choice False"),
        ({"NUMBA_ENABLE_AVX": "0"}, "whole False, numba's own choice True"),
    ],
)
def test_kernels_use_whole_vectors_unless_the_environment_says_otherwise(environment, said):
    """Instructions of a sum that is compiled after lfp_ref was imported, in a process of its own."""
    code = """
import lfp_ref
import numba, numpy

@numba.njit(fastmath=lfp_ref.layers.kernels.KERNEL["fastmath"])
def add_up(a):
    total = numpy.float32(0)
    for k in range(a.size):
        total += a[k]
    return total

add_up(numpy.ones(64, numpy.float32))
whole = any("zmm" in asm for asm in add_up.inspect_asm().values())
print(f"whole {whole}, numba's own choice {numba.config.CPU_FEATURES is None}")
"""
    usual = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX")}
    ran = subprocess.run([sys.executable, "-c", code], env=usual | environment, capture_output=True, text=True)
    assert ran.stdout.strip() == said, ran.stderr
