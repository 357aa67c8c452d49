"""lfp-ref page: the page for teaching, served on this machine alone."""

from __future__ import annotations

import argparse
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any

import lfp_ref
from lfp_ref.tools.cli.options import add_command


def add_commands(commands: Any) -> None:
    page = add_command(
        commands, "page", "watch the reward flow, in the browser",
        "Serves the page for teaching on this machine alone and opens it in the browser; Ctrl-C ends it.", """
Example:
  lfp-ref page
""",
    )  # fmt: skip
    page.add_argument("--port", type=int, default=0, metavar="N", help="(default: any that is free)")
    page.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    page.set_defaults(command=run_page)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a line in the terminal for every file."""

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def run_page(options: argparse.Namespace) -> None:
    if not 0 <= options.port <= 65535:
        raise ValueError(f"--port must be in 0..65535, got {options.port}")
    with ThreadingHTTPServer(("127.0.0.1", options.port), partial(Quiet, directory=str(folder()))) as server:
        address = f"http://127.0.0.1:{server.server_port}/page/"
        print(f"{address}  (Ctrl-C ends it)", flush=True)
        if not options.no_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def folder() -> Path:
    """The folder that holds page/ and javascript/: examples/ of a checkout, or share/lfp-ref/ of an installed wheel.

    Raises FileNotFoundError where neither is there.
    """
    checkout = Path(lfp_ref.__file__).parents[1] / "examples"
    if (checkout / "page" / "index.html").is_file():
        return checkout
    try:
        installed = metadata.files("lfp-ref") or []
    except metadata.PackageNotFoundError:
        installed = []
    for file in installed:
        if file.match("share/lfp-ref/page/index.html"):
            return Path(str(file.locate())).resolve().parents[1]
    raise FileNotFoundError("the page is not part of this installation: reinstall or open examples/page/ of a checkout")
