"""How models did here, from their own records: how fast they answered, how often they failed, what they cost.

Speed is told of answers that came whole (`status` ok): a request refused at once would make a model look fast.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from .filters import GROUPABLE, Condition, known, quoted
from .queries import quantiles
from .reader import Snapshot

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (
    "cost_usd",
    "attempt",
    "part",
    "status",
    "input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "audio_seconds",
    "latency_ms",
    "ttft_ms",
)
_STREAMED = "status = 'ok' AND part = 0 AND output_tokens > 1 AND latency_ms > ttft_ms"
"""Answers whose tokens after the first have a time of their own."""


def performance(snapshot: Snapshot, where: Condition, by: Sequence[str]) -> pd.DataFrame:
    """One row for each value of the columns `by`, most calls first:

    calls, attempts           as in `queries`
    error_rate                errors / attempts, 0 to 1
    latency_p50_ms, latency_p95_ms, ttft_p50_ms   of answers that came whole, off by 0.8 % at most; NaN where unknown
    tokens_per_second         output tokens after each answer's first / seconds after it, over all streamed answers
    cost_usd, priced          as in `queries`
    input_tokens, cache_read_tokens, output_tokens, audio_seconds   sums; None where no record reports usage
    """
    if not by:
        raise InvalidInput("Performance needs a column to group by.", f"Use one of {', '.join(GROUPABLE)}.")
    names = [known(column, GROUPABLE) for column in by]
    lead = ", ".join(quoted(name) for name in names)
    found = snapshot.frame(
        f"""
        SELECT {lead},
            count(*) FILTER (attempt = 1 AND part = 0) AS calls,
            count(*) FILTER (part = 0) AS attempts,
            count(*) FILTER (status IN ('error', 'partial', 'interrupted'))
                / nullif(count(*) FILTER (part = 0), 0) AS error_rate,
            sum(output_tokens - 1) FILTER ({_STREAMED})
                / (sum(latency_ms - ttft_ms) FILTER ({_STREAMED}) / 1000) AS tokens_per_second,
            sum(cost_usd)::VARCHAR AS cost_usd,
            count(cost_usd) / nullif(count(*), 0) AS priced,
            sum(input_tokens)::BIGINT AS input_tokens,
            sum(cache_read_tokens)::BIGINT AS cache_read_tokens,
            sum(output_tokens)::BIGINT AS output_tokens,
            sum(audio_seconds)::DOUBLE AS audio_seconds
        FROM {snapshot.usage(*where.columns, *names, *_COLUMNS)} WHERE {where.sql}
        GROUP BY ALL ORDER BY calls DESC, {lead}
        """,
        where.values,
    )
    whole = dataclasses.replace(where, sql=f"({where.sql}) AND status = 'ok'", columns=(*where.columns, "status"))
    for column in ("latency", "ttft"):
        ranks = quantiles(snapshot, whole, names, column=f"{column}_ms")
        ranks = ranks.rename(columns={f"{rank}_ms": f"{column}_{rank}_ms" for rank in ("p50", "p95")})
        found = found.merge(ranks, on=names, how="left")
    return found.drop(columns="ttft_p95_ms")
