"""Prices: one cost asked of a workspace, a million records in SQL, and a drain of records that came without a cost."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price

from llm_core import Usage, Workspace
from llm_core.store.home import open_home
from llm_core.usage.database import connect
from llm_core.usage.encode import encode
from llm_core.usage.repricing import priced_sql, rate_rows, rates_sql
from llm_core.usage.staging import TABLE_COLUMNS

from .figure import Figure, at_most
from .ledger_write import RECORD

MILLION = 1_000_000
UNPRICED = 30_000
TURNS = 5

_MODELS = ("openai:gpt-6-luna", "openai:gpt-4.1", "anthropic:claude-haiku-5-5", "google:gemini-2.5-pro", "openai:o3")
_FIRST_PRICE = """
import time
begin = time.perf_counter()
from llm_core import Usage, Workspace
with Workspace.open() as ws:
    ws.models.price("openai:gpt-6-luna", Usage(input_tokens=1))
    print(time.perf_counter() - begin)
"""


def run(rows: int) -> list[Figure]:
    """`rows` is not used."""
    with TemporaryDirectory() as folder, Workspace.open(Path(folder) / "home") as ws:
        ws.models.prices.ready()
        return [_one(ws), _first(ws), _many(ws), _drained(ws, Path(folder))]


def _one(ws: Workspace) -> Figure:
    """Against the same cost by genai-prices itself."""
    ours, theirs = (
        Usage(input_tokens=1200, cache_read_tokens=300, output_tokens=400),
        TheirUsage(input_tokens=1200, cache_read_tokens=300, output_tokens=400),
    )
    price = ws.models.price
    return at_most(
        "price() of one call",
        _microseconds(lambda: price("openai:gpt-6-luna", ours)),
        "us",
        _microseconds(lambda: calc_price(theirs, "gpt-6-luna", provider_id="openai")),
        1,
    )


def _first(ws: Workspace) -> Figure:
    """From nothing imported to a cost, with the list in use kept in the state; no more than 250 ms."""
    environment = os.environ | {"LLM_MANAGER_HOME": str(ws.home.path)}
    seconds = min(
        float(
            subprocess.run(
                [sys.executable, "-c", _FIRST_PRICE], check=True, capture_output=True, text=True, env=environment
            ).stdout
        )
        for _ in range(TURNS)
    )
    return Figure("first price, from bare Python", seconds * 1000, "ms", None, None, "", True)


def _many(ws: Workspace) -> Figure:
    connection = connect("1GB", spills=False)
    connection.execute(f"CREATE TABLE usage ({TABLE_COLUMNS})")
    models = ", ".join(f"'{model}'" for model in _MODELS)
    connection.execute(
        f"""
        INSERT INTO usage BY NAME
        SELECT i::VARCHAR AS id, split_part(m, ':', 1) AS provider, provider AS connection,
               split_part(m, ':', 2) AS model,
               if(i % 40 = 0, 'batch', 'standard') AS mode, TIMESTAMP '2026-01-01' + to_seconds(i * 28) AS started_at,
               200 + i % 300000 AS input_tokens, if(i % 4 = 0, input_tokens // 2, 0) AS cache_read_tokens,
               20 + i % 900 AS output_tokens, output_tokens // 3 AS reasoning_tokens, 'reported' AS usage_source
        FROM (SELECT range AS i, [{models}][1 + range % {len(_MODELS)}] AS m FROM range({MILLION}))
        """
    )
    seconds = min(_seconds(lambda: _priced(ws, connection)) for _ in range(TURNS))
    connection.close()
    return Figure("cost of 1M records", seconds, "s", None, None, "<= 1 s", seconds <= 1)


def _priced(ws: Workspace, connection: duckdb.DuckDBPyConnection) -> None:
    keys = connection.execute("SELECT DISTINCT connection, provider, model FROM usage").fetchall()
    rates, values = rates_sql(rate_rows(ws.models.prices.bands, keys))
    connection.execute(
        f"WITH rates AS MATERIALIZED ({rates}) SELECT sum(repriced_usd) FROM ({priced_sql('usage', ['id'])})", values
    ).fetchall()


def _drained(ws: Workspace, folder: Path) -> Figure:
    """A drain that prices all its records, against one whose records bring their cost."""
    priced, bare = (
        statistics.median(_drain(ws, folder / f"{name} {turn}", cost) for turn in range(3))
        for name, cost in (("unpriced", None), ("priced", RECORD.cost_usd))
    )
    return at_most(f"drain of {UNPRICED:,} records without a cost", priced * 1000, "ms", bare * 1000, 2)


def _drain(ws: Workspace, folder: Path, cost: Any) -> float:
    from llm_core.usage.drain import drain

    home = open_home(folder)
    record = replace(RECORD, cost_usd=cost, price_source=None, price_from=None)
    lines = b"".join(encode(replace(record, id=os.urandom(16).hex())) for _ in range(UNPRICED))
    (home.spool / "host-1-ab.jsonl").write_bytes(lines)
    begin = time.perf_counter()
    done = drain(home, price=ws.usage._price)
    seconds = time.perf_counter() - begin
    assert done.rows == UNPRICED
    assert done.priced == (UNPRICED if cost is None else 0)
    return seconds


def _microseconds(work: Callable[[], object]) -> float:
    rounds = 2000
    gc.disable()
    try:
        return min(_seconds(lambda: [work() for _ in range(rounds)]) for _ in range(TURNS)) / rounds * 1e6
    finally:
        gc.enable()


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
