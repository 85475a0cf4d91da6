"""What a hold costs: alone, with 32 callers beside another process that holds too, and where no budget matches.

Five budgets match, one of them on a tag. Two thousand holds are there already, settled and not yet found in the ledger.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from llm_core import Workspace
from llm_core.usage.budgets.budget import Amounts

from .figure import Figure

THREADS = 32
EACH = 20
CALL_SECONDS = 0.1
ALONE = 2_000
SETTLED = 2_000
LABELS = {
    "provider": "openai",
    "connection": "openai",
    "model": "gpt-6-luna",
    "task": "chat",
    "app": "bench",
    "user": "ann",
    "call_id": "0" * 32,
    "attempt": 1,
    "source": "call",
    "tags": {"team": "search"},
}
AMOUNTS = Amounts(10_000, 100, 1)


def run(rows: int) -> list[Figure]:
    """`rows` is not used: what is in the ledger is counted beside the calls, not in them."""
    del rows
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        with Workspace.open(home) as ws:
            none = _microseconds(lambda: ws.usage.budgets.matching(LABELS))
            for scope in ("all", "user:ann", "model:openai:gpt-6-luna", "tag:team:search", "app:bench"):
                ws.usage.budgets.add(scope, 1_000_000, "month")
            other = _microseconds(lambda: ws.usage.budgets.matching({**LABELS, "user": "bo"}))
            for _ in range(SETTLED):
                _timed(ws)
            alone = sorted(_timed(ws) for _ in range(ALONE))
            other_process = subprocess.Popen([sys.executable, "-m", __name__, str(home)])
            try:
                together = _together(ws)
            finally:
                other_process.kill()
                other_process.wait()
    return [
        _figure("budgets: a look where none is there", none, "us", 50.0),
        _figure("budgets: a look at five", other, "us", 50.0),
        _figure("budgets: hold alone (p50)", statistics.median(alone), "ms", 1.0),
        _figure("budgets: hold alone (p99)", alone[-len(alone) // 100], "ms", 100.0),
        _figure(f"budgets: hold, {THREADS} threads, two processes (p50)", statistics.median(together), "ms", 1.0),
        _figure(f"budgets: hold, {THREADS} threads, two processes (p99)", together[-len(together) // 100], "ms", 100.0),
    ]


def _figure(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, value, unit, None, None, f"<= {limit:g} {unit}", value <= limit)


def _timed(ws: Workspace) -> float:
    """Milliseconds of the hold; it is settled outside of them, as in a call."""
    begin = time.perf_counter()
    held = ws.usage.budgets.hold(LABELS, AMOUNTS)
    taken = (time.perf_counter() - begin) * 1000
    assert held is not None
    held.settle(AMOUNTS)
    return taken


def _together(ws: Workspace) -> list[float]:
    taken: list[float] = []

    def several() -> None:
        for _ in range(EACH):
            taken.append(_timed(ws))  # each at its time
            time.sleep(CALL_SECONDS)

    threads = [threading.Thread(target=several) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(taken)


def _microseconds(step: Callable[[], object], times: int = 2_000) -> float:
    step()
    begin = time.perf_counter()
    for _ in range(times):
        step()
    return (time.perf_counter() - begin) / times * 1e6


def _hold_without_end(home: str) -> None:
    with Workspace.open(home) as ws:
        while True:
            _timed(ws)
            time.sleep(0.002)


if __name__ == "__main__":
    _hold_without_end(sys.argv[1])
