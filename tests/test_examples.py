"""Every example runs, quickly, and leaves what it promises: not only files, but what they should show."""

import csv
import importlib
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name, out, pictures=("",)):
    """Runs an example; the rows of its table. Its claims must be complete, its pictures more than empty axes."""
    pytest.importorskip("matplotlib", reason="examples draw pictures: they need the extra cli")
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), "--quick", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    for ending in pictures:
        assert is_drawn(out / f"{name}{ending}.png")
    claims = table(out / f"{name}_claims.csv")
    assert claims and all(all(claim.values()) and claim["example"] == name for claim in claims)
    return table(out / f"{name}.csv") if (out / f"{name}.csv").exists() else []


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def is_drawn(path):
    """Whether a picture has lines or areas in colours: at least five hundred pixels that are not grey."""
    from matplotlib.image import imread

    pixels = imread(path)[..., :3]
    return pixels.shape[1] >= 800 and (pixels.max(axis=-1) - pixels.min(axis=-1) > 0.2).sum() > 500


def accuracies(rows, **wanted):
    return [float(row["accuracy"]) for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_rules_that_see_signs_train_and_blind_ones_do_not(tmp_path):
    rows = {row["rule"]: row for row in run("01_rules", tmp_path)}
    accuracy = {rule: float(row["accuracy"]) for rule, row in rows.items()}
    assert min(accuracy[rule] for rule in ("epsilon", "gamma", "epsilon-gamma-box", "gradient")) > 0.8
    assert max(accuracy[rule] for rule in ("z-plus", "w-square", "flat")) < 0.5
    assert float(rows["epsilon"]["cosine"]) > 0.999 and float(rows["gradient"]["cosine"]) > 0.999
    assert float(rows["z-plus"]["negative weights"]) < 0.1 < 0.9 < float(rows["epsilon"]["negative weights"])


def test_networks_of_steps_need_an_answer_for_silent_units_and_a_stabiliser(tmp_path):
    rows = [row for row in run("11_step_networks", tmp_path) if row["epoch"] == "10"]
    accuracy, told, loudest = (
        {row["variant"]: float(row[key]) for row in rows} for key in ("accuracy", "told", "loudest")
    )
    best, _, small, silent, neither, *_ = accuracy
    assert accuracy[best] > 0.9 > 0.85 > max(accuracy[name] for name in (small, silent, neither))
    assert told[best] == told[small] == 1 and max(told[silent], told[neither]) < 0.7
    assert max(loudest[best], loudest[silent]) < 0.5 and min(loudest[small], loudest[neither]) > 0.9


def test_spiking_networks_learn_by_lfp_as_by_a_surrogate_and_need_memory(tmp_path):
    rows = run("02_spiking", tmp_path, pictures=("", "_inside"))
    for method in ("LFP", "surrogate gradient"):
        first, *_, last = accuracies(rows, method=method)
        assert last > max(first, 0.6)
    assert all(0 < float(row["spike rate, hidden"]) < 1 and float(row["operations"]) > 0 for row in rows)
    by_neuron = {
        (row["beta"], row["steps"]): float(row["accuracy"]) for row in table(tmp_path / "02_spiking_neurons.csv")
    }
    assert by_neuron["0.9", "5"] > by_neuron["0", "2"]


def test_layers_of_deep_networks_are_told_the_gradient_unless_statistics_are_constants(tmp_path):
    rows = run("13_depth", tmp_path)
    lowest = {variant: min(float(row["cosine"]) for row in rows if row["variant"] == variant)
              for variant in ("epsilon 1e-06", "epsilon 1", "statistics as constants")}  # fmt: skip
    assert lowest["epsilon 1e-06"] > 0.99 and lowest["statistics as constants"] < 0.5 > lowest["epsilon 1"]
    kept = {row["cause"]: float(row["kept"]) for row in table(tmp_path / "13_depth_kept.csv")
            if row["variant"] == "epsilon 1e-06" and row["network"] == "resnet8, batch norm"}  # fmt: skip
    assert kept["batch statistics"] > 0.9 and kept["stabiliser"] < 0.1
    assert all(0 < float(row["cancelled"]) < 0.2 for row in table(tmp_path / "13_depth_sums.csv"))


def test_a_resnet_learns_by_lfp_as_by_gradient(tmp_path):
    """With a batch's statistics as constants it ends below 60 %."""
    run("14_deep_networks", tmp_path)
    rows = table(tmp_path / "14_deep_networks_resnet8.csv")
    reached = {row["method"]: float(row["accuracy"]) for row in rows if row["epoch"] == "3"}
    assert min(reached.values()) > 0.9 and abs(reached["LFP"] - reached["gradient"]) < 0.05


def test_by_hand_every_number_is_what_fractions_say(tmp_path):
    """The network of the page, connection by connection, in exact arithmetic."""
    rows = run("03_by_hand", tmp_path)
    half, one = Fraction(1, 2), Fraction(1)
    weights = [[[one, half], [-one, one], [half, -one]], [[one, -one, one], [half, one, -one]]]
    values = [[one, 2 * one]]
    for number, layer in enumerate(weights):
        z = [sum(w * a for w, a in zip(row, values[-1], strict=True)) for row in layer]
        values.append([max(total, 0 * one) for total in z] if number == 0 else z)
    rewards = [None, None, [z * (t - z) for z, t in zip(values[2], (3 * one, 3 * half), strict=True)]]
    expected = {}
    for number in (1, 0):
        below, names = [0 * one] * len(values[number]), ("input", "hidden", "output")[number : number + 2]
        for j, row in enumerate(weights[number]):
            for i, w in enumerate(row):
                told, z = rewards[number + 1][j], values[number + 1][j]
                share = values[number][i] * w * told / z if z else 0 * one  # told is 0 where the neuron is silent
                feedback = share if w > 0 else -share
                below[i] += share
                expected[f"{names[0]} {i + 1}", f"{names[1]} {j + 1}"] = {
                    "weight": w, "contribution": values[number][i] * w, "share": share, "feedback": feedback,
                    "gradient": feedback / abs(w), "weight after": w + Fraction(5, 100) * feedback,
                }  # fmt: skip
        rewards[number] = below
    found = {
        (row["from"], row["to"]): {key: Fraction(row[key]) for key in row if key not in ("from", "to")} for row in rows
    }
    assert found == expected
    neurons = {(row["layer"], int(row["neuron"])): row for row in table(tmp_path / "03_by_hand_neurons.csv")}
    for layer, name in enumerate(("input", "hidden", "output")):
        assert sum(rewards[layer]) == 1
        for k, (value, reward) in enumerate(zip(values[layer], rewards[layer], strict=True), 1):
            assert (Fraction(neurons[name, k]["value"]), Fraction(neurons[name, k]["reward"])) == (value, reward)


def test_boundaries_separate_at_a_middle_rate_only(tmp_path):
    rows = run("04_decision_boundaries", tmp_path)
    for method in ("LFP", "gradient"):
        assert min(accuracies(rows, data="blobs", method=method, **{"learning rate": "0.1"})) > 0.95
        for extreme in ("1e-08", "10000"):
            assert max(accuracies(rows, data="blobs", method=method, **{"learning rate": extreme})) < 0.7
        assert max(accuracies(rows, data="circles", method=method)) > 0.9
    by_adam = {
        rate: accuracies(rows, method="LFP, Adam", **{"learning rate": rate}) for rate in ("0.003", "0.01", "0.03")
    }
    assert max(map(min, by_adam.values())) > 0.97


def test_steps_train_by_lfp_alone(tmp_path):
    rows = {(row["activation"], row["method"]): row for row in run("05_activations", tmp_path)}
    accuracy = {key: float(row["accuracy"]) for key, row in rows.items()}
    for name in ("relu", "negated-relu"):
        assert min(accuracy[name, "LFP"], accuracy[name, "gradient"]) > accuracy[name, "last layer alone"] + 0.05
    assert accuracy["step", "gradient"] == accuracy["step", "last layer alone"] < accuracy["step", "LFP"] - 0.1
    assert accuracy["sigmoid", "LFP"] < accuracy["sigmoid", "gradient"] > 0.9
    violated = {name: float(rows[name, "LFP"]["violated"]) for name in ("relu", "negated-relu", "step", "sigmoid")}
    assert violated == {"relu": 0, "negated-relu": 0, "step": 0, "sigmoid": 0.5}


def test_lfp_keeps_signs_and_the_gradient_does_not(tmp_path):
    rows = run("06_weight_space", tmp_path)
    assert len(rows) == 3 * 2 * 4
    changed = {
        method: [int(row["signs changed"]) for row in rows if row["method"] == method] for method in ("LFP", "gradient")
    }
    assert not any(changed["LFP"]) and any(changed["gradient"])
    # where the signs are right from the start, both reach what they were told to put out
    right = [
        row for row in rows if row["start w1"] > "0" and row["start w2"] > "0" and row["model"] != "input and noise"
    ]
    assert len(right) == 4 and max(float(row["loss"]) for row in right) < 1e-6


def test_balanced_opinions_train_and_noise_hurts_only_when_it_is_large(tmp_path):
    rows = run("07_rewards", tmp_path)
    last = max(int(row["epoch"]) for row in rows)
    accuracy = {row["reward"]: float(row["accuracy"]) for row in rows if int(row["epoch"]) == last}
    assert (
        min(accuracy[name] for name in ("softmax", "softmax, gradient", "teacher, errs 0%", "teacher, errs 20%")) > 0.85
    )
    assert max(accuracy[name] for name in ("misclassification", "correct class", "teacher, errs 50%")) < 0.4
    assert accuracy["both, balanced"] > 0.5


def test_mnist_curves_rise(tmp_path):
    rows = run("08_mnist", tmp_path)
    for method in ("LFP", "gradient"):
        first, *_, last = accuracies(rows, method=method)
        assert last > max(first, 0.85)
    assert all(float(row["seconds"]) > 0 and 0 <= float(row["untouched"]) < 1 for row in rows)


def test_pruning_costs_accuracy_late_and_updates_of_lfp_are_sparser(tmp_path):
    rows = run("09_pruning", tmp_path)
    for method in ("LFP", "gradient"):
        for criterion in ("magnitude", "relevance"):
            for what in ("weights", "neurons"):
                curve = accuracies(rows, method=method, criterion=criterion, pruned=what)
                assert len(curve) == 11 and min(curve[:3]) > 0.85 > 0.6 > curve[-1]
    sparsity = {m: [float(row["sparsity"]) for row in table(tmp_path / "09_pruning_updates.csv") if row["method"] == m]
                for m in ("LFP", "gradient")}  # fmt: skip
    assert all(0 < lfp < gradient < 1 for lfp, gradient in zip(*sparsity.values(), strict=True))


def test_more_samples_transfer_better(tmp_path):
    rows = run("10_transfer", tmp_path)
    for method in ("LFP", "gradient"):
        for start in ("transferred", "from scratch"):
            few, many = (accuracies(rows, method=method, start=start, samples=samples)[0] for samples in ("10", "100"))
            assert 0.3 < few < many > 0.8


def test_regression_beats_least_squares(tmp_path):
    rows = run("12_regression", tmp_path)
    for method in ("LFP", "gradient", "LFP, e = 0.25"):
        for shift in ("0", "3"):
            errors = [float(row["rmse"]) for row in rows if (row["method"], row["shift"]) == (method, shift)]
            assert len(errors) == 60 and errors[-1] < 3.4 < 5 < errors[0]  # miles per gallon; least squares: 3.47


def test_the_gallery_says_what_the_tables_say(monkeypatch):
    """The page is what gallery.py writes from the results that are there, formulas of the docstrings included."""
    monkeypatch.syspath_prepend(EXAMPLES)
    gallery = importlib.import_module("gallery")
    page = (EXAMPLES / "README.md").read_text()
    assert page == gallery.page(EXAMPLES / "results"), "run python examples/gallery.py"
    assert "\n    s = r / stab(z, epsilon),   r = a g,   g = sum_k w_k s_k" in page
    assert "    python examples/" not in page


def test_a_quick_run_never_writes_into_the_results(tmp_path):
    """Not by default, and not when it is told to; the full runs' numbers are kept there."""
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    for script in ("03_by_hand.py", "gallery.py"):
        command = [sys.executable, str(EXAMPLES / script), "--quick", "--out", str(EXAMPLES / "results" / ".")]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 2 and "--quick would overwrite the results" in done.stderr
    code = (
        f"import sys; sys.path.insert(0, {str(EXAMPLES)!r}); sys.argv = ['x.py', '--quick']\n"
        "import common; print(common.start('').out)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.stdout.strip() == os.path.join("runs", "examples", "results")
