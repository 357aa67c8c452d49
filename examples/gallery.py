"""The gallery: all examples' figures and claims on one page.

    python examples/gallery.py                   writes README.md from the contents of results/
    python examples/gallery.py --run             runs every example first: about an hour and a half on one core
    python examples/gallery.py --run --quick     a small version, into runs/examples/: minutes

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


def table(rows: list[dict]) -> str:
    """The claims as a Markdown table."""
    lines = ["| claim | reached | seeds | minutes |", "| --- | --- | --- | --- |"]
    for row in rows:
        claim = f"[{row['claim']}]({row['example']}.py)"
        cells = (claim, row["reached"], row["seeds"], row["minutes"] or "not timed")
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def section(script: Path, results: Path) -> str:
    """What one example says of itself, its figures, and where its tables are."""
    title, _, body = ast.get_docstring(ast.parse(script.read_text())).partition("\n")
    body = re.sub(r"\n {4}(python |\(the numbers in).*", "", body).strip()  # commands stand in the script
    figures = [f"![{title}]({results.name}/{file.name})" for file in sorted(results.glob(f"{script.stem}*.png"))]
    tables = [f"[{file.name}]({results.name}/{file.name})" for file in sorted(results.glob(f"{script.stem}*.csv"))]
    files = f"[{script.name}]({script.name})" + (f"; tables: {', '.join(tables)}" if tables else "")
    return "\n\n".join((f"## {title.rstrip('.')}", *figures, body, files))


def page(results: Path) -> str:
    sections = [section(script, results) for script in examples()]
    return "\n\n".join((INTRO.strip(), table(claims(results)), *sections)) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run every example first")
    parser.add_argument("--quick", action="store_true", help="run their quick versions")
    common.add_out(parser)
    options = parser.parse_args()
    out = common.out_folder(parser, options)
    if options.run:
        for script in examples():
            print(f"\n{script.name}", flush=True)
            quick = ["--quick"] if options.quick else []
            subprocess.run([sys.executable, script, *quick, "--out", out], check=True)
    (out.parent / "README.md").write_text(page(out))


if __name__ == "__main__":
    main()
