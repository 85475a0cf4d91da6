"""`make bench`: every benchmark in turn, one table, an exit code of 1 when a number of the design is missed.

python -m tests.benchmarks --rows 10_000_000 --only ledger_write
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec

from .figure import Figure, table

NAMES = (
    "imports",
    "ledger_write",
    "ledger_read",
    "call_overhead",
    "vault",
    "models",
    "prices",
    "budgets",
    "usage_page",
)


def main() -> int:
    there = [name for name in NAMES if find_spec(f"{__package__}.{name}")]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure against the design.")
    parser.add_argument("--rows", type=lambda text: int(text.replace("_", "")), default=10_000_000)
    parser.add_argument("--only", choices=there, action="append", help="just this one; may be repeated")
    chosen = parser.parse_args()
    figures: list[Figure] = []
    for name in chosen.only or there:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures += import_module(f"{__package__}.{name}").run(chosen.rows)
    print(table(figures))
    return 0 if all(figure.ok for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
