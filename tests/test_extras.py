"""Where an extra is missing: what to install is said, and the rest works. (Each extra's own tests have the details.)"""

import importlib
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

import lfp_ref as lfp
from lfp_ref.tools import figures

PACKAGE = Path(lfp.__file__).parent


def test_estimators_without_scikit_learn(monkeypatch):
    monkeypatch.delitem(sys.modules, "lfp_ref.estimators", raising=False)
    for module in ("sklearn", "sklearn.base"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install scikit-learn .*extra "sklearn"\)\. Without it, networks train'):
        importlib.import_module("lfp_ref.estimators")


def test_an_older_scikit_learn_is_told_apart_from_a_missing_one(monkeypatch):
    sklearn = pytest.importorskip("sklearn.utils", reason="needs the extra sklearn")
    monkeypatch.delitem(sys.modules, "lfp_ref.estimators", raising=False)
    monkeypatch.delattr(sklearn, "Tags")
    monkeypatch.setattr("sklearn.__version__", "1.5.2")
    with pytest.raises(ImportError, match=r"needs scikit-learn 1\.6 or newer, got 1\.5\.2: .* --upgrade scikit-learn"):
        importlib.import_module("lfp_ref.estimators")


def test_pictures_without_matplotlib(monkeypatch):
    for module in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="A picture needs matplotlib: python -m pip install matplotlib"):
        figures.new_figure(1, 1)


def test_the_core_imports_none_of_them_and_every_hint_names_an_extra_that_has_the_package():
    setup = ConfigParser()
    setup.read(PACKAGE.parent / "setup.cfg")
    extras = dict(setup["options.extras_require"])
    hints = re.findall(
        r'MissingExtra\(\s*f?"[^"]*",\s*"([A-Za-z-]+)[^"]*",\s*"([a-z]+)"',
        "".join(file.read_text() for file in PACKAGE.rglob("*.py")),
    )
    assert len(hints) == 11
    for package, extra in hints:
        assert package in extras[extra], (package, extra)
    modules = [
        "sklearn",
        "safetensors",
        "joblib",
        "dask",
        "distributed",
        "pooch",
        "pandas",
        "matplotlib",
        "tqdm",
        "onnx",
        "nir",
        "PIL",
        "shtab",
    ]
    code = f"import sys, lfp_ref, lfp_ref.tools.cli; print([m for m in {modules} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
