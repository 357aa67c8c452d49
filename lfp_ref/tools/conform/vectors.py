"""The vectors: cases in families, one JSON file each, and index.json. The format is described in docs/porting.md."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.files import LOCK, locked, written_whole
from lfp_ref.reading import read_json

FORMAT, VERSION = "lfp-ref vectors", 2
SHIPPED = Path(__file__).parent / "vectors"
DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Quantity:
    """What a port has to find, or may show on the way (is_result False).

    value: float64. tolerance: absolute, of value's shape, for each of DTYPES.
    """

    name: str
    value: np.ndarray
    tolerance: dict[str, np.ndarray]
    is_result: bool


@dataclass(frozen=True)
class Case:
    """One computation. about: everything but the numbers, as in the file. expected: in the order of computing."""

    name: str
    about: dict[str, Any]
    inputs: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray]
    expected: dict[str, Quantity]


def load(folder: str | Path = SHIPPED) -> list[Case]:
    """All cases of a folder, in the order of its index.

    Raises ValueError where the folder holds no vectors, or of another version; OSError where a file is missing.
    """
    folder = Path(folder)
    if not (folder / "index.json").is_file():
        raise ValueError(f"{folder} holds no vectors: there is no index.json; write some with lfp-ref conform export")
    return [case for family in index(folder)["families"] for case in cases_of(folder, family)]


def index(folder: Path) -> dict[str, Any]:
    """What index.json says: the version, and the names of all cases by family."""
    return document(folder, "index", "families", dict)


def cases_of(folder: Path, family: str) -> list[Case]:
    """The cases of a family. Raises ValueError, with the case's number, for one that is not in the format."""
    cases = []
    for number, about in enumerate(document(folder, family, "cases", list)["cases"]):
        try:
            cases.append(case_of(about))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            place = f"{folder / family}.json, case {number}"
            raise ValueError(f"{place}: not in the format of docs/porting.md ({error!r})") from None
    return cases


def document(folder: Path, family: str, entry: str, kind: type) -> dict[str, Any]:
    """A file of vectors. Raises ValueError where it is none, of another version, or without an entry of that kind."""
    path = folder / f"{family}.json"
    try:
        found = read_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{path} is no file of vectors: it has no format {FORMAT!r}")
    if found.get("version") != VERSION:
        raise ValueError(f"{path} has vectors of version {found.get('version')}, this program checks {VERSION}")
    if not isinstance(found.get(entry), kind):
        raise ValueError(f"{path} is damaged: it has no {entry}")
    return found


def case_of(stored: dict[str, Any]) -> Case:
    """A case from its part of a family's file."""
    arrays = {
        kind: {name: array_of(value) for name, value in stored[kind].items()} for kind in ("inputs", "parameters")
    }
    expected = {}
    for quantity in stored["expected"]:
        value = array_of(quantity)
        limits = {dtype: np.array(quantity[dtype], float).reshape(value.shape) for dtype in DTYPES}
        expected[quantity["name"]] = Quantity(quantity["name"], value, limits, quantity["role"] == "result")
    about = {key: value for key, value in stored.items() if key not in ("inputs", "parameters", "expected")}
    return Case(stored["name"], about, arrays["inputs"], arrays["parameters"], expected)


def array_of(stored: dict[str, Any]) -> np.ndarray:
    """The array of a stored {"shape": ..., "data": ...}."""
    return np.array(stored["data"], float).reshape(stored["shape"])


def export(folder: str | Path) -> int:
    """Writes index.json and for each family .json and .npz into a folder, made where it is missing.

    Returns the number of cases. Raises ValueError where the folder holds other things than vectors.
    """
    folder = Path(folder)
    names = ["index", *index(SHIPPED)["families"]]
    files = {f"{name}.{ending}" for name in names for ending in ("json", "npz")}
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; export takes a folder")
    with locked(folder):
        if others := sorted({path.name for path in folder.iterdir()} - files - {LOCK}):
            raise ValueError(f"{folder} holds other files ({others[0]}): choose a folder for the vectors alone")
        for name in names:
            with written_whole(folder / f"{name}.json") as file:
                file.write((SHIPPED / f"{name}.json").read_bytes())
        for family in names[1:]:
            arrays: Any = as_arrays(cases_of(SHIPPED, family))
            with written_whole(folder / f"{family}.npz") as file:
                np.savez(file, **arrays)
    return len(load(folder))


def as_arrays(cases: list[Case]) -> dict[str, np.ndarray]:
    """The same content for .npz: arrays by "case/inputs/name", ..., and "cases", a JSON text of what is no array."""
    arrays, abouts = {}, []
    for case in cases:
        for name, value in case.inputs.items():
            arrays[f"{case.name}/inputs/{name}"] = value
        for name, value in case.parameters.items():
            arrays[f"{case.name}/parameters/{name}"] = value
        for name, quantity in case.expected.items():
            arrays[f"{case.name}/expected/{name}"] = quantity.value
            for dtype in DTYPES:
                arrays[f"{case.name}/{dtype}/{name}"] = quantity.tolerance[dtype]
        roles = [{"name": q.name, "role": "result" if q.is_result else "intermediate"} for q in case.expected.values()]
        abouts.append({**case.about, "expected": roles})
    return {"cases": np.array(json.dumps(abouts))} | arrays


def text(value: Any, indent: str = "") -> str:
    """JSON to read: an entry a line, but lists of numbers, and what is short, on one line. Floats round-trip."""
    short = json.dumps(value, allow_nan=False)
    is_plain = not isinstance(value, dict | list) or (isinstance(value, list) and not any(map(is_nested, value)))
    if is_plain or len(short) + len(indent) <= 110:
        return short
    inner = indent + " "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {text(item, inner)}" for key, item in value.items()]
    else:
        lines = [inner + text(item, inner) for item in value]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    body = ",\n".join(lines)
    return f"{begin}\n{body}\n{indent}{end}"


def is_nested(value: Any) -> bool:
    """Whether a value holds others."""
    return isinstance(value, dict | list)
