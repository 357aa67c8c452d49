import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.codegen import get_host_cpu_features

from lfp_ref import optim
from lfp_ref.core import layout, shares
from lfp_ref.kernels import compile as compiler
from lfp_ref.kernels import memory
from lfp_ref.kernels.blas import product
from lfp_ref.kernels.products import PACKED, add_products, dot_products
from lfp_ref.layers import activations
from lfp_ref.tools.bench import measuring, workloads
from tests.common import dtypes, numbers, seeds


@pytest.mark.parametrize("size", [1, 7, 8, 9, 31, 32, 33, 127, 1009, 2048])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_thread_and_all_give_the_same_at_every_length(monkeypatch, size, dtype):
    a, b, c = (numbers([size, i], size, dtype=dtype) for i in range(3))
    one, half = dtype(1), dtype(0.5)
    found = {}
    for way, least in (("all", 0), ("one", 3 * size + 1)):
        monkeypatch.setattr(compiler, "WORTH_THREADS", least)
        s, g, d, w, out = a.copy(), a.copy(), a.copy(), a.copy(), np.empty_like(a)
        shares.divide_by_output(s, b, dtype(0.25), np.finfo(dtype).tiny, s)
        shares.times_input(g, b, g)
        shares.times_weight(d, b, c, d)
        assert np.array_equal(d, np.where(b >= 0, c, -c) * a)
        untouched = optim.sgd(w, b, c.copy(), half, half, one)
        activations.ReLU._forward(a, dtype(0), out)
        turned = np.empty((3, size), dtype)
        total = layout.transpose(np.stack([a, b, c], axis=1), turned)
        assert np.array_equal(turned, [a, b, c])
        for odd in ("nan", "inf"):
            assert not np.isfinite(layout.transpose(np.append(a, dtype(odd))[:, None], np.empty((1, size + 1), dtype)))
        found[way] = s, g, d, w, out, np.array([untouched, total, optim.sum_of_squares(a)])  # eighths: exact
    for all_threads, one_thread in zip(found["all"], found["one"], strict=True):
        assert np.array_equal(all_threads, one_thread)


def test_long_arrays_get_all_threads_and_short_ones_do_not(monkeypatch):
    monkeypatch.setattr(compiler, "parallel", lambda function: lambda *arrays: "all")
    monkeypatch.setattr(compiler, "kernel", lambda function: lambda *arrays: "one")
    run = compiler.elementwise(lambda x: x)
    least = compiler.WORTH_THREADS
    assert run(np.empty(least)) == "all" and run(np.empty(least - 1)) == "one"


@given(st.integers(1, 19), st.integers(1, 40), st.integers(1, 70), st.booleans(), dtypes, seeds)
def test_sums_of_rows_are_exact_whatever_is_left_over_of_tiles(m, k, n, by_columns, dtype, seed):
    """Rows that overlap, in any order; weights contiguous along either axis; results that are a part of a matrix."""
    rng = np.random.default_rng(seed)
    x, begins = numbers([seed, 1], 300, dtype=dtype), rng.integers(0, 300 - n + 1, k)
    rows = np.stack([x[begin : begin + n] for begin in begins])
    a, s = numbers([seed, 2], m, k, dtype=dtype), numbers([seed, 3], m, n, dtype=dtype)
    z, g = numbers([seed, 4], m, n + 5, dtype=dtype), numbers([seed, 5], m, k, dtype=dtype)
    expected_z, expected_g = z.copy(), g + s @ rows.T
    expected_z[:, 2 : 2 + n] += a @ rows
    add_products(z[:, 2 : 2 + n], np.asfortranarray(a) if by_columns else a, x, begins)
    dot_products(g, s, x, begins)
    assert np.array_equal(z, expected_z) and np.array_equal(g, expected_g)


def test_more_rows_than_are_packed_at_once_are_added_up():
    x, begins = numbers(0, 4000), np.arange(2 * PACKED + 3) * 3
    rows = np.stack([x[begin : begin + 25] for begin in begins])
    a, z = numbers(1, 5, len(begins)), np.zeros((5, 25))
    add_products(z, a, x, begins)
    assert np.array_equal(z, a @ rows)


@given(st.integers(0, 9), st.integers(1, 9), st.integers(1, 9), st.booleans(), st.booleans(), dtypes, seeds)
def test_blas_takes_parts_of_matrices_along_either_axis(m, k, n, a_turned, b_turned, dtype, seed):
    def part(number, rows, columns, turned):
        whole = numbers([seed, number], *((columns + 2, rows + 3) if turned else (rows + 2, columns + 3)), dtype=dtype)
        return whole[1 : 1 + columns, 2 : 2 + rows].T if turned else whole[1 : 1 + rows, 2 : 2 + columns]

    a, b, whole = part(0, m, k, a_turned), part(1, k, n, b_turned), np.full((m + 1, n + 2), 7, dtype)
    product(a, b, whole[:m, 1 : 1 + n])
    assert np.array_equal(whole[:m, 1 : 1 + n], a @ b)
    whole[:m, 1 : 1 + n] = 7
    assert np.all(whole == 7)


@pytest.mark.parametrize("workload", ["lenet-lfp", "spiking_mlp-lfp"])
def test_a_step_takes_its_memory_from_the_steps_before(workload):
    """It makes some arrays of the outputs' size (rewards), and copies of weights: less than a tenth of the rest."""
    net, (x, y) = workloads.network(workload), measuring.samples(64)
    step = workloads.stepper(net, workload)
    step(x, y)
    outputs, _ = step(x, y)
    arrays = net.last_tape()._common.memory.arrays.values()
    workspace = sum(flat.nbytes for flat, _ in arrays)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        step(x, y)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 8 * outputs.nbytes + workspace / 10
    assert after - before < outputs.nbytes + 60_000  # a pass's nodes, in place of the ones before


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_memory_begins_at_a_page_and_is_used_again(dtype):
    scratch = memory.Memory()
    for size in (1, 7, 64, 1009, 100_003):
        array = scratch.array("z", (size, 3), dtype)
        assert array.ctypes.data % 4096 == 0 and array.shape == (size, 3) and array.dtype == dtype
        array[...] = 1  # all of it is there to be written
    assert np.shares_memory(scratch.array("z", (5, 2), dtype), array)
    assert not np.shares_memory(scratch.array("g", (5, 2), dtype), array)


@pytest.mark.skipif("+avx512f" not in get_host_cpu_features(), reason="this processor has no vectors of 512 bits")
@pytest.mark.parametrize(
    "environment, said",
    [
        ({}, "whole True, numba's own choice False"),
        ({"NUMBA_CPU_FEATURES": "-avx512f"}, "whole False, numba's own choice False"),
        ({"NUMBA_ENABLE_AVX": "0"}, "whole False, numba's own choice True"),
    ],
)
def test_kernels_use_whole_vectors_unless_the_environment_says_otherwise(environment, said):
    """Instructions of a sum that is compiled after lfp_ref was imported, in a process of its own."""
    code = """
import lfp_ref
import numba, numpy

@numba.njit(fastmath=lfp_ref.kernels.compile.KERNEL["fastmath"])
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
