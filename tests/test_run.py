"""Runs on disk: stopped, saved and resumed, they reach the same numbers."""

import _thread
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import checkpoints
from lfp_ref.run import Interrupted
from tests.runs import DATA, network, run, same_history, same_state


def test_resumed_equals_uninterrupted(tmp_path):
    whole, first, second = network(), network(), network(seed=5)
    expected = run(whole)
    run(first, epochs=2, checkpoint=tmp_path / "run.npz")
    history = run(second, checkpoint=tmp_path / "run.npz", resume=True)
    assert same_history(expected, history) and same_state(whole, second)


def test_ctrl_c_in_the_middle_of_an_epoch_saves_and_resumes_to_the_same_numbers(tmp_path):
    path = tmp_path / "run.npz"

    def press(epoch, step, steps):
        if (epoch, step) == (1, 3):
            _thread.interrupt_main()

    with pytest.raises(Interrupted, match=r"epoch 2, step 3; saved to .*run\.npz"):
        run(network(), checkpoint=path, on_step=press)
    whole, resumed = network(), network(seed=5)
    assert same_history(run(whole), run(resumed, checkpoint=path, resume=True)) and same_state(whole, resumed)


def test_checkpoints_that_are_none(tmp_path):
    net, path = network(), tmp_path / "run.npz"
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        checkpoints.load(path)
    run(net, epochs=1, checkpoint=path)
    whole = path.read_bytes()
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, about=np.array({"a": 1}, dtype=object))
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, x=np.ones(3))
    for content in (whole[: len(whole) // 2], b"hello", b"", pickled.read_bytes(), foreign.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is not a checkpoint of lfp_ref"):
            checkpoints.load(path)
    path.write_bytes(whole)
    other = lfp.Sequential(lfp.Dense(2, 3), lfp.Dropout(0.5))
    before = other.state_dict()
    with pytest.raises(ValueError):
        lfp.train(other, DATA, checkpoint=path, resume=True, log=None)
    assert all(np.array_equal(a, before[name]) for name, a in other.state_dict().items())


def test_writing_a_checkpoint_is_all_or_nothing(tmp_path, monkeypatch):
    path, net = tmp_path / "run.npz", network()
    run(net, epochs=1, checkpoint=path)
    good = path.read_bytes()

    def power_cut(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", power_cut)
    with pytest.raises(OSError, match="no space left"):
        run(net, epochs=1, checkpoint=path)
    assert path.read_bytes() == good and [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    run(network(), epochs=1, checkpoint=path)
    for options, names in (
        ({"batch_size": 16}, "batch_size"),
        ({"seed": 3, "reduction": "sum"}, "seed, reduction"),
        ({"rule": lfp.rules.Gradient()}, "rule"),
        ({"reward": lfp.rewards.sigmoid}, "reward"),
    ):
        with pytest.raises(ValueError, match=f"of a run with another {names}$"):
            run(network(), checkpoint=path, resume=True, **options)
    net = network()
    with pytest.raises(ValueError, match="another optimizer"):
        lfp.train(net, DATA, batch_size=32, checkpoint=path, resume=True, log=None)


def test_ctrl_c_in_the_very_last_step_is_not_lost(tmp_path):
    def press(epoch, step, steps):
        if step == steps:
            _thread.interrupt_main()

    path = tmp_path / "run.npz"
    with pytest.raises(Interrupted, match="epoch 1, step 5; saved"):
        run(network(), epochs=1, checkpoint=path, on_step=press)
    whole, resumed = network(), network(seed=5)
    expected = run(whole, epochs=1)
    assert same_history(expected, run(resumed, epochs=1, checkpoint=path, resume=True)) and same_state(whole, resumed)


def test_the_handler_of_ctrl_c_is_put_back_and_other_threads_need_none():
    before = signal.getsignal(signal.SIGINT)
    run(network(), epochs=1)
    assert signal.getsignal(signal.SIGINT) is before
    with ThreadPoolExecutor(1) as pool:
        pool.submit(run, network(), epochs=1).result()


def test_restoring_checks_everything_before_it_changes_anything(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    run(network(), epochs=1, checkpoint=path)
    saved, net = checkpoints.load(path), network(seed=5)
    before = net.state_dict()
    with pytest.raises(ValueError, match="not of SGD"):
        checkpoints.restore(saved, net, lfp.optim.SGD(net.parameters(), 0.1))
    saved.about["random"] = {}
    with pytest.raises(ValueError, match="random generators"):
        checkpoints.restore(saved, net, lfp.optim.Adam(net.parameters()))
    assert all(np.array_equal(a, before[name]) for name, a in net.state_dict().items())
    monkeypatch.setattr(checkpoints, "VERSION", 2)
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoints.load(path)


def test_a_spiking_run_stopped_in_the_last_step_of_an_epoch_goes_on(tmp_path):
    """Its activity is of that step's batch, which a resumed run has not seen."""
    path, data = tmp_path / "run.npz", (DATA.x_train, DATA.y_train)

    def train(seed, **options):
        rng = np.random.default_rng(seed)
        net = lfp.Spiking(lfp.LIF(lfp.Dense(2, 5, rng=rng)), lfp.LIF(lfp.Dense(5, 3, rng=rng)), steps=4)
        reward = lfp.rewards.rate_coded
        return net, lfp.train(net, data, reward=reward, epochs=2, batch_size=32, log=None, **options)

    def press(epoch, step, steps):
        if (epoch, step) == (0, steps):
            _thread.interrupt_main()

    with pytest.raises(Interrupted, match="epoch 1, step 5; saved"):
        train(0, checkpoint=path, on_step=press)
    (whole, expected), (resumed, history) = train(0), train(5, checkpoint=path, resume=True)
    assert "operations" in expected and same_history(expected, history) and same_state(whole, resumed)


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    def press(epoch, step, steps):
        _thread.interrupt_main()
        _thread.interrupt_main()

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt) as stop:
        run(network(), checkpoint=tmp_path / "run.npz", on_step=press)
    assert not isinstance(stop.value, Interrupted) and not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_in_the_last_evaluation_is_not_swallowed(tmp_path):
    """Nor one in the line that is logged, nor in the writing of the last checkpoint."""
    path, pressed = tmp_path / "run.npz", []

    def press():
        if not pressed:
            pressed.append(True)
            _thread.interrupt_main()

    def metric(outputs, targets):
        if len(outputs) == len(DATA.x_test):
            press()
        return lfp.training.accuracy(outputs, targets)

    whole = network()
    expected = run(whole, epochs=1)
    for options in ({"metric": metric}, {"log": lambda line: press()}):
        pressed.clear()
        with pytest.raises(Interrupted, match="epoch 1, step 5; saved"):
            run(net := network(), epochs=1, checkpoint=path, **options)
        assert same_state(whole, net) and np.array_equal(checkpoints.load(path).history["epoch"], [1])
        options = {**options, "epochs": 1, "checkpoint": path}
        history = run(other := network(seed=5), resume=True, **options)
        assert same_state(whole, other) and np.array_equal(history["reward"], expected["reward"])


def test_ctrl_c_after_the_last_save_is_not_swallowed(tmp_path, monkeypatch):
    inner = lfp.run.Run.save

    def saved(self):
        inner(self)
        _thread.interrupt_main()

    monkeypatch.setattr(lfp.run.Run, "save", saved)
    with pytest.raises(Interrupted, match="saved to"):
        run(network(), epochs=1, checkpoint=tmp_path / "run.npz")


def test_sigterm_saves_as_ctrl_c_does_and_handlers_are_put_back(tmp_path):
    path, before = tmp_path / "run.npz", signal.getsignal(signal.SIGTERM)

    def terminate(epoch, step, steps):
        if (epoch, step) == (1, 3):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="epoch 2, step 3; saved to"):
        run(network(), checkpoint=path, on_step=terminate)
    assert signal.getsignal(signal.SIGTERM) is before
    whole, resumed = network(), network(seed=5)
    assert same_history(run(whole), run(resumed, checkpoint=path, resume=True)) and same_state(whole, resumed)


def test_a_checkpoint_that_is_refused_changes_nothing(tmp_path):
    path = tmp_path / "run.npz"
    run(network(), epochs=1, checkpoint=path)
    good, net = checkpoints.load(path), network(seed=5)
    before = net.state_dict(), checkpoints.random_states(net)
    rng_path, state = next(iter(good.about["random"].items()))
    changes = [lambda about, path=name: about.pop(path) for name in ("position", "run", "random")]
    changes += [lambda about: about["random"].update({rng_path: {**state, "state": {"state": -1, "inc": "x"}}})]
    changes += [lambda about: about["random"].update({rng_path: {"bit_generator": state["bit_generator"]}})]
    for change in changes:
        saved = checkpoints.load(path)
        change(saved.about)
        checkpoints.save(path, saved)
        with pytest.raises(ValueError):
            run(net, checkpoint=path, resume=True)
        assert all(np.array_equal(a, before[0][name]) for name, a in net.state_dict().items())
        assert checkpoints.random_states(net) == before[1]
        checkpoints.save(path, good)
