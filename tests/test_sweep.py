"""Sweeps: every run once, in one file, whatever dies in between."""

import csv
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from lfp_ref.tools import cli
from lfp_ref.tools.cli import results, sweeping
from tests import command_line

GRID = """
data = "blobs"
epochs = 2
rule = ["epsilon", "gradient"]
lr = [0.003, 0.01]
seed = [0, 1]
"""


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid.toml").write_text(GRID)


def call(capsys, *arguments):
    return command_line.call(capsys, "sweep", *arguments)


def rows(path="out/results.csv"):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def runs(found):
    return sorted((row["rule"], row["lr"], row["seed"]) for row in found)


EVERY = sorted((rule, lr, seed) for rule in ("epsilon", "gradient") for lr in ("0.003", "0.01") for seed in "01")


def need(*modules):
    for module in modules:
        pytest.importorskip(module, reason="needs the extra sweep")


def test_every_combination_is_a_line_that_pandas_reads_and_equals_a_run_by_hand(capsys):
    need("joblib")
    status, out, _ = call(capsys, "grid.toml", "--out", "out", "--jobs", "1")
    assert status == 0 and runs(rows()) == EVERY and "8 of 8 runs are in out/results.csv" in out
    assert re.search(r"8/8  data=blobs epochs=2 .*: \d+\.\d+%, \d\S* s; about 0 s left", out)
    cli.main(["train", "--data", "blobs", "--epochs", "2", "--rule", "gradient", "--lr", "0.01", "--seed", "1",
              "--out", "one"])  # fmt: skip
    by_hand, (row,) = rows("one/history.csv")[-1], [
        row for row in rows() if (row["rule"], row["lr"], row["seed"]) == ("gradient", "0.01", "1")
    ]  # fmt: skip
    for name in ("test_accuracy", "train_accuracy", "untouched"):
        assert row[name] == by_hand[name]
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.read_csv("out/results.csv")
    assert table.shape == (8, 11) and table.test_accuracy.dtype == float and (table.status == "done").all()
    assert table.groupby(["rule", "lr"]).test_accuracy.count().tolist() == [2] * 4


def test_a_second_start_does_what_is_missing_also_after_a_line_was_cut_off(capsys, monkeypatch, tmp_path):
    need("joblib")
    call(capsys, "grid.toml", "--out", "out", "--jobs", "1")
    file = tmp_path / "out" / "results.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:4]) + lines[4][:-20])  # three runs whole, one half written
    asked, one_run = [], sweeping.one_run
    monkeypatch.setattr(sweeping, "one_run", lambda run, threads: asked.append(run) or one_run(run, threads))
    status, out, _ = call(capsys, "grid.toml", "--out", "out", "--jobs", "1")
    assert status == 0 and "8 runs, 3 of them done already" in out and len(asked) == 5 and runs(rows()) == EVERY
    status, out, _ = call(capsys, "grid.toml", "--out", "out", "--jobs", "1")
    assert status == 0 and len(asked) == 5
    (tmp_path / "grid.toml").write_text(GRID.replace("[0, 1]", "[0, 1, 2]"))  # the grid may grow
    call(capsys, "grid.toml", "--out", "out", "--jobs", "1")
    assert len(asked) == 9 and len(rows()) == 12


def test_what_diverges_is_a_result_and_what_fails_is_tried_again(capsys, monkeypatch, tmp_path):
    need("joblib")
    (tmp_path / "grid.toml").write_text(GRID.replace("[0.003, 0.01]", "[0.01, 1e37]").replace(
        'data = "blobs"', 'data = "blobs"\noptimizer = "sgd"\nreduction = "sum"'))  # fmt: skip
    status, _, _ = call(capsys, "grid.toml", "--out", "out", "--jobs", "1")
    found = rows()
    assert status == 0 and len(found) == 8
    for row in found:
        bad = row["lr"] == "1e+37"
        assert row["status"] == ("diverged" if bad else "done")
        assert ("finite" in row["message"] or "NaN" in row["message"]) == bad == (row["test_accuracy"] == "")
    (tmp_path / "grid.toml").write_text('data = ["blobs", "mnist"]\nepochs = 1\ndata_root = "nowhere"\n')
    status, _, err = call(capsys, "grid.toml", "--out", "other", "--jobs", "1")
    assert status == 1 and "1 runs could not be done; the same command tries them again" in err
    assert "data=mnist" in err and "FileNotFoundError" in err
    assert [row["data"] for row in rows("other/results.csv")] == ["blobs"]


