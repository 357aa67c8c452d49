"""Code that a page quotes is the code of the package, word for word.

A quote is a Python block behind a line <!-- source: FILE NAME -->: the function or class of that name, with decorators.
"""

import ast
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "proofs").rglob("*.md"))]
QUOTE = re.compile(r"<!-- source: (\S+) (\S+) -->\n```python\n(.*?)\n```", re.DOTALL)


def quotes():
    return [(page, *found) for page in PAGES for found in QUOTE.findall(page.read_text(encoding="utf-8"))]


def definition(file, name):
    """The text of a function or class of a file, without the indentation of the class it is in."""
    text = (ROOT / file).read_text(encoding="utf-8")
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    found = [node for node in nodes if node.name == name]
    assert len(found) == 1, f"{file} has {len(found)} definitions of {name}"
    first = min(part.lineno for part in (found[0], *found[0].decorator_list))
    return textwrap.dedent("\n".join(text.splitlines()[first - 1 : found[0].end_lineno]))


@pytest.mark.parametrize(("page", "file", "name", "text"), quotes())
def test_a_quote_is_the_source(page, file, name, text):
    assert text == definition(file, name), f"{page.name} quotes {name} of {file} as it is no longer"


def test_all_python_in_the_guide_for_ports_is_quoted():
    text = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
    assert len(QUOTE.findall(text)) == text.count("```python") >= 2
    assert text.count("<!-- source:") == text.count("```python")
