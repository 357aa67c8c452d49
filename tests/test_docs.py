"""What is written about the package is there, builds, and runs."""

import ast
import importlib
import inspect
import pkgutil
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import lfp_ref as lfp

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "ecosystem.md").read_text()


def modules():
    return [info.name for info in pkgutil.walk_packages(lfp.__path__, "lfp_ref.") if not info.name.endswith("__main__")]


def test_every_public_name_is_documented():
    for name in modules():
        if name == "lfp_ref.estimators":
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
    containers = (lfp.Layer, lfp.Sequential)  # they compute nothing themselves
    layers = [each for each in layers if issubclass(each, lfp.Layer) and each not in containers]
    for each in [*layers, *lfp.names.RULES.values()]:
        texts = [base.__doc__ or "" for base in each.__mro__] + [inspect.getmodule(each).__doc__]
        assert any("Source" in text for text in texts), each


def test_the_api_pages_build_without_a_warning(tmp_path):
    pytest.importorskip("pdoc", reason="needs the extra docs")
    pytest.importorskip("sklearn", reason="needs the extra sklearn: its module has a page too")
    command = shlex.split(re.search(r"python (-W error .* -m pdoc .*) -o build/api", PAGE)[1])
    done = subprocess.run([sys.executable, *command, "-o", tmp_path], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and "Warn" not in done.stderr, done.stderr[-2000:]
    pages = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.html")}
    assert {
        "lfp_ref.html",
        "lfp_ref/rules.html",
        "lfp_ref/layers/dense.html",
        "lfp_ref/training.html",
        "lfp_ref/estimators.html",
    } <= pages
    assert "load_weights" in (tmp_path / "lfp_ref.html").read_text()


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.ipynb")), ids=lambda file: file.name)
def test_the_notebook_runs_from_top_to_bottom(file):
    nbformat = pytest.importorskip("nbformat", reason="needs the extra notebook")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra notebook")
    pytest.importorskip("ipykernel", reason="needs the extra notebook")
    pytest.importorskip("matplotlib", reason="the notebook draws: it needs the extra cli")
    book = nbformat.read(file, 4)
    assert not any(cell.get("outputs") for cell in book.cells)  # kept clean: whoever opens it runs it
    nbclient.NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": ROOT}}).execute()
    pictures = [out for cell in book.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})]
    assert len(pictures) == 2


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
