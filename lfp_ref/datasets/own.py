"""People's own data: an .npz file of arrays x and y, a .csv file, or a folder of pictures by class.

Each kind of file is read as inputs and targets; what is made of them is the same for all: text and whole numbers are
labels of classes, other numbers are to be predicted, a fifth of the samples, drawn at random once and for all, is the
test part.
"""

from __future__ import annotations

import csv
import os
from array import array
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.core.checks import check_one_of, refuse, shown
from lfp_ref.datasets.base import MOST_CLASSES, Dataset, listed, split
from lfp_ref.datasets.pictures import is_divided, read_pictures
from lfp_ref.reading import read_npz

SUFFIXES = (".npz", ".csv")
TASKS = ("classification", "regression")
CHANNELS = (1, 3, 4)  # of a picture: grey, colour, colour and transparency


def load_own(
    path: str | os.PathLike[str], column: str | None = None, task: str | None = None, whole: bool = False
) -> Dataset:
    """Own data: an .npz or .csv file, or a folder with a folder of pictures for each class.

    .npz, as numpy.savez(path, x=x, y=y) writes it: x (N, I) points, (N, H, W) or (N, C, H, W) images, real numbers; y
    (N,) or (N, 1). Channels last, (N, H, W, C), are taken for it where C is 1, 3 or 4 and H is not.
    .csv: a line a sample; a first line without a number names the columns. column: name, or number from 1, of the
    targets; None is the last.
    Pictures (extra `images`) have one size; x is -1..1. Folders train and test of such folders are the two parts.
    task: "classification" or "regression"; None decides by the targets: text and whole numbers are classes, in order.
    whole: all samples are the test part, in the file's order, unless folders say what is; one class will do.
    In the data set, x is float32; y is int64 labels with class_names, or float32 numbers; notes say what was read.
    Raises FileNotFoundError; ValueError that says what is wrong and where; MissingExtra without Pillow.
    """
    path = Path(path)
    if task is not None:
        check_one_of("task", task, TASKS)
    if not path.exists():
        raise FileNotFoundError(f"no data at {path}")
    if column is not None and path.suffix.lower() != ".csv":
        raise ValueError(f"{path}: only a .csv file has columns to name, got column {column!r}")
    parts = [path / "train", path / "test"] if is_divided(path) else [path]
    contents = [_read(part, column) for part in parts]
    shapes = [content.x.shape[1:] for content in contents]
    if shapes[0] != shapes[-1]:
        raise ValueError(
            f"{path}: pictures must have one size, got {shapes[0]} in train and {shapes[1]} (C, H, W) in test"
        )
    x, y = (np.concatenate([getattr(content, name) for content in contents]) for name in ("x", "y"))
    if len(x) < (1 if whole else 10):
        raise ValueError(f"{path} must have {'a sample' if whole else 'ten samples'} at least, got {len(x)}")
    with np.errstate(over="ignore"):
        x = x.astype(np.float32)
    if not np.isfinite(x).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise ValueError(f"{path}: x has NaN, or numbers that float32 cannot hold, first at index {index}")
    targets, class_names = _targets(f"{path}: y", y, task, 1 if whole else 2)
    if len(parts) == 2:
        order, test = np.roll(np.arange(len(x)), len(contents[1].x)), len(contents[1].x)
    elif whole:
        order, test = np.arange(len(x)), len(x)
    else:
        order, test = np.random.default_rng(0).permutation(len(x)), len(x) // 5
    about = [
        *_notes(x, y, targets, class_names),
        *dict.fromkeys(note for content in contents for note in content.notes),
    ]
    notes = tuple(f"{path.name}: {note}" for note in about)
    data = split(path.stem, x, targets, order, test)
    return replace(data, class_names=class_names, columns=contents[0].columns, notes=notes)


load_arrays = load_own  # the name when .npz was all it read


@dataclass
class Content:
    """A file or folder as read. x: (N, I) or (N, C, H, W). y: (N,) text or numbers. notes, columns: as in Dataset."""

    x: np.ndarray
    y: np.ndarray
    notes: list[str]
    columns: tuple[str, ...] = ()


def _read(path: Path, column: str | None) -> Content:
    if path.is_dir():
        return Content(*read_pictures(path))
    return _read_csv(path, column) if path.suffix.lower() == ".csv" else _read_arrays(path)


