"""Networks, augmentation and a part of the data by option: what reaches training, and every mistake explained."""

import numpy as np
import pytest

from lfp_ref import datasets, names
from lfp_ref.datasets import cutout, shift
from lfp_ref.layers.activations import GELU, ReLU, Tanh
from lfp_ref.tools import cli
from lfp_ref.tools.cli import common
from lfp_ref.tools.cli.options import completed


@pytest.fixture(autouse=True)
def few_digits(tmp_path, monkeypatch):
    """The data set digits with 200 training samples, 100 test samples."""
    monkeypatch.chdir(tmp_path)
    digits = datasets.load_digits().subset(200)
    few = datasets.Dataset("digits", digits.x_train, digits.y_train, digits.x_test[:100], digits.y_test[:100])
    monkeypatch.setitem(common.DATA, "digits", lambda options: few)
    return few


def options(*arguments):
    return completed(cli.parser().parse_args(["train", *arguments]))


@pytest.mark.parametrize("text", ["8c3+1-p2-20-10", "spiking-8c3+1-p2-10", "resnet8", "vit-tiny"])
def test_a_network_is_trained_explained_and_comes_back(capsys, text):
    assert cli.main(["train", "--model", text, "--epochs", "1", "--limit", "64", "--out", "here"]) == 0
    said = capsys.readouterr().out
    assert f"{text} (" in said and "test accuracy" in said
    assert cli.main(["evaluate", "here"]) == 0
    assert capsys.readouterr().out.strip() in said
    assert cli.main(["balance", "here", "--samples", "8"]) == 0 and cli.main(["explain", "here", "--target", "3"]) == 0


def test_activations_are_the_networks_own_unless_named(few_digits):
    for arguments, kind in (
        (("--model", "vit-tiny"), GELU),
        (("--model", "resnet8"), ReLU),
        (("--model", "resnet8", "--activation", "tanh"), Tanh),
        (("--model", "vit-tiny", "--activation", "relu"), ReLU),
        (("--model", "5c3-10", "--activation", "tanh"), Tanh),
    ):
        net = common.build(options(*arguments), few_digits)
        found = {type(layer) for _, layer in net.named_layers() if isinstance(layer, ReLU | GELU | Tanh)}
        assert found == {kind}, arguments


def test_augmentation_and_limit_reach_training_and_are_kept(capsys, monkeypatch, few_digits):
    from lfp_ref.tools.cli import training

    seen = []

    def noted(net, data, **given):
        seen.append((data, given))
        return {name: np.ones(1) for name in ("epoch", "train_accuracy", "test_accuracy", "untouched", "seconds")}

    monkeypatch.setattr(training, "train", noted)
    assert cli.main(["train", "--augment", "shift,cutout", "--limit", "50"]) == 0
    assert cli.main(["train"]) == 0
    (data, given), (whole, plain) = seen
    assert given["augment"] == [shift, cutout] and plain["augment"] == []
    assert np.array_equal(data.x_train, few_digits.x_train[:50]) and len(whole.x_train) == 200
    assert len(data.x_test) == len(whole.x_test) == 100
    stored = given["about"]["options"]
    assert (stored["augment"], stored["limit"]) == ("shift,cutout", 50)


def test_a_run_with_augmentation_goes_on_where_it_was(capsys):
    """Two epochs and two more are four, to the last weight."""
    shared = ["--model", "8c3-p2-10", "--augment", "shift,mirror,cutout", "--schedule", "constant"]
    assert cli.main(["train", *shared, "--epochs", "2", "--out", "one"]) == 0
    from lfp_ref import checkpoints

    half = checkpoints.load("one/checkpoint.npz")
    half.about["options"]["epochs"] = 4
    checkpoints.save("one/checkpoint.npz", half)
    assert cli.main(["train", "--resume", "one"]) == 0
    assert cli.main(["train", *shared, "--epochs", "4", "--out", "whole"]) == 0
    one, other = (checkpoints.load(f"{folder}/checkpoint.npz").net for folder in ("one", "whole"))
    assert all(np.array_equal(array, other[name]) for name, array in one.items())


def test_mistakes_are_explained(capsys):
    for arguments, says in (
        (("--model", "best"), "unknown network 'best'; known: mlp, "),
        (("--model", "3x-10"), "'3x' in '3x-10' is not a layer"),
        (("--augment", "shift,blur"), "must be some of shift,mirror,cutout, got 'shift,blur'"),
        (("--limit", "0"), "must be an integer >= 1, got '0'"),
    ):
        with pytest.raises(SystemExit):
            options(*arguments)
        assert says in " ".join(capsys.readouterr().err.split()), arguments
    for arguments, says in (
        (("--model", "5c3-9"), "the last part of '5c3-9' is the number of outputs, here 10, got '9'"),
        (("--model", "vgg16"), "needs samples (C, H, W) of at least 32 x 32, got (1, 8, 8)"),
        (("--data", "blobs", "--model", "resnet8"), "needs samples (C, H, W)"),
        (("--data", "blobs", "--augment", "shift"), "augmentation is for images (N, C, H, W)"),
        (
            ("--model", "spiking-5-10", "--activation", "relu"),
            "is not for spiking-5-10: its neurons spike",
        ),
        (("--model", "120-10", "--steps", "3"), "--steps is for spiking networks"),
    ):
        assert cli.main(["train", "--epochs", "1", *arguments]) == 1
        assert says in capsys.readouterr().err, arguments


def test_names_of_every_network_are_shown(capsys):
    with pytest.raises(SystemExit):
        options("--help")
    shown = " ".join(capsys.readouterr().out.split())
    assert all(name in shown.replace("- ", "-") for name in names.NETWORKS)
