"""The links of proofs/**/*.md: to files, to lines of theorems in .v files, to lines of functions in .py files.

    python -m proofs.links        sets the line of every link [`name`](file#L12) to where that name is defined

A link with a line must have the name of what is defined there as its text; the tests hold it to that.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
DEFINED = {
    ".v": r"^\s*(?:Theorem|Lemma|Corollary|Definition|Fixpoint|Inductive|Record)\s+{}\b",
    ".py": r"^\s*(?:def|class)\s+{}\b|^{}\s*(?:=|:)",
    ".md": r"^#+ .*{}",
}


def pages() -> list[Path]:
    return sorted(HERE.rglob("*.md"))


def line_of(path: Path, name: str) -> int | None:
    """Where a name is defined in a file, counted from 1."""
    pattern = re.compile(DEFINED[path.suffix].replace("{}", re.escape(name)))
    return next((n for n, line in enumerate(path.read_text().splitlines(), 1) if pattern.match(line)), None)


def problems(page: Path) -> list[str]:
    """What is wrong with a page's links."""
    found = []
    for text, target, anchor in LINK.findall(page.read_text()):
        path, name = (page.parent / target).resolve() if target else page, text.strip("`")
        if not path.exists():
            found.append(f"{target}: no such file")
        elif anchor and anchor.startswith("L") and line_of(path, name) != int(anchor[1:]):
            found.append(f"{target}#{anchor}: {name} is defined at line {line_of(path, name)}")
    return found


def renew(page: Path) -> None:
    """Sets every line to where the name in the link's text is defined; a name that is nowhere stays as it is."""

    def put(match: re.Match) -> str:
        text, target, anchor = match.groups()
        path = (page.parent / target).resolve()
        if not anchor or not anchor.startswith("L") or not path.is_file():
            return match[0]
        line = line_of(path, text.strip("`"))
        return f"[{text}]({target}#L{line})" if line else match[0]

    page.write_text(LINK.sub(put, page.read_text()))


def main() -> None:
    for page in pages():
        renew(page)
    wrong = [f"{page.relative_to(HERE)}: {problem}" for page in pages() for problem in problems(page)]
    print("\n".join(wrong) or "every link leads somewhere")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
