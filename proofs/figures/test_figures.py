"""Both figures can be drawn again, and show what is claimed of them; so do the tables beside this file."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(params=["drawn again", "as shown"], scope="module")
def folder(request, tmp_path_factory):
    if request.param == "as shown":
        return HERE
    pytest.importorskip("matplotlib", reason="figures need the extra cli")
    out = tmp_path_factory.mktemp("figures")
    for name in ("cosine", "rate"):
        command = [sys.executable, "-m", f"proofs.figures.{name}", "--quick", "--out", str(out)]
        subprocess.run(command, check=True, cwd=HERE.parent.parent, env=os.environ)
    return out


def test_cosine(folder):
    rows = table(folder / "cosine.csv")
    assert (folder / "cosine.png").stat().st_size > 20_000
    for row in rows:
        lowest = float(row["lowest"])
        if row["activation"] == "ReLU":  # homogeneous: the direction is |w| dJ/dw itself, at any depth and batch
            assert lowest > 0.3 and (lowest > 1 - 1e-9 or row["cosine with"] == "dJ/dw")
        elif row["activation"] in ("ELU", "tanh", "softsign") and (row["over"], row["value"]) == ("depth", "1"):
            assert lowest > 0  # one hidden layer, one sample: proved
        if row["activation"] == "tanh":
            assert lowest > 0  # it loses direction with depth, but still climbs
    alone, together = (
        {(r["activation"], r["cosine with"]): float(r["mean"]) for r in rows if (r["over"], r["value"]) == ("batch", n)}
        for n in ("1", "64")
    )
    assert all(together[key] > mean - 0.05 for key, mean in alone.items())  # a batch costs nothing on average
    mean = {(r["activation"], r["value"]): float(r["mean"]) for r in rows
            if (r["over"], r["cosine with"]) == ("depth", "|w| dJ/dw")}  # fmt: skip
    assert mean["tanh", "8"] < mean["tanh", "1"] and mean["sigmoid", "8"] < 0.1


def test_rate(folder):
    rows = table(folder / "rate.csv")
    assert (folder / "rate.png").stat().st_size > 20_000
    for name in ("classifier", "two layers"):
        mine = [{k: float(v) for k, v in row.items() if k != "problem"} for row in rows if row["problem"] == name]
        assert len(mine) >= 8
        for row in mine:
            assert row["measured"] <= row["bound"] and row["largest weight"] <= row["M"]
        objectives = [row["J"] for row in mine]
        assert objectives == sorted(objectives) and objectives[-1] <= 0
        assert mine[0]["bound"] == pytest.approx(
            -2 * mine[0]["L"] * mine[0]["M"] * mine[0]["J"], rel=1e-4
        )  # six digits
