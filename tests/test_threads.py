import multiprocessing
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

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


class Meet(lfp.Layer):
    """Hands on what it gets, once as many threads as the barrier is for are at this place of their passes."""

    batch_first = False
    barrier = None

    def propagate(self, a, node):
        if self.barrier:
            self.barrier.wait(10)
        return a

    def hand_back(self, reward, node):
        return reward


@pytest.mark.parametrize("number, calls", [(4, 300), (20, 1)])
def test_every_thread_gets_the_numbers_of_its_own_input(number, calls):
    """Through one network at once: all are in the middle of a pass, and between the ways there and back, together."""
    rng, meet = np.random.default_rng(0), Meet()
    net = lfp.Sequential(lfp.Conv2d(1, 3, 3, padding=1, rng=rng), lfp.ReLU(), meet, lfp.MaxPool2d(2), lfp.Flatten(),
                         lfp.Dense(27, 4, rng=rng))  # fmt: skip
    inputs = [rng.normal(size=(1 + i // 2, 1, 6, 6)) for i in range(number)]  # of equal and of different shapes
    expected = [(z, net.feedback(z)) for z in map(net.forward, inputs)]
    meet.barrier = threading.Barrier(number)

    def wrong(i):
        faults = 0
        for _ in range(calls):
            z = net.forward(inputs[i])
            meet.barrier.wait(10)
            handed = net.feedback(z)
            faults += not (np.array_equal(z, expected[i][0]) and np.array_equal(handed, expected[i][1]))
        return faults

    with ThreadPoolExecutor(number) as pool:
        assert sum(pool.map(wrong, range(number))) == 0


def test_a_pass_may_be_handed_its_reward_in_another_thread():
    net, x = lfp.Sequential(lfp.Dense(5, 4), lfp.ReLU(), lfp.Dense(4, 2)), np.ones((3, 5))
    tape = net.record(x)
    expected, other = tape.feedback(tape.outputs), net.record(2 * x)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(lambda: (net.forward(-x), tape.feedback(tape.outputs))[1]).result()
        unknown = pool.submit(net.feedback, np.ones((3, 2))).exception()
    assert np.array_equal(found, expected)
    assert unknown is None  # of the pass that this thread made
    with pytest.raises(RuntimeError, match="needs a forward pass first"):
        net.feedback(other.outputs)  # this thread made none but recorded ones


def forked(code):
    """What a script prints that ends with a pool of forked workers; it fails after a minute instead of waiting."""
    script = f"""
import multiprocessing, sys
import numpy as np, lfp_ref as lfp
def outputs(n):
    return lfp.Sequential(lfp.Dense(8, 300, rng=np.random.default_rng(n)), lfp.Tanh()).forward(np.ones((128, 8)))
def step(n):
    parameter = lfp.Parameter(np.ones(100_000))
    lfp.optim.SGD([parameter], 0.1).step()
def outcome(work):
    try:
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return pool.map_async(work, (0, 1)).get(60)
    except RuntimeError as error:
        return error
{code}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    return done.stdout, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' OpenMP survives a fork, or they do not fork")
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_a_fork_after_the_first_kernel_works_or_says_to_spawn(monkeypatch, layer):
    monkeypatch.setenv("NUMBA_THREADING_LAYER", layer)
    out, err = forked("""
first = outputs(0)
found = outcome(outputs), outcome(step)
print(*(type(each).__name__ for each in found), *found)
""")
    if layer == "omp":
        assert out.startswith("RuntimeError RuntimeError") and out.count('get_context("spawn")') == 2, (out, err)
    else:
        assert out.startswith("list list"), (out, err)


def test_a_fork_before_the_first_kernel_works():
    out, err = forked("found = outcome(outputs)\nprint(len(found), np.array_equal(found[1], outputs(1)))")
    assert out == "2 True\n", err
