"""Writes the sample's calls into the ledger of a home: one segment, priced by the price list and committed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ..catalog.cost import Rate
from ..catalog.prices import rates_of
from ..store.home import Home
from ..usage.manifest import commit, load_newest
from ..usage.segment_file import write_segment
from ..usage.staging import TABLE_COLUMNS, private_connection
from .calls import make_calls
from .work import DAYS, WORK

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CLASSES = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
_PER_TOKEN = "DECIMAL(18, 12)"

_AS_RECORDS = """
SELECT
    md5(concat('row', call, '/', attempt)) AS id,
    md5(concat('call', call)) AS call_id,
    attempt::INTEGER AS attempt,
    0 AS part,
    started_at,
    connection AS provider,
    connection,
    model,
    CASE WHEN input_tokens IS NOT NULL THEN model END AS model_reported,
    mode, task, app, "user", project,
    'call' AS source,
    input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    input_tokens * 0 AS cache_write_1h_tokens,
    latency_ms, ttft_ms, status, nullif(error_kind, '') AS error_kind, usage_source,
    CASE WHEN status = 'error' AND error_kind <> 'timeout' THEN 0 END AS cost_usd,
    CASE WHEN status = 'error' AND error_kind <> 'timeout' THEN 'not billed' END AS price_source,
    CASE WHEN connection <> 'local' THEN concat('req_', left(md5(concat('request', call, attempt)), 16)) END
        AS request_id,
    MAP {'team': team} AS tags
FROM calls
"""
"""A refused or unsent request costs nothing; what a timeout cost nobody knows."""

_PRICE = """
UPDATE batch
SET price_source = rates.source, price_from = rates.since,
    cost_usd = coalesce(nullif(batch.input_tokens - batch.cache_read_tokens - batch.cache_write_tokens, 0)
            * rates.input_tokens, 0)
        + CASE WHEN batch.cache_read_tokens = 0 THEN 0 ELSE batch.cache_read_tokens * rates.cache_read_tokens END
        + CASE WHEN batch.cache_write_tokens = 0 THEN 0 ELSE batch.cache_write_tokens * rates.cache_write_tokens END
        + batch.output_tokens * rates.output_tokens
FROM rates
WHERE batch.connection = rates.connection AND batch.model = rates.model AND batch.mode = rates.mode
    AND batch.started_at::DATE = rates.day AND batch.input_tokens IS NOT NULL
"""
"""`cost_of` for the token classes that the sample has, below every tier: the same sums, a hundred times as fast."""


def write_calls(home: Home, now: datetime) -> int:
    """Into a new ledger. Returns the number of records. Raises OSError, duckdb.Error, LedgerDamaged."""
    calls = make_calls(now)
    empty = load_newest(home)
    with private_connection(home) as connection:
        connection.register("calls", calls)
        connection.execute(f"CREATE TEMP TABLE batch ({TABLE_COLUMNS})")
        connection.execute(f"INSERT INTO batch BY NAME {_AS_RECORDS}")
        _fill_rates(connection, now.date())
        connection.execute(_PRICE)
        segment = write_segment(connection, home.segments, len(calls), "SELECT * FROM batch ORDER BY started_at")
    commit(home, empty.next(segments=[segment]))
    return len(calls)


def _fill_rates(connection: DuckDBPyConnection, today: date) -> None:
    """What a token of each class cost on each day, for everything that the sample calls."""
    columns = ", ".join(f"{name} {_PER_TOKEN}" for name in _CLASSES)
    connection.execute(
        "CREATE TEMP TABLE rates (connection VARCHAR, model VARCHAR, mode VARCHAR, day DATE, source VARCHAR, "
        f"since DATE, {columns})"
    )
    called = {(share.connection, share.model, work.mode) for work in WORK for share in work.models}
    rows = [
        row
        for each in sorted(called)
        for ago in range(DAYS + 1)
        if (row := _rates(*each, today - timedelta(days=ago))) is not None
    ]
    kinds = ("VARCHAR", "VARCHAR", "VARCHAR", "DATE", "VARCHAR", "DATE", *("VARCHAR" for _ in _CLASSES))
    unnested = ", ".join(f"unnest(?::{kind}[])" for kind in kinds)
    connection.execute(f"INSERT INTO rates SELECT {unnested}", [list(column) for column in zip(*rows, strict=True)])


def _rates(provider: str, model: str, mode: str, day: date) -> tuple[str | date | None, ...] | None:
    if provider == "local":
        return (provider, model, mode, day, "local", None, *("0" for _ in _CLASSES))
    card = rates_of(provider, model, None, datetime.combine(day, time(), UTC), mode)
    if card is None:
        return None
    amounts = (_per_token(card.rates.get(name)) for name in _CLASSES)
    return (provider, model, mode, day, card.source, card.effective_from, *amounts)


def _per_token(rate: Rate | None) -> str | None:
    return None if rate is None else f"{rate.usd / Decimal(rate.per):f}"
