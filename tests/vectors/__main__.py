"""python -m tests.vectors [FOLDER]: writes the vectors, by default to where the package ships them."""

from __future__ import annotations

import sys
from pathlib import Path

from lfp_ref.tools.conform import vectors
from tests.vectors.families import FAMILIES


def generate():
    """file name -> text, the index first."""
    head = {"format": vectors.FORMAT, "version": vectors.VERSION}
    cases = {family: [case.as_json() for case in make()] for family, make in FAMILIES.items()}
    index = {family: [case["name"] for case in found] for family, found in cases.items()}
    files = {"index.json": {**head, "families": index}}
    files |= {f"{family}.json": {**head, "family": family, "cases": found} for family, found in cases.items()}
    return {name: vectors.text(document) + "\n" for name, document in files.items()}


def main(folder=vectors.SHIPPED):
    for name, text in generate().items():
        (Path(folder) / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
