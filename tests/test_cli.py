import argparse
import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import checkpoints, datasets, models, names, rewards
from lfp_ref.rules import AtanSurrogate, Epsilon, FastSigmoidSurrogate, Gradient, StraightThrough
from lfp_ref.tools import cli
from lfp_ref.tools.cli import common, inspecting, training
from tests.command_line import call, in_an_empty_folder  # noqa: F401


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_train_leaves_checkpoint_history_and_picture(capsys, tmp_path):
    status, out, _ = call(capsys, "train", "--epochs", "10")
    assert status == 0 and "epoch 10/10" in out
    folder = tmp_path / "runs" / "digits-mlp-relu-epsilon-seed0"
    history = rows(folder / "history.csv")
    assert [row["epoch"] for row in history] == [str(n) for n in range(1, 11)]
    assert float(history[-1]["test_accuracy"]) > 0.95
    assert f"test accuracy {float(history[-1]['test_accuracy']):.2%} on 359 samples of digits" in out
    pytest.importorskip("matplotlib", reason="the picture needs the extra cli")
    from matplotlib.image import imread

    picture = imread(folder / "curves.png")
    assert picture.shape[0] > 300 and len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 50
    assert call(capsys, "evaluate", str(folder))[1] == out.splitlines()[-2] + "\n"


def test_the_same_command_again_takes_a_new_folder_and_gives_the_same_numbers(capsys, tmp_path):
    for _ in "ab":
        assert call(capsys, "train", "--data", "blobs", "--epochs", "2")[0] == 0
    one, other = sorted((tmp_path / "runs").iterdir())
    keep = [{k: v for k, v in row.items() if k != "seconds"} for row in rows(one / "history.csv")]
    assert keep == [{k: v for k, v in row.items() if k != "seconds"} for row in rows(other / "history.csv")]


def test_a_folder_with_a_run_is_not_overwritten(capsys):
    arguments = ("train", "--data", "blobs", "--epochs", "1", "--out", "here")
    assert call(capsys, *arguments)[0] == 0
    status, _, err = call(capsys, *arguments)
    assert status == 1 and "holds a run already: choose another --out, or go on with train --resume here" in err


def test_stopped_and_resumed_equals_uninterrupted(capsys, monkeypatch, tmp_path):
    import _thread

    arguments = ("train", "--data", "swirls", "--activation", "softsign", "--epochs", "4")
    assert call(capsys, *arguments, "--out", "whole")[0] == 0
    train = training.train

    def pressed(net, data, **options):
        def press(epoch, step, steps):
            if epoch == 2 and step == 2:
                _thread.interrupt_main()

        return train(net, data, **{**options, "on_step": press})

    monkeypatch.setattr(training, "train", pressed)
    status, _, err = call(capsys, *arguments, "--out", "part")
    assert status == 130 and "go on with: lfp-ref train --resume part" in err
    monkeypatch.setattr(training, "train", train)
    assert call(capsys, "train", "--resume", "part")[0] == 0
    for one, other in zip(rows("whole/history.csv"), rows("part/history.csv"), strict=True):
        assert {k: v for k, v in one.items() if k != "seconds"} == {k: v for k, v in other.items() if k != "seconds"}


def test_compare_trains_both_from_the_same_start(capsys, tmp_path):
    status, out, _ = call(capsys, "compare", "--data", "circles", "--epochs", "3", "--model", "mlp", "--out", "both")
    assert status == 0 and "LFP-epsilon" in out and "gradient" in out and "test accuracy" in out
    assert {p.name for p in (tmp_path / "both").iterdir()} >= {
        "epsilon.npz",
        "gradient.npz",
        "epsilon.csv",
        "gradient.csv",
    }
    status, _, err = call(capsys, "compare", "--rule", "gradient")
    assert status == 1 and "compare trains by an LFP rule (--rule) and by a gradient rule (--against)" in err


def test_every_option_reaches_training(capsys):
    status, out, _ = call(
        capsys,
        "train",
        "--data",
        "digits",
        "--model",
        "small-cnn",
        "--activation",
        "negated-tanh",
        "--rule",
        "epsilon:0.01",
        "--reward",
        "sigmoid",
        "--optimizer",
        "sgd",
        "--epochs",
        "1",
        "--batch-size",
        "64",
        "--clip",
        "1",
        "--reduction",
        "sum",
        "--schedule",
        "constant",
        "--dtype",
        "float64",
        "--seed",
        "3",
        "--lr",
        "0.01",
        "--validate",
        "--out",
        "x",
    )
    assert status == 0 and "144 samples of digits (held-out part of the training set)" in out
    saved = checkpoints.load("x/checkpoint.npz")
    assert saved.net["0.weight"].dtype == np.float64 and saved.about["options"]["rule"] == "epsilon:0.01"


