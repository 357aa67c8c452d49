"""The README's blocks run as they stand, and what it quotes and links is there."""

import re
from pathlib import Path
from textwrap import indent

import lfp_ref as lfp

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
LAYERS = sorted((Path(lfp.__file__).parent / "layers").glob("*.py"))
SOURCE = "\n".join(path.read_text() for path in LAYERS)
QUOTES = [text for _, text in BLOCKS if text in SOURCE or indent(text, "    ") in SOURCE]
CODE = [text for language, text in BLOCKS if language == "python" and text not in QUOTES]


def test_the_method_is_quoted_from_source():
    """Two blocks: the function that hands a reward back, and a kernel. Blocks that are not quotes call the package."""
    first_lines = [next(line for line in text.splitlines() if line.startswith("def ")) for text in QUOTES]
    assert [line.partition("(")[0] for line in first_lines] == ["def hand_back", "def backward_input"]
    assert all("lfp_ref" in code or "lfp." in code for code in CODE)


def test_the_first_block_holds_the_two_commands():
    """Install and train; install and test, which .ci/run takes from here. The first installs what all blocks need."""
    language, text = BLOCKS[0]
    run, test = text.strip().splitlines()
    assert language == "sh" and run.endswith("lfp-ref train") and test.endswith("python -m pytest")
    assert '".[cli]"' in run and "lfp_ref.estimators" not in "".join(CODE)


def test_the_examples_run_and_learn(capsys):
    """Each is as long as it looks and goes on from the one before; the first one is ten lines."""
    assert len([line for line in CODE[0].splitlines() if line.strip()]) == 10
    names = {}
    for code in CODE:
        exec(code, names)
        said = re.findall(r"test accuracy (.*)%\n", capsys.readouterr().out)
        assert len(said) == code.count("print(") and min(map(float, said)) >= 90
        assert float(said[-1]) == round(100 * lfp.evaluate(names["net"], names["data"]), 1)


def test_it_is_short():
    """About 120 lines, without the quotes of source."""
    assert len(README.splitlines()) - sum(text.count("\n") + 2 for text in QUOTES) <= 135


def test_linked_files_exist():
    for target in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (Path(__file__).parent.parent / target).exists(), target
