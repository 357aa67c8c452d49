"""The vectors, the kernels' answers, the checker, and the port in JavaScript: right, and with one fault at a time."""

import fnmatch
import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lfp_ref.tools import conform
from lfp_ref.tools.conform.check import judge
from lfp_ref.tools.conform.vectors import SHIPPED, VERSION, as_arrays, load
from tests import command_line
from tests.vectors.__main__ import generate
from tests.vectors.kernels import answer

PORT = Path(__file__).parent.parent / "examples" / "javascript" / "port.js"
SOURCES = {path.name: path.read_text() for path in (PORT, PORT.with_name("lfp.js"))}
CASES = {case.name: case for case in load()}
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def call(capsys, *arguments):
    return command_line.call(capsys, "conform", *arguments)


def run_port(texts, folder, vectors):
    """What a port of these files, {name: source text}, writes, in a folder."""
    for name, text in texts.items():
        (folder / name).write_text(text)
    out = folder / "out"
    subprocess.run(["node", str(folder / "port.js"), str(vectors), str(out)], check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    conform.export(folder)
    return folder


def right(case):
    """The expected values as an answer."""
    return {name: quantity.value.copy() for name, quantity in case.expected.items()}


def written(folder, answers):
    """Answers, arrays by case and quantity, in a folder."""
    folder.mkdir(exist_ok=True)
    found = {
        case: {name: {"shape": list(a.shape), "data": a.ravel().tolist()} for name, a in quantities.items()}
        for case, quantities in answers.items()
    }
    (folder / "answers.json").write_text(json.dumps(found))
    return folder


# ---- the vectors


def test_vectors_regenerate_bit_for_bit():
    made = generate()
    assert {path.name for path in SHIPPED.iterdir()} == set(made)
    for name, text in made.items():
        assert (SHIPPED / name).read_bytes() == text.encode(), f"{name} is out of date: python -m tests.vectors"
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 5e6


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_kernels_agree(dtype):
    for case in CASES.values():
        given = {name: np.asarray(a, float) for name, a in answer(case, np.dtype(dtype)).items()}
        verdict = judge(case, given, dtype)
        assert verdict.status == "ok", verdict.line()


def test_inputs_and_parameters_are_exact_in_single_precision():
    for case in CASES.values():
        for array in (*case.inputs.values(), *case.parameters.values()):
            assert np.array_equal(array, array.astype(np.float32))


def test_tolerances_are_narrow_and_narrower_in_double_precision():
    """A few roundings of the largest number on the way: where s = r / 1e-6 cancels later, that is what is left.

    Adam divides small feedback by its own size, and so makes its error large: 1e-11 after two steps.
    """
    for case in CASES.values():
        share = 2e-11 if case.about.get("optimiser") == "adam" else 1e-13
        largest = max(1, *(np.abs(q.value).max() for q in case.expected.values()))
        for q in case.expected.values():
            single, double = (q.tolerance[dtype] for dtype in ("float32", "float64"))
            assert (double <= single).all() and (double <= share * largest).all(), case.name
    dense = CASES["dense/epsilon"].expected["0.output"]
    assert not dense.tolerance["float32"].any()  # sums of eighths: to the last bit


def test_the_hard_cases_are_what_they_say():
    z = CASES["dense/z-zero"].expected
    assert z["0.output"].value[0, 0] == 0 and z["0.s.0"].value[0, 0] == 1e6
    assert not CASES["dense/z-zero-no-stabiliser"].expected["0.s.0"].value[0, 0]
    assert not CASES["rules/alpha-beta-empty-group"].expected["0.denominator.1"].value.any()
    assert not CASES["spiking/silent"].expected["0.output"].value.any()
    assert CASES["spiking/at-threshold"].expected["0.membrane"].value[1] == 1.5
    assert not CASES["pool/max-ties"].expected["0.winner"].value.any()
    assert CASES["residual/sum-zero"].expected["0.output"].value[0, 0] == 0
    assert CASES["pool/average-z-plus-empty"].expected["0.denominator.0"].value[0, 0, 0, 0] == 0
    shared = CASES["networks/shared"].expected
    assert "0.weight.feedback" in shared and "2.weight.feedback" not in shared


def test_export_writes_the_same_content_twice(capsys, tmp_path):
    for _ in "ab":  # a second export into the same folder
        status, out, _ = call(capsys, "export", tmp_path / "v")
        assert (status, out) == (0, f"{len(CASES)} cases (version {VERSION}) in {tmp_path / 'v'}\n")
    found = {}
    for path in (tmp_path / "v").glob("*.npz"):
        with np.load(path) as arrays:
            found |= {name: arrays[name] for name in arrays if name != "cases"}
            abouts = json.loads(str(arrays["cases"]))
            assert abouts[0]["name"].startswith(path.stem + "/") and abouts[0]["expected"][0]["role"]
    expected = as_arrays(list(CASES.values()))
    assert set(found) == set(expected) - {"cases"}
    assert all(np.array_equal(found[name], expected[name]) for name in found)


def test_export_spares_other_folders(capsys, tmp_path):
    (tmp_path / "thesis.txt").touch()
    assert "holds other files (thesis.txt)" in call(capsys, "export", tmp_path)[2]
    assert "is a file" in call(capsys, "export", tmp_path / "thesis.txt")[2]


@needs_node
def test_json_is_the_same_doubles_in_node(vectors):
    """Every number of every file, as 16 hexadecimal digits."""
    script = """
        const fs = require("fs"), view = new DataView(new ArrayBuffer(8)), out = [];
        const walk = (x) => typeof x === "number" ? (view.setFloat64(0, x), out.push(view.getBigUint64(0).toString(16)))
            : x && typeof x === "object" && Object.values(x).forEach(walk);
        walk(JSON.parse(fs.readFileSync(process.argv[1], "utf8")));
        process.stdout.write(out.join(" "));"""

    def walk(x):
        if isinstance(x, int | float) and not isinstance(x, bool):
            yield f"{np.float64(x).view(np.uint64):x}"
        elif isinstance(x, dict | list):
            for item in x.values() if isinstance(x, dict) else x:
                yield from walk(item)

    for path in sorted(vectors.glob("*.json")):
        done = subprocess.run(["node", "-e", script, str(path)], check=True, capture_output=True, text=True)
        assert done.stdout == " ".join(walk(json.loads(path.read_text()))), path.name


# ---- the port


@needs_node
def test_the_port_agrees(capsys, tmp_path, vectors):
    out = run_port(SOURCES, tmp_path, vectors)
    status, said, _ = call(capsys, "check", vectors, out)
    lines = said.splitlines()
    assert status == 0 and len(lines) == len(CASES) + 1 and all(line.startswith("ok ") for line in lines[:-1])
    assert "left out" not in said  # it shows every intermediate
    status, said, _ = call(capsys, "check", out, "--json")
    report = json.loads(said)
    assert status == 0 and report["passed"] and len(report["cases"]) == len(CASES) and not report["extra"]


FAULTS = {  # name: (what stands in the port, what a careless one has, a case, its quantity, words of the cause)
    "sign at zero": (
        "const sgn = (x) => (x >= 0",
        "const sgn = (x) => (x > 0",
        "dense/z-zero",
        "0.s.0",
        "sign at zero",
    ),
    "unsigned stabiliser": ("z + epsilon * sgn(z)", "z + epsilon", "dense/epsilon-large", "0.s.0", "has no sign"),
    "mean": (
        "return { handed, dw, db };",
        "dw.data.forEach((v, k) => (dw.data[k] = v / a.shape[0]));\n    return { handed, dw, db };",
        "dense/epsilon",
        "0.weight.feedback",
        "mean in place of sum",
    ),
    "missing |w|": ("sgn(w.data[k]) * x.w.data[k]", "1", "dense/epsilon", "0.weight.feedback", "missing |w|"),
    "w for |w|": (
        "sgn(w.data[k]) * x.w.data[k]",
        "x.w.data[k]",
        "dense/epsilon",
        "0.weight.feedback",
        "w in place of |w|",
    ),
    "dropout scales": (
        "isGradient(rule) ? 1 / (1 - p) : 1;",
        "1 / (1 - p);",
        "shapes/dropout",
        "0.input_reward",
        "reward scaled by dropout",
    ),
    "transposed": (
        "t * inputs + i, j * inputs + i])",
        "t * inputs + i, i * outputs + j])",
        "dense/epsilon",
        "0.output",
        "transposed weights",
    ),
    "flipped": (
        "channels + c) * kh + i) * kw + j]",
        "channels + c) * kh + kh - 1 - i) * kw + kw - 1 - j]",
        "conv/epsilon",
        "0.output",
        "flipped kernels",
    ),
    "last maximum": (
        "value > out.data[to]",
        "value >= out.data[to]",
        "pool/max-ties",
        "0.winner",
        "last of several maxima",
    ),
    "derivative": (
        "if (!isGradient(rule)) return r;",
        "",
        "activations/relu-epsilon",
        "0.input_reward",
        "hands a reward on unchanged",
    ),
    "step at zero": (
        "step: [(z, low = 0) => (z > 0",
        "step: [(z, low = 0) => (z >= 0",
        "activations/step-epsilon",
        "0.output",
        "a step is 1 only above 0",
    ),
    "no carry": (
        "carry[c] = beta * v.data[k] * s.data[k]",
        "carry[c] = 0",
        "spiking/constant-subtract",
        "0.s.0",
        "the carry is missing",
    ),
    "at threshold": (
        "fired.data[k] = before > threshold ? 1 : 0;",
        "fired.data[k] = before >= threshold ? 1 : 0;",
        "spiking/at-threshold",
        "0.membrane",
        "only above the threshold",
    ),
    "no z": (
        "reward: map(z, (v, k) => v * gradient.data[k]) };\n  }\n\n  const chosen",
        "reward: gradient };\n  }\n\n  const chosen",
        "rewards/softmax",
        "reward",
        "missing z",
    ),
    "descent": (
        "w.data[k] = value + lr * v[k]",
        "w.data[k] = value - lr * v[k]",
        "optimisers/sgd",
        "value.0",
        "moved against the feedback",
    ),
    "not reduced": (
        'about.reduction === "mean" ?',
        "false ?",
        "training/softmax-sgd",
        "told.0",
        "not divided by the batch",
    ),
    "beta's sign": ("{ c: -beta,", "{ c: beta,", "rules/alpha-beta-dense", "0.s.1", "coefficient is -beta"),
    "groups": (
        "Math.floor(o / (outputs / groups)) * channels + c;",
        "Math.floor(o / (outputs / groups)) + c * groups;",
        "conv/groups",
        "0.output",
        "a group's channels are next to each other",
    ),
    "constant scale": (
        '["attn-lrp", "constant-attention"].includes(rule.name) ? 0 : 1;',
        "0;",
        "norm/layer-tokens",
        "0.input_reward",
        "the scale depends on the input, too",
    ),
    "no constant scale": (
        '["attn-lrp", "constant-attention"].includes(rule.name) ? 0 : 1;',
        "1;",
        "norm/group-constant-scale",
        "0.input_reward",
        "under this rule the scale is a constant",
    ),
    "scores": (
        "Math.exp(scale * (v - largest))",
        "Math.exp(v - largest)",
        "attention/gradient-times-input",
        "0.weights",
        "not divided by sqrt(d)",
    ),
    "statistics": (
        "through = training ? 1 : 0",
        "through = training && isGradient(rule) ? 1 : 0",
        "norm/images-training",
        "0.input_reward",
        "they are not constants",
    ),
}


@needs_node
@pytest.mark.parametrize("name", FAULTS)
def test_a_port_with_one_fault_is_caught_and_the_fault_named(capsys, tmp_path, vectors, name):
    here, faulty, case, quantity, words = FAULTS[name]
    assert sum(text.count(here) for text in SOURCES.values()) == 1
    out = run_port({file: text.replace(here, faulty) for file, text in SOURCES.items()}, tmp_path, vectors)
    status, said, err = call(capsys, "check", vectors, out, "--json")
    found = {each["case"]: each for each in json.loads(said)["cases"]}[case]
    assert status == 1 and f"of {len(CASES)} cases agree" in err
    assert found["status"] == "diverges" and found["quantity"] == quantity and words in (found["cause"] or ""), found


GUIDE = Path(__file__).parent.parent / "docs" / "porting.md"


def test_the_guide_names_what_there_is():
    text = GUIDE.read_text()
    families = {name.partition("/")[0] for name in CASES}
    named = [found for found in re.findall(r"`([a-z]+)/([a-z0-9-]+|\*|[a-z0-9-]+\*)`", text) if found[0] in families]
    for family, pattern in named:
        assert fnmatch.filter(CASES, f"{family}/{pattern}"), f"{family}/{pattern}"
    assert {family for family, _ in named} == families
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", text):
        assert (GUIDE.parent / target).exists(), target
    headings = {re.sub(r"[^a-z0-9 ]", "", line.lower().lstrip("# ")).replace(" ", "-") for line in text.splitlines()}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


@needs_node
def test_the_port_says_how_it_is_used(tmp_path):
    done = subprocess.run(["node", str(PORT)], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr == "usage: node port.js VECTORS OUT\n"


# ---- the checker, without node: answers that are right but for one quantity


def at_zero(case, q):
    return np.where(case.expected["0.output"].value == 0, -q.value, q.value)


def without_weight(case, q):
    w = np.abs(case.parameters[q.name.removesuffix(".feedback")])
    return np.divide(q.value, w, out=np.full_like(w, 7.0), where=w != 0)  # 7: where w = 0 it may be anything


def last_maxima(case, q):
    handed = np.zeros((1, 1, 4, 4))
    handed[0, 0, [1, 1, 3, 3], [0, 3, 1, 3]] = case.inputs["reward"].ravel()
    return handed


def flow_of_u(case, q):
    return np.abs(case.expected["0.membrane"].value)


def constant_statistics(case, q):
    k = case.parameters["0.weight"] * case.expected["0.scale"].value
    return case.inputs["x"] * k * case.expected["0.s.0"].value


def constant_sample_statistics(case, q):
    return (
        case.inputs["x"] * case.parameters["0.weight"] * case.expected["0.scale"].value * case.expected["0.s.0"].value
    )


def over_queries(case, q):
    powers = np.exp(case.expected["0.scores"].value / math.sqrt(2))
    return powers / powers.sum(axis=2, keepdims=True)


MISTAKES = [  # case, quantity, what a port writes instead, words of the cause
    ("dense/z-zero", "0.s.0", at_zero, "sign at zero: sgn(0) = +1, so stab(0) = +epsilon"),
    ("dense/z-zero", "0.s.0", lambda c, q: np.where(c.expected["0.output"].value == 0, 0, q.value), "not 0"),
    ("residual/sum-zero", "0.s.0", at_zero, "sign at zero"),
    ("norm/output-zero", "0.s.0", at_zero, "sign at zero"),
    ("pool/average-zero", "0.s.0", at_zero, "sign at zero"),
    ("dense/epsilon", "0.weight.feedback", lambda c, q: q.value / 3, "mean in place of sum"),
    ("conv/epsilon", "0.weight.feedback", lambda c, q: q.value / 18, "over batch and positions"),
    ("conv/epsilon", "0.bias.feedback", lambda c, q: q.value / 9, "summed over positions"),
    ("spiking/constant-zero", "0.weight.feedback", lambda c, q: q.value / 5, "summed over time"),
    ("dense/epsilon", "0.weight.feedback", without_weight, "missing |w|"),
    ("rules/gamma-conv", "0.weight.feedback", without_weight, "missing |w|"),
    ("dense/epsilon", "0.weight.feedback", lambda c, q: -q.value, "the sign of a loss's gradient"),
    ("shapes/dropout", "0.input_reward", lambda c, q: 2 * q.value, "reward scaled by dropout"),
    ("shapes/dropout-fifth", "0.input_reward", lambda c, q: 1.25 * q.value, "reward scaled by dropout"),
    (
        "dense/epsilon",
        "0.output",
        lambda c, q: c.inputs["x"] @ c.parameters["0.weight"].reshape(5, 4) + c.parameters["0.bias"],
        "transposed weights",
    ),
    ("dense/epsilon", "0.output", lambda c, q: q.value - c.parameters["0.bias"], "the bias is missing"),
    (
        "dense/epsilon",
        "0.output",
        lambda c, q: np.asfortranarray(q.value).ravel("K").reshape(q.value.shape),
        "column-major",
    ),
    (
        "dense/epsilon",
        "0.input_reward",
        lambda c, q: np.divide(q.value, c.inputs["x"], where=c.inputs["x"] != 0, out=0 * q.value),
        "missing a",
    ),
    ("dense/epsilon", "0.s.0", lambda c, q: q.value.astype(np.float32).astype(float), "single precision"),
    ("pool/max-ties", "0.input_reward", last_maxima, "last of several maxima"),
    ("pool/average", "0.output", lambda c, q: 4 * q.value, "a sum in place of a mean"),
    ("norm/dense-training", "0.input_reward", constant_statistics, "through the batch's statistics"),
    ("norm/layer", "0.input_reward", constant_sample_statistics, "a sample's statistics depend on the input"),
    ("attention/gradient-times-input", "0.weights", over_queries, "it is over the keys"),
    ("conv/same", "0.weight.feedback", without_weight, "missing |w|"),
    (
        "activations/tanh-epsilon",
        "0.input_reward",
        lambda c, q: q.value * (1 - c.expected["0.output"].value ** 2),
        "hands a reward on unchanged",
    ),
    (
        "activations/gelu-epsilon",
        "0.output",
        lambda c, q: q.value + gelu_difference(c.inputs["x"]),
        "tanh approximation",
    ),
    ("spiking/constant-subtract", "0.flow", flow_of_u, "|u| in place of"),
    ("rewards/softmax", "reward", lambda c, q: -q.value, "positive for what helped"),
    ("rewards/rate-coded-5-steps", "reward", lambda c, q: rate_coded_by_half(c), "T / 2 in place of its integer part"),
    (
        "optimisers/adam-coarse",
        "value.0",
        lambda c, q: c.inputs["value"] + 0.125 * adam_uncorrected(c),
        "without bias correction",
    ),
    ("training/softmax-sum", "told.0", lambda c, q: q.value / 4, "is divided by the batch size"),
    ("training/softmax-sgd", "feedback.0.0.weight", lambda c, q: q.value / 4, "mean in place of sum"),
]


def gelu_difference(z):
    exact = np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in z.ravel()]).reshape(z.shape)
    return z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2 - exact


