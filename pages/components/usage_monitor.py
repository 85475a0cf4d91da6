"""Draws what was spent: six tiles with their change and trend, and what the totals cover."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from pages.components import figures, sparkline
from pages.components.figures import known
from pages.components.span import Span, every_bucket
from pages.components.usage_view import View

UNPRICED = "Unpriced"
"""The tab that lists what has no price."""

SUMMED = ["cost_usd", "calls", "attempts", "errors", "input_tokens", "output_tokens", "cache_read_tokens"]


def tiles(view: View, now: pd.Series, before: pd.Series, series: pd.DataFrame, p95_ms: pd.DataFrame) -> None:
    """Six figures. A delta's colour says good or bad, not up or down: more spend, time or errors is bad.

    `series` are the measures by bucket and any group, which add up.
    """
    each = view.made(series, partial(_each, series, view.span), "sums")
    slowest = view.made(p95_ms, partial(every_bucket, p95_ms, view.span), "slowest")
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
            slowest.p95_ms,
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
    with st.container(border=True, height="stretch", vertical_alignment="distribute", gap="xsmall"):
        st.metric(
            name,
            value,
            delta,
            delta_color="off" if neutral else "inverse" if bad else "normal",
            help=about or ("Not known for any of these calls." if value == figures.UNKNOWN else None),
        )
        sparkline.draw(trend.astype(float).tolist(), f"{name} over the span")


def coverage(span: Span, now: pd.Series, before: pd.Series) -> None:
    """What the totals cover, in which zone days begin, and what the deltas compare with."""
    parts = [f"{figures.share(now.priced)} of requests priced"] if known(now.priced) else []
    parts += ["US dollars", f"{span.bucket}s in {span.tz}"]
    parts.append(f"compared with the {span.words}" if before.records else f"no calls in the {span.words}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(" · ".join(parts), width="content")
        if now.unpriced:
            st.button(
                f"{figures.exact(now.unpriced)} unpriced, not in the spend",
                key="usage.unpriced",
                type="tertiary",
                icon=":material/help:",
                help="See which, and what is missing to know their cost.",
                on_click=_see_unpriced,
            )


def _see_unpriced() -> None:
    st.session_state["view"] = UNPRICED


def _each(series: pd.DataFrame, span: Span) -> pd.DataFrame:
    """All groups of each bucket."""
    return every_bucket(series[SUMMED].astype(float).groupby(series["bucket"]).sum().reset_index(), span)


def _tokens(row: pd.Series) -> int | None:
    return row.input_tokens + row.output_tokens if known(row.input_tokens) else None


def _failed(row: pd.Series) -> float | None:
    return _ratio(row, "errors", "attempts")


def _ratio(row: pd.Series, part: str, whole: str) -> float | None:
    return float(row[part]) / float(row[whole]) if known(row[part]) and known(row[whole]) and row[whole] else None
