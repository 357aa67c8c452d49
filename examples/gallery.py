"""The gallery: all examples' figures and claims on one page, and the table of claims in the project's README.

    python examples/gallery.py                   writes both pages from what is in results/
    python examples/gallery.py --run             runs every example first: about an hour and a half on one core
    python examples/gallery.py --run --quick --out FOLDER/results    a small version into another folder: minutes

Text comes from the examples' docstrings, numbers from the tables they wrote; nothing on these pages is typed in.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from pathlib import Path

import common

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- written by examples/gallery.py -->", "<!-- end of what examples/gallery.py wrote -->"
INTRO = """# Gallery

What is claimed of LFP, each claim tried by a script that runs on a CPU. Learning rates and other settings were chosen
on held-out training data; spreads are mean (lowest to highest) over seeds; minutes are of processor time.
`python examples/gallery.py --run` does it all again; each script alone takes `--quick` and `--out FOLDER`.
"""


def examples() -> list[Path]:
    return sorted(HERE.glob("[0-9][0-9]_*.py"))


def claims(results: Path) -> list[dict]:
    """The lines of all claims' tables in a folder, in the examples' order."""
    files = (results / f"{script.stem}_claims.csv" for script in examples())
    return [row for file in files if file.exists() for row in common.read_table(file)]


def table(rows: list[dict], scripts: str) -> str:
    """The claims as a Markdown table; scripts: the way to the scripts."""
    lines = ["| claim | reached | seeds | minutes |", "| --- | --- | --- | --- |"]
    for row in rows:
        claim = f"[{row['claim']}]({scripts}{row['example']}.py)"
        cells = (claim, row["reached"], row["seeds"], row["minutes"] or "not timed")
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def section(script: Path, results: Path) -> str:
    """What one example says of itself, its figures, and where its tables are."""
    title, _, body = ast.get_docstring(ast.parse(script.read_text())).partition("\n")
    body = re.sub(r"\n {4}.*", "", body).strip()  # without the commands, which are indented by four
    figures = [f"![{title}]({results.name}/{file.name})" for file in sorted(results.glob(f"{script.stem}*.png"))]
    tables = [f"[{file.name}]({results.name}/{file.name})" for file in sorted(results.glob(f"{script.stem}*.csv"))]
    files = f"[{script.name}]({script.name})" + (f"; tables: {', '.join(tables)}" if tables else "")
    return "\n\n".join((f"## {title.rstrip('.')}", *figures, body, files))


def page(results: Path) -> str:
    sections = [section(script, results) for script in examples()]
    return "\n\n".join((INTRO.strip(), table(claims(results), ""), *sections)) + "\n"


def with_claims(text: str, rows: list[dict]) -> str:
    """A text with the claims between the two marks. ValueError where it has no such marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no place for the claims: the text needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table(rows, f'{HERE.name}/')}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run every example first")
    parser.add_argument("--quick", action="store_true", help="run their quick versions")
    parser.add_argument("--out", type=Path, default=common.RESULTS, help="folder of tables and figures (%(default)s)")
    options = parser.parse_args()
    if options.run:
        for script in examples():
            print(f"\n{script.name}", flush=True)
            quick = ["--quick"] if options.quick else []
            subprocess.run([sys.executable, script, *quick, "--out", options.out], check=True)
    (options.out.parent / "README.md").write_text(page(options.out))
    if options.out.resolve() == common.RESULTS.resolve():
        README.write_text(with_claims(README.read_text(), claims(options.out)))


if __name__ == "__main__":
    main()
