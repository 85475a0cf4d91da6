"""`make drill`: every drill in full, one after the other, with an exit code of 1 when one failed.

python -m tests.drills --only "kill -9"
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory

from . import budget, disk_full, faults, idle_writer, keys, kill9, many_writers
from .outcome import Outcome

DRILLS: dict[str, Callable[[], Outcome]] = {
    "kill -9": kill9.run,
    "many writers": many_writers.run,
    "idle writers": idle_writer.run,
    "disk full": disk_full.run,
    "faults": faults.run,
    "budget": budget.run,
    "vault kills": keys.kills,
    "vault start": keys.first_runs,
    "vault bytes": keys.flips,
    "vault keyring": keys.keyring,
    "vault model": keys.model,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description="Drill the stores.")
    parser.add_argument("--only", choices=DRILLS, action="append", help="just this one; may be repeated")
    failed = 0
    with TemporaryDirectory() as cache:
        os.environ["LLM_MANAGER_CACHE"] = cache
        for name in parser.parse_args().only or DRILLS:
            print(f"{name:14}", end="", flush=True)
            begin = time.monotonic()
            outcome = DRILLS[name]()
            print(f"{'passed' if outcome.ok else 'FAILED'}  {time.monotonic() - begin:4.0f} s  {outcome.figures}")
            for fault in outcome.faults:
                print(f"{'':14}{fault}")
            failed += not outcome.ok
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
