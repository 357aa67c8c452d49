"""What both figures share: their options and their tables."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path


def arguments(about: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer networks and steps: seconds")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the PNG and CSV files")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def write(path: Path, rows: list[dict]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
