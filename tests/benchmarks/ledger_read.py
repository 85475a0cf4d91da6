"""Questions to the ledger beside the same SQL on one native DuckDB file of the same rows, turn by turn in one run.

Both sides give DataFrames. Ours includes what every question does: look for new records, begin a transaction. The
native file has no memory limit; the ledger keeps to its 200 MB. The bounds are those of the design from 10M rows on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from llm_core.usage import UsageService
from llm_core.usage.filters import condition
from llm_core.usage.frames import to_frame
from llm_core.usage.heatmap import heatmap
from llm_core.usage.history import DEFAULT_COLUMNS
from llm_core.usage.queries import groups, series
from llm_core.usage.question import Query
from llm_core.usage.ranks import distribution, latency, percentiles
from llm_core.usage.unpriced import unpriced

from .figure import Figure
from .ledger_data import COMMON_MODEL, DAYS, END, RARE_USER, BenchData, bench_data

ROUNDS = 7
PROMISED_FROM = 10_000_000
"""Rows from which the design promises the bounds; below, fixed costs of a few milliseconds count for more."""

BERLIN = "Europe/Berlin"
LAST_90 = END - timedelta(days=90)
LAST_30 = END - timedelta(days=30)

_FRESH = """
import json, sys, time
from llm_core.store.home import Home
from llm_core.usage import UsageService
from pathlib import Path
import duckdb, pandas, psutil
usage = UsageService(Home(Path(sys.argv[1])))
begin = time.perf_counter()
usage.token()
opened = time.perf_counter() - begin
base = psutil.Process().memory_info().rss
from tests.benchmarks.ledger_read import page
begin = time.perf_counter()
page(usage)
first = time.perf_counter() - begin
begin = time.perf_counter()
page(usage)
again = time.perf_counter() - begin
status = Path("/proc/self/status").read_text() if sys.platform == "linux" else ""
peak = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
print(json.dumps([opened * 1e3, first * 1e3, again * 1e3, int(peak[0]) / 1024 if peak else base / 2**20]))
"""


class Native:
    """Asks the same questions of a plain table `usage`, with the part of a Snapshot that they use."""

    def __init__(self, data: BenchData) -> None:
        self.connection = duckdb.connect(data.native, read_only=True)
        self.connection.execute("SET enable_progress_bar = false")
        self.connection.execute("SET TimeZone = 'UTC'")

    extent = (END - timedelta(days=DAYS)).replace(tzinfo=None), END.replace(tzinfo=None)

    def usage(self, *_columns: str, **_span: Any) -> str:
        return "usage"

    def frame(self, sql: str, values: Mapping[str, Any] | None = None) -> pd.DataFrame:
        self.connection.execute(sql, values)
        return to_frame(self.connection)

    def ask(self, question: Query[pd.DataFrame]) -> pd.DataFrame:
        return question.run(self)  # type: ignore[arg-type]

    def last(self, order: str = "started_at DESC, id DESC", **filters: Any) -> pd.DataFrame:
        where = condition(None, None, filters)
        columns = ", ".join(
            "cost_usd::VARCHAR AS cost_usd" if name == "cost_usd" else f'"{name}"' for name in DEFAULT_COLUMNS
        )
        newest = f"SELECT {columns} FROM usage WHERE {where.sql} ORDER BY {order} LIMIT 200"
        return self.frame(newest, where.values)


def run(rows: int) -> list[Figure]:
    """Every question as one Figure; then what a fresh process needs to open the ledger and answer a page."""
    data = bench_data(rows)
    usage, native = UsageService(data.home), Native(data)
    everything, last_90, last_30 = condition(None, None, {}), condition(LAST_90, None, {}), condition(LAST_30, None, {})
    found = [
        _compare(
            rows,
            "day x model, 90 days",
            lambda: usage.series("model", start=LAST_90),
            lambda: native.ask(series(last_90, "model")),
            times=1.3,
        ),
        _compare(
            rows,
            "day x model, 90 days, in Europe/Berlin",
            lambda: usage.series("model", tz=BERLIN, start=LAST_90),
            lambda: native.ask(series(last_90, "model", tz=BERLIN)),
            times=1.3,
        ),
        _compare(
            rows,
            "p50/p95 by model, 90 days",
            lambda: usage.latency("model", start=LAST_90),
            lambda: native.ask(latency(last_90, "model")),
            times=1.3,
        ),
        _compare(
            rows,
            "full group-by, model",
            lambda: usage.groups("model"),
            lambda: native.ask(groups(everything, "model")),
            times=1.3,
            plus_ms=10.0,
        ),
        _compare(
            rows,
            "top 20 users, 30 days",
            lambda: usage.groups("user", start=LAST_30, limit=20),
            lambda: native.ask(groups(last_30, "user", limit=20)),
            times=3.0,
        ),
        _compare(
            rows,
            "last 200, common matches",
            lambda: usage.history(200, model=COMMON_MODEL),
            lambda: native.last(model=COMMON_MODEL),
            within_ms=60.0,
        ),
        _compare(
            rows,
            "last 200, rare matches",
            lambda: usage.history(200, user=RARE_USER),
            lambda: native.last(user=RARE_USER),
            times=2.0,
        ),
    ]
    found += _analytics(rows, usage, native)
    usage.close()
    native.connection.close()
    return found + _fresh_process(data)


def _analytics(rows: int, usage: UsageService, native: Native) -> list[Figure]:
    """Questions that are asked less often than those of the first screen."""
    everything, last_90 = condition(None, None, {}), condition(LAST_90, None, {})
    weeks = condition(LAST_90, END, {})
    by_cost = "cost_usd DESC NULLS LAST, started_at DESC, id DESC"
    sides: dict[str, tuple[Callable[[], pd.DataFrame], Callable[[], pd.DataFrame]]] = {
        "top 20 users and the rest, all time": (
            lambda: usage.groups("user", limit=20, other=True),
            lambda: native.ask(groups(everything, "user", limit=20, other=True)),
        ),
        "day x top 8 models and the rest, 90 days": (
            lambda: usage.series("model", tz=BERLIN, start=LAST_90, limit=8),
            lambda: native.ask(series(last_90, "model", tz=BERLIN, limit=8)),
        ),
        "by a tag, 90 days": (
            lambda: usage.groups("tag:team", start=LAST_90),
            lambda: native.ask(groups(last_90, "tag:team")),
        ),
        "distribution of latency, 90 days": (
            lambda: usage.distribution("latency_ms", start=LAST_90),
            lambda: native.ask(distribution(last_90, "latency_ms")),
        ),
        "p50 to p99 of cost by model, 90 days": (
            lambda: usage.percentiles("cost_usd", "model", start=LAST_90),
            lambda: native.ask(percentiles(last_90, "cost_usd", "model")),
        ),
        "hour x weekday in Europe/Berlin, 90 days": (
            lambda: usage.heatmap(tz=BERLIN, start=LAST_90, end=END),
            lambda: native.ask(heatmap(weeks, "cost_usd", BERLIN, END)),
        ),
        "unpriced records, all time": (
            lambda: usage.unpriced(),
            lambda: native.ask(unpriced(everything, None)),
        ),
    }
    found = [_compare(rows, name, ours, theirs, times=1.3, plus_ms=10.0) for name, (ours, theirs) in sides.items()]
    found.append(
        _compare(
            rows,
            "200 dearest calls",
            lambda: usage.history(200, sort="cost_usd"),
            lambda: native.last(by_cost),
            times=2.0,
        )
    )
    forecast = min(_ms(lambda: usage.forecast(BERLIN, now=END)) for _ in range(ROUNDS))
    found.append(Figure("forecast of the month", forecast, "ms", None, None, "<= 500 ms", forecast <= 500))
    search = min(_ms(lambda: usage.history(200, search=RARE_USER)) for _ in range(ROUNDS))
    found.append(Figure("search for a word with 12 hits", search, "ms", None, None, "", True))
    return [*found, _export(usage, native, "csv"), _export(usage, native, "parquet")]


def _export(usage: UsageService, native: Native, form: str) -> Figure:
    """Ten days, in order and safe, beside the same rows copied as they come."""
    start = END - timedelta(days=10)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ours"
        write = usage.export_csv if form == "csv" else usage.export_parquet
        ours = _ms(lambda: write(path, start=start))
        copy = f"COPY (FROM usage WHERE started_at >= $start) TO '{Path(folder) / 'theirs'}' (FORMAT {form})"
        theirs = _ms(lambda: native.connection.execute(copy, {"start": start.replace(tzinfo=None)}))
    return Figure(f"export of 10 days, {form}", ours, "ms", theirs, ours / theirs, "", True)


def page(usage: UsageService) -> None:
    """What the Usage page asks in one go, over the last 30 days and the 30 before them."""
    with usage.snapshot():
        usage.summary(start=LAST_30)
        usage.summary(start=LAST_30 - timedelta(days=30), end=LAST_30)
        usage.series("model", tz=BERLIN, start=LAST_30)
        usage.groups(("provider", "model"), start=LAST_30)
        usage.latency("model", start=LAST_30)
        usage.history(200)


def _compare(
    rows: int,
    name: str,
    ours: Callable[[], pd.DataFrame],
    theirs: Callable[[], pd.DataFrame],
    *,
    times: float | None = None,
    plus_ms: float = 0.0,
    within_ms: float | None = None,
) -> Figure:
    """The best of several rounds of each side, and the check that both gave the same."""
    pd.testing.assert_frame_equal(ours(), theirs(), check_dtype=False)
    mine, reference = [], []
    for _ in range(ROUNDS):
        mine.append(_ms(ours))
        reference.append(_ms(theirs))
    value, limit = min(mine), min(reference)
    if within_ms is not None:
        must, holds = f"<= {within_ms:g} ms", value <= within_ms
    else:
        assert times is not None
        must = f"<= {times:g}x" + (f" + {plus_ms:g} ms" if plus_ms else "")
        holds = value <= times * limit + plus_ms
    return Figure(name, value, "ms", limit, value / limit, must, holds or rows < PROMISED_FROM)


def _fresh_process(data: BenchData) -> list[Figure]:
    """A process of its own, since memory only ever shows its peak."""
    command = [sys.executable, "-c", _FRESH, str(data.home.path)]
    results = [json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(3)]
    opened, first, again, _ = (min(values) for values in zip(*results, strict=True))
    peak = max(result[3] for result in results)
    return [
        Figure("open the ledger in a fresh process", opened, "ms", None, None, "<= 1000 ms", opened <= 1000),
        Figure("questions of the Usage page, first time", first, "ms", None, None, "<= 1000 ms", first <= 1000),
        Figure("questions of the Usage page, again", again, "ms", None, None, "<= 1000 ms", again <= 1000),
        Figure("peak memory of that process", peak, "MB", None, None, "<= 500 MB", peak <= 500),
    ]


def _ms(ask: Callable[[], object]) -> float:
    begin = time.perf_counter()
    ask()
    return (time.perf_counter() - begin) * 1e3
