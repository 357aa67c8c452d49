"""Checks of what all networks by name take: the shape of a sample, the number of outputs, activation, norm, dropout."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from lfp_ref.core.checks import check_callable, check_int, check_number, refuse
from lfp_ref.core.layer import Layer

Network = TypeVar("Network", bound=Callable[..., Any])


def checked(make: Network) -> Network:
    """A function that makes a network, its arguments of these names checked first. Raises ValueError or TypeError."""
    signature = inspect.signature(make)

    @wraps(make)
    def checked_make(*arguments: Any, **named: Any) -> Any:
        given = signature.bind(*arguments, **named).arguments
        shape = given["input_shape"]
        if not isinstance(shape, Sequence) or isinstance(shape, str | bytes) or not shape:
            raise refuse("input_shape", "the shape of one sample, as (1, 28, 28)", shape, TypeError)
        for size in shape:
            check_int("each of input_shape", size)
        check_int("classes", given["classes"])
        if "act" in given:
            check_callable("act", given["act"], "")
            if not isinstance(given["act"](), Layer):
                raise refuse("act", "a function () that makes an activation", given["act"], TypeError)
        if "norm" in given:
            check_callable("norm", given["norm"], "filters")
        if "dropout" in given:
            check_number("dropout", given["dropout"], 0, 1, below=True)
        return make(*arguments, **named)

    return checked_make  # type: ignore[return-value]
