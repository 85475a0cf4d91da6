"""How large values are: quantiles, and how many records lie between which bounds.

Both count records in bins on a log scale, in the database, whatever the number of rows: exact quantiles need memory in
proportion to them. Numbers are floats here, money too, since they are approximate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from .buckets import aware, bucket_start
from .filters import Condition, known
from .grouping import groups_of
from .question import Query, Writer, as_found, select, with_steps
from .zones import zone

if TYPE_CHECKING:
    import pandas as pd

TIMES: tuple[str, ...] = ("latency_ms", "ttft_ms")
RANKED: tuple[str, ...] = (*TIMES, "input_tokens", "output_tokens", "cost_usd")
"""Columns whose quantiles and distribution can be asked for."""

QUANTILES: tuple[str, ...] = ("p50", "p90", "p95", "p99")

_BINS_PER_E = 64
"""A bin is 1.6 % wide, so a quantile is off by 0.8 % at most, and counts add up."""

_ZERO = -100_000
"""The bin of values that have no logarithm; its middle, exp(-1562), is 0 as a float."""


def latency(
    where: Condition,
    by: str | Sequence[str] | None = None,
    *,
    column: str = "latency_ms",
    bucket: str | None = None,
    tz: str = "UTC",
) -> Query[pd.DataFrame]:
    """p50_ms and p95_ms of `column`, one of TIMES; see `percentiles`."""
    return _quantiles(where, by, known(column, TIMES), bucket, tz, "{}_ms", ("p50", "p95"))


def percentiles(
    where: Condition, column: str, by: str | Sequence[str] | None = None, *, bucket: str | None = None, tz: str = "UTC"
) -> Query[pd.DataFrame]:
    """p50, p90, p95 and p99 of one of RANKED over all records that have it, by the columns `by`, and by `bucket` of
    time as in `series`; `records` is their number.

    The value of the record at that rank, off by 0.8 % at most (a time below 1 ms counts as 1 ms). None without such
    records; without `by` and `bucket` there is always one row.
    """
    return _quantiles(
        where, by, known(column, RANKED), bucket, tz, "{}", QUANTILES, "coalesce(sum(n), 0)::BIGINT AS records"
    )


def distribution(where: Condition, column: str, *, per_decade: int = 10) -> Query[pd.DataFrame]:
    """How many records have a value of one of RANKED from `low` up to `high`, in bins equally wide on a log scale.

    The edges are the powers of ten and `per_decade` - 1 between each two. Values of 0 are a bin from 0 to 0. Bins
    without records are absent, and records without a value are in none.
    """
    known(column, RANKED)
    if not 1 <= per_decade <= 100:
        raise InvalidInput(f"{per_decade} bins from 1 to 10 are not possible.", "Ask for 1 to 100.")

    def write(writer: Writer) -> str:
        bins = select(
            [f"CASE WHEN {column} > 0 THEN floor(log10({column}) * {per_decade})::INTEGER END AS bin"],
            writer.usage(where, column),
            _with_value(writer, where, column),
        )
        edges = [f"coalesce(pow(10, {edge} / {per_decade}), 0) AS {name}" for edge, name in _EDGES]
        last = select([*edges, "count(*) AS records"], "bins", group="ALL", order="low, high")
        return with_steps([("bins", bins)], last)

    return Query(write, as_found)


_EDGES = (("bin", "low"), ("(bin + 1)", "high"))


def bins_of(writer: Writer, where: Condition, column: str, keys: Sequence[str] = (), reads: Sequence[str] = ()) -> str:
    """How many records are in each bin of `column`, for each of the `keys`, a SELECT list over columns `reads`."""
    value = f"greatest({column}, 1)" if column in TIMES else column
    log = f"round(ln({value}) * {_BINS_PER_E})::INTEGER"
    number = log if column in TIMES else f"CASE WHEN {column} > 0 THEN {log} ELSE {_ZERO} END"
    return select(
        [*keys, f"{number} AS bin", "count(*) AS n"],
        writer.usage(where, *reads, column),
        _with_value(writer, where, column),
        group="ALL",
    )


def ranked(bins: str, keys: Sequence[str]) -> str:
    """The step after `bins_of`: each bin with the records up to it, and all records with the same `keys`."""
    same = f"PARTITION BY {', '.join(keys)}" if keys else ""
    running = f"sum(n) OVER ({f'{same} ' if keys else ''}ORDER BY bin) AS running"
    return select([*keys, "bin", "n", running, f"sum(n) OVER ({same}) AS total"], bins)


def at_ranks(names: Sequence[str], named: str = "{}") -> list[str]:
    """Quantiles over the step `ranked`, for a SELECT list."""
    return [
        f"exp(min(bin) FILTER (WHERE running >= {name[1:]} / 100 * total) / {_BINS_PER_E}) AS {named.format(name)}"
        for name in names
    ]


def _quantiles(
    where: Condition,
    by: str | Sequence[str] | None,
    column: str,
    bucket: str | None,
    tz: str,
    named: str,
    names: Sequence[str],
    *further: str,
) -> Query[pd.DataFrame]:
    local, grouped = zone(tz), groups_of(by)
    start = None if bucket is None else bucket_start(bucket, local, where)

    def write(writer: Writer) -> str:
        leads = [*([start(writer)] if start else []), *grouped.items(writer)]
        keys = [*(["bucket"] if start else []), *grouped.columns]
        bins = bins_of(writer, where, column, leads, grouped.reads)
        last = select(
            [*keys, *at_ranks(names, named), *further], "ranked", group="ALL" if keys else "", order=", ".join(keys)
        )
        return with_steps([("bins", bins), ("ranked", ranked("bins", keys))], last)

    return Query(write, as_found if bucket is None else lambda frame: aware(frame, bucket, local))


def _with_value(writer: Writer, where: Condition, column: str) -> str:
    terms = (f"{column} IS NOT NULL", writer.where(where))
    return " AND ".join(term for term in terms if term != "true")
