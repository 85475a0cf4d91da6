"""Draws what was spent: six tiles with their change and trend, and what the totals cover."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import figures
from pages.components.figures import known
from pages.components.live import Answers
from pages.components.span import Span, every_bucket

SUMMED = ["cost_usd", "calls", "attempts", "errors", "input_tokens", "output_tokens", "cache_read_tokens"]


def tiles(found: Answers, span: Span) -> None:
    """Six figures. A delta's colour says good or bad, not up or down: more spend, time or errors is bad."""
    now, before, each = found.now, found.before, every_bucket(_all_models(found.by_model), span)
    tokens, cached, failed = _tokens(now), _ratio(now, "cache_read_tokens", "input_tokens"), _failed(now)
    cached_before = _ratio(before, "cache_read_tokens", "input_tokens")
    slower = figures.difference(now.latency_p95_ms, before.latency_p95_ms, "s", 0.001)
    with st.grid(6, min_column_width=148):
        _tile(
            "Spend", figures.usd(now.cost_usd), figures.change(now.cost_usd, before.cost_usd), each.cost_usd, bad=True
        )
        _tile("Calls", figures.count(now.calls), figures.change(now.calls, before.calls), each.calls)
        _tile(
            "Tokens",
            figures.count(tokens),
            figures.change(tokens, _tokens(before)),
            each.input_tokens + each.output_tokens,
            neutral=True,
            about=f"{figures.exact(now.input_tokens)} in, {figures.exact(now.output_tokens)} out",
        )
        _tile(
            "Cache read",
            figures.share(cached),
            figures.difference(cached, cached_before, "pt", 100, 0),
            each.cache_read_tokens / each.input_tokens,
            about="The share of prompt tokens that the provider had in its cache, at a lower price.",
        )
        _tile(
            "p95 latency",
            figures.duration(now.latency_p95_ms),
            slower,
            every_bucket(found.p95_ms, span).p95_ms,
            bad=True,
            about="95 of 100 requests took no longer than this.",
        )
        _tile(
            "Errors",
            figures.share(failed),
            figures.difference(failed, _failed(before), "pt", 100),
            each.errors / each.attempts,
            bad=True,
            about=f"{figures.exact(now.errors)} of {figures.exact(now.attempts)} requests. A call you stopped is none.",
        )


def _tile(
    name: str,
    value: str,
    delta: str | int | None,
    trend: pd.Series,
    *,
    bad: bool = False,
    neutral: bool = False,
    about: str = "",
) -> None:
    """`bad`: a rise is not welcome; `neutral`: a change is neither good nor bad."""
    st.metric(
        name,
        value,
        delta,
        delta_color="primary" if neutral else "inverse" if bad else "normal",
        border=True,
        height="stretch",
        chart_data=trend.astype(float).fillna(0).tolist(),
        help=about or ("Not known for any of these calls." if value == figures.UNKNOWN else None),
    )


def coverage(found: Answers, span: Span) -> None:
    """What the totals cover, in which zone days begin, and what the deltas compare with."""
    now = found.now
    parts = [f"{figures.share(now.priced)} of requests priced"] if known(now.priced) else []
    if now.unpriced:
        parts.append(f"{figures.exact(now.unpriced)} unpriced and not in the spend")
    parts.append(f"{span.bucket}s in {span.tz}")
    parts.append(
        f"compared with the {span.words} before" if found.before.records else f"no calls in the {span.words} before"
    )
    st.caption(" · ".join(parts))


def _all_models(by_model: pd.DataFrame) -> pd.DataFrame:
    """The measures of each bucket, whatever the model: they add up."""
    return by_model[SUMMED].astype(float).groupby(by_model["bucket"]).sum().reset_index()


def _tokens(row: pd.Series) -> int | None:
    return row.input_tokens + row.output_tokens if known(row.input_tokens) else None


def _failed(row: pd.Series) -> float | None:
    return _ratio(row, "errors", "attempts")


def _ratio(row: pd.Series, part: str, whole: str) -> float | None:
    return float(row[part]) / float(row[whole]) if known(row[part]) and known(row[whole]) and row[whole] else None
