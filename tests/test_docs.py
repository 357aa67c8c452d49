"""What is written about the package is there, builds, and runs."""

import ast
import importlib
import importlib.util
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

import lfp_ref as lfp

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "ecosystem.md").read_text()


IDIOMS = """import numpy as np
import lfp_ref as lfp

data = lfp.datasets.load_digits()
net = lfp.Spiking(lfp.Flatten(), lfp.LIF(lfp.Dense(64, 10)), steps=3)
spikes: np.ndarray = net.forward(data.x_train)
reward: np.ndarray = lfp.rewards.rate_coded(spikes, data.y_train)
start: np.ndarray = lfp.rewards.softmax.gradient(spikes.sum(axis=0), data.y_train)
membrane: np.ndarray = net[1].membrane
plain = lfp.Sequential(lfp.Flatten(), lfp.Dense(64, 10))
weight: np.ndarray = plain[1].weight.value
plain.feedback(lfp.rewards.softmax(plain.forward(data.x_train), data.y_train))
lfp.train(plain, data, reward=lfp.rewards.softmax, epochs=1)
"""


def modules():
    return [info.name for info in pkgutil.walk_packages(lfp.__path__, "lfp_ref.") if not info.name.endswith("__main__")]


def test_every_public_name_is_documented():
    for name in modules():
        if name.startswith("lfp_ref.estimators"):
            pytest.importorskip("sklearn", reason="needs the extra sklearn")
        module = importlib.import_module(name)
        assert module.__doc__, name
        for key, thing in vars(module).items():
            here = getattr(thing, "__module__", None) == name and not key.startswith("_")
            if here and (inspect.isclass(thing) or inspect.isfunction(thing)) and ".cli" not in name:
                assert thing.__doc__, f"{name}.{key}"
    for key in lfp.__all__:
        assert getattr(lfp, key).__doc__, key


def test_layers_and_rules_name_their_source():
    layers = [getattr(lfp, key) for key in lfp.__all__ if inspect.isclass(getattr(lfp, key))]
    containers = (lfp.Layer, lfp.Sequential, lfp.Identity)  # they compute nothing themselves
    layers = [each for each in layers if issubclass(each, lfp.Layer) and each not in containers]
    for each in [*layers, *lfp.names.RULES.values()]:
        texts = [base.__doc__ or "" for base in each.__mro__] + [inspect.getmodule(each).__doc__]
        assert any("Source" in text for text in texts), each


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the documentation, built; a warning is an error."""
    pytest.importorskip("mkdocs", reason="needs the extra docs")
    pytest.importorskip("mkdocstrings", reason="needs the extra docs")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr[-2000:]
    return out


@pytest.fixture(scope="module")
def site(built):
    """HTML of the documentation's pages, by their folders."""
    return {str(page.parent.relative_to(built)): page.read_text() for page in built.rglob("index.html")}


def test_the_site_has_every_page_of_its_folder(site):
    own = {str(page.relative_to(ROOT / "docs").with_suffix("")) for page in (ROOT / "docs").rglob("*.md")}
    assert own - {"index"} | {".", "source/examples", "source/proofs", "source/CHANGELOG"} <= set(site)


def test_every_public_name_has_its_place_on_the_site(site):
    pages = "".join(page for path, page in site.items() if path.startswith("api/"))
    found = {name for name in lfp.__all__ if f'id="lfp_ref.{name}"' in pages}
    assert set(lfp.__all__) - found == {
        "models",
        "names",
        "nir",
        "onnx",
        "presets",
        "rewards",
        "rules",
        "testing",
    }  # modules: their parts are
    for kind, members in (("rules", lfp.names.RULES), ("rewards", lfp.names.REWARDS), ("models", lfp.names.NETWORKS)):
        missing = [each for each in members.values() if f'id="lfp_ref.{kind}.{each.__name__}"' not in pages]
        assert not missing, kind


def test_pages_of_layers_leave_out_internals(site):
    internal = ("backward_input", "forward_sum", "operands", "scratch", "learn_locally", "over_time")
    assert not [name for name in internal if f'.{name}"' in site["api/layers"]]


def test_links_of_the_site_lead_somewhere(site, built):
    """Links between files of the project, in whichever folder, are links of the site: to a page, or to the file."""
    for path, page in site.items():
        body = page.partition('itemprop="articleBody"')[2].partition("<footer>")[0]
        links = {link for link in re.findall(r'(?:href|src)="([^"#]+)', body) if "://" not in link}
        dead = {link for link in links if not (built / path / unquote(link)).exists()}
        assert not dead, path


def test_blocks_of_the_pages_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for page in ("index.md", "how_to.md"):
        names = {}
        for code in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL):
            if "lfp_ref.estimators" not in code or importlib.util.find_spec("sklearn"):
                exec(compile(code, page, "exec"), names)


@pytest.mark.filterwarnings("ignore::UserWarning")  # scikit-learn's about max_iter
def test_the_estimator_of_the_page_learns(capsys):
    pytest.importorskip("sklearn", reason="needs the extra sklearn")
    exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], {})
    assert float(re.fullmatch(r"test accuracy (.*)%\n", capsys.readouterr().out)[1]) >= 90


def test_documented_idioms_pass_a_strict_type_checker(tmp_path):
    pytest.importorskip("mypy", reason="needs the extra types")
    (tmp_path / "idioms.py").write_text(IDIOMS)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--follow-imports", "silent"]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run([*command, "idioms.py"], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.ipynb")), ids=lambda file: file.name)
def test_the_notebook_runs_from_top_to_bottom(file):
    nbformat = pytest.importorskip("nbformat", reason="needs the extra notebook")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra notebook")
    pytest.importorskip("ipykernel", reason="needs the extra notebook")
    pytest.importorskip("matplotlib", reason="the notebook draws: it needs the extra cli")
    book = nbformat.read(file, 4)
    stored = pictures(book)
    nbclient.NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": ROOT}}).execute()
    assert len(pictures(book)) == len(stored) == 2  # what is stored is seen without running it


def pictures(book):
    return [out for cell in book.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})]


def test_lines_in_the_table_are_python_and_commands_that_exist():
    lines = [row.split("|")[3] for row in PAGE.splitlines() if row.startswith("|") and row.count("|") == 5]
    for code in re.findall(r"`([^`]+)`", "".join(lines)):
        if code.startswith("lfp-ref"):
            done = subprocess.run(
                [sys.executable, "-m", "lfp_ref", code.split()[1], "--help"], capture_output=True, text=True
            )
            assert all(option in done.stdout for option in re.findall(r"--[a-z]+", code)), code
        else:
            ast.parse(code)


def test_what_has_no_types_is_a_kernel():
    """The type checker is told to let functions without annotations pass; nothing but kernels may use that."""
    for file in sorted((ROOT / "lfp_ref").rglob("*.py")):
        tree = ast.parse(file.read_text())
        jitted = {"forward", "times_derivative"} if file.name == "activations.py" else set()  # by `kernel_of`
        if file.name in ("blas.py", "products.py"):  # compiled further down, or plain Python without the compiler
            jitted = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.returns:
                makes = {ast.unparse(each).partition("(")[0] for each in node.decorator_list}
                assert makes & {"kernel", "parallel", "elementwise"} or node.name in jitted, (
                    f"{file.name}: {node.name} has no types"
                )
