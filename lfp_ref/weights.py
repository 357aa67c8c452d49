"""A network's state as a file that others read: .safetensors (PyTorch and others; extra `interop`) and .npz (NumPy).

Names and shapes are PyTorch's: "0.weight" of lfp.Sequential is "0.weight" of torch.nn.Sequential with the same layers
in the same places. A file holds parameters and statistics, no layers: the network is built first, on both sides.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from lfp_ref.core.layer import Layer
from lfp_ref.extras import MissingExtra
from lfp_ref.files import written_whole
from lfp_ref.reading import read_npz
from lfp_ref.rehearsal import check_file, check_network


def save_weights(net: Layer, path: str | os.PathLike[str]) -> None:
    """Writes net.state_dict() into a .safetensors or .npz file; path holds the old file or the new one, whole.

    In PyTorch: model.load_state_dict(safetensors.torch.load_file(path)). Batch normalisation's num_batches_tracked is
    not written: nothing here counts batches, and PyTorch takes its own count where a file has none.
    Raises ValueError for another ending, MissingExtra where .safetensors needs a package that is not installed.
    """
    check_network("net", net)
    check_file("path", path)
    path = Path(path)
    state: dict[str, Any] = net.state_dict()
    package = _safetensors() if _ending(path) == ".safetensors" else None
    with written_whole(path) as file:
        if package:
            file.write(package.numpy.save(state))
        else:
            np.savez(file, **state)


def load_weights(net: Layer, path: str | os.PathLike[str]) -> None:
    """Sets a network's parameters and statistics from a .safetensors or .npz file, rounded to the network's dtype.

    From PyTorch: safetensors.torch.save_file(model.state_dict(), path). num_batches_tracked is passed over.
    Raises FileNotFoundError; ValueError for another ending, for a checkpoint, for a damaged file, and, as
    net.load_state_dict, where it does not fit, the network unchanged; MissingExtra where .safetensors needs a package
    that is not installed.
    """
    check_network("net", net)
    check_file("path", path)
    path = Path(path)
    read = {".safetensors": _read_safetensors, ".npz": read_npz}[_ending(path)]
    state = read(path) if path.is_file() else None
    if state is None:
        raise FileNotFoundError(f"no weights at {path}")
    if "about" in state and any(name.startswith("net.") for name in state):
        raise ValueError(f"{path} is a checkpoint, which holds a whole run, not weights alone: take them by "
                         "net.load_state_dict(lfp.checkpoints.load(path).net)")  # fmt: skip
    net.load_state_dict(state)


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    package = _safetensors()
    try:
        return package.numpy.load(path.read_bytes())
    except package.SafetensorError as error:
        raise ValueError(f"{path} is damaged or no .safetensors file: {error}") from None
    except KeyError as error:
        raise ValueError(f"{path} has numbers of a kind that NumPy has not, {error}: save it as float32") from None


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise MissingExtra("A .safetensors file", "safetensors", "interop", "Without it, .npz files work.") from None
    return safetensors


def _ending(path: Path) -> str:
    if path.suffix not in (".safetensors", ".npz"):
        raise ValueError(f"path: weights go into files that end in .safetensors or .npz, got {path}")
    return path.suffix