def test_mistakes_are_explained(capsys):
    for arguments, says in (
        (("train", "--rule", "lrp"), "unknown rule 'lrp'; known: epsilon"),
        (
            ("train", "--model", "spiking-mlp", "--optimizer", "sgd"),
            "no learning rate is known to suit sgd on spiking-mlp",
        ),
        (("train", "--activation", "relo"), "unknown activation 'relo'"),
        (("train", "--data", "mnist", "--data-root", "nowhere"), "put there the four MNIST files"),
        (("train", "--data", "nowhere.npz"), "no data at"),
        (("train", "--model", "lenet"), "at least 16 x 16, got (1, 8, 8)"),
        (("train", "--rule", "gradient", "--reward", "correct-class"), "correct_class has no gradient"),
        (("train", "--lr", "-1"), "lr must be a finite number"),
        (("evaluate", "nowhere"), "no checkpoint at nowhere"),
        (("train", "--resume", "nowhere"), "no checkpoint at"),
    ):
        status, _, err = call(capsys, *arguments)
        assert status == 1 and says in err and "Traceback" not in err, arguments
    with pytest.raises(SystemExit) as stop:
        cli.main(["train", "--optimizer", "newton"])
    assert stop.value.code == 2 and "invalid choice: 'newton'" in capsys.readouterr().err


