"""The cache of compiled kernels, on a small package around the real lfp_ref/kernels."""

import errno
import importlib
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("__init__.py", "cache.py", "cache_folder.py", "compile.py")
FILES = {
    "lfp_ref/__init__.py": "",
    "lfp_ref/rules.py": "SCALE = 1.0",
    "lfp_ref/training.py": "",
    "lfp_ref/layers/__init__.py": "",
    "lfp_ref/layers/helpers.py": """
        from lfp_ref.kernels.compile import kernel
        from lfp_ref.rules import SCALE

        @kernel
        def helper(x):
            return 2 * x * SCALE
        """,
    "lfp_ref/layers/callers.py": """
        from types import FunctionType
        from numba import prange
        from lfp_ref.kernels.compile import elementwise, kernel, parallel
        from lfp_ref.layers.helpers import helper

        @kernel
        def caller(x):
            return helper(x) + 1

        @parallel
        def squares(x, out):
            for k in prange(x.size):
                out[k] = x[k] * x[k]

        @elementwise
        def ramp(out, x):
            for k in prange(out.size):
                out[k] = x + k

        def around(x):
            return function(x)

        def kernel_around(function):
            return kernel(FunctionType(around.__code__, {"function": function}))
        """,
    "lfp_ref/layers/pointers.py": """
        from numba import float64
        from lfp_ref.kernels.compile import c_function
        from lfp_ref.layers.helpers import helper

        @c_function(float64(float64))
        def pointed(x):
            return helper(x) + 1
        """,
}
CALL = """
from lfp_ref.layers.callers import caller
print(caller(3.0), "cached" if caller.stats.cache_hits else "compiled")
"""


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text))


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def forget_the_package():
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "lfp_ref"}


def import_again(name="lfp_ref.layers.callers"):
    """A module as a new process would import it."""
    forget_the_package()
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module(name)


def call(kernel, *arguments):
    """(result, was it in the cache?) of a kernel that has not been called before"""
    result = kernel(*arguments)
    return result, bool(kernel.stats.cache_hits)


