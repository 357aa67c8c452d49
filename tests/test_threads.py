import multiprocessing
import threading

import numba
import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.kernels import threads


@pytest.mark.skipif(not threads._OPENBLAS, reason="BLAS is not OpenBLAS: its threads are not ours to set")
def test_blas_gets_its_threads_back_whoever_leaves_last():
    get, set_ = threads._OPENBLAS
    usual, inside = get(), []
    set_(2)
    try:
        first_in, second_out = threading.Event(), threading.Event()

        def first():
            with threads.one_blas_thread():
                first_in.set()
                second_out.wait(10)

        other = threading.Thread(target=first)
        other.start()
        first_in.wait(10)
        with threads.one_blas_thread():
            inside.append(get())
        inside.append(get())  # the other one still works
        second_out.set()
        other.join()
        assert inside == [1, 1] and get() == 2
        with pytest.raises(ValueError):
            lfp.Dense(2, 2).forward(np.full((1, 2), np.nan))
        assert get() == 2
    finally:
        set_(usual)


def outputs(seed):
    """What a network answers; for worker processes, too."""
    net = lfp.Sequential(lfp.Dense(8, 300, rng=np.random.default_rng(seed)), lfp.Tanh())
    return net.forward(np.random.default_rng(1).normal(size=(128, 8)))


def test_worker_processes_that_are_spawned_give_the_same_numbers():
    here = [outputs(seed) for seed in (0, 1)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        there = pool.map(outputs, (0, 1))
    assert all(np.array_equal(*both) for both in zip(here, there, strict=True))


@pytest.mark.parametrize("order", [(1, None), (None, 1)])
def test_threads_that_come_or_go_between_the_way_there_and_back(order):
    """A batch keeps the parts it came in: the reward of an output follows its sample."""
    usual = numba.get_num_threads()
    net = lfp.Sequential(lfp.Dense(5, 4, dtype=np.float64), lfp.ReLU())
    x = np.random.default_rng(0).normal(size=(96, 5))
    z = net.forward(x)
    expected = net.feedback(z)
    try:
        numba.set_num_threads(order[0] or usual)
        net.forward(x)
        numba.set_num_threads(order[1] or usual)
        np.testing.assert_allclose(net.feedback(z), expected, rtol=1e-12)
    finally:
        numba.set_num_threads(usual)
