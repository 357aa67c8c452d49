"""Hooks of mkdocs: files outside of docs/ that pages link to become part of the site, below source/."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
FOLDERS = ("lfp_ref", "tests", "examples", "proofs")
ENDINGS = {".py", ".md", ".png", ".csv", ".json", ".js", ".html", ".css", ".v", ".ipynb", ".cff", ""}
LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)#\s]+)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the project's files, each at its own place below source/."""
    found = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in ENDINGS]
    found += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    for path in found:
        place = path.relative_to(ROOT)
        if path.is_file() and path.suffix in ENDINGS and not any(part[0] in "._" for part in place.parts[:-1]):
            files.append(File.generated(config, f"source/{place.as_posix()}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Sets links between files of the project to their places in the site."""
    here = page.file.src_uri
    folder = posixpath.dirname(here.removeprefix("source/") if here.startswith("source/") else f"docs/{here}")

    def place(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[2]))
        in_site = target.removeprefix("docs/") if target.startswith("docs/") else f"source/{target}"
        return link[1] + posixpath.relpath(in_site, posixpath.dirname(here) or ".")

    return LINK.sub(place, markdown)