@pytest.fixture(autouse=True)
def usual_place(monkeypatch):
    """Whatever NUMBA_CACHE_DIR says outside."""
    monkeypatch.setattr("numba.config.CACHE_DIR", "")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of a package named lfp_ref with a kernel and its helper in two files; `import_again` finds it."""
    for name, text in FILES.items():
        write(tmp_path / name, text)
    for name in TOOLS:
        write(tmp_path / "lfp_ref/kernels" / name, (ROOT / "lfp_ref/kernels" / name).read_text())
    write(tmp_path / "lfp_ref/files.py", (ROOT / "lfp_ref/files.py").read_text())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python itself misses an edit within a second
    real = forget_the_package()
    yield tmp_path
    forget_the_package()
    sys.modules.update(real)


def start(package, code=CALL, **variables):
    usual = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "XDG_"))}
    places = {"PYTHONPATH": str(package), "HOME": str(package / "home"), "TMPDIR": str(package)}
    command = [sys.executable, "-B", "-c", code]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=package, env=usual | places | variables, **pipes)


def finish(process):
    """(output, warnings) of a process"""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip(), re.findall("UserWarning: (.*)", err)


@pytest.mark.parametrize(
    "file, old, new, result",
    [
        ("layers/helpers.py", "2 * x", "5 * x", 16),
        ("rules.py", "1.0", "2.0", 13),  # a constant from a file without kernels
        ("kernels/compile.py", "65536", "65537", 7),
    ],
)
def test_an_edit_of_anything_in_a_kernel_recompiles_it(package, file, old, new, result):
    assert call(import_again().caller, 3.0) == (7, False)
    assert call(import_again().caller, 3.0) == (7, True)
    edit(package / "lfp_ref" / file, old, new)
    assert call(import_again().caller, 3.0) == (result, False)
    assert call(import_again().caller, 3.0) == (result, True)


def test_an_edit_elsewhere_recompiles_nothing(package):
    import_again().caller(3.0)
    edit(package / "lfp_ref/training.py", "", "loss = 0\n")
    edit(package / "lfp_ref/rules.py", "SCALE", "OTHER = 2\nSCALE")
    os.utime(package / "lfp_ref/layers/helpers.py", (1, 1))  # as git does when it goes to another commit and back
    assert call(import_again().caller, 3.0) == (7, True)


def test_a_kernel_around_a_function_of_a_user_follows_the_user(package):
    formula = package / "formula.py"
    write(formula, "import numba\n\n@numba.njit\ndef formula(x):\n    return x + 1\n")
    for cached in (False, True):
        around = import_again().kernel_around(import_again("formula").formula)
        assert call(around, 1.0) == (2, cached)
    edit(formula, "x + 1", "x + 2")
    assert call(import_again().kernel_around(import_again("formula").formula), 1.0) == (3, False)


def test_a_function_for_callers_in_c_follows_an_edit(package):
    def call_from_c():
        pointed = import_again("lfp_ref.layers.pointers").pointed
        return pointed.ctypes(3.0), pointed.cache_hits

    assert [call_from_c(), call_from_c()] == [(7, 0), (7, 1)]
    edit(package / "lfp_ref/layers/helpers.py", "2 * x", "5 * x")
    assert [call_from_c(), call_from_c()] == [(16, 0), (16, 1)]


def test_a_process_with_older_source_never_supplies_one_with_newer_source(package):
    old = import_again()
    edit(package / "lfp_ref/layers/helpers.py", "2 * x", "5 * x")
    assert call(import_again().caller, 3.0) == (16, False)
    assert call(old.caller, 3.0) == (7, False)  # what it imported before the edit; saved last
    assert call(import_again().caller, 3.0) == (16, False)


def test_versions_for_one_and_all_threads_are_kept_apart(package):
    """They have one name and one place, and different processes may compile them."""
    short = np.empty(5)
    long = np.empty(70_000)
    for arrays in ([short], [long], [short, long]):
        ramp = import_again().ramp
        for array in arrays:
            ramp(array, 2.0)
            assert np.array_equal(array, 2 + np.arange(array.size))
    assert len(list(package.rglob("*.nbc"))) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-1000],
        lambda content: content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
        lambda content: bytes(range(256)) * 40,
        lambda content: pickle.dumps(["of another program"] * 100),
    ],
    ids=["empty", "20 bytes", "truncated", "one bit", "garbage", "foreign"],
)
def test_a_damaged_file_is_compiled_again_and_replaced(package, damage):
    import_again().caller(3.0)
    files = list(package.rglob("*.nbc"))
    assert len(files) == 2  # of the kernel and its helper
    for file in files:
        file.write_bytes(damage(file.read_bytes()))
    assert call(import_again().caller, 3.0) == (7, False)
    assert call(import_again().caller, 3.0) == (7, True)
    assert len(list(package.rglob("*.nbc"))) == 2


def test_a_full_disk_is_one_warning(package, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    callers = import_again()
    with monkeypatch.context() as patch, pytest.warns(UserWarning) as warned:
        patch.setattr(os, "replace", fail)
        assert call(callers.caller, 3.0) == (7, False)
    assert len(warned) == 1
    assert re.search("No space left on device.*set NUMBA_CACHE_DIR", str(warned[0].message))
    assert not list(package.rglob("*.tmp"))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_disk_that_fills_up_in_the_middle_of_a_kernel_is_one_warning(package):
    limit = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
"""
    for _ in range(2):
        out, (warning,) = finish(start(package, limit + CALL, NUMBA_CACHE_DIR=str(package / "full")))
        assert out == "7.0 compiled" and "File too large" in warning
    assert [file for file in (package / "full").rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("place", ["NUMBA_CACHE_DIR", "package and home"])
def test_an_unwritable_folder_is_one_warning_and_a_private_folder(package, place):
    """Root may write anywhere but below a file and in /proc."""
    no_folder = package / "file"
    write(no_folder, "")
    if place == "NUMBA_CACHE_DIR":
        variables = {"NUMBA_CACHE_DIR": str(no_folder / "x")}
    else:
        variables = {"HOME": str(no_folder)}
        (package / "lfp_ref/layers/__pycache__").symlink_to("/proc")
    for state in ("compiled", "cached"):
        out, (warning,) = finish(start(package, **variables))
        assert out == f"7.0 {state}"
        assert re.search(f"cannot write.*{no_folder}.*kept in {package}/lfp_ref-.*set NUMBA_CACHE_DIR", warning)
    (private,) = package.glob("lfp_ref-*")
    assert private.stat().st_mode & 0o777 == 0o700


def open_to_others(folder):
    folder.mkdir()
    folder.chmod(0o777)


def link(folder):
    (folder.parent / "elsewhere").mkdir(0o700)
    folder.symlink_to("elsewhere")


def of_another_user(folder):
    folder.mkdir(0o700)
    try:
        os.chown(folder, 12345, -1)
    except PermissionError:
        pytest.skip("only root can give a folder away")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no user numbers")
@pytest.mark.parametrize("make", [open_to_others, link, of_another_user])
def test_a_temporary_folder_that_is_not_private_is_not_used(package, monkeypatch, make):
    monkeypatch.setattr(tempfile, "tempdir", str(package))
    monkeypatch.setattr("numba.config.CACHE_DIR", str(package / "lfp_ref/rules.py/x"))
    make(package / f"lfp_ref-{os.getuid()}")
    for _ in range(2):
        with pytest.warns(UserWarning, match="so each process compiles its own") as warned:
            assert call(import_again().caller, 3.0) == (7, False)
        assert len(warned) == 1
    assert not list(package.rglob("*.nbc"))


def test_processes_that_start_together_share_the_cache(package):
    code = "from lfp_ref.layers.callers import caller\nprint(caller(3.0), caller(3), caller(True))"
    together = [start(package, code) for _ in range(4)]
    for process in together:
        assert finish(process) == ("7.0 7.0 3.0", [])
    assert call(import_again().caller, 3.0) == (7, True)
    assert len(list(package.rglob("*.nbc"))) == 6
    assert not list(package.rglob("*.tmp"))


def test_a_folder_deleted_after_the_import_is_made_again(package):
    callers = import_again()
    shutil.rmtree(package / "lfp_ref/layers/__pycache__")
    callers.caller(3.0)
    assert call(import_again().caller, 3.0) == (7, True)


def test_numba_cache_dir_is_the_place(package, monkeypatch):
    monkeypatch.setattr("numba.config.CACHE_DIR", str(package / "chosen"))
    import_again().caller(3.0)
    assert call(import_again().caller, 3.0) == (7, True)
    assert len(list(package.rglob("*.nbc"))) == len(list(package.glob("chosen/*/*.nbc"))) == 2


def test_functions_of_users_stay_in_numbas_cache(package):
    write(package / "users.py", "import numba\n\n@numba.njit(cache=True)\ndef double(x):\n    return 2 * x\n")
    for cached in (False, True):
        import_again().caller(3.0)
        assert call(import_again("users").double, 1.0) == (2, cached)
    assert len(list(package.glob("__pycache__/users.double-*.nbi"))) == 1
    assert not list(package.rglob("lfp_ref/**/*.nbi"))


def test_a_kernel_without_a_source_file_is_compiled(package):
    import_again()
    found = {}
    exec("from lfp_ref.kernels.compile import kernel\n@kernel\ndef double(x):\n    return 2 * x\n", found)
    assert call(found["double"], 1.0) == (2, False)


def test_without_jit_the_decorators_leave_python(package):
    code = """
import numpy, types
from lfp_ref.layers.callers import caller, ramp, squares
out = numpy.empty(3)
ramp(out, 2.0)
squares(out, out)
print(caller(3.0), type(caller) is type(squares) is types.FunctionType, out)
"""
    assert finish(start(package, code, NUMBA_DISABLE_JIT="1")) == ("7.0 True [ 4.  9. 16.]", [])


def test_a_numba_with_other_private_names_keeps_its_own_cache(package, monkeypatch):
    monkeypatch.delattr("numba.core.caching.NullCache")
    for cached in (False, True):
        assert call(import_again().caller, 3.0) == (7, cached)
    assert len(list(package.rglob("*.nbi"))) == 2


def test_the_cache_knows_every_file_that_holds_kernels(package):
    import_again()
    patterns = sys.modules["lfp_ref.kernels.cache"].KERNEL_FILES
    known = {file for pattern in patterns for file in (ROOT / "lfp_ref").glob(pattern)}
    for file in (ROOT / "lfp_ref").rglob("*.py"):
        assert file in known or "kernels.compile" not in file.read_text(), file
