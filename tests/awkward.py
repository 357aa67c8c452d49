"""Thirty values that nobody means, and what may come of them."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from lfp_ref import checkpoints
from lfp_ref.core.layer import Layer
from lfp_ref.training import DivergenceError

AWKWARD = [
    None, True, False, 0, -1, 1.5, float("nan"), float("inf"), -float("inf"), 1e300, 1e-50, 2**70, 10**400, 1j,
    "", "text", "False", "\0", b"bytes", [], [1, [2, 3]], {}, (), (1, 2, 3, 4), object(), date(2000, 1, 1),
    np.array([]), np.full((6, 3), np.nan), np.ones((2, 3, 4)), np.array(["a", "b"]), np.array([None, 1]),
    np.ones((6, 2)) * 1j, np.ma.masked_array(np.ones((6, 3)), np.eye(6, 3)), np.dtype("float16"), np.int64(2**40),
    lambda: None, lambda *_: None,
]  # fmt: skip
REFUSED, ACCEPTED = "refused", "accepted"
TALLY: Counter[str] = Counter()  # outcomes of this session's tests
REFUSALS = (ValueError, TypeError)  # UnicodeError and the like are ValueErrors
DOCUMENTED = (DivergenceError, OverflowError, RuntimeError, FileNotFoundError)


@dataclass
class Case:
    """A call that works: make gives function, arguments, and optionally networks whose state a refusal must not change.

    use: what is done with the result, whose numbers must be finite. may_be_awkward: arguments of which only the truth
    value counts. may_be_large: numbers of epochs and the like, which would be accepted and take for ever.
    """

    make: Callable[[], tuple[Any, ...]]
    use: Callable[[Any], Any] | None = None
    may_be_awkward: tuple[str, ...] = ()
    may_be_large: tuple[str, ...] = ()

    def trials(self) -> list[tuple[str, Any]]:
        """Each argument with each awkward value."""
        names = [name for name in self.make()[1] if name not in self.may_be_awkward]
        return [(name, value) for name in names for value in AWKWARD
                if not (name in self.may_be_large and isinstance(value, np.integer))]  # fmt: skip


def outcome(case: Case, argument: str, value: Any) -> str:
    """What a call does with an awkward value: REFUSED clearly, ACCEPTED with finite numbers, or what is wrong."""
    function, arguments, *watched = case.make()
    before = [snapshot(net) for net in watched[0]] if watched else []
    try:
        result = function(**{**arguments, argument: value})
    except Exception as error:
        said = refusal(error, argument, value)
        changed = before and any(a != b for a, b in zip(before, map(snapshot, watched[0]), strict=True))
        return "refused, but the state has changed" if changed and said == REFUSED else said
    try:
        found = case.use(result) if case.use else result
    except Exception as error:
        said = refusal(error, argument, value)
        by_value = isinstance(error, REFUSALS) and str(value) in str(error)  # a layer shows its arguments
        return REFUSED if by_value or said == REFUSED else f"used: {said}"
    return ACCEPTED if all(np.isfinite(x).all() for x in numbers(found)) else "NaN or infinity"


def refusal(error: Exception, argument: str, value: Any) -> str:
    """REFUSED, if the error is of a documented kind and names the argument or its value."""
    if isinstance(error, MemoryError) or is_too_large(error):  # NumPy says how much was asked for
        return REFUSED
    if not isinstance(error, (*REFUSALS, *DOCUMENTED)):
        return f"{type(error).__name__}: {str(error)[:150]}"
    if argument in str(error) or (isinstance(value, str) and repr(value) in str(error)):
        return REFUSED
    return f"{type(error).__name__} without its name: {str(error)[:150]}"


def is_too_large(error: Exception) -> bool:
    """NumPy's own words for arrays that no memory could hold."""
    return "array is too big" in str(error) or "Maximum allowed dimension" in str(error)


def snapshot(net: Layer) -> str:
    return repr([(k, v.tobytes()) for k, v in net.state_dict().items()]) + repr(checkpoints.random_states(net))


def numbers(x: Any) -> Iterable[np.ndarray]:
    if isinstance(x, np.ndarray | float) and np.asarray(x).dtype.kind == "f":
        yield np.asarray(x)
    elif isinstance(x, tuple | list):
        for each in x:
            yield from numbers(each)
