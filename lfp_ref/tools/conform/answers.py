"""Answers of a port: any number of .json and .npz files in a folder, each with some cases.

.json   {"dense/epsilon": {"0.output": {"shape": [3, 4], "data": [...12 numbers, row-major]}, ...}, ...}
.npz    arrays named "dense/epsilon/0.output"
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.reading import read_json, read_npz

LARGEST = int(np.finfo(float).max)

Answers = dict[str, dict[str, Any]]  # case -> quantity -> array, or a text: the error in it


def read(folder: str | Path) -> tuple[Answers, list[str]]:
    """(answers, errors in whole files).

    Raises ValueError where the folder holds no answers at all.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; answers are .json or .npz files in one")
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".npz"))
    if not files:
        raise ValueError(f"{folder} holds no answers: no .json and no .npz file")
    answers: Answers = {}
    problems: list[str] = []
    origin: dict[tuple[str, str], str] = {}
    for path in files:
        try:
            for case, quantity, value in (_from_json if path.suffix == ".json" else _from_npz)(path):
                if (case, quantity) in origin:
                    value = f"answered twice, in {origin[case, quantity]} and {path.name}"
                origin[case, quantity] = path.name
                answers.setdefault(case, {})[quantity] = value
        except ValueError as error:
            problems.append(f"{path.name}: {error}")
    return answers, problems


def _from_json(path: Path) -> Iterator[tuple[str, str, Any]]:
    try:
        found = read_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"not JSON, or not written to its end ({error})") from None
    if isinstance(found, dict) and "format" in found:
        raise ValueError("these are vectors, no answers; the folder of answers comes second: check VECTORS ANSWERS")
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise ValueError('expected {"case": {"quantity": {"shape": [...], "data": [...]}}}')
    for case, quantities in found.items():
        for quantity, value in quantities.items():
            yield case, quantity, _array(value)


def _array(value: Any) -> Any:
    """The array that {"shape", "data"} means, or a text."""
    if not isinstance(value, dict) or not {"shape", "data"} <= set(value):
        return f'malformed: expected {{"shape": [...], "data": [...]}}, got {json.dumps(value)[:40]}'
    shape, data = value["shape"], value["data"]
    if not isinstance(shape, list) or not all(isinstance(n, int) and n >= 0 for n in shape):
        return f"malformed: shape must be a list of sizes, got {json.dumps(shape)[:40]}"
    if not isinstance(data, list):
        return f"malformed: data must be a flat list of numbers, got {json.dumps(data)[:40]}"
    for place, number in enumerate(data):
        if number is None:
            return f"null at place {place} of data: what became NaN or infinity on the way to JSON?"
        if isinstance(number, bool) or not isinstance(number, int | float):
            return f"malformed: data must be a flat list of numbers, got {json.dumps(number)[:40]} at place {place}"
    if len(data) != math.prod(shape):
        return f"data has {len(data)} numbers, shape {shape} needs {math.prod(shape)}: truncated?"
    try:
        return np.array(data, float).reshape(shape)
    except OverflowError:
        place = next(i for i, number in enumerate(data) if isinstance(number, int) and abs(number) > LARGEST)
        return f"malformed: the number at place {place} of data is beyond float64"


def _from_npz(path: Path) -> Iterator[tuple[str, str, Any]]:
    for name, array in read_npz(path).items():
        case, _, quantity = name.rpartition("/")
        yield case, quantity, _checked(array)


def _checked(array: np.ndarray) -> Any:
    return array.astype(float) if array.dtype.kind in "fiub" else f"malformed: dtype {array.dtype} is no real number"
