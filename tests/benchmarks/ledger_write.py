"""The write side: `record()` against bare orjson + os.write, a drain against a raw `read_json` INSERT."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import orjson

from llm_core import Usage, UsageRecord
from llm_core.store.home import Home, open_home
from llm_core.usage.drain import drain
from llm_core.usage.encode import encode
from llm_core.usage.recorder import Recorder
from llm_core.usage.schema import COLUMNS

from .figure import Figure, at_least, at_most

RECORDS = 40_000
TURN = 200
DRAINS = 5
DRAINED_ROWS = (4_000, 55_000)
"""About 4 MB, what the app drains at once, and near the most that one drain takes."""

RECORD = UsageRecord(
    provider="openai",
    connection="openai",
    model="gpt-6-luna",
    model_reported="gpt-6-luna-2026-09-01",
    started_at=datetime(2026, 11, 24, 9, 30, 15, 123456, tzinfo=UTC),
    task="chat",
    app="notebook",
    user="ann@example.org",
    project="search",
    preset="Precise",
    preset_version=3,
    source_id="suite-12",
    usage=Usage(input_tokens=1200, cache_read_tokens=300, output_tokens=400, reasoning_tokens=100, requests=1),
    latency_ms=1234.56,
    ttft_ms=345.6,
    error_kind="none",
    cost_usd=Decimal("0.0123456789"),
    price_source="genai-prices 0.2.3",
    price_from=date(2026, 9, 1),
    request_id="req_0123456789abcdef01234567",
    tags={"team": "search", "env": "prod"},
    raw_usage={
        "prompt_tokens": 1200,
        "completion_tokens": 400,
        "prompt_tokens_details": {"cached_tokens": 300, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 100, "audio_tokens": 0},
    },
)
"""Every column is filled."""


def run(rows: int) -> list[Figure]:
    """`rows` is not used: neither depends on how much is stored."""
    with TemporaryDirectory() as folder:
        home = open_home(Path(folder) / "home")
        return [*_record(home), *(_drain(Path(folder), count) for count in DRAINED_ROWS)]


def _record(home: Home) -> list[Figure]:
    full = orjson.loads(encode(RECORD))
    bare_file = os.open(home.path / "bare.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    recorder = Recorder(home)
    bare, ours = _in_turns(lambda: os.write(bare_file, orjson.dumps(full)), lambda: recorder.record(RECORD))
    os.close(bare_file)
    return [
        at_most("record(), p50", _at(ours, 0.5), "us", _at(bare, 0.5), 3),
        at_most("record(), p99", _at(ours, 0.99), "us", _at(bare, 0.99), 10),
    ]


def _in_turns(bare: Callable[[], object], ours: Callable[[], object]) -> tuple[list[int], list[int]]:
    """Nanoseconds of each call, the two taking turns so that a busy moment hits both."""
    clock = time.perf_counter_ns
    times: tuple[list[int], list[int]] = ([], [])
    gc.disable()
    try:
        for _ in range(RECORDS // TURN):
            for work, kept in zip((bare, ours), times, strict=True):
                for _ in range(TURN):
                    begin = clock()
                    work()
                    kept.append(clock() - begin)
    finally:
        gc.enable()
    return times


def _at(nanoseconds: list[int], quantile: float) -> float:
    return sorted(nanoseconds)[int(len(nanoseconds) * quantile)] / 1000


def _drain(folder: Path, rows: int) -> Figure:
    lines = b"".join(encode(_varied(number)) for number in range(rows))
    raw, ours = [], []
    for turn in range(DRAINS):
        raw.append(_raw_insert(folder / f"raw {rows} {turn}", lines))
        ours.append(_one_drain(folder / f"home {rows} {turn}", lines))
    per_second, raw_per_second = rows / statistics.median(ours), rows / statistics.median(raw)
    return at_least(f"drain of {len(lines) / 1e6:.0f} MB", per_second, "rows/s", raw_per_second, 0.5)


def _varied(number: int) -> UsageRecord:
    return replace(
        RECORD,
        id=os.urandom(16).hex(),
        call_id=os.urandom(16).hex(),
        started_at=RECORD.started_at + timedelta(milliseconds=number * 7919 % 86_400_000),
        user=f"user {number % 997}",
        latency_ms=number * 31 % 9000 / 7,
        request_id=f"req_{os.urandom(12).hex()}",
    )


def _raw_insert(folder: Path, lines: bytes) -> float:
    """Seconds that plain DuckDB takes from the lines in a file to a closed database."""
    folder.mkdir()
    source = folder / "lines.jsonl"
    source.write_bytes(lines)
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    begin = time.perf_counter()
    with duckdb.connect(str(folder / "raw.duckdb")) as connection:
        connection.execute(f"CREATE TABLE usage ({columns})")
        connection.execute(
            f"INSERT INTO usage SELECT * FROM read_json('{source}', columns={{{types}}}, format='newline_delimited')"
        )
    return time.perf_counter() - begin


def _one_drain(folder: Path, lines: bytes) -> float:
    """Seconds from the lines in a spool to a committed segment."""
    home = open_home(folder)
    (home.spool / "host-1-ab.jsonl").write_bytes(lines)
    begin = time.perf_counter()
    done = drain(home)
    seconds = time.perf_counter() - begin
    assert done.rows == lines.count(b"\n{")
    assert not done.more
    return seconds
