"""The README's example and commands are what they say."""

import re
from importlib.util import find_spec
from pathlib import Path
from textwrap import indent

import pytest

import lfp_ref as lfp

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def quotes():
    """Blocks that begin with a definition stand in the package's source, indented there or not."""
    return [text for language, text in BLOCKS if language == "python" and re.match(r"@|def ", text)]


def test_quoted_code_is_the_code_that_runs():
    source = "\n".join(path.read_text() for path in sorted((Path(lfp.__file__).parent / "layers").glob("*.py")))
    assert len(quotes()) == 2
    for text in quotes():
        assert text in source or indent(text, "    ") in source, text


def test_the_first_block_holds_the_two_commands():
    language, text = BLOCKS[0]
    run, test = text.strip().splitlines()
    assert language == "sh" and run.endswith("lfp-ref train") and test.endswith("python -m pytest")


@pytest.mark.filterwarnings("ignore::UserWarning")  # scikit-learn's about max_iter
def test_the_examples_run_and_learn(capsys):
    """Each is as long as it looks and goes on from the one before; the first one is ten lines."""
    blocks = [text for language, text in BLOCKS if language == "python" and text not in quotes()]
    assert len([line for line in blocks[0].splitlines() if line.strip()]) == 10
    names = {}
    for code in blocks:
        if "lfp_ref.estimators" in code and not find_spec("sklearn"):
            continue  # the one block that needs an extra
        exec(code, names)
        said = float(re.fullmatch(r"test accuracy (.*)%\n", capsys.readouterr().out)[1])
        assert said >= 90 and said == round(100 * lfp.evaluate(names["net"], names["data"]), 1)


def test_linked_files_exist():
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target
