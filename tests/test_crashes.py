"""Kills, full disks, signals and locks whose owner died, each in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from lfp_ref import checkpoints
from lfp_ref.files import FolderInUse, locked
from lfp_ref.tools import cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")

ROOT = Path(__file__).parents[1]
PLAIN = {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}  # nothing to compile
TRAIN = ("train", "--data", "few.npz", "--epochs", "4", "--batch-size", "5")


@pytest.fixture(autouse=True)
def in_a_folder_with_few_samples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.savez("few.npz", x=rng.normal(size=(50, 2)), y=np.arange(50) % 2)


def start(*arguments, before="", **variables):
    """lfp-ref with these arguments, in a process; before: Python that it runs first."""
    code = f"{textwrap.dedent(before)}\nimport sys\nfrom lfp_ref.tools.cli import process\nsys.exit(process())"
    environment = {**os.environ, **PLAIN, **variables}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    """(status, output, errors), none of which is a traceback."""
    out, err = process.communicate(timeout=100)
    assert "Traceback" not in out + err, err
    return process.returncode, out, err


def ran(*arguments, **options):
    return finish(start(*arguments, **options))


def state(folder):
    """What counts of a run: its arrays, and its history but for the time."""
    saved = checkpoints.load(Path(folder, "checkpoint.npz"))
    history = {name: column for name, column in saved.history.items() if name != "seconds"}
    return {**saved.net, **saved.optimizer, **history}


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The state of the run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    before = os.getcwd()
    os.chdir(folder)
    try:
        rng = np.random.default_rng(0)
        np.savez("few.npz", x=rng.normal(size=(50, 2)), y=np.arange(50) % 2)
        status, _, err = ran(*TRAIN, "--out", "D")
        assert status == 0, err
        return state("D")
    finally:
        os.chdir(before)


def resumed(whole):
    status, _, err = ran("train", "--resume", "D")
    assert status == 0 and same(state("D"), whole), err
    assert {path.name for path in Path("D").iterdir()} <= {"checkpoint.npz", "history.csv", "curves.png"}


# ---- kills

DYING = """
import os, signal
calls, inner = [], os.{function}
def dying(*arguments):
    calls.append(arguments)
    if len(calls) == {call}:
        if {after}:
            inner(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
    return inner(*arguments)
os.{function} = dying
"""


@pytest.mark.parametrize("function, after", [("fsync", False), ("replace", True)])
def test_a_run_killed_while_it_writes_a_checkpoint_goes_on_to_the_same_numbers(whole, function, after):
    status, *_ = ran(*TRAIN, "--out", "D", before=DYING.format(function=function, call=3, after=after))
    assert status == -signal.SIGKILL and state("D")["epoch"].tolist() == [1, 2, 3][: 2 + after]
    resumed(whole)


def test_a_kill_in_the_middle_of_a_write_leaves_the_old_file(whole):
    """Half of the third checkpoint is on the disk."""
    half = """
        import os, signal, numpy
        calls, savez = [], numpy.savez
        def dying(file, **arrays):
            calls.append(file)
            savez(file, **arrays)
            if len(calls) == 3:
                file.truncate(file.tell() // 2)
                os.kill(os.getpid(), signal.SIGKILL)
        numpy.savez = dying
        """
    status, *_ = ran(*TRAIN, "--out", "D", before=half)
    assert status == -signal.SIGKILL and state("D")["epoch"].tolist() == [1, 2]
    assert any(path.suffix == ".tmp" for path in Path("D").iterdir())
    resumed(whole)


# ---- full disks


def limited(size):
    """Files may have so many bytes: a disk that is full in the middle of a file."""
    return f"""
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
        """


def test_a_full_disk_is_a_sentence_and_leaves_the_last_checkpoint(whole):
    status, _, err = ran(*TRAIN, "--out", "D", before=limited(20_000))
    assert status == 1 and "File too large" in err and not Path("D").exists()
    ran(*TRAIN, "--out", "D", before=DYING.format(function="replace", call=3, after=False))
    good = Path("D/checkpoint.npz").read_bytes()
    status, _, err = ran("train", "--resume", "D", before=limited(20_000))
    assert status == 1 and "File too large" in err and Path("D/checkpoint.npz").read_bytes() == good
    resumed(whole)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_a_sentence():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "lfp_ref", *TRAIN], stdout=full, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, **PLAIN})  # fmt: skip
    assert done.returncode == 1 and "No space left" in done.stderr and "Traceback" not in done.stderr


# ---- signals

STOPPING = """
import os, signal
from lfp_ref.tools.cli import training
train, evaluate = training.train, training.evaluate
def stop(epoch, step, steps):
    if (epoch, step) == {at}:
        os.kill(os.getpid(), signal.{name})
training.train = lambda *a, **o: train(*a, **{{**o, "on_step": stop}})
def stopping(*arguments):
    if {at} is None:
        os.kill(os.getpid(), signal.{name})
    return evaluate(*arguments)
training.evaluate = stopping
"""


@pytest.mark.parametrize("name, at", [("SIGINT", (0, 1)), ("SIGINT", (1, 8)), ("SIGTERM", (3, 8)), ("SIGINT", None)],
                         ids=["first step", "an epoch's last step", "last step", "after training"])  # fmt: skip
def test_a_signal_at_any_moment_leaves_a_run_that_goes_on_to_the_same_numbers(whole, name, at):
    status, _, err = ran(*TRAIN, "--out", "D", before=STOPPING.format(name=name, at=at))
    assert status == 130 and "go on with: lfp-ref train --resume D" in err
    resumed(whole)


BEGUN = """
import importlib.util
path = importlib.util.find_spec("lfp_ref").submodule_search_locations[0] + "/startup.py"
exec(compile(open(path).read(), path, "exec"))  # the package's first line
print("begun", flush=True)
"""


def test_ctrl_c_in_the_first_seconds_is_no_traceback(whole):
    """From the moment Python imports the package; before, it is Python's."""
    begin = "import sys\nsys.argv[0] = '-m'\n"
    for delay in (0, 0.1, 0.3, 0.7):
        process = start(*TRAIN, "--out", f"D{delay}", before=begin + BEGUN)
        assert process.stdout.readline() == "begun\n"
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        status, out, err = finish(process)
        assert status == 130 and re.search("\nstopped", err), (delay, out, err)


# ---- locks

HOLDER = """
import sys, time
from pathlib import Path
from lfp_ref.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(100)
"""


@pytest.fixture
def held():
    """Starts a process that locks a folder, and returns it."""
    processes = []

    def hold(folder):
        process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], env={**os.environ, **PLAIN},
                                   stdout=subprocess.PIPE, text=True)  # fmt: skip
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in processes:
        process.kill()
        process.communicate()