def _notes(x: np.ndarray, y: np.ndarray, targets: np.ndarray, class_names: tuple[str, ...]) -> list[str]:
    """What was read: shape, and targets or classes; and whether it looks as if these were none."""
    shape = f"{len(x)} samples of shape {x.shape[1:]}"
    if not class_names:
        return [f"{shape}, targets from {targets.min():g} to {targets.max():g}"]
    count = len(class_names)
    counts = np.bincount(targets, minlength=count)
    counted = [f"{name} ({number})" for name, number in zip(class_names, counts, strict=True)]
    notes = [f"{shape}, {count} classes for outputs 0 to {count - 1}: {listed(counted)}"]
    if len(x) < 5 * count:
        other = "is it the right column?" if y.dtype.kind == "U" else "for numbers to predict: --task regression"
        notes.append(f"fewer than five samples a class, on average; {other}")
    return notes


def _targets(name: str, y: np.ndarray, task: str | None, least: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels 0, 1, ... and the names of their classes in order, or numbers and no names. least: number of classes."""
    if y.dtype.kind != "U":
        if not np.isfinite(y).all():
            raise ValueError(f"{name} has NaN or infinity, first at sample {int(np.argmin(np.isfinite(y)))}")
        whole = y.dtype.kind != "f" or bool((y == np.trunc(y)).all() and np.abs(y).max() < 2**53)
        if task == "regression" or (task is None and not whole):
            with np.errstate(over="ignore"):
                numbers = y.astype(np.float32)
            if not np.isfinite(numbers).all() or (numbers.min() == numbers.max() and least > 1):
                raise refuse(name, "finite numbers that differ", y)
            return numbers, ()
        if not whole:
            raise refuse(f"{name}, for classification,", "text or whole numbers", y[y != np.trunc(y)][0])
        y = y.astype(np.int64) if y.dtype.kind != "u" else y
    elif task == "regression":
        raise refuse(f"{name}, for regression,", "numbers", str(y[0]))
    if y.dtype.kind == "U" and (y == "").any():
        raise refuse(f"{name} at sample {int(np.argmax(y == ''))}", "a label", "")
    values, labels = np.unique(y, return_inverse=True)
    names = tuple(str(value) for value in values)
    if len(names) < least:
        raise ValueError(f"{name} has one class only, {names[0]}: there is nothing to tell apart")
    if len(names) > MOST_CLASSES:
        raise ValueError(f"{name} must be labels of {MOST_CLASSES} classes at most, got {len(names)}")
    return labels.astype(np.int64), names


# ---- .npz


def _read_arrays(path: Path) -> Content:
    arrays = read_npz(path, ("x", "y"))
    if len(arrays) < 2:
        raise ValueError(f"{path} needs arrays x and y, as numpy.savez(path, x=x, y=y) writes them")
    x, y = arrays["x"], arrays["y"]
    if x.dtype.kind not in "fiub" or x.ndim not in (2, 3, 4) or 0 in x.shape:
        raise ValueError(
            f"{path}: x must be numbers (N, I), (N, H, W) or (N, C, H, W), got {x.dtype} of shape {x.shape}"
        )
    if y.dtype.kind not in "fiubUS" or y.shape not in ((len(x),), (len(x), 1)):
        raise ValueError(f"{path}: y must be labels or numbers, one for each of {len(x)} samples, "
                         f"got {y.dtype} of shape {y.shape}")  # fmt: skip
    y = y.reshape(-1)
    if y.dtype.kind == "b":
        y = y.astype(np.int64)
    if y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8", "backslashreplace")
    notes = []
    if x.ndim == 3:
        notes.append(f"x {x.shape} is taken for images of one channel")
        x = x[:, None]
    elif x.ndim == 4 and x.shape[3] in CHANNELS and x.shape[1] not in CHANNELS:
        notes.append(f"x {x.shape} has its channels last: they are moved to the front")
        x = np.ascontiguousarray(np.moveaxis(x, 3, 1))
    elif x.ndim == 4 and x.shape[3] in CHANNELS and x.shape[2] != x.shape[3]:
        notes.append(f"x {x.shape} is taken for images of {x.shape[1]} channels, {x.shape[2]} x {x.shape[3]} pixels")
    return Content(x, y, notes)


# ---- .csv


def _read_csv(path: Path, column: str | None) -> Content:
    """Text in UTF-8, with commas, semicolons or tabs between cells."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=first.count)
            return _read_lines(path, csv.reader(file, delimiter=delimiter, strict=True), column)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8: {error}; save it as CSV UTF-8") from None
    except csv.Error as error:
        raise ValueError(f"{path} is damaged or not a .csv file: {error}") from None


def _read_lines(path: Path, reader: Any, column: str | None) -> Content:
    """The lines of a .csv file, one at a time: numbers are kept as numbers, so that memory is that of the result."""
    lines = ((reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells))
    first: tuple[int, list[str]] = next(lines, (1, []))
    header = [cell.strip() for cell in first[1]]
    counts = len(header) > 3 and header == [str(k) for k in range(len(header))]  # as pandas calls columns
    has_names = not any(map(_is_number, header)) or header[0] == "" or counts
    if len(header) < 2 or (has_names and len(set(header)) < len(header)):
        raise ValueError(f"{path}: its first line must have two cells at least and, if it names the columns, a name of "
                         f"its own for each, got {shown(first[1])}")  # fmt: skip
    at = _column(path, header, column)
    numbers, targets = array("d"), []
    for number, cells in lines if has_names else chain([first], lines):
        if len(cells) != len(header):
            raise ValueError(
                f"{path}, line {number}: expected {len(header)} cells as in the first line, got {len(cells)}"
            )
        targets.append(cells.pop(at).strip())
        try:
            numbers.extend(map(float, cells))
        except ValueError:
            wrong = next(k for k, cell in enumerate(cells) if not _is_number(cell))
            k = wrong + (wrong >= at)
            what = f"{path}, line {number}, column {header[k] if has_names else k + 1}"
            wanted = "a number with a decimal point (fill in missing ones, leave out a column of text)"
            raise refuse(what, wanted, cells[wrong]) from None
    x = np.asarray(numbers).reshape(len(targets), len(header) - 1)
    if not has_names and _is_a_name(x, targets):
        x, targets, has_names = x[1:], targets[1:], True
    names = header if has_names else [str(k + 1) for k in range(len(header))]
    inputs = [*names[:at], *names[at + 1 :]]
    if not np.isfinite(x).all():
        sample, wrong = (int(k) for k in np.argwhere(~np.isfinite(x))[0])
        where = f"{path}: sample {sample} has NaN or infinity in column {inputs[wrong]}"
        raise ValueError(f"{where}: fill it in or leave out the line")
    y = np.array([float(text) for text in targets]) if all(map(_is_number, targets)) else np.array(targets, "U")
    notes = [] if column else [f"the targets are the last column{f', {names[at]}' if has_names else ''}"]
    if counts:
        notes.append(f"the first line, 0 to {len(header) - 1}, is taken for names of columns, not for a sample")
    if inputs[0] == "" and len(inputs) > 1 and np.array_equal(np.diff(x[:, 0]), np.ones(len(x) - 1)):
        x, inputs = x[:, 1:], inputs[1:]
        notes.append("the first column has no name and counts the lines: it is left out")
    return Content(x, y, notes, (*inputs, names[at]) if has_names else ())


def _is_a_name(x: np.ndarray, targets: list[str]) -> bool:
    """True if the first line's target is the name of its column, though the other columns' names are numbers.

    It is, if all other targets are numbers, or if it stands there alone, over columns called 0, 1, 2, ... (by pandas).
    """
    if len(targets) < 2 or not targets[0] or _is_number(targets[0]):
        return False
    others = targets[1:]
    return all(map(_is_number, others)) or (targets[0] not in others and np.array_equal(x[0], range(x.shape[1])))


def _column(path: Path, header: list[str], column: str | None) -> int:
    """The index of the column of targets, given by name or by number from 1."""
    if column is None:
        return len(header) - 1
    if column in header and not _is_number(column):
        return header.index(column)
    if column.isdecimal() and 1 <= int(column) <= len(header):
        return int(column) - 1
    raise refuse(f"{path}: the column of targets", f"one of {listed(header)}, or a number from 1", column)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
