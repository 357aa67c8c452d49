"""Every example runs, quickly, and leaves what it promises."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name, out):
    pytest.importorskip("matplotlib", reason="examples draw pictures: they need the extra cli")
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), "--quick", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert (out / f"{name}.png").stat().st_size > 10_000
    with (out / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


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
    rows = run("02_spiking", tmp_path)
    for method in ("LFP", "surrogate gradient"):
        first, *_, last = (float(row["accuracy"]) for row in rows if row["method"] == method)
        assert last > max(first, 0.6)
    assert all(0 < float(row["spike rate, hidden"]) < 1 and float(row["operations"]) > 0 for row in rows)
    with (tmp_path / "02_spiking_neurons.csv").open(newline="") as file:
        by_neuron = {(row["beta"], row["steps"]): float(row["accuracy"]) for row in csv.DictReader(file)}
    assert by_neuron["0.9", "5"] > by_neuron["0", "2"]
    assert (tmp_path / "02_spiking_inside.png").stat().st_size > 10_000