def rate_coded_by_half(case):
    spikes, labels = case.inputs["outputs"], case.inputs["targets"].astype(int)
    n1, y = spikes.sum(axis=0), np.eye(4)[labels]
    return np.where(y == 1, 1 / (1 + np.exp(n1 - 2.5)), -spikes / (1 + np.exp(5 - n1 - 2.5)))


def adam_uncorrected(case):
    d = case.inputs["feedback.0"]
    return 0.25 * d / (np.sqrt(0.125 * d * d) + 0.0009765625)


@pytest.mark.parametrize(("name", "quantity", "mistake", "words"), MISTAKES)
def test_a_mistake_is_named(name, quantity, mistake, words):
    case = CASES[name]
    given = right(case)
    given[quantity] = np.asarray(mistake(case, case.expected[quantity]), float)
    verdict = judge(case, given, "float64")
    at = tuple(verdict.index)
    assert verdict.status == "diverges" and verdict.quantity == quantity and words in (verdict.cause or ""), verdict
    assert (verdict.got, verdict.expected) == (given[quantity][at], case.expected[quantity].value[at])
    assert f"{name}: {quantity}{verdict.index}: got " in verdict.line() and words in verdict.line()


def test_what_is_no_known_mistake_gets_no_cause():
    """Every quantity of every case, spoilt: it is found, at its place, and nothing is made up."""
    rng = np.random.default_rng(0)
    for case in CASES.values():
        for name, quantity in case.expected.items():
            given = right(case)
            given[name] = quantity.value + rng.uniform(1, 2, quantity.value.shape)
            verdict = judge(case, given, "float64")
            assert (verdict.status, verdict.quantity, verdict.cause) == ("diverges", name, None), verdict
            assert verdict.index == [0] * quantity.value.ndim


