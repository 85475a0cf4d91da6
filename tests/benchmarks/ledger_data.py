"""Made-up usage for benchmarks: the same rows as a ledger in the shape it has in use, and as one native DuckDB file.

Made once per number of rows and kept in $LLM_MANAGER_BENCH_DIR, else in the system's folder for temporary files: about
230 bytes a row for both. Rows are spread over 180 days; the last month is cut into small segments as draining and
merging leave it, and the newest 10,000 rows still wait in a spool.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from llm_core.store.home import Home, open_home
from llm_core.usage.manifest import SegmentInfo, commit, load_newest
from llm_core.usage.segment_file import write_segment
from llm_core.usage.staging import TABLE_COLUMNS

VERSION = 2
"""Raised when the rows or their layout change, so that kept data is made anew."""

TAIL = 10_000
DAYS = 180
END = datetime(2026, 11, 24, tzinfo=UTC)
RARE_USER = "user-0500"
"""In the middle of the others by its name, so that no block can be skipped by its smallest and largest value."""
COMMON_MODEL = "gpt-6-luna"

_LAST_MONTH = (0.5, *[0.1] * 4, *[0.015] * 6, *[0.0018] * 5, *[0.0003] * 3)
"""Shares of the segments that the last month consists of; what is left is one more."""

_MODELS = (COMMON_MODEL, *(f"model-{number:02d}" for number in range(1, 24)))


@dataclass(frozen=True, slots=True)
class BenchData:
    """`home` holds the ledger, `native` is one DuckDB file with a table `usage` of the same rows."""

    rows: int
    home: Home
    native: Path


def bench_data(rows: int) -> BenchData:
    """The data for that many rows in segments, made if it is not there."""
    folder = _folder() / f"usage-{rows}-v{VERSION}-duckdb-{duckdb.__version__}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        home = open_home(folder / "home")
        _make_ledger(home, rows)
        _make_native(home, folder / "native.duckdb", rows)
        (folder / "complete").touch()
    return BenchData(rows, open_home(folder / "home"), folder / "native.duckdb")


def segment_sizes(rows: int) -> Iterator[int]:
    """Rows of each segment, oldest first: whole months, then the last one in small pieces."""
    months = 6 if rows < 50_000_000 else 10
    month = rows // months
    yield from [month] * (months - 1)
    last = rows - month * (months - 1)
    pieces = [max(1, int(last * share)) for share in _LAST_MONTH]
    yield from pieces
    yield max(1, last - sum(pieces))


def _folder() -> Path:
    chosen = os.environ.get("LLM_MANAGER_BENCH_DIR")
    return Path(chosen) if chosen else Path(tempfile.gettempdir()) / "llm-manager-bench"


def _make_ledger(home: Home, rows: int) -> None:
    empty = load_newest(home)
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": ""}) as connection:
        connection.execute("SET enable_progress_bar = false")
        first = 0
        segments: list[SegmentInfo] = []
        for size in segment_sizes(rows):
            segments.append(write_segment(connection, home.segments, size, _rows(rows, first, first + size)))
            first += size
        spool = home.spool / "bench-1-000000000000.jsonl"
        connection.execute(
            f"COPY (SELECT * REPLACE (cost_usd::VARCHAR AS cost_usd, strftime(started_at, '%Y-%m-%dT%H:%M:%S.%f') AS "
            f"started_at) FROM ({_rows(rows, first, first + TAIL)})) TO {_text(spool)} (FORMAT json)"
        )
    if not commit(home, empty.next(segments=segments)):
        raise RuntimeError("another process wrote to the benchmark's ledger")


def _make_native(home: Home, path: Path, rows: int) -> None:
    """All rows in order in one file; from the segments, which is faster than making them again."""
    with duckdb.connect(path, config={"memory_limit": "2GB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"CREATE TABLE usage ({TABLE_COLUMNS})")
        parts = []
        for number, segment in enumerate(load_newest(home).segments):
            connection.execute(f"ATTACH {_text(home.segments / segment.name)} AS s{number} (READ_ONLY)")
            parts.append(f"SELECT * FROM s{number}.usage")
        parts.append(_rows(rows, rows, rows + TAIL))
        connection.execute(f"INSERT INTO usage BY NAME {' UNION ALL BY NAME '.join(parts)}")


def _rows(total: int, first: int, last: int) -> str:
    """A SELECT of rows number `first` to `last` - 1, the same each time. One in fifty is a second attempt."""
    step = int(timedelta(days=DAYS) / timedelta(microseconds=1)) // (total + TAIL)
    start = f"TIMESTAMP '{END.replace(tzinfo=None) - timedelta(days=DAYS)}'"
    models = "[" + ", ".join(f"'{model}'" for model in _MODELS) + "]"
    return f"""
        SELECT
            md5(concat('r', i)) AS id,
            md5(concat('c', if(retried, i - 1, i))) AS call_id,
            if(retried, 2, 1) AS attempt,
            0 AS part,
            {start} + to_microseconds((i * {step})::BIGINT) AS started_at,
            ['openai', 'anthropic', 'google', 'cohere'][1 + m % 4] AS provider,
            provider AS connection,
            {models}[1 + m] AS model,
            concat(model, '-2026-06-01') AS model_reported,
            if(a % 40 = 0, 'batch', 'standard') AS mode,
            ['chat', 'chat', 'summarize', 'extract', 'code'][1 + a % 5] AS task,
            concat('app-', a % 7) AS app,
            if(i % {max(1, total // 12)} = 5, '{RARE_USER}', concat('user-', (1000 * x * x)::INT)) AS "user",
            concat('project-', (20 * y * y)::INT) AS project,
            if(a % 3 = 0, 'balanced', NULL) AS preset,
            if(a % 3 = 0, 1, NULL) AS preset_version,
            'call' AS source,
            (200 + 6000 * x * y)::BIGINT AS input_tokens,
            if(a % 4 = 0, (input_tokens * 0.7)::BIGINT, 0) AS cache_read_tokens,
            0::BIGINT AS cache_write_tokens,
            0::BIGINT AS cache_write_1h_tokens,
            (20 + 900 * y)::BIGINT AS output_tokens,
            if(m % 3 = 0, output_tokens // 2, 0) AS reasoning_tokens,
            0::BIGINT AS input_audio_tokens,
            0::BIGINT AS output_audio_tokens,
            0.0::DOUBLE AS audio_seconds,
            0::BIGINT AS images,
            1::BIGINT AS requests,
            0::BIGINT AS searches,
            round(150 + output_tokens * (4 + m % 5) + 2000 * x * x * x, 1) AS latency_ms,
            round(80 + 400 * x, 1) AS ttft_ms,
            if(a % 97 = 0, 'error', if(a % 211 = 0, 'cancelled', 'ok')) AS status,
            if(status = 'error', 'rate_limited', NULL) AS error_kind,
            'reported' AS usage_source,
            if(m >= 22, NULL, (input_tokens + output_tokens * 4) * (m + 1) / 1e7)::DECIMAL(18, 10) AS cost_usd,
            if(m >= 22, NULL, 'genai-prices 2026-11-20') AS price_source,
            if(m >= 22, NULL, DATE '2026-06-01') AS price_from,
            concat('req_', substr(md5(concat('q', i)), 1, 24)) AS request_id,
            if(a % 3 = 0, MAP {{'team': ['search', 'ads', 'core'][1 + a % 3]}}, NULL) AS tags,
            concat('{{"prompt_tokens":', input_tokens, ',"completion_tokens":', output_tokens,
                   ',"prompt_tokens_details":{{"cached_tokens":', cache_read_tokens, '}}}}')::JSON AS raw_usage
        FROM (
            SELECT range AS i, range % 50 = 1 AS retried, hash(range) AS h, (h % 1000003)::BIGINT AS a,
                   (h >> 20) % 1000000 / 1e6 AS x, (h >> 40) % 1000000 / 1e6 AS y, (23.99 * x * y)::INT AS m
            FROM range({first}, {last})
        )
    """


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
