"""Ctrl-C in the first second of the command line, while NumPy and Numba are imported: the end, without a traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any


def is_command() -> bool:
    """True while `lfp-ref` or `python -m lfp_ref` imports this package; False in its worker processes."""
    started = sys.argv[0] if getattr(sys, "argv", None) else ""
    if started == "-m":  # what runpy puts there while it imports the package that -m names
        return True
    name = os.path.basename(started)
    return name in ("lfp-ref", "lfp-ref.exe") and getattr(sys.modules["__main__"], "__file__", None) == started


def stop(number: int, frame: Any) -> None:
    """Ends the process with the status of Ctrl-C, 130."""
    os.write(2, b"\nstopped\n")
    os._exit(130)


if is_command() and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, stop)  # until tools/cli takes over