def test_a_lock_dies_with_its_process(held, capsys):
    Path("grid.toml").write_text('data = "blobs"\n')
    process = held("D")
    for arguments in (TRAIN, ("compare", "--data", "few.npz"), ("sweep", "grid.toml")):
        assert cli.main([*arguments, "--out", "D"]) == 1
        assert f"D is in use by process {process.pid}: wait for it, or choose another folder" in capsys.readouterr().err
    process.kill()
    process.wait()
    assert Path("D/.lock").exists()
    with locked(Path("D")), pytest.raises(FolderInUse), locked(Path("D")):
        pass
    assert not Path("D/.lock").exists()


def test_runs_without_a_folder_of_their_own_find_one_each(held):
    usual = Path("runs", "few-mlp-relu-epsilon-seed0")
    held(usual)
    together = [start(*TRAIN) for _ in range(3)]
    assert [finish(process)[0] for process in together] == [0, 0, 0]
    assert sorted(path.name for path in Path("runs").iterdir()) == [
        usual.name,
        *(f"{usual.name}-{n}" for n in (2, 3, 4)),
    ]
    assert not (usual / "checkpoint.npz").exists()


def test_of_two_runs_into_one_folder_one_is_refused(whole):
    together = [start(*TRAIN, "--out", "D") for _ in range(2)]
    found = sorted((finish(process) for process in together), key=lambda each: each[0])
    assert [status for status, *_ in found] == [0, 1]
    assert "D is in use" in found[1][2] or "D holds a run already" in found[1][2]
    assert same(state("D"), whole)


def test_of_two_sweeps_into_one_folder_one_is_refused_and_no_line_is_doubled():
    pytest.importorskip("joblib", reason="needs the extra sweep")
    Path("grid.toml").write_text('data = "few.npz"\nepochs = 1\nlr = [0.01, 0.02, 0.03]\n')
    together = [start("sweep", "grid.toml", "--out", "S", "--jobs", "1") for _ in range(2)]
    found = sorted((finish(process) for process in together), key=lambda each: each[0])
    lines = Path("S/results.csv").read_text().splitlines()
    assert len(lines) == 4 and len(set(lines)) == 4
    if found[1][0]:  # else the second began when the first had ended
        assert found[1][0] == 1 and "S is in use" in found[1][2]
    else:
        assert any("3 of them done already" in out for _, out, _ in found)


def test_a_folder_that_was_made_for_nothing_is_taken_away():
    with pytest.raises(RuntimeError), locked(Path("a/b/c")):
        raise RuntimeError
    assert not Path("a").exists()
    with locked(Path("a/b")):
        Path("a/b/file").touch()
    assert os.listdir("a/b") == ["file"]
