"""One row for each kind of work (connection, model, app and task), with what several pieces of advice look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ..filters import Condition
from ..question import Query, Writer, as_found, select
from .piece import text, whole

if TYPE_CHECKING:
    import pandas as pd

    from .piece import Ground

WORK = ("connection", "provider", "model", "app", "task")
_BATCHED = 5
"""Minutes: how long providers keep a cache at least."""


def habits(where: Condition, tz: ZoneInfo) -> Query[pd.DataFrame]:
    """Of whole answers in standard mode: calls, cost_usd, sums and quantiles of tokens, and

    streamed    with a time to the first token: somebody waited for it
    off_hours   begun at night (20 to 6) or on a weekend in `tz`
    jobs        not made by a call of an app: tests, imports
    windows     stretches of five minutes in which there were any
    """

    def write(writer: Writer) -> str:
        local = writer.local("started_at", tz, where.start, where.end)
        return select(
            [
                *WORK,
                "count(*) AS calls",
                f"{writer.money('sum(cost_usd)')} AS cost_usd",
                "sum(input_tokens)::BIGINT AS input_tokens",
                "sum(cache_read_tokens)::BIGINT AS cache_read_tokens",
                "sum(output_tokens)::BIGINT AS output_tokens",
                "quantile_disc(input_tokens, 0.1) AS input_p10",
                "quantile_disc(input_tokens, 0.5) AS input_p50",
                "count(ttft_ms) AS streamed",
                f"count(*) FILTER (hour({local}) >= 20 OR hour({local}) < 6 OR isodow({local}) > 5) AS off_hours",
                "count(*) FILTER (source IS DISTINCT FROM 'call') AS jobs",
                f"count(DISTINCT time_bucket(INTERVAL {_BATCHED} MINUTE, started_at)) AS windows",
            ],
            writer.usage(
                where,
                *("started_at", *WORK, "cost_usd", "input_tokens", "cache_read_tokens"),
                *("output_tokens", "ttft_ms", "source", "status", "mode", "part"),
            ),
            f"{writer.where(where)} AND status = 'ok' AND mode = 'standard' AND part = 0",
            group="ALL",
            order="sum(usage.cost_usd) DESC NULLS LAST, connection, model, app, task",
        )

    return Query(write, as_found)


def filters_of(row: dict[Any, Any]) -> dict[str, Any]:
    """The filters of a question about this kind of work alone."""
    return {name: text(row[name]) for name in WORK if name != "provider"}


def evidence(ground: Ground, row: dict[Any, Any]) -> tuple[pd.DataFrame, str]:
    """The row of `habits` for this work, and the SQL that shows it."""
    asked = habits(ground.where(**filters_of(row)), ground.tz)
    return ground.ledger.ask(asked), asked.shown()


def mean(row: dict[Any, Any], name: str) -> int:
    return round(whole(row[name]) / max(1, whole(row["calls"])))
