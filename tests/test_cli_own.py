"""The command line on data, rewards and rules of one's own; runs that go on; help, completion, output for programs."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import checkpoints
from lfp_ref.tools import cli, figures
from lfp_ref.tools.cli import sweeping, training
from tests.command_line import call, in_an_empty_folder  # noqa: F401

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
LABELS = np.array(["ape", "bee", "cat"])[X.argmax(axis=1)]
SMALL = ("--model", "8-3", "--epochs", "2", "--quiet")


def table(name="mine.csv", x=X, y=LABELS, header=("a", "b", "c", "kind")):
    with open(name, "w", newline="") as file:
        csv.writer(file).writerows(
            [header, *([*map(float, point), target] for point, target in zip(x, y, strict=True))]
        )


def history(folder):
    with open(f"{folder}/history.csv", newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def net_of(folder):
    return checkpoints.load(f"{folder}/checkpoint.npz").net


# ---- data


def test_a_table_is_trained_on_evaluated_by_class_and_balanced(capsys):
    table()
    np.savez("mine.npz", x=X, y=LABELS)
    status, out, err = call(capsys, "train", "--data", "mine.csv", *SMALL, "--out", "t")
    assert status == 0 and err.splitlines()[0].startswith("lfp-ref: mine.csv: 60 samples of shape (3,), 3 classes")
    assert "the targets are the last column, kind" in err and len(out.splitlines()) == 2
    assert call(capsys, "train", "--data", "mine.npz", *SMALL, "--out", "n")[0] == 0
    assert history("t") == history("n")
    first, *of_classes = call(capsys, "evaluate", "t")[1].splitlines()
    assert first == out.splitlines()[0] and [line.split()[0] for line in of_classes] == ["ape", "bee", "cat"]
    right = [float(line.split()[1][:-1]) / 100 * int(line.split()[-1]) for line in of_classes]
    assert np.isclose(sum(right) / 12, float(first.split()[2][:-1]) / 100, atol=1e-3)
    assert call(capsys, "balance", "t")[0] == 0
    status, out, _ = call(capsys, "explain", "t", "--target", "bee")
    assert status == 0 and {part.split()[0] for part in out.splitlines()[1].split(", ")} == {"a", "b", "c"}


def test_labels_from_1_have_no_output_too_many(capsys):
    table(y=X.argmax(axis=1) + 1)
    status, _, err = call(capsys, "train", "--data", "mine.csv", *SMALL, "--out", "t")
    assert status == 0 and "3 classes for outputs 0 to 2: 1 (" in err and net_of("t")["3.bias"].shape == (3,)
    assert call(capsys, "balance", "t")[0] == 0


def test_a_training_part_of_one_class_is_refused(capsys, tmp_path):
    np.savez("mine.npz", x=X, y=np.sort(LABELS))
    labels = lfp.datasets.load_own("mine.npz").y_train
    same = int(np.argmax(labels != labels[0]))
    status, _, err = call(capsys, "train", "--data", "mine.npz", "--limit", str(same))
    assert status == 1 and "the training part of mine has one class only, " in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.npz"]


def test_columns_on_different_scales_are_said_and_standardised_with_the_run(capsys):
    table(x=X * [1, 1, 1000] + 3)
    status, _, err = call(capsys, "train", "--data", "mine.csv", *SMALL, "--out", "raw")
    assert status == 0 and "the columns of x have standard deviations from" in err and "--standardise" in err
    status, out, err = call(capsys, "train", "--data", "mine.csv", "--standardise", *SMALL, "--out", "s")
    assert status == 0 and "standard deviations" not in err
    data = lfp.datasets.load_own("mine.csv")
    scaling = lfp.datasets.Scaling.of(data.x_train)
    assert checkpoints.load("s/checkpoint.npz").about["data"]["scaling"] == json.loads(json.dumps(scaling.as_json()))
    net = lfp.names.network("8-3")((3,), 3)
    net.load_state_dict(net_of("s"))
    assert f"{lfp.evaluate(net, data.scaled(scaling)):.2%}" in out
    table("other.csv", X[:20] * [1, 1, 1000] + 3, LABELS[:20])  # scaled as the run's own, not by itself
    other = lfp.datasets.load_own("other.csv", whole=True).relabelled(data.class_names).scaled(scaling)
    assert f"accuracy {lfp.evaluate(net, other):.2%} on 20" in call(capsys, "evaluate", "s", "--data", "other.csv")[1]
    assert call(capsys, "balance", "s")[0] == 0


def test_other_data_must_have_the_runs_classes_and_columns(capsys):
    table()
    assert call(capsys, "train", "--data", "mine.csv", *SMALL, "--out", "t")[0] == 0
    two = LABELS != "bee"
    table("two.csv", X[two], LABELS[two])
    status, out, _ = call(capsys, "evaluate", "t", "--data", "two.csv")
    assert status == 0 and [line.split()[0] for line in out.splitlines()[1:]] == ["ape", "cat"]
    assert f"on {two.sum()} samples of two" in out
    table("three.csv", X[LABELS == "cat"][:3], LABELS[LABELS == "cat"][:3])
    assert call(capsys, "evaluate", "t", "--data", "three.csv")[1].splitlines()[1].endswith(" of 3")
    assert call(capsys, "evaluate", "t", "--data", "mine.csv")[1] == call(capsys, "evaluate", "t")[1]
    table("dog.csv", y=np.where(two, LABELS, "dog"))
    table("swapped.csv", header=("b", "a", "c", "kind"))
    table("wide.csv", x=np.hstack([X, X]), header=("", "b", "c", "d", "e", "f", "kind"))
    for name, says in (
        ("dog.csv", "dog has a class 'dog', which is not one of ape, bee, cat"),
        ("swapped.csv", "has the columns b, a, c, kind, the run's data a, b, c, kind"),
        ("wide.csv", "has the columns"),
        ("mine.csv:a", "has the columns b, c, kind, a"),
        ("blobs", "has a class '0'"),
    ):
        status, _, err = call(capsys, "evaluate", "t", "--data", name)
        assert status == 1 and (says in err or "column kind must be a number" in err), name
    table(y=np.where(two, LABELS, "dog"))  # the run's own file has changed
    for command in (("evaluate", "t"), ("train", "--resume", "t")):
        status, _, err = call(capsys, *command)
        assert status == 1 and "has the classes ape, cat, dog; when the run began, they were ape, bee, cat" in err


def test_numbers_are_predicted(capsys, monkeypatch):
    y = X @ [1.0, -2.0, 0.5] * 100 + 1000
    table(y=y)
    options = ("--data", "mine.csv", "--epochs", "40", "--quiet")
    status, out, err = call(capsys, "train", *options, "--model", "16-1", "--out", "r")
    assert status == 0 and "targets are scaled to mean 0 and deviation 1 (they are " in err
    data = lfp.datasets.load_own("mine.csv")
    net = lfp.names.network("16-1")((3,), 1)
    net.load_state_dict(net_of("r"))
    mean, deviation = data.y_train.mean(dtype=float), data.y_train.std(dtype=float)
    error = np.sqrt(np.mean((net.forward(data.x_test)[:, 0] * deviation + mean - data.y_test) ** 2))
    r2 = 1 - error**2 / data.y_test.var(dtype=float)
    assert r2 > 0.9 and out.startswith(
        f"test R2 {r2:.4f} (root mean squared error {error:.4g}) on 12 samples of mine\n"
    )
    assert np.isclose(float(history("r")[-1]["test_r2"]), r2, atol=1e-4) and float(history("r")[-1]["train_r2"]) > 0.9
    assert call(capsys, "evaluate", "r")[1] == out.splitlines()[0] + "\n"
    assert "reward squared-error" in call(capsys, "balance", "r")[1]
    said = call(capsys, "explain", "r", "--sample", "3")[1]
    assert said.startswith(f"sample 3 (label {data.y_test[3]:.4g}, scaled {(data.y_test[3] - mean) / deviation:.4f})")
    status, _, err = call(capsys, "convert", "r", "r.npz")
    assert status == 0 and "this run's y are scaled, which is not in the file" in err
    status, out, _ = call(capsys, "compare", *options[:-1], "--model", "16-1", "--out", "c")
    assert status == 0 and "test r2" in out
    for arguments, says in (
        (("--reward", "softmax"), "--reward softmax is not for numbers to predict, which mine has"),
        (("--model", "spiking-mlp"), "counts spikes for classes; mine has numbers to predict"),
        (("--model", "16-3"), "the last part of '16-3' is the number of outputs, here 1, got '3'"),
        (("--task", "classification"), "y, for classification, must be text or whole numbers"),
        (("--data", "digits", "--task", "regression"), "--task regression is for data of your own; digits has classes"),
        (("--data", "digits", "--reward", "squared-error"), "--reward squared-error is not for classes, which digits"),
    ):
        status, _, err = call(capsys, "train", *options, *arguments)
        assert status == 1 and says in err, arguments


def test_whole_numbers_are_predicted_on_request(capsys):
    table(y=np.round(X.sum(axis=1) * 10).astype(int))
    status, out, _ = call(capsys, "train", "--data", "mine.csv", "--task", "regression", "--epochs", "2", "--out", "r")
    assert status == 0 and "test R2" in out
    assert "test R2" in call(capsys, "evaluate", "r", "--data", "mine.csv")[1]


def test_the_r2_is_scikit_learns(capsys):
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the extra sklearn")
    from lfp_ref.tools.cli.common import metric_of

    data = lfp.datasets.Dataset("", X[:40], X[:40, 0], X[40:], X[40:, 1])
    outputs = RNG.normal(size=(20, 1))
    assert np.isclose(metric_of(data)(outputs, data.y_test), metrics.r2_score(data.y_test, outputs[:, 0]))


def test_classes_are_named_in_pictures(capsys, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="pictures need the extra images")
    for name in ("ape", "bee"):
        Path("pictures", name).mkdir(parents=True)
        for k in range(10):
            image.fromarray(RNG.integers(0, 256, (8, 8), dtype=np.uint8)).save(f"pictures/{name}/{k}.png")
    arguments = ("--data", "pictures", "--model", "4c3-p2-2", "--epochs", "1", "--quiet", "--out", "t")
    status, _, err = call(capsys, "train", *arguments)
    assert status == 0 and "grey pictures of 8 x 8" in err
    drawn = []
    monkeypatch.setattr(figures, "relevance", lambda *given: drawn.append(given))
    status, out, _ = call(capsys, "explain", "t", "--sample", "0", "--target", "bee", "ape")
    assert status == 0 and ", output bee = " in out.splitlines()[0] and ", output ape = " in out.splitlines()[1]
    assert drawn[0][4] == ["bee", "ape"] and drawn[0][3][0].split()[-1] in ("ape", "bee")
    status, _, err = call(capsys, "explain", "t", "--target", "cat")
    assert status == 1 and "--target must be one of ape, bee, got cat" in err
    Path("pictures").rename("moved")
    status, _, err = call(capsys, "evaluate", "t")
    assert status == 1 and "no data at" in err


def test_what_is_no_data_is_refused_before_anything(capsys, tmp_path):
    for data, says in (
        ("mine", "must be one of digits, mnist"), ("mine.csv:", "must have the name of a column behind the colon"),
        ("mine.txt", "a file that ends in .npz or .csv, or a folder of pictures"),
    ):  # fmt: skip
        with pytest.raises(SystemExit):
            cli.main(["train", "--data", data])
        assert says in " ".join(capsys.readouterr().err.split())
    status, _, err = call(capsys, "train", "--data", "./gone")
    assert status == 1 and "no data at" in err and not list(tmp_path.iterdir())


# ---- rewards and rules


CODE = """
import numpy as np
import lfp_ref as lfp

