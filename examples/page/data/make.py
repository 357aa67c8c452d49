"""Writes toys.js and digits.js, the package's data sets as JavaScript: python examples/page/data/make.py

A point is two numbers in single precision, a digit 64 letters from 0 to g (16), row by row.
"""

from pathlib import Path

import numpy as np

import lfp_ref as lfp

FILE = """// {note}. Written by make.py
"use strict";

function {function}() {{
  return {{
{content}  }};
}}

if (typeof module === "object") module.exports = {function};
"""


def toys() -> str:
    """blobs, circles and swirls of 400 points."""
    content = ""
    for name in ("blobs", "circles", "swirls"):
        data = getattr(lfp.datasets, name)(400)
        content += f"    {name}: {{\n      classes: {data.classes},\n"
        for part in ("train", "test"):
            x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
            content += f"      x_{part}: [{', '.join(map(str, x.ravel()))}],\n"
            content += f'      y_{part}: "{"".join(map(str, y))}",\n'
        content += "    },\n"
    note = "lfp_ref.datasets.blobs(400), circles(400), swirls(400)"
    return FILE.format(note=note, function="pageToys", content=content)


def digits() -> str:
    """The digits, in the order of load_digits."""
    data = lfp.datasets.load_digits()
    content = ""
    for part in ("train", "test"):
        pixels = np.rint((getattr(data, f"x_{part}").ravel() + 1) * 8).astype(int)
        content += f'    {part}: "{"".join("0123456789abcdefg"[p] for p in pixels)}",\n'
        content += f'    {part}_labels: "{"".join(map(str, getattr(data, f"y_{part}")))}",\n'
    return FILE.format(note="lfp_ref.datasets.load_digits()", function="pageDigitTexts", content=content)


if __name__ == "__main__":
    for file, text in (("toys.js", toys()), ("digits.js", digits())):
        Path(__file__).with_name(file).write_text(text)