def test_a_process_that_dies_loses_nothing(tmp_path, capsys):
    need("joblib")
    (tmp_path / "dies_once.py").write_text(f"""
import os, sys
from lfp_ref.tools.cli import main, sweeping
inner = sweeping.one_run
def one_run(run, threads):
    flag = {str(tmp_path / "died")!r}
    if run["seed"] == 1 and not os.path.exists(flag):
        open(flag, "w").close()
        os.kill(os.getpid(), 9)
    return inner(run, threads)
if __name__ == "__main__":
    sweeping.one_run = one_run
    sys.exit(main(["sweep", "grid.toml", "--out", "out", "--jobs", "2"]))
""")
    done = subprocess.run([sys.executable, "dies_once.py"], capture_output=True, text=True)
    assert done.returncode == 0 and "a process died; what it had not finished is done again" in done.stderr
    assert (tmp_path / "died").exists() and runs(rows()) == EVERY


def test_on_a_dask_cluster_a_worker_is_killed_and_nothing_is_lost_or_doubled(capsys, tmp_path):
    need("dask", "distributed")
    from distributed import Client, LocalCluster

    (tmp_path / "grid.toml").write_text(GRID.replace("epochs = 2", "epochs = 40"))
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster, Client(cluster) as client:  # fmt: skip
        killed = []

        def kill():
            while not os.path.exists("out/results.csv") or len(rows()) < 2:
                time.sleep(0.02)
            busy = {address: keys for address, keys in client.processing().items() if keys}
            killed.append(next(iter(busy)))
            pids = client.run(os.getpid)
            os.kill(pids[killed[0]], signal.SIGKILL)

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        status, out, _ = call(capsys, "grid.toml", "--out", "out", "--scheduler", cluster.scheduler_address)
        thread.join(60)
    assert killed and status == 0 and "8 of 8 runs" in out
    assert runs(rows()) == EVERY and all(row["status"] == "done" for row in rows())


def test_ctrl_c_says_how_to_go_on(capsys, monkeypatch):
    need("joblib")
    one_run = sweeping.one_run

    def pressed(run, threads):
        if run["rule"] == "gradient":
            raise KeyboardInterrupt
        return one_run(run, threads)

    monkeypatch.setattr(sweeping, "one_run", pressed)
    status, _, err = call(capsys, "grid.toml", "--out", "out", "--jobs", "1")
    assert status == 130 and "stopped: 4 of 8 runs are in out/results.csv; the same command goes on" in err
    assert len(rows()) == 4