def test_a_tolerance_is_met_or_missed():
    case = CASES["dense/epsilon"]
    for part, status in ((0.9, "ok"), (-0.9, "ok"), (1.1, "diverges"), (-1.1, "diverges")):
        given = {name: q.value + part * q.tolerance["float32"] for name, q in case.expected.items()}
        assert judge(case, given, "float32").status == status


def test_nan_and_infinity_are_wrong_wherever_they_are():
    for case in CASES.values():
        for name, quantity in case.expected.items():
            for value in (np.nan, np.inf):
                given = right(case)
                given[name].flat[-1] = value
                verdict = judge(case, given, "float64")
                last = [n - 1 for n in quantity.value.shape]
                assert (verdict.status, verdict.quantity, verdict.index, verdict.got) == (
                    "diverges",
                    name,
                    last,
                    str(value),
                )


def test_nan_from_zero_by_zero_is_named():
    case = CASES["dense/z-zero-no-stabiliser"]
    given = right(case)
    given["0.s.0"][0, 0] = np.nan
    assert "with epsilon = 0, r / 0 counts as 0" in judge(case, given, "float64").cause


def test_intermediates_may_be_left_out_and_results_may_not(capsys, tmp_path):
    results = {
        name: {q: quantity.value for q, quantity in case.expected.items() if quantity.is_result}
        for name, case in CASES.items()
    }
    status, said, _ = call(capsys, "check", written(tmp_path / "a", results))
    assert status == 0 and "ok         dense/epsilon: 4 quantities, 1 intermediates left out, 0% of" in said
    del results["dense/epsilon"]["0.input_reward"], results["dense/no-bias"]
    status, said, err = call(capsys, "check", written(tmp_path / "a", results))
    assert status == 1 and err == f"lfp-ref: {len(CASES) - 2} of {len(CASES)} cases agree in float64\n"
    assert "missing    dense/epsilon: 0.input_reward: this result is missing\n" in said
    assert "missing    dense/no-bias: no answer\n" in said


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: a.update(data=a["data"][:-1]), "data has 11 numbers, shape [3, 4] needs 12: truncated?"),
        (lambda a: a.update(shape=[4, 3]), "shape [4, 3], expected [3, 4]; likely cause: transposed"),
        (
            lambda a: a.update(shape=[12]),
            "shape [12], expected [3, 4]; likely cause: the right number of values in another",
        ),
        (lambda a: a.update(shape="3x4"), 'shape must be a list of sizes, got "3x4"'),
        (lambda a: a.update(data=[a["data"]]), "data must be a flat list of numbers, got [0.796875"),
        (lambda a: a.update(data=0.5), "data must be a flat list of numbers, got 0.5"),
        (lambda a: a["data"].__setitem__(2, "1,5"), 'data must be a flat list of numbers, got "1,5" at place 2'),
        (lambda a: a["data"].__setitem__(2, None), "null at place 2 of data: what became NaN or infinity on the way"),
        (lambda a: a["data"].__setitem__(6, math.nan), "0.output[1, 2]: got 'nan', expected"),
        (lambda a: a.pop("shape"), 'expected {"shape": [...], "data": [...]}, got {"data": [0.796875'),
    ],
)
def test_malformed_answers_are_told(capsys, tmp_path, spoil, message):
    folder = written(tmp_path / "a", {"dense/epsilon": right(CASES["dense/epsilon"])})
    found = json.loads((folder / "answers.json").read_text())
    spoil(found["dense/epsilon"]["0.output"])
    (folder / "answers.json").write_text(json.dumps(found))
    status, said, _ = call(capsys, "check", folder, "--only", "dense/epsilon")
    assert status == 1 and message in said.splitlines()[0]


