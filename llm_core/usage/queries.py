"""Named questions over the view `usage`, one function each. What rows they are about comes as a `Condition`.

Measures, in every answer:

    cost_usd              US dollars, Decimal; None when no record of the group has a known cost
    priced, unpriced      the share of records whose cost is known (0 to 1), and the number whose cost is not
    calls                 calls that began here: a call with several attempts, or several parts, is one
    attempts              requests on the wire
    records               rows of the ledger: an attempt, or a further model that took part in one answer
    errors                records with status error, partial or interrupted; a call that the caller stopped is none
    tokens                input_tokens and output_tokens, which the other classes are parts of
    input_tokens ...      sums of every field of `Usage`; None where no record of the group reports usage

The measures add up: over groups, over buckets and over spans that follow each other, they give the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from ..types import USAGE_FIELDS
from .buckets import aware, bucket_start
from .filters import GROUPABLE, Condition
from .grouping import Groups, groups_of
from .question import Query, Writer, as_found, select, with_steps
from .ranks import at_ranks, bins_of, ranked
from .zones import zone

if TYPE_CHECKING:
    import pandas as pd

SORTS: tuple[str, ...] = ("cost_usd", "calls", "attempts", "errors", "tokens", "input_tokens", "output_tokens")

SUMMED = ("cost_usd", "attempt", "part", "status", *USAGE_FIELDS)
"""The columns that measures are made of."""

_MEASURES = {
    "cost_usd": "sum(cost_usd)",
    "priced": "count(cost_usd) / nullif(count(*), 0)",
    "unpriced": "count(*) - count(cost_usd)",
    "calls": "count(*) FILTER (attempt = 1 AND part = 0)",
    "attempts": "count(*) FILTER (part = 0)",
    "records": "count(*)",
    "errors": "count(*) FILTER (status IN ('error', 'partial', 'interrupted'))",
    # Added up after the sums, which are there anyway; where a record tells of one of both, that one counts.
    "tokens": "coalesce(sum(input_tokens) + sum(output_tokens), sum(input_tokens), sum(output_tokens))::BIGINT",
    **{name: f"sum({name})::{'DOUBLE' if name == 'audio_seconds' else 'BIGINT'}" for name in USAGE_FIELDS},
}
_COUNTS = ("unpriced", "calls", "attempts", "records", "errors", "tokens")


def measures(*names: str, money: Callable[[str], str] = str) -> list[str]:
    """Measures of a group of rows of SUMMED, all or some, for a SELECT list; `money` is how cost leaves this SELECT."""
    return [
        f"{money(sql) if name == 'cost_usd' else sql} AS {name}"
        for name, sql in _MEASURES.items()
        if not names or name in names
    ]


def summary(where: Condition) -> Query[pd.DataFrame]:
    """All measures of the matching records in one row, with latency_p50_ms, latency_p95_ms and the same of ttft."""

    def write(writer: Writer) -> str:
        usage = writer.usage(where, *SUMMED)
        steps = [("measured", select(measures(money=writer.money), usage, writer.where(where)))]
        for name in ("latency", "ttft"):
            steps += [
                (f"{name}_bins", bins_of(writer, where, f"{name}_ms")),
                (f"{name}_ranked", ranked(f"{name}_bins", ())),
                (name, select(at_ranks(("p50", "p95"), f"{name}_{{}}_ms"), f"{name}_ranked")),
            ]
        return with_steps(steps, "SELECT *\nFROM measured, latency, ttft")

    return Query(write, as_found)


def groups(
    where: Condition,
    by: str | Sequence[str],
    *,
    sort: str = "cost_usd",
    limit: int | None = None,
    other: bool = False,
) -> Query[pd.DataFrame]:
    """Measures by the columns `by`, largest `sort` first, unknown last; only the first `limit` groups when given.

    With `other` what is left of them is the last row, named Other. Its column `others` is how many groups it holds; all
    other rows have 0 there.
    """
    grouped = groups_of(by)
    _check(sort, limit)
    if not grouped.names:
        raise InvalidInput("Groups need a column to group by.", f"Use one of {', '.join(GROUPABLE)}.")

    def write(writer: Writer) -> str:
        largest = "sum(usage.cost_usd)" if sort == "cost_usd" else sort
        return select(
            [*grouped.items(writer), *measures(money=writer.money)],
            writer.usage(where, *grouped.reads, *SUMMED),
            writer.where(where),
            group="ALL",
            order=", ".join((f"{largest} DESC NULLS LAST", *grouped.columns)),
            limit=limit,
        )

    def write_folded(writer: Writer) -> str:
        return _folded(
            writer,
            where,
            grouped,
            (sort, limit),
        )

    return Query(write_folded if other else write, as_found)


def series(
    where: Condition,
    by: str | Sequence[str] | None = None,
    bucket: str = "day",
    tz: str = "UTC",
    *,
    sort: str = "cost_usd",
    limit: int | None = None,
) -> Query[pd.DataFrame]:
    """Measures by bucket of time and by the columns `by`; `bucket` is when it begins, aware, in `tz`.

    Days begin at midnight in `tz`, so one with a clock change has 23 or 25 hours. Buckets without records are absent.
    With `limit` only the groups with the largest `sort` over the whole span are kept apart; the rest is named Other.
    """
    local, grouped = zone(tz), groups_of(by)
    _check(sort, limit)
    start = bucket_start(bucket, local, where)

    def write(writer: Writer) -> str:
        return select(
            [start(writer), *grouped.items(writer), *measures(money=writer.money)],
            writer.usage(where, "started_at", *grouped.reads, *SUMMED),
            writer.where(where),
            group="ALL",
            order=", ".join(("bucket", *grouped.columns)),
        )

    def write_folded(writer: Writer) -> str:
        return _folded(writer, where, grouped, (sort, limit), start(writer))

    return Query(
        write_folded if limit is not None and grouped.names else write, lambda frame: aware(frame, bucket, local)
    )


def values(where: Condition, column: str, limit: int | None) -> Query[list[Any]]:
    """The values a column, or a tag, has, those with most records first: what a filter can be set to.

    For `tags`, the names of tags.
    """
    _check(SORTS[0], limit)
    grouped = Groups() if column == "tags" else groups_of(column)

    def write(writer: Writer) -> str:
        value = grouped.values(writer)[0] if grouped.names else "unnest(map_keys(tags))"
        usage = writer.usage(where, *(grouped.reads or ("tags",)))
        found = select([f"{value} AS value"], usage, writer.where(where))
        last = select(["value"], "found", "value IS NOT NULL", group="ALL", order="count(*) DESC, value", limit=limit)
        return with_steps([("found", found)], last)

    return Query(write, lambda frame: list(frame["value"].tolist()))


def _folded(writer: Writer, where: Condition, grouped: Groups, top: tuple[str, int | None], bucket: str = "") -> str:
    """Measures of all groups, added up where a group is not among the first ones by the sort and limit of `top`."""
    sort, limit = top
    made = select(
        [*([bucket] if bucket else []), *grouped.items(writer), *measures()],
        writer.usage(where, "started_at", *grouped.reads, *SUMMED),
        writer.where(where),
        group="ALL",
    )
    largest = ", ".join((f"sum(made.{sort}) DESC NULLS LAST", *grouped.columns))
    first = select(
        [*grouped.columns, f"row_number() OVER (ORDER BY {largest}) AS place"],
        "made",
        group=", ".join(grouped.columns),
        order="place",
        limit=limit,
    )
    again = [
        f"{writer.money('sum(made.cost_usd)')} AS cost_usd",
        "(sum(made.records) - sum(made.unpriced)) / sum(made.records) AS priced",
        *(f"sum(made.{name})::{_kind(name)} AS {name}" for name in (*_COUNTS, *USAGE_FIELDS)),
        "count(*) FILTER (top.place IS NULL) AS others",
    ]
    keys = ["bucket", "top.place"] if bucket else ["top.place"]
    last = select(
        [*keys[:-1], *grouped.folded("top.place IS NULL", "made"), *again],
        f"made LEFT JOIN top ON {grouped.same('made', 'top')}",
        group=", ".join(keys),
        order=", ".join(keys),
    )
    return with_steps([("made", made), ("top", first)], last)


def _kind(measure: str) -> str:
    return "DOUBLE" if measure == "audio_seconds" else "BIGINT"


def _check(sort: str, limit: int | None) -> None:
    if sort not in SORTS:
        raise InvalidInput(f"Groups cannot be sorted by {sort!r}.", f"Use one of {', '.join(SORTS)}.")
    if limit is not None and limit < 1:
        raise InvalidInput(f"{limit} rows are not possible.", "Ask for one row or more, or None for all.")
