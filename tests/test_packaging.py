"""A source distribution holds all that the repository does, and its tests run from it; a wheel holds the package."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytest.importorskip("build", reason="needs the extra lint")


def tracked():
    """The repository's files, or of a source distribution those that it lists."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a clone of the repository")
    done = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.split("\n")) - {""}


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The folder of both distributions, made from a copy of the tracked files."""
    folder = tmp_path_factory.mktemp("packed")
    for name in tracked():
        (folder / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "copy" / name)
    command = [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(folder / "copy")]
    done = subprocess.run(command, capture_output=True, text=True)
    if "Could not find a version" in done.stdout + done.stderr:
        pytest.skip("needs a package index, for setuptools")
    assert done.returncode == 0, done.stdout[-2000:]
    return folder / "dist"


def test_the_sdist_is_the_repository(packed, tmp_path):
    with tarfile.open(next(packed.glob("*.tar.gz"))) as file:
        file.extractall(tmp_path, filter="data")
    root = next(tmp_path.iterdir())
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    made = {name for name in found if name == "PKG-INFO" or name.startswith("lfp_ref.egg-info/")}
    assert found - made == tracked()
    text = (root / "PKG-INFO").read_text()
    assert not re.findall(r"\]\((?!http)", text)  # links that a package index cannot follow
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    for more in (["--collect-only", "tests", "proofs"], ["tests/test_names.py", "tests/test_summary.py"]):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more]
        done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment)
        assert done.returncode == 0, done.stdout[-2000:]


def test_the_wheel_is_the_package(packed):
    with zipfile.ZipFile(next(packed.glob("*.whl"))) as file:
        names = set(file.namelist())
    package = {name for name in tracked() if name.startswith("lfp_ref/")}
    assert {name for name in names if not re.match(r"lfp_ref-[^/]*\.(data|dist-info)/", name)} == package
    assert "lfp_ref/py.typed" in names and any(name.endswith("share/lfp-ref/page/index.html") for name in names)