def test_the_picture_shows_every_rule_and_where_runs_diverged(capsys, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need the extra cli")
    from matplotlib.image import imread

    (tmp_path / "out").mkdir()
    found = results.Results(tmp_path / "out" / "results.csv")
    found.open(["rule", "lr", "seed"])
    rng = np.random.default_rng(0)
    for rule, lr, seed in ((rule, lr, seed) for rule in ("a", "b") for lr in (0.01, 0.1) for seed in range(3)):
        bad = (rule, lr) == ("b", 0.1) and seed < 2
        accuracy = "" if bad else rng.uniform(0.8, 1)
        row = dict.fromkeys(results.FOUND, "") | {"status": "diverged" if bad else "done", "test_accuracy": accuracy}
        found.append({"rule": rule, "lr": lr, "seed": seed, **row})
    drawn = {}
    with monkeypatch.context() as patch:
        patch.setattr(results.figures, "over_rates", lambda path, lines, title, tested: drawn.update(lines))
        call(capsys, "--plot", "--out", "out")
    assert list(drawn) == ["a", "b"] and [len(found) for found in drawn["a"].values()] == [3, 3]
    assert np.isnan(drawn["b"][0.1]).tolist() == [True, True, False]
    status, out, _ = call(capsys, "--plot", "--out", "out")
    assert status == 0 and "results.csv, accuracy.png" in out and imread("out/accuracy.png").shape[0] > 400


def test_mistakes_are_explained_before_anything_runs(capsys, tmp_path):
    for text, says in (
        ("lr = [", "is no TOML file"),
        ("", "gives no options"),
        ("lr = []", "lr must be an option of lfp-ref train with a value or a list of them"),
        ("[lr]\na = 1", "lr must be an option"),
        ("out = 'x'", "out must be an option"),
        ("learning_rat = 0.1", "grid.toml: unrecognized arguments: --learning-rat=0.1"),
        ("optimizer = 'newton'", "invalid choice: 'newton'"),
        ("epochs = 0", "must be an integer >= 1"),
    ):
        (tmp_path / "grid.toml").write_text(text)
        status, _, err = call(capsys, "grid.toml", "--out", "out")
        assert status == 1 and says in err, text
    assert not (tmp_path / "out").exists()
    for arguments, says in (
        (("--out", "out"), "sweep needs a GRID.toml"),
        (("--plot", "--out", "out"), "no results at out/results.csv"),
        (("nowhere.toml", "--out", "out"), "nowhere.toml"),
    ):
        status, _, err = call(capsys, *arguments)
        assert status == 1 and says in err
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.csv").write_text(f"rule,{','.join(results.FOUND)}\n")
    (tmp_path / "grid.toml").write_text(GRID)
    status, _, err = call(capsys, "grid.toml", "--out", "out")
    assert status == 1 and "is of a grid with other options" in err


@pytest.mark.parametrize(("module", "arguments", "says"), [
    ("joblib", (), "lfp-ref sweep needs joblib: python -m pip install joblib"),
    ("distributed", ("--scheduler", "tcp://127.0.0.1:1"), "needs distributed: python -m pip install distributed"),
])  # fmt: skip
def test_without_the_extra_it_says_what_to_install(capsys, monkeypatch, module, arguments, says):
    monkeypatch.setitem(sys.modules, module, None)
    status, _, err = call(capsys, "grid.toml", "--out", "out", *arguments)
    assert status == 1 and says in err and "Without it, lfp-ref" in err


def test_a_run_is_what_its_options_mean(capsys, monkeypatch, tmp_path):
    """Numbers written in two ways are one run, also when the file of the grid is written anew."""
    need("joblib")
    asked, one_run = [], sweeping.one_run
    monkeypatch.setattr(sweeping, "one_run", lambda run, threads: asked.append(run) or one_run(run, threads))
    for text, total in (("lr = [1, 1.0, 1e0]", 1), ("lr = [1.0]\n", 1), ('lr = ["1", 0.01]', 2)):
        (tmp_path / "grid.toml").write_text(f'data = "blobs"\nepochs = 1\n{text}')
        status, out, _ = call(capsys, "grid.toml", "--out", "out", "--jobs", "1")
        assert status == 0 and len(asked) == total and f"{total} of {total} runs are in" in (out + "1 of 1 runs are in")


@pytest.mark.parametrize(
    "text, says",
    [
        ("help = true", "unrecognized arguments: --help"),
        ("h = true", "unrecognized arguments: --h"),
        ("epoch = 3", "unrecognized arguments: --epoch=3"),
        ("learning-r = 0.1", "unrecognized arguments: --learning-r=0.1"),
        ("resume = 'x'", "resume must be an option"),
        ("against = 'gradient'", "unrecognized arguments: --against"),
        ("lr = nan", "lr must be a finite number >= 0 and <= 3.40282e+38, got nan"),
        ("lr = [0.1, -1]", "lr must be a finite number >= 0 and <= 3.40282e+38, got -1"),
        ("clip = nan", "--clip must be a finite number"),
        ("dropout = 2", "got 2"),
        ("rule = ['epsilon', 'lrp']", "unknown rule 'lrp'"),
        ("rule = 'z-box'", "ZBox is for the layer that sees the network's input"),
        ("activation = 'relo'", "unknown activation 'relo'"),
        ("beta = 0.5", "--beta is for spiking networks"),
        ("model = 'spiking-mlp'\nbeta = 7", "beta"),
        ("model = 'spiking-mlp'\noptimizer = 'sgd'", "no learning rate is known to suit sgd"),
        ("data-root = 'x'\ndata_root = 'y'", "data_root stands there twice"),
        ("rule = ''", "must not be empty"),
        ("a = " + "[" * 2000 + "]" * 2000, "is no TOML file"),
    ],
)
def test_what_no_run_could_do_is_found_before_the_first(capsys, tmp_path, text, says):
    (tmp_path / "grid.toml").write_text(text)
    status, out, err = call(capsys, "grid.toml", "--out", "out")
    assert status == 1 and says in err and "grid.toml" in err and not out and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "its first line must end in status,test_accuracy"),
        ("rule,lr\nepsilon,0.1\n", "its first line must end in status,test_accuracy"),
        ("lr,{found}\n0.1,done\n", "line 2: expected 7 cells"),
        (
            "lr,{found}\n0.1,done,0.9,0.9,0.1,1,\n0.1,lost,0.9,0.9,0.1,1,\n",
            "line 3: expected 7 cells, with status done",
        ),
        ("lr,{found}\nx,done,0.9,0.9,0.1,1,\n", "line 2: lr and test_accuracy must be numbers"),
        ("lr,{found}\n0.1,done,high,0.9,0.1,1,\n", "line 2: lr and test_accuracy must be numbers"),
        ("rule,{found}\nflat,done,0.9,0.9,0.1,1,\n", "no runs with a learning rate"),
        ('lr,{found}\n"0.1', "unexpected end of data"),
    ],
)
def test_a_picture_of_a_file_that_is_no_file_of_results(capsys, tmp_path, text, says):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/results.csv").write_text(text.format(found=",".join(results.FOUND)))
    status, _, err = call(capsys, "--plot", "--out", "out")
    assert status == 1 and says in err and not (tmp_path / "out/accuracy.png").exists()