def test_files_that_cannot_be_read_are_told_and_the_others_count(capsys, tmp_path):
    folder = written(tmp_path / "a", {name: right(case) for name, case in CASES.items()})
    good = (folder / "answers.json").read_bytes()
    (folder / "cut.json").write_bytes(good[: len(good) // 2])
    (folder / "list.json").write_text("[1, 2]")
    np.savez(folder / "cut.npz", a=np.ones(100))
    (folder / "cut.npz").write_bytes((folder / "cut.npz").read_bytes()[:200])
    shutil.copy(SHIPPED / "dense.json", folder / "dense.json")
    status, said, err = call(capsys, "check", folder)
    assert status == 1 and err.strip().endswith(
        f"{len(CASES)} of {len(CASES)} cases agree in float64, 4 unreadable files"
    )
    assert "unreadable cut.json: not JSON, or not written to its end (" in said
    assert re.search(r"unreadable cut.npz: .*cut.npz is damaged or no .npz file of numbers: ", said)
    assert 'unreadable list.json: expected {"case": {"quantity":' in said
    assert "unreadable dense.json: these are vectors, no answers" in said


def test_answers_in_npz_and_over_several_files(capsys, tmp_path):
    half = len(CASES) // 2
    answers = {name: right(case) for name, case in CASES.items()}
    folder = written(tmp_path / "a", dict(list(answers.items())[:half]))
    rest = {f"{case}/{q}": a for case, qs in list(answers.items())[half:] for q, a in qs.items()}
    np.savez(folder / "rest.npz", **rest)
    assert call(capsys, "check", folder)[0] == 0
    np.savez(folder / "again.npz", **{"dense/epsilon/0.output": np.ones((3, 4))})
    assert "dense/epsilon: 0.output: answered twice, in again.npz and answers.json" in call(capsys, "check", folder)[1]
    np.savez(folder / "again.npz", **{"dense/epsilon/0.s": np.array(["a"])})
    assert "extra      dense/epsilon: no quantity 0.s; is 0.s.0 meant?" in call(capsys, "check", folder)[1]


def test_extra_answers_are_listed_and_fail_nothing(capsys, tmp_path):
    answers = {name: right(case) for name, case in CASES.items()}
    answers["dense/epsilom"] = right(CASES["dense/epsilon"])
    answers["dense/epsilon"] |= {"0.time": np.ones(1)}
    status, said, _ = call(capsys, "check", written(tmp_path / "a", answers))
    assert status == 0 and "extra      dense/epsilom: no such case; is dense/epsilon meant?\n" in said
    assert "extra      dense/epsilon: no quantity 0.time\n" in said


def test_wrong_usage_is_told(capsys, tmp_path):
    written(tmp_path / "a", {})
    (tmp_path / "empty").mkdir()
    old = json.loads((SHIPPED / "index.json").read_text()) | {"version": 0}
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "index.json").write_text(json.dumps(old))
    for arguments, message in (
        (["nowhere"], "nowhere is no folder; answers are .json or .npz files in one"),
        ([tmp_path / "empty"], "holds no answers: no .json and no .npz file"),
        ([tmp_path / "empty", tmp_path / "a"], "holds no vectors: there is no index.json"),
        ([tmp_path / "old", tmp_path / "a"], f"has vectors of version 0, this program checks {VERSION}"),
        ([tmp_path / "a", "--only", "dence/*"], "no case is called 'dence/*'"),
        (["a", "b", "c"], "got 3 folders"),
    ):
        status, _, err = call(capsys, "check", *arguments)
        assert status == 1 and message in err


@pytest.mark.parametrize(
    "data, says",
    [
        ("9" * 400, "malformed  dense/epsilon: .*: malformed: the number at place 0 of data is beyond float64"),
        ("1e400", "diverges   dense/epsilon: "),
        ("[" * 100_000 + "]" * 100_000, "unreadable answers.json: not JSON, .* .nested too deep"),
        ("9" * 5000, "unreadable answers.json: not JSON"),
    ],
)
def test_answers_with_numbers_that_no_port_has(capsys, tmp_path, data, says):
    case = CASES["dense/epsilon"]
    answers = {name: {"shape": list(a.shape), "data": a.ravel().tolist()} for name, a in right(case).items()}
    text = json.dumps({case.name: answers})
    first = repr(next(iter(right(case).values())).ravel().tolist()[0])
    assert first in text
    (tmp_path / "answers.json").write_text(text.replace(first, data, 1))
    status, said, _ = call(capsys, "check", tmp_path, "--only", case.name)
    assert status == 1 and re.search(says, said), said


def test_an_answer_that_stands_twice_in_one_file(capsys, tmp_path):
    (tmp_path / "answers.json").write_text('{"dense/epsilon": {}, "dense/epsilon": {}}')
    status, said, _ = call(capsys, "check", tmp_path, "--only", "dense/epsilon")
    assert status == 1 and "'dense/epsilon' stands twice in one place" in said


def test_vectors_that_are_damaged(capsys, tmp_path, vectors):
    shutil.copytree(vectors, tmp_path / "v")
    index, dense = (json.loads((tmp_path / "v" / f"{name}.json").read_text()) for name in ("index", "dense"))
    frame = {"format": index["format"], "version": VERSION}
    case = dense["cases"][0]
    for name, content, says in (
        ("index", frame, "index.json is damaged: it has no families"),
        ("index", frame | {"families": ["dense"]}, "index.json is damaged: it has no families"),
        ("dense", frame, "dense.json is damaged: it has no cases"),
        ("dense", frame | {"cases": [3]}, "dense.json, case 0: not in the format of docs/porting.md"),
        ("dense", frame | {"cases": [case, {}]}, "dense.json, case 1: not in the format of docs/porting.md"),
        ("dense", frame | {"cases": [case | {"inputs": {"x": {"shape": [9], "data": [1]}}}]}, "dense.json, case 0: "),
        ("dense", frame | {"cases": [case | {"inputs": {"x": {"shape": [1], "data": [10**400]}}}]}, "OverflowError"),
    ):
        path = tmp_path / "v" / f"{name}.json"
        good = path.read_text()
        path.write_text(json.dumps(content))
        status, _, err = call(capsys, "check", tmp_path / "v", tmp_path)
        assert status == 1 and says in err
        path.write_text(good)
