"""Named questions over the view `usage`, one function each. What rows they are about comes as a `Condition`.

Measures, in every answer:

    cost_usd              US dollars, Decimal; None when no record of the group has a known cost
    priced, unpriced      the share of records whose cost is known (0 to 1), and the number whose cost is not
    calls                 calls that began here: a call with several attempts, or several parts, is one
    attempts              requests on the wire
    records               rows of the ledger: an attempt, or a further model that took part in one answer
    errors                records with status error, partial or interrupted; a call that the caller stopped is none
    input_tokens ...      sums of every field of `Usage`; None where no record of the group reports usage

The measures add up: over groups, over buckets and over spans that follow each other, they give the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ..errors import InvalidInput
from ..types import USAGE_FIELDS
from .filters import GROUPABLE, Condition, known, quoted
from .reader import Snapshot
from .zones import offset_sql, zone

if TYPE_CHECKING:
    import pandas as pd

BUCKETS: tuple[str, ...] = ("hour", "day", "week", "month")
"""Weeks begin on Monday."""

SORTS: tuple[str, ...] = ("cost_usd", "calls", "attempts", "errors", "input_tokens", "output_tokens")

_BINS_PER_E = 64
"""Latencies are counted in bins 1.6 % wide on a log scale, so a quantile is off by 0.8 % at most, and counts add up."""

_SUMMED = ("cost_usd", "attempt", "part", "status", *USAGE_FIELDS)
_MEASURES = ", ".join(
    (
        "sum(cost_usd)::VARCHAR AS cost_usd",
        "count(cost_usd) / nullif(count(*), 0) AS priced",
        "count(*) - count(cost_usd) AS unpriced",
        "count(*) FILTER (attempt = 1 AND part = 0) AS calls",
        "count(*) FILTER (part = 0) AS attempts",
        "count(*) AS records",
        "count(*) FILTER (status IN ('error', 'partial', 'interrupted')) AS errors",
        *(f"sum({name})::{'DOUBLE' if name == 'audio_seconds' else 'BIGINT'} AS {name}" for name in USAGE_FIELDS),
    )
)
"""The measures of a group of rows of _SUMMED."""

_QUANTILES = ("p50", "p95")
_HOUR_US = 3_600_000_000


def summary(snapshot: Snapshot, where: Condition) -> pd.DataFrame:
    """All measures of the matching records in one row, with latency_p50_ms, latency_p95_ms and the same of ttft."""
    usage = snapshot.usage(*where.columns, *_SUMMED)
    row = snapshot.frame(f"SELECT {_MEASURES} FROM {usage} WHERE {where.sql}", where.values)
    for column in ("latency", "ttft"):
        found = quantiles(snapshot, where, column=f"{column}_ms")
        for quantile in _QUANTILES:
            row[f"{column}_{quantile}_ms"] = found[f"{quantile}_ms"]
    return row


def groups(
    snapshot: Snapshot, where: Condition, by: Sequence[str], *, sort: str = "cost_usd", limit: int | None = None
) -> pd.DataFrame:
    """Measures by the columns `by`, largest `sort` first, unknown last; only the first `limit` groups when given."""
    if sort not in SORTS:
        raise InvalidInput(f"Groups cannot be sorted by {sort!r}.", f"Use one of {', '.join(SORTS)}.")
    if not by:
        raise InvalidInput("Groups need a column to group by.", f"Use one of {', '.join(GROUPABLE)}.")
    lead = _lead(by)
    usage = snapshot.usage(*where.columns, *by, *_SUMMED)
    largest = "sum(usage.cost_usd)" if sort == "cost_usd" else sort
    return snapshot.frame(
        f"""
        SELECT {lead} {_MEASURES} FROM {usage} WHERE {where.sql}
        GROUP BY ALL ORDER BY {largest} DESC NULLS LAST, {lead[:-2]} {_limit(limit)}
        """,
        where.values,
    )


def series(snapshot: Snapshot, where: Condition, by: Sequence[str], bucket: str, tz: str) -> pd.DataFrame:
    """Measures by bucket of time and by the columns `by`; `bucket` is when it begins, aware, in `tz`.

    Days begin at midnight in `tz`, so one with a clock change has 23 or 25 hours. Buckets without records are absent.
    """
    local = zone(tz)
    lead = _lead(by)
    usage = snapshot.usage("started_at", *where.columns, *by, *_SUMMED)
    frame = snapshot.frame(
        f"""
        SELECT {_bucket(snapshot, bucket, local)} AS bucket, {lead} {_MEASURES} FROM {usage} WHERE {where.sql}
        GROUP BY ALL ORDER BY {", ".join(("bucket", lead[:-2])) if by else "bucket"}
        """,
        where.values,
    )
    frame["bucket"] = _aware(frame["bucket"], bucket, local)
    return frame


def quantiles(
    snapshot: Snapshot,
    where: Condition,
    by: Sequence[str] = (),
    *,
    column: str = "latency_ms",
    bucket: str | None = None,
    tz: str = "UTC",
) -> pd.DataFrame:
    """p50_ms and p95_ms of `column`, latency_ms or ttft_ms, over all records that have it, by the columns `by`, and by
    `bucket` of time as in `series`.

    The value of the record at that rank, off by 0.8 % at most (below 1 ms it counts as 1 ms): exact ones need memory in
    proportion to the rows. None without such records; without `by` and `bucket` there is always one row.
    """
    known(column, ("latency_ms", "ttft_ms"))
    local = zone(tz)
    lead = _lead(by)
    start = "" if bucket is None else f"{_bucket(snapshot, bucket, local)} AS bucket, "
    usage = snapshot.usage(*(("started_at",) if start else ()), *where.columns, *by, column)
    keys = f"bucket, {lead}" if start else lead
    window = f"PARTITION BY {keys[:-2]} " if keys else ""
    ranks = ", ".join(
        f"exp(min(bin) FILTER (WHERE running >= {quantile[1:]} / 100 * total) / {_BINS_PER_E}) AS {quantile}_ms"
        for quantile in _QUANTILES
    )
    frame = snapshot.frame(
        f"""
        WITH bins AS (
            SELECT {start} {lead} round(ln(greatest({column}, 1)) * {_BINS_PER_E})::INTEGER AS bin, count(*) AS n
            FROM {usage} WHERE {column} IS NOT NULL AND {where.sql} GROUP BY ALL
        ), ranked AS (
            SELECT {keys} bin, sum(n) OVER ({window}ORDER BY bin) AS running, sum(n) OVER ({window}) AS total
            FROM bins
        )
        SELECT {keys} {ranks} FROM ranked GROUP BY ALL ORDER BY ALL
        """,
        where.values,
    )
    if bucket is not None:
        frame["bucket"] = _aware(frame["bucket"], bucket, local)
    return frame


def values(snapshot: Snapshot, where: Condition, column: str, limit: int) -> list[str | int]:
    """The values a column has, those with most records first: what a filter can be set to."""
    name = quoted(known(column, GROUPABLE))
    found = snapshot.rows(
        f"""
        SELECT {name} AS value FROM {snapshot.usage(*where.columns, column)} WHERE {name} IS NOT NULL AND {where.sql}
        GROUP BY value ORDER BY count(*) DESC, value {_limit(limit)}
        """,
        where.values,
    )
    return [value for (value,) in found]


def _lead(by: Sequence[str]) -> str:
    """The grouping columns as the first ones of a SELECT list, each followed by a comma. Raises UnknownColumn."""
    return "".join(f"{quoted(known(column, GROUPABLE))}, " for column in by)


def _limit(limit: int | None) -> str:
    if limit is not None and limit < 1:
        raise InvalidInput(f"{limit} rows are not possible.", "Ask for one row or more, or None for all.")
    return "" if limit is None else f"LIMIT {int(limit)}"


def _bucket(snapshot: Snapshot, bucket: str, tz: ZoneInfo) -> str:
    """When a row's bucket begins: in local time; for hours in UTC, as a clock change repeats an hour's name."""
    if bucket not in BUCKETS:
        raise InvalidInput(f"There is no bucket {bucket!r}.", f"Use one of {', '.join(BUCKETS)}.")
    oldest, newest = snapshot.extent or (datetime.min, datetime.min)
    offset = offset_sql("started_at", tz, oldest, newest)
    if bucket == "hour":
        return f"make_timestamp(epoch_us(started_at) - (epoch_us(started_at) + {offset}) % {_HOUR_US})"
    return f"date_trunc('{bucket}', make_timestamp(epoch_us(started_at) + {offset}))"


def _aware(starts: pd.Series[pd.Timestamp], bucket: str, tz: ZoneInfo) -> pd.Series[pd.Timestamp]:
    """Where a clock change skips midnight the day begins after it; where it repeats midnight, at the first one."""
    import numpy as np

    if bucket == "hour":
        return starts.dt.tz_localize("UTC").dt.tz_convert(tz)
    return starts.dt.tz_localize(tz, ambiguous=np.full(len(starts), True), nonexistent="shift_forward")