def test_without_tqdm_and_matplotlib_it_says_what_they_would_add(capsys, monkeypatch, tmp_path):
    for module in ("tqdm", "matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, module, None)
    status, out, _ = call(capsys, "train", "--data", "blobs", "--epochs", "1", "--out", "bare")
    assert status == 0 and "progress bar needs tqdm" in out and "picture of this needs matplotlib" in out
    assert {p.name for p in (tmp_path / "bare").iterdir()} == {"checkpoint.npz", "history.csv"}


def test_it_is_a_module_and_helps():
    shown = subprocess.run(
        [sys.executable, "-m", "lfp_ref", "train", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
    ).stdout
    for option in ("--rule", "--reward", "--activation", "--resume", "--validate", "epsilon:0.1 sets a rule's number"):
        assert option in " ".join(shown.split())


def test_a_run_goes_on_with_its_own_options_only(capsys):
    assert call(capsys, "train", "--data", "blobs", "--epochs", "1", "--out", "done")[0] == 0
    for own in (("--lr", "5", "--dropout", "0"), ("--seed", "0"), ("--data", "digits"),
                ("--validate",), ("--out", "done")):  # fmt: skip
        status, _, err = call(capsys, "train", "--resume", "done", *own)
        named = ", ".join(each for each in own if each.startswith("--"))  # also where it is the usual value
        assert (
            status == 1 and err == f"lfp-ref: a run goes on with its own options, but for --epochs: leave out {named}\n"
        )
    status, _, err = call(capsys, "train", "--resume", "done/checkpoint.npz")
    assert status == 0 and "this run is complete: it had its 1 epochs" in err


def test_an_interrupted_comparison_says_what_it_saved(capsys, monkeypatch):
    import _thread

    train = training.train

    def pressed(net, data, **options):
        return train(net, data, **{**options, "on_step": lambda *at: _thread.interrupt_main() if at[1] == 2 else None})

    monkeypatch.setattr(training, "train", pressed)
    status, _, err = call(capsys, "compare", "--data", "blobs", "--epochs", "1", "--out", "both")
    assert status == 130 and "saved to both/epsilon.npz" in err and "--resume" not in err
    status, _, err = call(capsys, "evaluate", "both")
    assert status == 1 and "both holds epsilon.npz: name one of them" in err
    assert call(capsys, "evaluate", "both/epsilon.npz")[0] == 0


def test_nothing_is_left_behind_by_a_mistake(capsys, tmp_path):
    for arguments in (("--rule", "../x"), ("--activation", "no"), ("--data", "x.npz"), ("--model", "lenet")):
        assert call(capsys, "train", *arguments)[0] == 1
    for wrong in (("--epochs", "0"), ("--batch-size", "-3"), ("--seed", "-1"), ("--reward", "binary-sigmoid")):
        with pytest.raises(SystemExit):
            cli.main(["train", *wrong])
        assert wrong[0] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_explain_and_balance(capsys, tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need the extra cli")
    from matplotlib.image import imread

    assert call(capsys, "train", "--model", "small-cnn", "--epochs", "3", "--out", "cnn")[0] == 0
    status, out, _ = call(capsys, "explain", "cnn", "--sample", "0", "5", "--target", "3", "8", "--rule", "gamma:0.5")
    lines = out.splitlines()
    assert status == 0 and len(lines) == 5 and lines[-1].endswith("explain.png")
    for line in lines[:4]:  # output = input's relevance + what was kept, as printed
        output, *parts = [
            float(text.split()[-1].rstrip(":")) for text in line.split(" = ")[1].replace(":", ",").split(",")
        ]
        assert abs(output - sum(parts)) < 1e-3
    colours = imread(tmp_path / "cnn" / "explain.png")[..., :3]
    assert (colours[..., 0] > colours[..., 2] + 0.5).any() and (colours[..., 2] > colours[..., 0] + 0.5).any()
    for rule in ("epsilon-alpha2-beta1-flat", "alpha-beta"):
        status, out, _ = call(capsys, "balance", "cnn", "--samples", "20", "--sample", "7", "--rule", rule)
        assert status == 0 and "0 Conv2d" in out and "residue" in out and f"rule {rule}, sample 7" in out
    assert imread(tmp_path / "cnn" / "balance.png").shape[0] > 200
    assert call(capsys, "evaluate", "cnn", "--data", "digits")[1] == call(capsys, "evaluate", "cnn")[1]
    for arguments, says in (
        (("evaluate", "cnn", "--data", "blobs"), "takes samples (1, 8, 8) of 10 classes, blobs has (2,) of 3"),
        (("explain", "cnn", "--sample", "359"), "--sample must be in 0..358, got 359"),
        (("explain", "cnn", "--target", "10"), "--target must be in 0..9, got 10"),
        (("explain", "cnn", "--rule", "gradient"), "sensitivities"),
        (("balance", "cnn", "--sample", "300"), "--samples must be at least 1 and --sample below it"),
        (("balance", "cnn", "--rule", "gradient"), "no balance to draw up"),
        (("balance", "cnn", "--rule", "z-box"), "sees the network's input"),
    ):
        status, _, err = call(capsys, *arguments)
        assert status == 1 and says in err
    assert call(capsys, "train", "--data", "blobs", "--epochs", "1", "--out", "points")[0] == 0
    status, out, _ = call(capsys, "explain", "points", "--target", "2")
    line, columns = out.splitlines()
    relevance = {name: float(number) for name, number in (part.split() for part in columns.split(", "))}
    assert status == 0 and relevance.keys() == {"1", "2"}
    assert abs(sum(relevance.values()) - float(line.split(": input ")[1].split(",")[0])) < 2e-4
    status, _, err = call(capsys, "explain", "points", "--out", "x.png")
    assert status == 1 and "--out is for heat maps of images; samples of blobs have shape (2,)" in err


def test_seeds_and_learning_rates_reach_training(capsys, monkeypatch):
    train, calls = training.train, []

    def noted(net, data, **options):
        about = options["about"]["options"]
        calls.append(
            (net.state_dict()["1.weight"], options["optimizer"].lr, options["seed"], options["resume"], about["lr"])
        )
        return train(net, data, **options)

    monkeypatch.setattr(training, "train", noted)
    short = ("--data", "blobs", "--epochs", "1")
    call(capsys, "train", *short, "--seed", "3", "--lr", "0.02", "--out", "a")
    call(capsys, "train", *short, "--out", "b")
    call(capsys, "train", "--resume", "a")
    call(capsys, "compare", *short, "--lr", "0.5", "--gradient-lr", "0.25", "--out", "c")
    call(capsys, "train", *short, "--rule", "gradient", "--out", "d")
    lfp_rate, gradient_rate = training.LEARNING_RATES["adam"]
    assert [rate for _, rate, *_ in calls[:2]] == [0.02, lfp_rate] and calls[5][1] == gradient_rate
    assert [rate for _, rate, *_ in calls[3:5]] == [0.5, 0.25]
    assert [resume for *_, resume, _ in calls[:3]] == [False, False, True]
    assert calls[0][2] == 3 and calls[0][4] == 0.02
    assert not np.array_equal(calls[0][0], calls[1][0]) and np.array_equal(calls[3][0], calls[4][0])


# ---- spiking networks


def test_steps_simply_learn(capsys):
    """Their rule and learning rate are chosen, and said; a resumed and a stored run know them."""
    status, out, _ = call(capsys, "train", "--activation", "step", "--dropout", "0.1", "--epochs", "10", "--out", "s")
    assert status == 0 and out.startswith("mlp (step) on digits: rule epsilon:0.5, reward softmax, adam 0.005, ")
    assert float(rows("s/history.csv")[-1]["test_accuracy"]) > 0.9
    assert call(capsys, "evaluate", "s")[1] == out.splitlines()[-2] + "\n"
    net, _, options = inspecting.stored_run(argparse.Namespace(checkpoint="s", data=None, data_root=None))
    assert repr(net[0]) == "Dropout(0.1)" and options.rule == "epsilon:0.5"


def test_what_steps_get_by_default_can_be_overruled(capsys):
    arguments = ("--data", "blobs", "--epochs", "1", "--activation", "negated-step:0")
    _, out, _ = call(capsys, "train", *arguments, "--rule", "epsilon", "--lr", "0.25")
    assert "mlp (negated-step:0) on blobs: rule epsilon, reward softmax, adam 0.25, " in out
    _, out, _ = call(capsys, "compare", *arguments)
    assert "rule epsilon:0.5, reward softmax, adam 0.005" in out
    assert "rule straight-through, reward softmax, adam 0.001" in out
    status, _, err = call(capsys, "train", *arguments, "--optimizer", "sgd")
    assert status == 1 and "no learning rate is known to suit sgd on step activations: choose one with --lr" in err
    status, _, err = call(capsys, "train", "--model", "spiking-mlp", "--dropout", "0.5")
    assert status == 1 and "--dropout is not for spiking-mlp" in err


@pytest.fixture
def few_digits(monkeypatch):
    """The data set digits with 200 training samples, 100 test samples."""
    digits = datasets.load_digits().subset(200)
    few = datasets.Dataset("digits", digits.x_train, digits.y_train, digits.x_test[:100], digits.y_test[:100])
    monkeypatch.setitem(common.DATA, "digits", lambda options: few)
    return few


SPIKING = ("--model", "spiking-mlp", "--steps", "3")


def test_a_spiking_network_is_trained_and_comes_back_as_it_was(capsys, few_digits):
    neuron = ("--beta", "0.5", "--threshold", "0.75", "--reset", "zero")
    status, out, _ = call(capsys, "train", *SPIKING, *neuron, "--epochs", "3", "--out", "here")
    history = rows("here/history.csv")
    assert list(history[0])[-3:] == ["spike_rate_1", "spike_rate_2", "operations"]
    assert status == 0 and float(history[-1]["test_accuracy"]) > 0.5
    last = {name: float(value) for name, value in history[-1].items()}
    assert 0 < last["spike_rate_1"] < 1 and 0 < last["spike_rate_2"] < 1
    said = f"spikes {last['spike_rate_1']:.1%} {last['spike_rate_2']:.1%}  operations {last['operations']:.3g}"
    assert said in out
    assert call(capsys, "evaluate", "here")[1] == out.splitlines()[-2] + "\n"
    net, *_ = inspecting.stored_run(argparse.Namespace(checkpoint="here", data=None, data_root=None))
    lif = "LIF(Dense({}), beta=0.5, threshold=0.75, reset='zero')"
    assert repr(net) == f"Spiking(Flatten(), {lif.format('64, 1000')}, {lif.format('1000, 10')}, steps=3)"
    counts = net.forward(few_digits.x_test[:1]).sum(axis=0)[0]
    asked = str(counts.argmax()), str(counts.argmin())
    told, silent = (call(capsys, "explain", "here", "--target", target)[1].splitlines()[0] for target in asked)
    output, *parts = (float(text.split()[-1]) for text in told.split(" = ")[1].replace(":", ",").split(","))
    assert output == counts.max() > 0 and abs(output - sum(parts)) < 1e-3  # spikes are handed on, or kept by a cause
    assert counts.min() == 0 and silent.endswith(f"output {counts.argmin()} = 0.0000: input 0.0000, residue 0e+00")
    status, out, _ = call(capsys, "balance", "here", "--samples", "20")
    assert status == 0 and "reward rate-coded, rule epsilon" in out and "membrane" in out


def test_a_stopped_spiking_run_goes_on_to_the_same_numbers(capsys, monkeypatch, few_digits):
    """Its code draws at random, its options are in the checkpoint."""
    import _thread

    arguments = ("train", *SPIKING, "--code", "rate", "--epochs", "2")
    status, out, _ = call(capsys, *arguments, "--out", "whole")
    assert status == 0 and call(capsys, "evaluate", "whole")[1] == out.splitlines()[-2] + "\n"
    train = training.train

    def pressed(net, data, **options):
        return train(
            net, data, **{**options, "on_step": lambda *at: _thread.interrupt_main() if at[:2] == (1, 2) else 0}
        )

    monkeypatch.setattr(training, "train", pressed)
    assert call(capsys, *arguments, "--out", "part")[0] == 130
    monkeypatch.setattr(training, "train", train)
    status, _, err = call(capsys, "train", "--resume", "part", "--steps", "4", "--code", "constant")
    assert status == 1 and "leave out --steps, --code" in err
    assert call(capsys, "train", "--resume", "part")[0] == 0
    one, other = (checkpoints.load(f"{folder}/checkpoint.npz") for folder in ("whole", "part"))
    assert one.about["options"] == other.about["options"] and one.about["options"]["steps"] == 3
    for part in ("net", "optimizer", "history"):
        assert list(getattr(one, part)) == list(getattr(other, part))
        for name, array in getattr(one, part).items():
            assert name == "seconds" or np.array_equal(array, getattr(other, part)[name]), name


@pytest.fixture
def asked(monkeypatch):
    """What commands ask of training, which is left out: (network, options), run by run."""
    calls = []
    columns = ("epoch", "train_accuracy", "test_accuracy", "untouched", "seconds")

    def noted(net, data, **options):
        calls.append((net, options))
        return {name: np.ones(1) for name in columns}

    monkeypatch.setattr(training, "train", noted)
    return calls


@pytest.mark.parametrize(
    ("arguments", "rule", "reward", "rate"),
    [
        (("--model", "mlp"), Epsilon(), rewards.softmax, 0.01),
        (("--model", "mlp", "--rule", "gradient"), Gradient(), rewards.softmax, 0.003),
        (("--model", "spiking-mlp"), Epsilon(), rewards.rate_coded, 0.001),
        (("--model", "spiking-mlp", "--rule", "atan-surrogate:3"), AtanSurrogate(3.0), rewards.spike_counts, 0.001),
        (("--model", "spiking-cnn"), Epsilon(), rewards.rate_coded, 0.006),
        (("--model", "spiking-cnn", "--rule", "straight-through"), StraightThrough(), rewards.spike_counts, 0.003),
        (("--model", "spiking-cnn", "--optimizer", "adamw"), Epsilon(), rewards.rate_coded, 0.006),
        (("--model", "spiking-mlp", "--reward", "spike-counts", "--lr", "0.2"), Epsilon(), rewards.spike_counts, 0.2),
        (("--model", "mlp", "--rule", "gradient", "--optimizer", "sgd"), Gradient(), rewards.softmax, 0.1),
    ],
)
def test_reward_and_learning_rate_are_chosen_by_network_and_rule(
    capsys, monkeypatch, few_digits, asked, arguments, rule, reward, rate
):
    large = [np.kron(x, np.ones((2, 2))) for x in (few_digits.x_train, few_digits.x_test)]  # the CNN needs 16 x 16
    data = datasets.Dataset("digits", large[0], few_digits.y_train, large[1], few_digits.y_test)
    monkeypatch.setitem(common.DATA, "digits", lambda options: data)
    assert call(capsys, "train", *arguments, "--out", "here")[0] == 0
    ((_, options),) = asked
    assert (options["rule"], options["reward"], options["optimizer"].lr) == (rule, reward, rate)
    stored = options["about"]["options"]
    assert stored["lr"] == rate and names.REWARDS[stored["reward"]] is reward


def test_options_of_neurons_reach_the_network(capsys, few_digits, asked, tmp_path):
    neuron = {"steps": "4", "beta": "0.25", "threshold": "2", "reset": "none", "code": "latency"}
    flat = [text for key, value in neuron.items() for text in (f"--{key}", value)]
    assert call(capsys, "train", "--model", "spiking-mlp", *flat)[0] == 0
    assert call(capsys, "train", "--model", "spiking-mlp")[0] == 0
    (one, options), (usual, usual_options) = asked
    layers = [lfp.LIF(layer, 0.25, 2.0, "none") for layer in (one[2].layer, one[3].layer)]
    assert repr(one) == repr(lfp.Spiking(one[0], lfp.LatencyCode(-1, 1), *layers, steps=4))
    assert {key: str(options["about"]["options"][key]).removesuffix(".0") for key in neuron} == neuron
    assert repr(usual) == repr(models.spiking_mlp((1, 8, 8), 10))
    assert all(usual_options["about"]["options"][key] is None for key in neuron)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["digits-spiking-mlp-lif-epsilon-seed0"]


@pytest.mark.parametrize(
    ("against", "rule", "label"),
    [
        ((), AtanSurrogate(), "atan-surrogate"),
        (("--against", "fast-sigmoid-surrogate:5"), FastSigmoidSurrogate(5.0), "fast-sigmoid-surrogate:5"),
        (("--against", "straight-through"), StraightThrough(), "straight-through"),
    ],
)
def test_spiking_networks_are_compared_with_a_surrogate_gradient(
    capsys, few_digits, asked, tmp_path, against, rule, label
):
    status, out, _ = call(capsys, "compare", *SPIKING, *against, "--gradient-lr", "0.5", "--out", "both")
    (one, by_lfp), (other, by_gradient) = asked
    assert status == 0 and all(f"\n{name} " in out for name in ("LFP-epsilon", label))
    assert (by_lfp["rule"], by_lfp["reward"], by_lfp["optimizer"].lr) == (Epsilon(), rewards.rate_coded, 0.001)
    assert (by_gradient["rule"], by_gradient["reward"]) == (rule, rewards.spike_counts)
    assert by_gradient["optimizer"].lr == 0.5 and one is not other
    assert all(
        np.array_equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )
    assert {path.name for path in (tmp_path / "both").glob("*.csv")} == {
        "epsilon.csv",
        f"{label.partition(':')[0]}.csv",
    }


def test_a_comparison_of_spiking_networks_trains_both(capsys, few_digits):
    assert call(capsys, "compare", *SPIKING, "--epochs", "3", "--out", "both")[0] == 0
    for name in ("epsilon", "atan-surrogate"):
        last = rows(f"both/{name}.csv")[-1]
        assert float(last["test_accuracy"]) > 0.5 and 0 < float(last["spike_rate_2"]) < 1
        assert "test accuracy" in call(capsys, "evaluate", f"both/{name}.npz")[1]


def test_mistakes_about_spiking_networks_are_explained(capsys, tmp_path):
    spiking = ("train", "--model", "spiking-mlp")
    only = "is for spiking networks: --model spiking-mlp or spiking-cnn"
    for arguments, says in (
        (("train", "--steps", "3"), f"--steps {only}"),
        (("train", "--beta", "0"), f"--beta {only}"),
        (("train", "--threshold", "1"), f"--threshold {only}"),
        (("train", "--reset", "subtract"), f"--reset {only}"),
        (("compare", "--code", "rate"), f"--code {only}"),
        ((*spiking, "--activation", "relu"), "--activation is not for spiking-mlp: its neurons spike"),
        ((*spiking, "--reward", "softmax"), "--reward softmax is not for the outputs of spiking-mlp"),
        (("train", "--reward", "rate-coded"), "--reward rate-coded is not for the outputs of mlp"),
        (("train", "--reward", "spike-counts"), "--reward spike-counts is not for the outputs of mlp"),
        ((*spiking, "--beta", "1.5"), "beta must be a finite number >= 0 and <= 1, got 1.5"),
        ((*spiking, "--threshold", "0"), "threshold must be a finite number > 0, got 0.0"),
        (("train", "--model", "spiking-cnn"), "at least 16 x 16, got (1, 8, 8)"),
        (("compare", "--model", "spiking-mlp", "--rule", "atan-surrogate"), "compare trains by an LFP rule (--rule)"),
        (("compare", "--against", "gamma"), "compare trains by an LFP rule (--rule) and by a gradient rule"),
        ((*spiking, "--rule", "atan-surrogate", "--reward", "rate-coded"), "rate_coded has no gradient to descend"),
        (("compare", "--model", "spiking-mlp", "--reward", "rate-coded"), "rate_coded has no gradient to descend"),
    ):
        status, _, err = call(capsys, *arguments)
        assert status == 1 and says in err and "Traceback" not in err, arguments
    for wrong in (("--steps", "0"), ("--reset", "hard"), ("--code", "morse")):
        with pytest.raises(SystemExit):
            cli.main([*spiking, *wrong])
        assert wrong[0] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    for arguments, says in (
        (("--rule", "gamma"), "a LIF shares by Epsilon (or a gradient rule), got Gamma"),
        (("--learning", "hebbian"), "a LIF shares by Epsilon (or a gradient rule), got Epsilon"),
        (("--code", "rate", "--data", "blobs"), "input must be in -1.0..1.0"),
    ):
        status, _, err = call(capsys, *spiking, *arguments)
        assert status == 1 and says in err and "Traceback" not in err, arguments


# ---- nothing wrong in silence, nothing good lost


def test_every_option_given_is_honoured_or_refused(capsys, tmp_path):
    (tmp_path / "empty.toml").write_text("")
    for arguments in (
        ("train", "--resume", ""), ("train", "--out", ""), ("train", "--rule", ""), ("train", "--activation", ""),
        ("train", "--data", ""), ("train", "--data-root", ""), ("compare", "--against", ""), ("evaluate", ""),
        ("balance", "x", "--rule", ""), ("explain", "x", "--out", ""), ("sweep", "", "--out", "x"),
        ("sweep", "empty.toml", "--out", "x", "--scheduler", ""), ("bench", "--peers-python", ""),
    ):  # fmt: skip
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        assert stop.value.code == 2 and ("must not be empty" in (err := capsys.readouterr().err) or "got ''" in err)
    for arguments, says in (
        (("train", "--data", "blobs", "--data-root", "x"), "--data-root is for --data mnist or fashion-mnist"),
        (("train", "--rule", "gradient", "--learning", "hebbian"), "--learning hebbian is for LFP rules, not for"),
        (("sweep", "--out", "x", "--plot", "--jobs", "3"), "--jobs is for the runs of a GRID.toml"),
        (("sweep", "g.toml", "--out", "x", "--jobs", "1", "--scheduler", "tcp://x:1"), "--jobs is for this machine"),
        (("bench", "--rounds", "3"), "--rounds is for --peers"),
        (("bench", "--scaling", "--json"), "--scaling has its own workloads"),
    ):
        status, _, err = call(capsys, *arguments)
        assert status == 1 and says in err
    assert [path.name for path in tmp_path.iterdir()] == ["empty.toml"]


@pytest.mark.parametrize("out", [("--out", "a/b"), ()])
@pytest.mark.parametrize(
    "wrong",
    [("--lr", "nan"), ("--lr", "inf"), ("--clip", "-1"), ("--clip", "nan"), ("--rule", "z-box"), ("--dropout", "1.5"),
     ("--model", "spiking-mlp", "--rule", "gamma"), ("--model", "spiking-mlp", "--beta", "nan"),
     ("--model", "spiking-mlp", "--reward", "softmax")],
)  # fmt: skip
def test_refused_options_leave_no_folder(capsys, tmp_path, wrong, out):
    status, _, err = call(capsys, "train", "--data", "blobs", *wrong, *out)
    assert status == 1 and err and list(tmp_path.iterdir()) == []


def few(name, labels=(0, 1, 2), count=60):
    np.savez(name, x=np.random.default_rng(0).normal(size=(count, 2)), y=np.resize(labels, count))


@pytest.mark.parametrize("name", ["a$_$b", r"$\frac{", "$$", r"a\$b$c$"])
def test_names_are_shown_as_they_are_in_pictures(capsys, monkeypatch, name):
    pytest.importorskip("matplotlib", reason="pictures need the extra cli")
    from matplotlib.text import Text

    shown, inner = [], Text._preprocess_math
    monkeypatch.setattr(Text, "_preprocess_math", lambda text, s: shown.append(inner(text, s)) or shown[-1])
    few(f"{name}.npz")
    status, out, _ = call(capsys, "train", "--data", f"{name}.npz", "--epochs", "1", "--out", "here")
    assert status == 0 and "history.csv, curves.png" in out
    assert (f"mlp (relu) on {name}, seed 0", False) in shown


def test_a_picture_that_fails_is_a_line_and_no_failure(capsys, monkeypatch):
    def fail(*_):
        raise RuntimeError("no such font")

    monkeypatch.setattr(training.figures, "curves", fail)
    few("few.npz")
    for command in ("train", "compare"):
        status, out, _ = call(capsys, command, "--data", "few.npz", "--epochs", "1", "--out", command)
        assert status == 0 and out.endswith("\n(no picture: RuntimeError: no such font)\n")


def test_a_terminal_of_ascii_shows_names_as_it_can():
    few("few.npz")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "NUMBA_DISABLE_JIT": "1",
                   "PYTHONPATH": str(Path(__file__).parents[1])}  # fmt: skip
    command = [sys.executable, "-m", "lfp_ref", "train", "--data", "few.npz", "--epochs", "1", "--out", "ü"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and r"in \xfc: checkpoint.npz" in done.stdout and Path("ü/history.csv").exists()


def test_data_without_a_test_part_are_trained_on(capsys, monkeypatch):
    digits = datasets.load_digits().subset(200)
    none = datasets.Dataset("digits", digits.x_train, digits.y_train, digits.x_test[:0], digits.y_test[:0])
    monkeypatch.setitem(common.DATA, "digits", lambda options: none)
    status, out, err = call(capsys, "train", "--epochs", "1", "--out", "here")
    assert status == 0 and "\nno test samples of digits\n" in out and not err
    for command in ("evaluate", "explain", "balance"):
        status, _, err = call(capsys, command, "here")
        assert status == 1 and "digits has no test samples" in err


def test_one_class_is_nothing_to_learn_and_a_class_without_training_samples_is_said(capsys):
    few("one.npz", labels=[3])
    status, _, err = call(capsys, "train", "--data", "one.npz")
    assert status == 1 and "one.npz: y has one class only, 3" in err
    order = np.random.default_rng(0).permutation(60)  # of load_arrays: the first twelve are to test
    y = np.arange(60) % 3
    y[order[0]] = 5
    np.savez("rare.npz", x=np.random.default_rng(0).normal(size=(60, 2)), y=y)
    status, _, err = call(capsys, "train", "--data", "rare.npz", "--epochs", "1", "--out", "here")
    assert status == 0 and "no training sample of class 5: its outputs stay untrained" in err
    assert checkpoints.load("here/checkpoint.npz").net["5.bias"].shape == (4,)  # classes are 0, 1, 2, 5
    assert call(capsys, "balance", "here")[0] == 0


def test_weights_that_run_away_are_a_failure_whose_results_are_kept(capsys):
    few("few.npz")
    status, out, err = call(capsys, "train", "--data", "few.npz", "--lr", "1e9", "--epochs", "2", "--out", "here")
    assert status == 1 and "training diverged: the largest weight was 0.7" in err and "try --lr below 1e+09" in err
    assert "history.csv" in out and len(rows("here/history.csv")) == 2


def test_ctrl_c_after_training_keeps_all_and_says_how_to_go_on(capsys, monkeypatch):
    few("few.npz")

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "evaluate", stopped)
        status, _, err = call(capsys, "train", "--data", "few.npz", "--epochs", "1", "--out", "here")
    assert status == 130 and err.endswith("\nstopped; go on with: lfp-ref train --resume here\n")
    assert call(capsys, "train", "--resume", "here")[0] == 0


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda about: about.pop("position"), "its position is None"),
        (lambda about: about["position"].pop("step"), "its position is {'epoch': 1"),
        (lambda about: about["position"].update(epoch=-1), "its position is {'epoch': -1"),
        (lambda about: about["position"].update(epoch=1.5), "its position is {'epoch': 1.5"),
        (lambda about: about["position"].update(epoch=2), "is damaged: it is at step 0 of 2 of epoch 3"),
        (lambda about: about["position"].update(step=9), "is damaged: it is at step 9 of 2"),
        (lambda about: about.update(position=[1]), "its position is [1]"),
        (lambda about: about.update(run=3), "it has no settings"),
        (lambda about: about.update(random=3), "random generators"),
        (lambda about: about.update(data=3), "or damaged: its data is 3"),
        (lambda about: about["data"].update(scaling=3), "a scaling must be means and deviations of x and y, got 3"),
        (lambda about: about["data"].update(class_names=["x"]), "has the classes 0, 1, 2; when the run began, they"),
        (lambda about: about.update(code=3), "or damaged: its code is 3"),
        (lambda about: about.update(options=3), "was not written by lfp-ref train"),
        (
            lambda about: about["options"].update(model="newton"),
            "that lfp-ref train does not take: argument --model",
        ),
        (lambda about: about["options"].update(lr=None), "options that lfp-ref train does not take: no lr"),
        (lambda about: about["options"].update(colour="red"), "unrecognized arguments: --colour=red"),
    ],
)
def test_a_checkpoint_with_a_part_missing_or_wrong_is_refused_as_it_is(capsys, change, says):
    few("few.npz")
    assert call(capsys, "train", "--data", "few.npz", "--epochs", "1", "--out", "here")[0] == 0
    saved = checkpoints.load("here/checkpoint.npz")
    change(saved.about)
    checkpoints.save("here/checkpoint.npz", saved)
    before = Path("here/checkpoint.npz").read_bytes()
    status, _, err = call(capsys, "train", "--resume", "here")
    assert status == 1 and says in err and len(err) < 400 and Path("here/checkpoint.npz").read_bytes() == before
