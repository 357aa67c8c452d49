"""The comparison of a port's answers with the vectors: one verdict a case."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.tools.conform import causes
from lfp_ref.tools.conform.answers import read
from lfp_ref.tools.conform.vectors import DTYPES, SHIPPED, VERSION, Case, Quantity, load


@dataclass
class Verdict:
    """The verdict on a case.

    status: "ok", "diverges" (quantity is the first that does, index its first element that does), "malformed" or
    "missing" (quantity cannot be compared; message says why). used: the largest part of a tolerance that was used up.
    """

    case: str
    status: str
    quantities: int = 0
    left_out: list[str] = field(default_factory=list)
    used: float = 0.0
    quantity: str | None = None
    index: list[int] | None = None
    got: float | str | None = None
    expected: float | None = None
    tolerance: float | None = None
    message: str | None = None
    cause: str | None = None

    def line(self) -> str:
        """The verdict for a reader."""
        if self.status == "ok":
            left = f", {len(self.left_out)} intermediates left out" if self.left_out else ""
            return f"ok         {self.case}: {self.quantities} quantities{left}, {self.used:.0%} of tolerance used"
        where = f"{self.quantity}{self.index}" if self.index is not None else self.quantity
        said = self.message or f"got {self.got!r}, expected {self.expected!r} (tolerance {self.tolerance:.1e})"
        what = f"{where}: {said}" if where else said
        return f"{self.status:10} {self.case}: {what}" + (f"; likely cause: {self.cause}" if self.cause else "")


@dataclass
class Report:
    """verdicts: one a case. extra: answers without a case. files: errors in whole files."""

    dtype: str
    verdicts: list[Verdict]
    extra: list[str]
    files: list[str]

    @property
    def failed(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.status != "ok"]

    @property
    def passed(self) -> bool:
        return not self.failed and not self.files

    def summary(self) -> str:
        count = len(self.verdicts)
        broken = f", {len(self.files)} unreadable file{'s' * (len(self.files) > 1)}" if self.files else ""
        return f"{count - len(self.failed)} of {count} cases agree in {self.dtype}{broken}"

    def as_json(self) -> dict[str, Any]:
        """For machines: numbers, strings and lists only."""
        found = {"version": VERSION, "dtype": self.dtype, "passed": self.passed, "summary": self.summary()}
        return found | {"files": self.files, "extra": self.extra, "cases": [asdict(each) for each in self.verdicts]}


def check(
    answers: str | Path, vectors: str | Path = SHIPPED, dtype: str = "float64", only: str | None = None
) -> Report:
    """Compares a folder of answers with a folder of vectors (those shipped).

    dtype: "float32" or "float64", whose tolerances count. only: a pattern such as "dense/*": cases it leaves out count
    for nothing. Raises ValueError for folders without vectors, answers, or cases that the pattern means.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    cases = [case for case in load(vectors) if only is None or fnmatch(case.name, only)]
    if not cases:
        raise ValueError(f"no case is called {only!r}")
    given, files = read(answers)
    verdicts = [judge(case, given.get(case.name), dtype) for case in cases]
    return Report(dtype, verdicts, extra_answers(cases, given, only), files)


def judge(case: Case, given: Mapping[str, Any] | None, dtype: str) -> Verdict:
    """The verdict on one case: given is quantity -> array or error, None without an answer."""
    if given is None:
        return Verdict(case.name, "missing", message="no answer")
    verdict = Verdict(case.name, "ok")
    for name, quantity in case.expected.items():
        if name not in given and not quantity.is_result:
            verdict.left_out.append(name)
            continue
        if found := compare(case, quantity, given.get(name), dtype, verdict):
            return found
        verdict.quantities += 1
    return verdict


def compare(case: Case, quantity: Quantity, got: Any, dtype: str, so_far: Verdict) -> Verdict | None:
    """The verdict where a quantity is not as it should be, else None."""
    found = replace(so_far, quantity=quantity.name)
    if got is None:
        return replace(found, status="missing", message="this result is missing")
    if isinstance(got, str):
        return replace(found, status="malformed", message=got)
    want, limit = quantity.value, quantity.tolerance[dtype]
    if got.shape != want.shape:
        message = f"shape {list(got.shape)}, expected {list(want.shape)}"
        return replace(found, status="malformed", message=message, cause=causes.of_shape(quantity, got))
    with np.errstate(invalid="ignore"):
        off = np.abs(got - want)
    wrong = ~(off <= limit)  # NaN is wrong
    if not wrong.any():
        share = np.divide(off, limit, out=np.zeros_like(off), where=limit > 0)
        so_far.used = max(so_far.used, float(share.max(initial=0.0)))
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    value = float(got[at])
    return replace(
        found,
        status="diverges",
        index=list(at),
        got=value if np.isfinite(value) else str(value),
        expected=float(want[at]),
        tolerance=float(limit[at]),
        cause=causes.likely(case, quantity, got, dtype),
    )


def extra_answers(cases: list[Case], given: Mapping[str, Mapping[str, Any]], only: str | None) -> list[str]:
    """A line for each answer without a case or quantity."""
    known = {case.name: case for case in cases}
    lines = []
    for name, quantities in given.items():
        if name not in known:
            if only is None:
                lines.append(f"{name}: no such case{meant(name, known)}")
            continue
        expected = known[name].expected
        lines += [f"{name}: no quantity {q}{meant(q, expected)}" for q in quantities if q not in expected]
    return lines


def meant(name: str, known: Mapping[str, Any]) -> str:
    """The end of a message about an unknown name: a hint at the most similar known one."""
    close = difflib.get_close_matches(name, known, 1)
    return f"; is {close[0]} meant?" if close else ""
