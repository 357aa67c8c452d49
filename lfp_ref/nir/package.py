"""The package nir, where it is installed; and the time of a step."""

from __future__ import annotations

from typing import Any

from lfp_ref.extras import MissingExtra

DT = 1e-4  # seconds; snntorch's own, which its files do not say


def nir_package() -> Any:
    """The module nir. Raises MissingExtra without it."""
    try:
        import nir
    except ImportError:
        raise MissingExtra("A .nir file", "nir", "nir", "Without it, .npz files work.") from None
    return nir