def hinge(outputs, labels):
    signs = 2 * lfp.rewards.one_hot(outputs, labels) - 1
    return np.sign(outputs) * signs * (signs * outputs < 1)

def plus(net):
    return lfp.composites.epsilon_plus(net)

small = lfp.rules.Epsilon(0.25)
descent = lfp.rules.Gradient()
number = 3
"""


def test_a_reward_and_a_rule_of_ones_own_go_with_the_run(capsys, tmp_path, monkeypatch):
    table()
    Path("code.py").write_text(CODE)
    own = ("--reward", "code.py:hinge", "--rule", "code.py:small")
    assert call(capsys, "train", "--data", "mine.csv", *SMALL, "--schedule", "constant", *own, "--out", "t")[0] == 0
    data = lfp.datasets.load_own("mine.csv")
    names = {}
    exec(CODE, names)
    net = lfp.names.network("8-3")((3,), 3, rng=np.random.default_rng(0))
    lfp.train(net, data, optimizer=lfp.optim.Adam(net.parameters(), 0.01), epochs=2, rule=names["small"], log=None,
              reward=names["hinge"], batch_size=32)  # fmt: skip
    assert all(np.array_equal(array, net_of("t")[name]) for name, array in net.state_dict().items())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    status, out, _ = call(capsys, "balance", "../t")
    assert status == 0 and f"reward {tmp_path / 'code.py'}:hinge, rule {tmp_path / 'code.py'}:small" in out
    status, _, err = call(capsys, "train", "--resume", "../t", "--epochs", "3", "--quiet")
    assert status == 0 and not err
    Path("../code.py").write_text(CODE + "\n")
    status, _, err = call(capsys, "train", "--resume", "../t", "--epochs", "4", "--quiet")
    assert status == 0 and err == f"lfp-ref: {tmp_path / 'code.py'} has changed since the run began\n"
    Path("../code.py").rename("../gone.py")
    status, _, err = call(capsys, "train", "--resume", "../t", "--epochs", "5")
    assert status == 1 and err.endswith(f"{tmp_path / 'code.py'}:hinge: there is no file {tmp_path / 'code.py'}\n")
    assert call(capsys, "evaluate", "../t")[0] == 0


def test_rules_of_ones_own_are_compared_and_named_without_their_path(capsys):
    table()
    Path("code.py").write_text(CODE)
    short = ("--data", "mine.csv", "--model", "8-3", "--epochs", "1", "--out", "both")
    status, out, _ = call(capsys, "compare", "--rule", "code.py:plus", *short)
    assert status == 0 and "LFP-code-plus" in out and Path("both/code-plus.csv").exists()
    assert call(capsys, "train", "--data", "mine.csv", *SMALL, "--rule", "code.py:plus")[0] == 0
    assert [path.name for path in Path("runs").iterdir()] == ["mine-8-3-relu-code-plus-seed0"]
    status, _, err = call(capsys, "compare", "--rule", "code.py:descent", *short)
    assert status == 1 and "compare trains by an LFP rule" in err


@pytest.mark.parametrize("option, text, says", [
    ("--reward", "gone.py:x", "gone.py:x: there is no file"),
    ("--reward", "code.py:no", "must be defined there, as hinge, plus, small, descent, got 'no'"),
    ("--reward", "code.py:number", "code.py:number must be a function (outputs, targets), got 3"),
    ("--reward", "code.py:plus", "code.py:plus must be a function (outputs, targets)"),
    ("--rule", "code.py:number", "code.py:number must be a rule, a dict of rules, or a function (network)"),
    ("--rule", "code.py:hinge", "code.py:hinge must be a function (net)"),
    ("--rule", "bad.py:x", "bad.py, line 2: ZeroDivisionError: division by zero"),
    ("--rule", "worse.py:x", "SyntaxError"),
])  # fmt: skip
def test_code_that_is_no_good_is_named(capsys, tmp_path, option, text, says):
    for name, code in (("code.py", CODE), ("bad.py", "a = 1\nb = a / 0\n"), ("worse.py", "def\n")):
        Path(name).write_text(code)
    status, _, err = call(capsys, "train", "--data", "blobs", option, text)
    assert status == 1 and says in err and "Traceback" not in err and not Path("runs").exists()


def test_learning_is_not_for_rules_of_ones_own(capsys):
    Path("code.py").write_text(CODE)
    status, _, err = call(capsys, "train", "--data", "blobs", "--rule", "code.py:small", "--learning", "hebbian")
    assert status == 1 and "--learning hebbian is for rules of the package" in err


# ---- runs that go on


def test_a_finished_run_goes_on_with_more_epochs(capsys):
    table()
    shared = ("train", "--data", "mine.csv", "--standardise", "--model", "8-3", "--quiet")
    for schedule in ("constant", "one-cycle"):
        arguments = (*shared, "--schedule", schedule)
        assert call(capsys, *arguments, "--epochs", "2", "--out", schedule)[0] == 0
        status, _, err = call(capsys, "train", "--resume", schedule, "--epochs", "4", "--quiet")
        assert status == 0 and ("one cycle over 4 epochs, not 2" in err) == (schedule == "one-cycle")
        assert [row["epoch"] for row in history(schedule)] == list("1234")
        assert checkpoints.load(f"{schedule}/checkpoint.npz").about["options"]["epochs"] == 4
    assert call(capsys, *shared, "--schedule", "constant", "--epochs", "4", "--out", "whole")[0] == 0
    assert history("whole") == history("constant")
    before = Path("constant/checkpoint.npz").read_bytes()
    status, _, err = call(capsys, "train", "--resume", "constant", "--epochs", "3")
    assert status == 1 and "--epochs must be >= 4, which are done or begun, got 3" in err
    assert Path("constant/checkpoint.npz").read_bytes() == before


def test_weight_decay_reaches_the_optimiser(capsys, monkeypatch):
    found, train = [], training.train
    monkeypatch.setattr(training, "train", lambda net, data, **given: found.append(given["optimizer"].weight_decay)
                        or train(net, data, **given))  # fmt: skip
    short = ("--data", "blobs", "--epochs", "1", "--quiet")
    for more in (
        (),
        ("--optimizer", "adamw"),
        ("--weight-decay", "0.5"),
        ("--optimizer", "sgd", "--weight-decay", "0.1"),
    ):
        assert call(capsys, "train", *short, *more, "--out", f"t{len(found)}")[0] == 0
    assert found == [0, 0.01, 0.5, 0.1]
    assert call(capsys, "train", "--resume", "t2", "--epochs", "2")[0] == 0 and found[-1] == 0.5
    status, _, err = call(capsys, "train", *short, "--weight-decay", "-1")
    assert status == 1 and "--weight-decay must be a finite number >= 0, got -1" in err


# ---- what is printed


def test_quiet_is_the_result_alone_and_json_one_object(capsys):
    table()
    arguments = ("train", "--data", "mine.csv", "--model", "8-3", "--epochs", "2")
    _, out, _ = call(capsys, *arguments, "--quiet", "--out", "a")
    assert len(out.splitlines()) == 2 and out.startswith("test accuracy ")
    status, out, _ = call(capsys, *arguments, "--json", "--out", "b")
    found = json.loads(out)
    assert status == 0 and found["checkpoint"] == "b/checkpoint.npz" and found["classes"] == ["ape", "bee", "cat"]
    assert found["history"]["test_accuracy"][-1] == found["test_accuracy"] and found["samples"] == 12
    assert found["options"]["model"] == "8-3" and found["options"]["lr"] == 0.01


def test_what_was_validated_is_not_called_tested(capsys):
    arguments = ("--data", "blobs", "--validate", "--epochs", "1")
    status, out, _ = call(capsys, "train", *arguments, "--out", "t")
    assert status == 0 and "  validation accuracy " in out and "test accuracy" not in out
    assert {"validation_accuracy", "train_accuracy"} < set(history("t")[0])
    assert call(capsys, "evaluate", "t")[1].startswith("validation accuracy ")
    assert "validation accuracy" in call(capsys, "compare", *arguments, "--out", "c")[1]


COMMANDS = ("train", "compare", "sweep", "evaluate", "explain", "balance", "convert", "bench", "conform",
            "conform export", "conform check", "page", "completion")  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_that_parses_and_lines_of_80_columns(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        cli.main([*command.split(), "--help"])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    examples = [line.split() for line in text.splitlines() if line.startswith("  lfp-ref ")]
    assert examples
    for example in examples:
        words = example[1 : example.index(">")] if ">" in example else example[1:]
        if "pictures" not in words:  # a folder that is not here
            cli.parser().parse_args(words)
    for option in ("epochs", "optimizer", "jobs", "samples"):
        if f"  --{option} " in text and option != "jobs":
            assert "(default: " in text


def test_every_command_has_its_help_tested():
    parsers = [action for action in cli.parser()._actions if action.dest == "help" or hasattr(action, "choices")]
    names = next(list(action.choices) for action in parsers if isinstance(action.choices, dict))
    assert set(names) == {command.split()[0] for command in COMMANDS}


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_offers_commands_options_and_names(capsys, shell):
    pytest.importorskip("shtab", reason="needs the extra completion")
    status, out, _ = call(capsys, "completion", shell)
    assert status == 0 and all(word in out for word in ("train", "weight-decay", "spiking-resnet", "epsilon-plus"))
    if shell == "bash":
        code = f'{out}\nCOMP_WORDS=(lfp-ref train --model spik); COMP_CWORD=3; _shtab_lfp_ref; echo "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
        assert done.stdout.split() == ["spiking-mlp", "spiking-cnn", "spiking-vgg", "spiking-resnet"]


def test_completion_without_shtab(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    status, _, err = call(capsys, "completion", "bash")
    assert status == 1 and "lfp-ref completion needs shtab: python -m pip install shtab" in err


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="needs pipes of POSIX")
def test_a_closed_pipe_ends_commands_and_examples_quietly(tmp_path):
    root = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
    for command in ("-m lfp_ref train --help", f"{root}/examples/03_by_hand.py --quick --out {tmp_path}"):
        process = subprocess.Popen([sys.executable, *command.split()], env=environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)  # fmt: skip
        process.stdout.close()
        assert process.stderr.read() == b"", command
        process.wait()


# ---- sweeps


def test_a_sweep_of_own_data_says_how_they_were_read_and_calls_validation_so(capsys):
    pytest.importorskip("joblib", reason="needs the extra sweep")
    table(y=X.sum(axis=1))
    shared = 'data = "mine.csv"\nmodel = "8-1"\nepochs = 1\nstandardise = true\nseed = [0, 1]\n'
    Path("grid.toml").write_text(shared)
    status, out, err = call(capsys, "sweep", "grid.toml", "--out", "out", "--jobs", "1")
    assert status == 1 and 'mine has numbers to predict: give task = "regression" in the grid' in err and not out
    Path("grid.toml").write_text(f'{shared}task = "regression"\nvalidate = true\nlr = [0.01]\n')
    status, out, err = call(capsys, "sweep", "grid.toml", "--out", "out", "--jobs", "1", "--plot")
    assert status == 0 and err.count("mine.csv: 60 samples") == 1 and ": validation_r2 " in out
    with open("out/results.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 and all(float(row["validation_r2"]) and float(row["train_r2"]) for row in rows)
    Path("grid.toml").write_text(f'{shared}task = "regression"\nlr = [0.01]\n')
    status, _, err = call(capsys, "sweep", "grid.toml", "--out", "out")
    assert status == 1 and "is of a grid with other options" in err
    Path("grid.toml").write_text(f"{shared}validate = [true, false]\n")
    status, _, err = call(capsys, "sweep", "grid.toml", "--out", "other")
    assert status == 1 and "validate must be one value, for all runs are in one table" in err


def test_two_sweeps_into_one_folder_are_refused_and_nothing_is_doubled(capsys, monkeypatch):
    pytest.importorskip("joblib", reason="needs the extra sweep")
    Path("grid.toml").write_text('data = "blobs"\nepochs = 1\nseed = [0, 1]\n')
    one_run, second = sweeping.one_run, []

    def meanwhile(run, threads):
        if not second:
            second.append(cli.main(["sweep", "grid.toml", "--out", "out"]))
        return one_run(run, threads)

    monkeypatch.setattr(sweeping, "one_run", meanwhile)
    status, _, err = call(capsys, "sweep", "grid.toml", "--out", "out", "--jobs", "1")
    assert status == 0 and second == [1] and "out is in use by" in err
    assert len(Path("out/results.csv").read_text().splitlines()) == 3


def test_jobs_are_the_processors_that_may_be_used(capsys, monkeypatch):
    joblib = pytest.importorskip("joblib", reason="needs the extra sweep")
    asked, parallel = [], joblib.Parallel
    monkeypatch.setattr(joblib, "cpu_count", lambda: 1)
    monkeypatch.setattr(joblib, "Parallel", lambda n_jobs, **given: asked.append(n_jobs) or parallel(n_jobs, **given))
    Path("grid.toml").write_text('data = "blobs"\nepochs = 1\nseed = [0, 1]\n')
    assert call(capsys, "sweep", "grid.toml", "--out", "out")[0] == 0 and asked == [1]
