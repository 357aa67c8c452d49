"""A source distribution holds all that the repository does, its tests run from it; a wheel works where installed."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STEP = """
import os, tempfile
tempfile.tempdir = "/nonexistent"  # not even /tmp is writable
import numpy as np
import lfp_ref as lfp
folders = [folder for folder, *_ in os.walk(os.path.dirname(lfp.__file__))]
assert len(folders) > 10 and not any(os.access(folder, os.W_OK) for folder in folders)
net = lfp.Sequential(lfp.Dense(4, 3), lfp.ReLU(), lfp.Dense(3, 2))
net.feedback(net.forward(np.ones((5, 4))))
lfp.optim.SGD(net.parameters(), lr=0.1).step()
print("user", os.getuid(), net.forward(np.ones((5, 4))).shape)
"""


def tracked():
    """The repository's files, or of a source distribution those that it lists."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a clone of the repository")
    done = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.split("\n")) - {""}


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The folder of both distributions, made from a copy of the tracked files."""
    pytest.importorskip("build", reason="needs the extra lint")
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


@pytest.fixture(scope="module")
def installed(packed):
    """The folder of a virtual environment with the wheel, and behind it the packages of this one; all may read it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", name], check=True)
        (wheel,) = packed.glob("*.whl")
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python")]
        command = [*pip, "install", "--no-deps", "--no-index", str(wheel)]
        done = subprocess.run(command, capture_output=True, text=True, env=outside())  # not what PYTHONPATH leads to
        assert done.returncode == 0, done.stderr
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "behind.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
        yield folder


def outside():
    """The environment without what would lead a process to the repository or to another cache."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "PYTHON", "XDG_", "LFP_REF_"))}


def test_the_lowest_versions_are_those_that_are_tested():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = (ROOT / ".ci" / "lowest.txt").read_text().splitlines()
    tested = {line.replace("==", ">=") for line in lines if not line.startswith("#")}
    assert set(setup["options"]["install_requires"].split()) == tested
    versions = re.findall(r"Python :: 3\.(\d+)", setup["metadata"]["classifiers"])
    assert setup["options"]["python_requires"] == f">=3.{min(map(int, versions))}"


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


@pytest.mark.parametrize(
    "arguments, says",
    [
        ("train --epochs 1 --limit 100", "test accuracy"),
        ("page --help", "usage: lfp-ref page"),
        ("conform export vectors", "235 cases"),
    ],
)
def test_an_installed_wheel_has_its_commands(installed, tmp_path, arguments, says):
    command = [str(installed / "bin/lfp-ref"), *arguments.split()]
    environment = outside() | {"NUMBA_DISABLE_JIT": "1"}  # compiling takes longer than all this in Python
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0 and says in done.stdout, done.stderr


def test_an_installed_wheel_finds_its_page(installed, tmp_path):
    code = "import lfp_ref.tools.cli.page as page; print(page.__file__, page.folder())"
    done = subprocess.run(
        [str(installed / "bin/python"), "-c", code], capture_output=True, text=True, cwd=tmp_path, env=outside()
    )
    assert done.returncode == 0 and done.stdout.count(str(installed)) == 2, done.stdout + done.stderr


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no user numbers")
def test_another_user_who_can_write_nowhere_trains(installed):
    """Root would write anywhere: it becomes `nobody`, who may read what root may, such as a Python below /root."""
    command = [str(installed / "bin/python"), "-c", STEP]
    user = os.getuid()
    if user == 0:
        user = 65534
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        become += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
        if not shutil.which("setpriv") or subprocess.run([*become, "true"]).returncode:
            pytest.skip("root needs setpriv, and leave, to become another user")
        command = [*become, *command]
    folders = [installed, *(path for path in installed.rglob("*") if path.is_dir() and not path.is_symlink())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        environment = outside() | {"HOME": "/nonexistent"}
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.returncode == 0 and done.stdout == f"user {user} (5, 2)\n", done.stderr
    (warning,) = re.findall("UserWarning: (.*)", done.stderr)
    assert "cannot write compiled kernels" in warning and "so each process compiles its own" in warning
