"""How models did here, from their own records: how fast they answered, how often they failed, what they cost.

Speed is told of answers that came whole (`status` ok): a request refused at once would make a model look fast.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from .filters import GROUPABLE, Condition
from .grouping import Groups, groups_of
from .queries import measures
from .question import Query, Writer, as_found, select, with_steps
from .ranks import at_ranks, bins_of, ranked

if TYPE_CHECKING:
    import pandas as pd

_SUMS = ("input_tokens", "cache_read_tokens", "output_tokens", "audio_seconds")
_READS = ("cost_usd", "attempt", "part", "status", *_SUMS, "latency_ms", "ttft_ms")
_RANKS = {"latency": ("p50", "p95"), "ttft": ("p50",)}
_STREAMED = "status = 'ok' AND part = 0 AND output_tokens > 1 AND latency_ms > ttft_ms"
"""Answers whose tokens after the first have a time of their own."""

_MICROSECONDS = "try_cast((latency_ms - ttft_ms) * 1000 AS BIGINT)"
"""Whole numbers, whose sum is the same in any order."""

_SPEED = (
    f"1e6 * sum(output_tokens - 1) FILTER ({_STREAMED}) / nullif(sum({_MICROSECONDS}) FILTER ({_STREAMED}), 0) "
    "AS tokens_per_second"
)
_ERROR_RATE = (
    "count(*) FILTER (status IN ('error', 'partial', 'interrupted')) / nullif(count(*) FILTER (part = 0), 0) "
    "AS error_rate"
)


def performance(where: Condition, by: str | Sequence[str]) -> Query[pd.DataFrame]:
    """One row for each value of the columns `by`, most calls first:

    calls, attempts           as in `queries`
    error_rate                errors / attempts, 0 to 1
    latency_p50_ms, latency_p95_ms, ttft_p50_ms   of answers that came whole, off by 0.8 % at most; NaN where unknown
    tokens_per_second         output tokens after each answer's first / seconds after it, over all streamed answers
    cost_usd, priced          as in `queries`
    input_tokens, cache_read_tokens, output_tokens, audio_seconds   sums; None where no record reports usage
    """
    grouped = groups_of(by)
    if not grouped.names:
        raise InvalidInput("Performance needs a column to group by.", f"Use one of {', '.join(GROUPABLE)}.")
    terms = "status = 'ok'" if where.sql == "true" else f"{where.sql} AND status = 'ok'"
    whole = dataclasses.replace(where, sql=terms, columns=(*where.columns, "status"))

    def write(writer: Writer) -> str:
        counted, told = (measures(*names, money=writer.money) for names in (("calls", "attempts"), _TOLD))
        measured = select(
            [*grouped.items(writer), *counted, _ERROR_RATE, _SPEED, *told],
            writer.usage(where, *grouped.reads, *_READS),
            writer.where(where),
            group="ALL",
        )
        steps = [("measured", measured)]
        for name, ranks in _RANKS.items():
            steps += _quantiles(writer, whole, grouped, name, ranks)
        last = select(
            ["measured.*", *(f"{name}_{rank}_ms" for name, ranks in _RANKS.items() for rank in ranks)],
            "measured" + "".join(f"\nLEFT JOIN {name} ON {grouped.same('measured', name)}" for name in _RANKS),
            order=", ".join(("calls DESC", *(f"measured.{column}" for column in grouped.columns))),
        )
        return with_steps(steps, last)

    return Query(write, as_found)


_TOLD = ("cost_usd", "priced", *_SUMS)


def _quantiles(
    writer: Writer, where: Condition, grouped: Groups, name: str, ranks: Sequence[str]
) -> list[tuple[str, str]]:
    bins = bins_of(writer, where, f"{name}_ms", grouped.items(writer), grouped.reads)
    keys = grouped.columns
    return [
        (f"{name}_bins", bins),
        (f"{name}_ranked", ranked(f"{name}_bins", keys)),
        (name, select([*keys, *at_ranks(ranks, f"{name}_{{}}_ms")], f"{name}_ranked", group="ALL")),
    ]
